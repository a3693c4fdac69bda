"""Closing and opening a way in: what more than one action does with a sign-in identity."""

from app.access.sessions import end_sessions
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.security_events import SecurityEvent, note
from app.models.people import SignInIdentity
from app.models.sessions import Ending


async def close_way_in(unit: Unit, identity: SignInIdentity, *, actor: journal.Actor) -> None:
    """Closes an identity that this unit holds, and ends its sessions and nobody else's."""
    identity.closed_at = now()
    await _note(unit, SecurityEvent.IDENTITY_CLOSED, identity, actor)
    await end_sessions(unit, actor=actor, because=Ending.IDENTITY_CLOSED, identity_id=identity.id)


async def open_way_in(unit: Unit, identity: SignInIdentity, *, actor: journal.Actor) -> None:
    """Opens a closed identity that this unit holds; the sessions that it had are over all the same."""
    identity.closed_at = None
    await _note(unit, SecurityEvent.IDENTITY_REOPENED, identity, actor)


async def _note(
    unit: Unit, event: SecurityEvent, identity: SignInIdentity, actor: journal.Actor
) -> None:
    await note(
        unit,
        event,
        actor=actor,
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=identity.organisation_id,
        changed=["closed_at"],
    )
