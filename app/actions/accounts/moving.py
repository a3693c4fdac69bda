"""What is a person's becomes that of another record of theirs: one statement a table.

What becomes of each column that names a person is said in tests/joined.py.
"""

from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, and_, case, delete, literal, or_, select, update

from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.http import as_uuid
from app.core.idempotency import answers
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id, Moment, Versioned
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementVersion,
    LearningAgreement,
)
from app.models.evidence import EvidenceFile, EvidenceItem
from app.models.goals import Goal, GoalProgress, GoalRevision
from app.models.identity_providers import IdentityLink
from app.models.networks import NetworkMember
from app.models.people import Affiliation, PersonIdentifier, SignInIdentity
from app.models.receipts import Receipt
from app.models.sessions import Authorization, Consent, Session
from app.models.shares import KeptRecord, Share
from app.models.ways_in import AddressChange, Invitation, PasswordReset, PersonJoin

_gone, _stays = parameter("gone", Id), parameter("stays", Id)
_parties: Any = AgreementParty.__table__
_signatures: Any = AgreementSignature.__table__
_shares: Any = Share.__table__
_receipts: Any = Receipt.__table__
_identities: Any = SignInIdentity.__table__


class Moved(NamedTuple):
    """The columns of a table in which the person is named."""

    entity: Any
    columns: tuple[str, ...]
    kind: str = ""
    """Of a resource: the moved are written anew, each with its version and its row in the journal."""


OF_AGREEMENTS = (
    # First, as long as parties and signatures say which they are.
    Moved(
        LearningAgreement,
        ("created_by", "learner_completed_by", "coach_completed_by"),
        "learning_agreement",
    ),
    Moved(AgreementVersion, ("created_by",)),
    Moved(AgreementParty, ("person_id",)),
    Moved(AgreementSignature, ("person_id",)),
)
"""Of agreements that are over, or in which the person has no part any more."""
OF_PEOPLE = (
    Moved(Affiliation, ("person_id",), "affiliation"),
    Moved(EvidenceFile, ("created_by",)),
    Moved(EvidenceItem, ("owner_id", "created_by"), "evidence_item"),
    Moved(Goal, ("owner_id", "created_by", "coach_accepted_by"), "goal"),
    Moved(GoalProgress, ("created_by",)),
    Moved(GoalRevision, ("replaced_by",)),
    Moved(Invitation, ("created_by",), "invitation"),
    Moved(KeptRecord, ("person_id",)),
    Moved(NetworkMember, ("person_id",), "network_member"),
    Moved(PersonIdentifier, ("person_id",)),
    Moved(Receipt, ("person_id",)),
    Moved(Session, ("person_id",)),
    Moved(Share, ("owner_id", "created_by", "person_id"), "share"),
    Moved(SignInIdentity, ("person_id",)),
)


@cache
def _move(moved: Moved) -> Query:
    table: Any = moved.entity.__table__
    values = {
        name: case((table.c[name] == _gone, _stays), else_=table.c[name]) for name in moved.columns
    }
    theirs = or_(*(table.c[name] == _gone for name in moved.columns))
    if moved.entity is LearningAgreement:
        # Who is shown as a party, or as somebody who signed, is part of what an agreement says.
        theirs = or_(theirs, _names(_parties, table), _names(_signatures, table))
    if not moved.kind:
        return Query(update(table).values(values).where(theirs))
    assert issubclass(moved.entity, Versioned)
    written = {"version": table.c.version + 1, "updated_at": parameter("now", Moment)}
    shown = [
        table.c[name].label(name) if name in table.c else literal(None, Id).label(name)
        for name in ("id", "version", "owner_id", "person_id", "agreement_id")
    ]
    return Query(update(table).values({**values, **written}).where(theirs).returning(*shown))


def _names(place: Any, agreement: Any) -> Any:
    return there_is(place, place.c.agreement_id == agreement.c.id, place.c.person_id == _gone)


def _delete(entity: Any, *conditions: Any) -> Query:
    return Query(delete(entity.__table__).where(*conditions))


_theirs = select(_identities.c.id).where(_identities.c.person_id == _gone)
ENDED: tuple[Query, ...] = (
    _delete(AddressChange, AddressChange.person_id == _gone),
    _delete(Authorization, Authorization.person_id == _gone),
    _delete(Consent, Consent.person_id == _gone),
    _delete(IdentityLink, IdentityLink.person_id == _gone),
    _delete(Invitation, Invitation.person_id == _gone),
    _delete(PasswordReset, PasswordReset.identity_id.in_(_theirs)),
    _delete(PersonJoin, PersonJoin.person_id == _gone),
    Query(delete(answers).where(answers.c.caller.like(parameter("callers", String)))),
)
"""What was on its way for the record that goes."""

_other, _twin = _shares.alias("other"), _receipts.alias("twin")
_outlasts = or_(
    and_(_other.c.ends_on.is_(None), _shares.c.ends_on.is_not(None)),
    _other.c.ends_on > _shares.c.ends_on,
    and_(
        _shares.c.person_id == _gone,
        or_(
            _other.c.ends_on == _shares.c.ends_on,
            and_(_other.c.ends_on.is_(None), _shares.c.ends_on.is_(None)),
        ),
    ),
)
TWICE: tuple[Query, ...] = (
    # What they had shared with themself; and of two shares of one record with them the shorter.
    Query(
        delete(_shares).where(
            or_(
                and_(_shares.c.owner_id == _gone, _shares.c.person_id == _stays),
                and_(_shares.c.owner_id == _stays, _shares.c.person_id == _gone),
                and_(
                    or_(_shares.c.person_id == _gone, _shares.c.person_id == _stays),
                    there_is(
                        _other,
                        or_(_other.c.person_id == _gone, _other.c.person_id == _stays),
                        _other.c.person_id != _shares.c.person_id,
                        _other.c.kind == _shares.c.kind,
                        _other.c.record_id == _shares.c.record_id,
                        _outlasts,
                    ),
                ),
            )
        )
    ),
    # The day on which they read it is kept once.
    Query(
        delete(_receipts).where(
            _receipts.c.person_id == _gone,
            there_is(
                _twin,
                _twin.c.person_id == _stays,
                *(
                    _twin.c[name] == _receipts.c[name]
                    for name in ("kind", "resource_id", "day", "client_id")
                ),
            ),
        )
    ),
)
"""What both records had, of which one is left."""


async def move(
    unit: Unit, *, actor: journal.Actor, gone: UUID, stays: UUID, agreements: bool = True
) -> int:
    """Makes everything of one record another's; how many resources were written anew.

    Without `agreements`: what came in while the record went. A proposal that named it in that moment
    still does, and is for its drafter to take back.
    """
    values = {"gone": gone, "stays": stays, "now": now(), "callers": f"%:{gone}"}
    for query in (*ENDED, *TWICE):
        await unit.rows(query, values, long=True)
    written = 0
    for moved in (*(OF_AGREEMENTS if agreements else ()), *OF_PEOPLE):
        rows = await unit.rows(_move(moved), values, long=True)
        if moved.kind:
            written += len(rows)
            for row in rows:
                await _note(unit, actor, moved, row)
    return written


async def _note(unit: Unit, actor: journal.Actor, moved: Moved, row: Any) -> None:
    id_, version, owner_id, person_id, agreement_id = row
    record_id = as_uuid(id_)
    whose = owner_id or person_id
    under = record_id if moved.entity is LearningAgreement else agreement_id
    await journal.record(
        unit,
        actor=actor,
        action="joined",
        kind=moved.kind,
        resource_id=record_id,
        version=int(version),
        owner_id=whose and as_uuid(whose),
        agreement_id=under and as_uuid(under),
        changed=moved.columns,
    )
