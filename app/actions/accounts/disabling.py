"""Disabling an account as a whole, and enabling it again: for the operator's administrators."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.accounts import hold_account
from app.access.gates import Owned
from app.access.sessions import end_sessions
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.models.people import Operator, Person, SignInIdentity
from app.models.sessions import Ending

_people: Any = Person.__table__
_operators: Any = Operator.__table__
# Of two who disable each other at once the second waits, and finds itself the last.
_OPERATORS = Query(
    select(_operators.c.person_id).order_by(_operators.c.person_id).with_for_update()
)
_ABLE = Query(
    select(_operators.c.person_id)
    .join_from(_operators, _people, _people.c.id == _operators.c.person_id)
    .where(_people.c.disabled_at.is_(None), _people.c.anonymised_at.is_(None)),
    unscoped="who is left to look after accounts",
)


async def disable_account(owned: Owned[Person], because: str) -> None:
    """Nobody signs in as them any more, and what was begun ends: here at once, elsewhere in seconds.
    Records stay with the parties. The last of the operator's administrators cannot be disabled."""
    person, unit = owned.entity, owned.access.unit
    if person.anonymised_at is not None:
        raise Conflict("The person has been anonymised: nobody signs in as them.")
    if person.disabled_at is not None:
        raise Conflict("The account is disabled already.")
    await check_not_last_operator(unit, person.id)
    await _hold_ways_in(owned)
    person.disabled_at, person.disabled_because = now(), because
    person.touch()
    await unit.flush()
    await _note(owned, SecurityEvent.ACCOUNT_DISABLED)
    await end_sessions(
        unit,
        actor=owned.access.caller.actor,
        because=Ending.ACCOUNT_DISABLED,
        person_id=person.id,
    )


async def enable_account(owned: Owned[Person]) -> None:
    """Lets them sign in again; what has ended stays ended."""
    person = owned.entity
    if person.disabled_at is None:
        raise Conflict("The account is not disabled.")
    person.disabled_at = person.disabled_because = None
    person.touch()
    await owned.access.unit.flush()
    await _note(owned, SecurityEvent.ACCOUNT_ENABLED)


async def check_not_last_operator(unit: Unit, person_id: UUID) -> None:
    """Conflict when nobody would be left to look after accounts."""
    await unit.rows(_OPERATORS, {})
    able = {str(row[0]) for row in await unit.rows(_ABLE, {})}
    if able == {str(person_id)}:
        raise Conflict("Nobody else looks after accounts: make another administrator first.")


async def _hold_ways_in(owned: Owned[Person]) -> None:
    """Whoever redeems a code just now is done before, and finds the account disabled after."""
    unit, person_id = owned.access.unit, owned.entity.id
    await hold_account(unit, person_id)
    await unit.session.scalars(
        select(SignInIdentity)
        .where(SignInIdentity.person_id == person_id)
        .order_by(SignInIdentity.id)
        .with_for_update()
    )


async def _note(owned: Owned[Person], event: SecurityEvent) -> None:
    person = owned.entity
    await note(
        owned.access.unit,
        event,
        actor=owned.access.caller.actor,
        resource_id=person.id,
        version=person.version,
        owner_id=person.id,
        changed=["disabled_at"],
    )
