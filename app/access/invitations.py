"""Who sees an invitation, and what must be so before its link lets anybody in."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, case, cast, func, literal, null, or_, select

from app.access import relations as r
from app.access.acceptance import waits
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.visibility import Resource, Way, parameter, register
from app.core.clock import now, today
from app.core.db import Unit
from app.core.http import as_uuid
from app.core.journal import journal
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.sql import there_is, wire
from app.core.tables import Id, Moment, as_moment
from app.core.text import canonical_address
from app.models.agreements import AgreementParty, AgreementSignature
from app.models.evidence import EvidenceItem
from app.models.goals import Goal
from app.models.networks import NetworkMember
from app.models.organisations import Organisation
from app.models.people import LEADER_ROLES, AffiliationRole, Person, SignInIdentity
from app.models.shares import Share
from app.models.ways_in import Invitation

WAITS = timedelta(hours=72)
"""How long an address counts as new, and how long those who read the earlier ones can refuse."""

_OPENING_ROLES = (*LEADER_ROLES, AffiliationRole.ADMINISTRATOR)
"""Roles that let read or administer by themselves; one that is new is being set up."""

_invitations: Any = Invitation.__table__
_identities: Any = SignInIdentity.__table__
_people: Any = Person.__table__
_organisations: Any = Organisation.__table__
_person = parameter("person_id", Id)


def _prepare(row: dict[str, Any]) -> None:
    accepted, withdrawn = row.pop("accepted_at"), row.pop("withdrawn_at")
    if accepted is not None:
        row["state"] = "accepted"
    elif withdrawn is not None:
        row["state"] = "withdrawn"
    else:
        row["state"] = "expired" if as_moment(row["expires_at"]) <= now() else "open"


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    if kind is CallerKind.CLIENT:
        return []
    return [
        Way("self", row.c.person_id == r.me),
        r.as_administrator(row.c.organisation_id),
        r.as_operator(),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.SELF: row.c.person_id == r.me,
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.OPERATOR: r.is_operator(),
    }


INVITATIONS = register(
    Resource(
        kind="invitation",
        path="/v1/invitations",
        table=_invitations,
        entity=Invitation,
        ways=_ways,
        # Nothing of whether the address, or the person, has a way in already.
        columns=lambda row, kind: [
            row.c[name]
            for name in (
                "id", "version", "created_at", "updated_at", "person_id", "organisation_id", "email",
                "created_by", "expires_at", "accepted_at", "withdrawn_at",
            )
        ] + [
            wire(case((row.c.person_id == r.me, row.c.agreed_at), else_=null())).label("agreed_at")
        ],
        relations=_relations,
        filters={
            "person_id": lambda row, bind: row.c.person_id == bind,
            "organisation_id": lambda row, bind: row.c.organisation_id == bind,
        },
        filter_types={"person_id": Id, "organisation_id": Id},
        prepare=_prepare,
    )
)  # fmt: skip


def _their_records() -> ColumnElement[bool]:
    """Whether anything has been written of the person, or is open to them, so that somebody else in
    their place would read it."""
    found: list[ColumnElement[bool]] = []
    for model, column in (
        (Goal, "owner_id"), (EvidenceItem, "owner_id"), (AgreementParty, "person_id"),
        (AgreementSignature, "person_id"), (Share, "person_id"), (NetworkMember, "person_id"),
    ):  # fmt: skip
        table = model.__table__.alias(f"their_{model.__tablename__}")
        found.append(there_is(table, table.c[column] == _person))
    role = r.affiliations.alias("their_role")
    led = there_is(
        role,
        role.c.person_id == _person,
        r.any_of(role.c.role, _OPENING_ROLES),
        role.c.accepted_at <= parameter("before", Moment),
    )
    return or_(*found, led)


_ADDRESS_SINCE = (
    select(func.max(journal.c.at))
    .where(
        journal.c.kind == "person",
        journal.c.resource_id == _person,
        or_(journal.c.action == "created", cast(journal.c.changed, String).like('%"email"%')),
    )
    .scalar_subquery()
)
_SITUATION = Query(
    select(
        _people.c.name,
        _people.c.email,
        _ADDRESS_SINCE.label("since"),
        _their_records().label("records"),
    ).where(_people.c.id == _person),
    unscoped="what decides whether a link lets somebody in; only the decision is told",
)
_THEIRS = Query(
    select(_identities.c.email, _identities.c.closed_at, _identities.c.id)
    .where(_identities.c.person_id == _person)
    .order_by(_identities.c.id.desc())
)
_HERE = Query(
    select(literal(1)).where(
        there_is(
            r.affiliations,
            r.affiliations.c.person_id == _person,
            r.affiliations.c.organisation_id == parameter("organisation_id", Id),
            r.not_past(r.affiliations),
        )
    ),
    scoped=True,
)
_OF_LINK = {
    refusal: Query(
        select(
            _invitations.c.id,
            _invitations.c.person_id,
            _invitations.c.organisation_id,
            _invitations.c.email,
            _invitations.c.created_at,
            _invitations.c.expires_at,
            _invitations.c.agreed_at,
            _organisations.c.name,
            waits(_invitations.c.person_id, _invitations.c.organisation_id).label("waits"),
        )
        .select_from(
            _invitations.outerjoin(
                _organisations, _organisations.c.id == _invitations.c.organisation_id
            )
        )
        .where(
            _invitations.c["refusal_hash" if refusal else "secret_hash"]
            == parameter("hash", String),
            _invitations.c.accepted_at.is_(None),
            _invitations.c.withdrawn_at.is_(None),
        ),
        scoped=True,
    )
    for refusal in (False, True)
}


class Situation(NamedTuple):
    """What is known of a person whom somebody would let in."""

    name: str
    address: str | None
    """That of their record."""
    since: datetime | None
    """Since when the record has it."""
    records: bool
    open: tuple[str | None, ...]
    """Addresses of their open ways in."""
    closed: tuple[str | None, ...]

    def is_settled(self, email: str) -> bool:
        """Whether a link to `email` may let in at once: nobody is there yet who could be replaced, or
        the record has had this very address for long."""
        if self.open or self.closed:
            return False
        if not self.records:
            return True
        same = self.address is not None and canonical_address(self.address) == email
        return same and self.since is not None and self.since + WAITS <= now()

    def others(self, email: str) -> list[str]:
        """Addresses, other than `email`, where the person may read of it."""
        known = [self.address, *(self.open or self.closed)]
        found = dict.fromkeys(canonical_address(a) for a in known if a)
        found.pop(email, None)
        return list(found)[:5]


class Invited(NamedTuple):
    """An invitation that waits for an answer, as its link finds it."""

    id: UUID
    person_id: UUID
    organisation_id: UUID | None
    email: str
    created_at: datetime
    expires_at: datetime
    agreed: bool
    organisation: str | None
    waits: bool
    """Whether the person has a life elsewhere and has not accepted the organisation yet."""


class Hindrance(NamedTuple):
    """Why a link does not let in now: the person must agree first, or until when it waits."""

    agreement: bool
    until: datetime | None


async def situation_of(unit: Unit, person_id: UUID) -> Situation:
    """What is known of a person."""
    values = {"person_id": person_id}
    looked_for = {**values, "before": now() - WAITS}
    ((name, address, since, records),) = await unit.rows(_SITUATION, looked_for)
    theirs = await unit.rows(_THEIRS, values)
    return Situation(
        name,
        address,
        None if since is None else as_moment(since),
        bool(records),
        tuple(row[0] for row in theirs if row[1] is None),
        tuple(row[0] for row in theirs if row[1] is not None),
    )


async def is_here(unit: Unit, person_id: UUID, organisation_id: UUID) -> bool:
    """Whether the person is, or will be, at the organisation, or has been asked to be."""
    values = {"person_id": person_id, "organisation_id": organisation_id, "today": today()}
    return bool(await unit.rows(_HERE, values))


async def invitation_of(unit: Unit, token: str, *, refusal: bool) -> Invited | None:
    """The invitation that a link is about, as long as it waits for an answer."""
    values = {"hash": hash_secret(token[:100]), "today": today()}
    rows = await unit.rows(_OF_LINK[refusal], values)
    if not rows:
        return None
    row = rows[0]
    found = Invited(
        as_uuid(row[0]),
        as_uuid(row[1]),
        None if row[2] is None else as_uuid(row[2]),
        row[3],
        as_moment(row[4]),
        as_moment(row[5]),
        row[6] is not None,
        row[7],
        bool(row[8]),
    )
    return found if refusal or found.expires_at > now() else None


def hindrance(invited: Invited, situation: Situation) -> Hindrance | None:
    """What keeps the link from letting in now; nothing is decided before: what was so when the
    invitation was sent may have changed since."""
    if invited.waits:
        return Hindrance(True, None)
    if situation.open:
        return None if invited.agreed else Hindrance(True, None)
    opens = invited.created_at + WAITS
    if situation.is_settled(invited.email) or opens <= now():
        return None
    return Hindrance(False, opens)
