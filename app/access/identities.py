"""Closing and opening a way in: what more than one action does with a sign-in identity."""

from sqlalchemy import select

from app.access.sessions import end_sessions
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict
from app.core.security_events import SecurityEvent, note
from app.models.people import SignInIdentity
from app.models.sessions import Ending


async def close_way_in(unit: Unit, identity: SignInIdentity, *, actor: journal.Actor) -> None:
    """Closes an identity that this unit holds, and ends its sessions and nobody else's."""
    identity.closed_at = now()
    await _note(unit, SecurityEvent.IDENTITY_CLOSED, identity, actor)
    await end_sessions(unit, actor=actor, because=Ending.IDENTITY_CLOSED, identity_id=identity.id)


async def open_way_in(unit: Unit, identity: SignInIdentity, *, actor: journal.Actor) -> None:
    """Opens a closed identity that this unit holds; the sessions that it had are over all the same.

    Conflict when its address has got another owner.
    """
    taken = await unit.session.scalar(
        select(SignInIdentity.id).where(
            SignInIdentity.email == identity.email, SignInIdentity.closed_at.is_(None)
        )
    )
    if identity.email is not None and taken is not None:
        raise Conflict("Somebody signs in with this address by now.")
    identity.closed_at = None
    await unit.flush()
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
