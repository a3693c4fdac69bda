"""Anonymising a person: what leads to them goes for good; what others have signed with them stays."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, delete, func, or_, select, update

from app.access.accounts import check_fresh, hold_account
from app.access.door import Access
from app.access.people import PEOPLE
from app.access.records import RECORDS
from app.access.second_factors import forget_factors
from app.access.sessions import end_sessions
from app.access.sharing import forget
from app.access.visibility import Resource, parameter
from app.actions.accounts.disabling import check_not_last_operator
from app.actions.accounts.factors import show_factor
from app.actions.accounts.in_the_way import (
    ALONE,
    UNFINISHED,
    check_has_left,
    check_nothing_in_the_way,
)
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, Invalid
from app.core.http import as_uuid
from app.core.idempotency import answers
from app.core.outbox import OutgoingMail
from app.core.query import Query
from app.core.sealing import Seals, Unreadable
from app.core.security_events import SecurityEvent, note
from app.core.sql import there_is
from app.core.tables import Id, Moment
from app.core.text import canonical_address
from app.models.agreements import (
    AgreementState,
    AgreementVersion,
    LearningAgreement,
)
from app.models.identity_providers import FederatedSubject, IdentityLink
from app.models.networks import NetworkMember
from app.models.people import (
    Affiliation,
    Operator,
    Person,
    PersonIdentifier,
    SignInIdentity,
)
from app.models.scim import DirectoryUser
from app.models.sessions import Authorization, Consent, Ending
from app.models.shares import KeptRecord, Share
from app.models.ways_in import AddressChange, Invitation, PasswordReset, PersonJoin

FORMER_MEMBER = "Former member / Cyn-aelod"
"""Stands where the name stood: in both languages, since a name is shown as it is kept."""
CONFIRM_MINUTES = 30
"""How long a person may think about it."""

_agreements: Any = LearningAgreement.__table__
_versions: Any = AgreementVersion.__table__

_person = parameter("person_id", Id)


def _delete(entity: Any, *conditions: Any) -> Query:
    return Query(delete(entity.__table__).where(*conditions))


_identities: Any = SignInIdentity.__table__
_invitations: Any = Invitation.__table__
_changes: Any = AddressChange.__table__
_opened = select(_identities.c.id).where(_identities.c.person_id == _person)


def _addresses(table: Any) -> Any:
    return select(table.c.email).where(table.c.person_id == _person, table.c.email.is_not(None))


_GONE: tuple[Query, ...] = (
    # Messages first: they are found by the addresses.
    _delete(
        OutgoingMail,
        or_(
            OutgoingMail.address == parameter("address", String),
            *(
                OutgoingMail.address.in_(_addresses(table))
                for table in (_identities, _invitations, _changes)
            ),
        ),
    ),
    _delete(Invitation, Invitation.person_id == _person),
    _delete(AddressChange, AddressChange.person_id == _person),
    _delete(PasswordReset, PasswordReset.identity_id.in_(_opened)),
    _delete(DirectoryUser, DirectoryUser.id.in_(_opened)),
    _delete(Consent, Consent.person_id == _person),
    _delete(Authorization, Authorization.person_id == _person),
    _delete(IdentityLink, IdentityLink.person_id == _person),
    _delete(PersonJoin, PersonJoin.person_id == _person),
    _delete(FederatedSubject, FederatedSubject.identity_id.in_(_opened)),
    _delete(PersonIdentifier, PersonIdentifier.person_id == _person),
    _delete(Affiliation, Affiliation.person_id == _person),
    _delete(NetworkMember, NetworkMember.person_id == _person),
    _delete(Operator, Operator.person_id == _person),
    # What they showed to others, with their reasons, and what others showed to them.
    _delete(Share, or_(Share.owner_id == _person, Share.person_id == _person)),
    # What they kept when they left: they read it no more.
    _delete(KeptRecord, KeptRecord.person_id == _person),
    # A draft that was never proposed has been seen by nobody else.
    _delete(
        LearningAgreement,
        LearningAgreement.created_by == _person,
        LearningAgreement.state == AgreementState.DRAFT,
        ~there_is(
            _versions,
            _versions.c.agreement_id == _agreements.c.id,
            _versions.c.proposed_at.is_not(None),
        ),
    ),
    Query(
        update(_identities)
        .where(_identities.c.person_id == _person)
        .values(
            email=None,
            password_hash=None,
            closed_at=func.coalesce(_identities.c.closed_at, parameter("now", Moment)),
        )
    ),
    Query(delete(answers).where(answers.c.caller.like(parameter("callers", String)))),
)


_people: Any = Person.__table__
_FORMER_RECORDS = Query(
    update(_people)
    .values(name=parameter("name", String), folded=parameter("words", String))
    .where(_people.c.joined_to == _person)
)


# By the resource, when it is first asked for: a kind of record is registered when its module is imported.
@cache
def _own(resource: Resource) -> Query:
    """Records that nobody but their owner can read, whatever the agreement says."""
    table = resource.table
    ticked = [column for column in table.c if column.name.startswith("to_")]
    return Query(
        select(table.c.id).where(
            table.c.owner_id == _person,
            table.c.created_by == _person,
            or_(table.c.agreement_id.is_(None), ~or_(*ticked)),
        ),
        unscoped="the person's own, to be erased with them",
    )


@cache
def _erase(resource: Resource) -> Query:
    return Query(delete(resource.table).where(resource.table.c.id == parameter("id", Id)))


class Asked(NamedTuple):
    """What must be sent back to anonymise somebody."""

    confirmation: str
    expires_at: datetime


async def ask_to_anonymise(
    access: Access, seals: Seals, person_id: UUID, *, code: str | None = None
) -> Asked:
    """The first of two steps: what the second one needs; Conflict names what must be done before."""
    unit = access.unit
    await hold_account(unit, person_id)
    mine = person_id == access.caller.person_id
    if mine:
        check_fresh(access)
        await show_factor(access, seals, code)
    await _check_possible(access, person_id, mine=mine)
    expires_at = now() + timedelta(minutes=CONFIRM_MINUTES)
    sealed = seals.seal(expires_at.isoformat(), _about(access, person_id))
    return Asked(sealed, expires_at)


async def anonymise(access: Access, seals: Seals, person_id: UUID, confirmation: str) -> None:
    """The second step: nothing leads to the person any more. It cannot be taken back."""
    unit = access.unit
    await hold_account(unit, person_id)
    try:
        expires_at = datetime.fromisoformat(seals.open(confirmation, _about(access, person_id)))
    except (Unreadable, ValueError) as error:
        raise Invalid.field("/confirmation", "is not what the first step answered") from error
    if expires_at <= now():
        raise Invalid.field("/confirmation", "is too old: ask again")
    await _check_possible(access, person_id, mine=person_id == access.caller.person_id)
    await end_sessions(
        unit,
        actor=access.caller.actor,
        because=Ending.ACCOUNT_DISABLED,
        person_id=person_id,
    )
    await _erase_own_records(unit, person_id)
    await forget_factors(unit, person_id)
    person = await _locked(unit, person_id)
    values = {
        "person_id": person_id,
        "now": now(),
        "callers": f"%:{person_id}",
        "address": canonical_address(person.email or ""),
    }
    for query in _GONE:
        await unit.rows(query, values)
    await forget(unit, PEOPLE.kind, person_id)
    person.name, person.email, person.creation_digest = FORMER_MEMBER, None, None
    person.disabled_at = person.disabled_because = None
    person.anonymised_at = now()
    person.touch()
    await unit.flush()
    # Former records of theirs, which have gone into this one, say no more of them than it does.
    await unit.rows(
        _FORMER_RECORDS, {"person_id": person_id, "name": FORMER_MEMBER, "words": person.folded}
    )
    await note(
        unit,
        SecurityEvent.PERSON_ANONYMISED,
        actor=access.caller.actor,
        resource_id=person_id,
        version=person.version,
        owner_id=person_id,
    )


def _about(access: Access, person_id: UUID) -> str:
    return f"anonymise:{person_id}:{access.caller.person_id}"


async def _locked(unit: Unit, person_id: UUID) -> Person:
    found = await unit.session.scalar(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update()
        .execution_options(
            unscoped="the caller themself, or whom the gate has shown", populate_existing=True
        )
    )
    assert found is not None, "nobody deletes a person"
    return found


async def _check_possible(access: Access, person_id: UUID, *, mine: bool) -> None:
    unit = access.unit
    person = await _locked(unit, person_id)
    if person.anonymised_at is not None:
        raise Conflict("The person has been anonymised already.")
    await check_not_last_operator(unit, person_id)
    if not mine:
        await check_has_left(unit, person_id)
    await check_nothing_in_the_way(unit, person_id, UNFINISHED, ALONE)


async def _erase_own_records(unit: Unit, person_id: UUID) -> None:
    """What nobody but the person could read goes; the rest belongs to its agreement, and stays as the
    terms say. Files that no record names are removed by the sweep."""
    assert {"goal", "evidence_item"} <= {resource.kind for resource in RECORDS.values()}
    for resource in RECORDS.values():
        for row in await unit.rows(_own(resource), {"person_id": person_id}):
            record_id = as_uuid(row[0])
            await forget(unit, resource.kind, record_id)
            await unit.rows(_erase(resource), {"id": record_id})
