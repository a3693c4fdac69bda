"""Writes of a person's own sessions and consents."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete

from app.access.door import Access
from app.access.sessions import end_sessions
from app.access.visibility import parameter
from app.core.errors import Conflict, Invalid
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.sessions import Consent, Ending, Session

_consents: Any = Consent.__table__
_WITHDRAW = Query(
    delete(_consents)
    .where(
        _consents.c.person_id == parameter("person_id", Id),
        _consents.c.client_id == parameter("client_id", Id),
    )
    .returning(_consents.c.client_id)
)


async def end_session(access: Access, session: Session) -> None:
    """Ends one of the caller's sessions."""
    if session.ended_at is not None:
        raise Conflict("This session has ended already.")
    await end_sessions(
        access.unit,
        actor=access.caller.actor,
        because=Ending.SIGNED_OUT,
        session_id=session.id,
    )


async def sign_out_everywhere(access: Access) -> int:
    """Ends all sessions of the caller, this one among them; how many there were."""
    ended = await end_sessions(
        access.unit,
        actor=access.caller.actor,
        because=Ending.SIGNED_OUT,
        person_id=access.caller.person_id,
    )
    return len(ended)


async def withdraw_consent(access: Access, client_id: UUID) -> None:
    """Takes back what the caller has allowed a client, and ends their sessions there."""
    unit, me = access.unit, access.caller.person_id
    await unit.begin()
    if not await unit.rows(_WITHDRAW, {"person_id": me, "client_id": client_id}):
        raise Invalid.field("/client_id", "names no client that you have allowed anything")
    await note(
        unit,
        SecurityEvent.CONSENT_WITHDRAWN,
        actor=access.caller.actor,
        resource_id=client_id,
        owner_id=me,
        changed=["scopes"],
    )
    await end_sessions(
        unit,
        actor=access.caller.actor,
        because=Ending.REVOKED,
        person_id=me,
        client_id=client_id,
    )
