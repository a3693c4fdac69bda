"""Two records of one person become one, by a sign-in with each: what was signed stays as it was."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, delete, select, update

from app.access.accounts import account_standing, check_fresh, hold_account
from app.access.door import Access
from app.access.homes import learners_came
from app.access.identity_holders import tell
from app.access.joined import keep_closed, share_an_agreement
from app.access.network_members import NETWORK_MEMBERS
from app.access.people import AFFILIATIONS
from app.access.second_factors import confirmed_factors, forget_factors
from app.access.sessions import end_sessions
from app.access.visibility import parameter
from app.actions.accounts.factors import show_factor
from app.actions.accounts.in_the_way import DRAFTS, UNFINISHED, check_nothing_in_the_way
from app.actions.accounts.moving import move
from app.actions.accounts.ties import merge_ties
from app.core.clock import now, today
from app.core.db import Unit
from app.core.errors import Conflict, Invalid, TooManyRequests
from app.core.http import as_uuid
from app.core.ids import uuid7
from app.core.journal import COMMAND_LINE, about_accounts, journal
from app.core.passwords import hash_secret, new_secret
from app.core.query import Query
from app.core.sealing import Seals
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id, Moment, as_moment
from app.models.people import Affiliation, Operator, Person, SignInIdentity
from app.models.sessions import Ending
from app.models.ways_in import PersonJoin

MINUTES = 15
"""How long there is between asking and signing in as the other."""
MOST_WRONG = 5
WINDOW = timedelta(minutes=30)
"""How many wrong codes a person may send in how long; then none is looked at until one is older."""
STRAYS = timedelta(hours=2)
"""For how long the sweep looks for what was written while a record went: a token of it that another
process had not yet dropped, a request that had begun before."""

_joins: Any = PersonJoin.__table__
_people: Any = Person.__table__
_operators: Any = Operator.__table__
_gone, _stays = parameter("gone", Id), parameter("stays", Id)

_FORGET = Query(delete(_joins).where(_joins.c.person_id == _stays))
_hash, _now = parameter("hash", String), parameter("now", Moment)
_good = (_joins.c.secret_hash == _hash, _joins.c.expires_at > _now)
_FIND = Query(select(_joins.c.person_id).where(*_good))
_USE_UP = Query(delete(_joins).where(*_good).returning(_joins.c.person_id))
# Not only their accounts: whoever writes something of either just now is done before.
_HOLD_BOTH = Query(
    select(_people.c.id)
    .where((_people.c.id == _gone) | (_people.c.id == _stays))
    .order_by(_people.c.id)
    .with_for_update(),
    unscoped="a lock, and nothing else",
)
_OPERATES = Query(
    select(_operators.c.person_id).where(
        (_operators.c.person_id == _gone) | (_operators.c.person_id == _stays)
    )
)
_FOLLOW = Query(
    update(_people)
    .values(joined_to=_stays, updated_at=_now, version=_people.c.version + 1)
    .where(_people.c.joined_to == _gone)
)
_failed_kind, _failed_action = SecurityEvent.JOIN_FAILED.value
_WRONG = Query(
    select(journal.c.at)
    .where(
        about_accounts(_failed_kind),
        journal.c.owner_id == _gone,
        journal.c.action == _failed_action,
        journal.c.at > parameter("since", Moment),
    )
    .order_by(journal.c.sequence.desc())
    .limit(MOST_WRONG)
)
_LATELY = Query(
    select(_people.c.id, _people.c.joined_to).where(
        _people.c.joined_to.is_not(None), _people.c.joined_at > parameter("since", Moment)
    ),
    unscoped="records that have gone into others just now, for the sweep",
)


class JoinAsked(NamedTuple):
    """What is needed at the sign-in as the other record."""

    join_code: str
    expires_at: datetime


def _me(access: Access) -> UUID:
    assert access.caller.person_id is not None, "the grant is for people"
    return access.caller.person_id


async def ask_to_join(access: Access, seals: Seals, *, code: str | None) -> JoinAsked:
    """The record of the caller is to remain: a code for the sign-in as the other, shown only here.

    A code that was asked for before counts no longer.
    """
    check_fresh(access)
    unit, me = access.unit, _me(access)
    await hold_account(unit, me)
    await show_factor(access, seals, code)
    await _check_no_operator(unit, me, me)
    join_code, expires_at = new_secret(), now() + timedelta(minutes=MINUTES)
    await unit.rows(_FORGET, {"stays": me})
    await unit.insert(
        PersonJoin(
            id=uuid7(), secret_hash=hash_secret(join_code), person_id=me, expires_at=expires_at
        )
    )
    await _note(access, SecurityEvent.JOIN_ASKED, me)
    return JoinAsked(join_code, expires_at)


async def join(access: Access, seals: Seals, *, join_code: str, code: str | None) -> UUID:
    """The record of the caller goes into the one that asked: the id of that. It cannot be taken back.

    Invalid for a code that is none; TooManyRequests after some; Conflict says what stands in the way.
    """
    check_fresh(access)
    unit, me = access.unit, _me(access)
    await unit.begin()
    sent = {"hash": hash_secret(join_code), "now": now()}
    found = await unit.rows(_FIND, sent)
    stays = as_uuid(found[0][0]) if found else me
    both = {"gone": me, "stays": stays}
    await unit.rows(_HOLD_BOTH, both)
    # First what is counted and stays written; the code is used up by the join alone.
    await show_factor(access, seals, code)
    await _check_not_guessing(unit, me)
    if not await unit.rows(_USE_UP, sent):
        await _note(access, SecurityEvent.JOIN_FAILED, me)
        wrong = Invalid.field("/join_code", "is none that counts now: ask for another")
        wrong.recorded = True
        raise wrong
    await _check_possible(unit, gone=me, stays=stays)
    for person_id in (stays, me):
        await tell(unit, person_id, "records_joined")
    await _join(access, **both)
    return stays


async def _check_not_guessing(unit: Unit, person_id: UUID) -> None:
    moment = now()
    rows = await unit.rows(_WRONG, {"gone": person_id, "since": moment - WINDOW})
    if len(rows) >= MOST_WRONG:
        left = as_moment(rows[-1][0]) + WINDOW - moment
        raise TooManyRequests(
            "join code",
            MOST_WRONG,
            int(WINDOW.total_seconds()),
            max(1, int(left.total_seconds()) + 1),
            detail=f"{MOST_WRONG} codes were wrong: no code is looked at for a while.",
        )


async def _check_no_operator(unit: Unit, gone: UUID, stays: UUID) -> None:
    if await unit.rows(_OPERATES, {"gone": gone, "stays": stays}):
        raise Conflict(
            "An administrator of the operator keeps a record of their own: it is not joined with another."
        )


async def _check_possible(unit: Unit, *, gone: UUID, stays: UUID) -> None:
    if gone == stays:
        raise Conflict("This is the record that asked: sign in as the other one.")
    for person_id in (gone, stays):
        standing = await account_standing(unit, person_id)
        if not standing.is_open:
            raise Conflict("One of the two records is disabled or is nobody's any more.")
    await _check_no_operator(unit, gone, stays)
    if await share_an_agreement(unit, gone=gone, stays=stays):
        raise Conflict(
            "One agreement names both records, or has named them: there they are two people, and stay so."
        )
    if await confirmed_factors(unit, gone) and not await confirmed_factors(unit, stays):
        raise Conflict(
            "The record that goes has a second factor: set one up for the record that remains first."
        )
    await check_nothing_in_the_way(unit, gone, UNFINISHED, DRAFTS)


async def _join(access: Access, *, gone: UUID, stays: UUID) -> None:
    unit, actor = access.unit, access.caller.actor
    await unit.session.scalars(
        select(SignInIdentity.id)
        .where(SignInIdentity.person_id == gone)
        .order_by(SignInIdentity.id)
        .with_for_update()
    )
    await end_sessions(unit, actor=actor, because=Ending.SIGNED_OUT, person_id=gone)
    await forget_factors(unit, gone)
    await keep_closed(unit, gone=gone, stays=stays)
    await _merge_ties(access, gone=gone, stays=stays)
    await move(unit, actor=actor, gone=gone, stays=stays)
    await _put_together(access, gone=gone, stays=stays)
    for organisation_id in await _places(unit, stays):
        await learners_came(unit, stays, organisation_id)


async def _merge_ties(access: Access, *, gone: UUID, stays: UUID) -> None:
    for tie in await merge_ties(access.unit, gone=gone, stays=stays):
        here = isinstance(tie, Affiliation)
        await access.journal(
            "changed",
            (AFFILIATIONS if here else NETWORK_MEMBERS).kind,
            tie,
            changed=["starts_on", "ends_on"],
            owner_id=tie.person_id,
            organisation_id=tie.organisation_id if here else None,
        )


async def _put_together(access: Access, *, gone: UUID, stays: UUID) -> None:
    unit, moment = access.unit, now()
    people = {person_id: await _person(unit, person_id) for person_id in (gone, stays)}
    former, person = people[gone], people[stays]
    await unit.rows(_FOLLOW, {"gone": gone, "stays": stays, "now": moment})
    person.joined = [*person.joined, str(gone), *former.joined]
    former.joined_to, former.joined_at, former.joined = stays, moment, []
    former.email = former.creation_digest = None
    for each in (former, person):
        each.touch()
    await unit.flush()
    await _note(access, SecurityEvent.PERSON_GONE, gone, former.version)
    await _note(access, SecurityEvent.PERSON_JOINED, stays, person.version)


async def _person(unit: Unit, person_id: UUID) -> Person:
    found = await unit.session.scalar(
        select(Person)
        .where(Person.id == person_id)
        .execution_options(unscoped="the caller, by either of two records", populate_existing=True)
    )
    assert found is not None, "nobody deletes a person"
    return found


async def _places(unit: Unit, person_id: UUID) -> set[UUID]:
    """The organisations where somebody is, or will be."""
    found = await unit.session.scalars(
        select(Affiliation.organisation_id)
        .where(
            Affiliation.person_id == person_id,
            Affiliation.ends_on.is_(None) | (Affiliation.ends_on > today()),
        )
        .execution_options(unscoped="the caller's own")
    )
    return set(found)


async def gather_strays(unit: Unit) -> int:
    """Moves what was written of records while they went into others, and after; how much it was."""
    await unit.begin()
    found = await unit.rows(_LATELY, {"since": now() - STRAYS})
    return sum(
        [
            await move(
                unit,
                actor=COMMAND_LINE,
                gone=as_uuid(gone),
                stays=as_uuid(stays),
                agreements=False,
            )
            for gone, stays in found
        ]
    )


async def _note(
    access: Access, event: SecurityEvent, person_id: UUID, version: int | None = None
) -> None:
    await note(
        access.unit,
        event,
        actor=access.caller.actor,
        resource_id=person_id,
        version=version or 1,
        owner_id=person_id,
        changed=["joined"] if version else (),
    )
