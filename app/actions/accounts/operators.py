"""Writes from the operator's command line on the ways in of administrators: each is journaled."""

from uuid import UUID

from sqlalchemy import delete, select

from app.access.addresses import holder_of
from app.access.sessions import end_sessions
from app.actions.accounts.addresses import stop_changes
from app.actions.accounts.passwords import add_reset
from app.actions.accounts.people import close_identity
from app.core.db import Unit
from app.core.errors import Conflict, NotFound
from app.core.journal import COMMAND_LINE
from app.core.outbox import queue
from app.core.security_events import SecurityEvent, note
from app.core.text import canonical_address
from app.models.people import Operator, SignInIdentity
from app.models.sessions import Ending


async def _administrator(unit: Unit, email: str) -> SignInIdentity:
    await unit.begin()
    identity = await _open_identity(unit, email)
    if await unit.session.get(Operator, identity.person_id) is None:
        raise Conflict("That is no administrator of the operator.")
    return identity


async def _open_identity(unit: Unit, email: str) -> SignInIdentity:
    found = await unit.session.scalar(
        select(SignInIdentity)
        .where(
            SignInIdentity.email == canonical_address(email),
            SignInIdentity.closed_at.is_(None),
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound()
    return found


async def reset_administrator(unit: Unit, email: str) -> UUID:
    """A link with which one of the operator's administrators sets a new password: its id."""
    identity = await _administrator(unit, email)
    await note(
        unit,
        SecurityEvent.RESET_REQUESTED,
        actor=COMMAND_LINE,
        resource_id=identity.id,
        owner_id=identity.person_id,
    )
    return await add_reset(unit, identity.id)


async def disable_administrator(unit: Unit, email: str) -> int:
    """Takes the right from one of the operator's administrators, and closes all their ways in: how
    many they were. The person and what is theirs stay."""
    identity = await _administrator(unit, email)
    person_id = identity.person_id
    identities = await unit.session.scalars(
        select(SignInIdentity.id).where(
            SignInIdentity.person_id == person_id, SignInIdentity.closed_at.is_(None)
        )
    )
    ids = list(identities)
    for identity_id in ids:
        await stop_changes(unit, actor=COMMAND_LINE, identity_id=identity_id)
        await close_identity(unit, actor=COMMAND_LINE, identity_id=identity_id)
    await unit.flush()
    await unit.session.execute(delete(Operator).where(Operator.person_id == person_id))
    await note(
        unit,
        SecurityEvent.OPERATOR_DISABLED,
        actor=COMMAND_LINE,
        resource_id=person_id,
        owner_id=person_id,
    )
    return len(ids)


async def move_address(unit: Unit, email: str, new: str) -> None:
    """Another sign-in address for anybody, at once: for who has lost their mailbox and has shown the
    operator who they are. The old address is told, and every session of that way in ends."""
    await unit.begin()
    identity = await _open_identity(unit, email)
    if await holder_of(unit, new) is not None:
        raise Conflict("Somebody signs in with that address already.")
    await stop_changes(unit, actor=COMMAND_LINE, identity_id=identity.id)
    before, identity.email = identity.email, new
    await unit.flush()
    await note(
        unit,
        SecurityEvent.ADDRESS_CHANGED,
        actor=COMMAND_LINE,
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=identity.organisation_id,
        changed=["email"],
    )
    await end_sessions(unit, actor=COMMAND_LINE, because=Ending.REVOKED, identity_id=identity.id)
    for address in (before, new):
        if address is not None:
            await queue(unit, "address_changed", address, address=new)
