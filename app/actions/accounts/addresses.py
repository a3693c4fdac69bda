"""Writes of sign-in addresses: asked for by who signs in, confirmed and refused by links."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.addresses import end, holder_of, locked_change
from app.access.attempts import attempt, for_network
from app.access.credentials import Origin
from app.access.sessions import end_sessions
from app.access.sign_in import PUBLIC_CLIENT
from app.access.ways_in import WayIn
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import Conflict, Invalid
from app.core.ids import uuid7
from app.core.links import LinkKind, hash_of
from app.core.outbox import queue
from app.core.passwords import hash_secret
from app.core.security_events import SecurityEvent, note
from app.models.people import SignInIdentity
from app.models.sessions import Ending
from app.models.ways_in import AddressChange, AddressEnding

WAITS = timedelta(hours=72)
"""How long the old address can refuse."""
LINK_LIVES = timedelta(days=7)


async def ask_for_address(
    unit: Unit, *, actor: journal.Actor, found: WayIn, email: str, language: str
) -> UUID:
    """Begins a change of address of the way in `found`, whose password has been shown: its id. The
    answer says nothing of whether the address is somebody's already; the message does."""
    if email == found.email:
        raise Invalid.field("/email", "is the address that you have")
    identity, before = await locked_change(unit, found.id)
    if identity is None or identity.email is None:
        raise Conflict("This way in has been closed.")
    if before is not None:
        end(before, AddressEnding.CANCELLED)
        await unit.flush()
        await _note(unit, SecurityEvent.ADDRESS_CHANGE_STOPPED, actor, identity)
    change_id, moment = uuid7(), now()
    effect, expiry = moment + WAITS, moment + LINK_LIVES
    await unit.insert(
        AddressChange(
            id=change_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            person_id=found.person_id,
            identity_id=found.id,
            email=email,
            secret_hash=hash_of(LinkKind.ADDRESS, change_id),
            refusal_hash=hash_of(LinkKind.ADDRESS_REFUSAL, change_id),
            takes_effect_at=effect,
            expires_at=expiry,
        )
    )
    await _note(unit, SecurityEvent.ADDRESS_CHANGE_ASKED, actor, identity)
    await queue(
        unit,
        "address_asked",
        identity.email,
        language=language,
        link=(LinkKind.ADDRESS_REFUSAL, change_id),
        address=email,
    )
    if await holder_of(unit, email) is None:
        link = (LinkKind.ADDRESS, change_id)
        await queue(unit, "address_link", email, language=language, link=link, useful_until=expiry)
    else:
        await queue(unit, "address_in_use", email, language=language)
    return change_id


async def cancel_change(unit: Unit, *, actor: journal.Actor, change: AddressChange) -> None:
    """Ends one's own change before it has taken effect."""
    if change.ended_at is not None:
        raise Conflict("This change is over already.")
    end(change, AddressEnding.CANCELLED)
    await unit.flush()
    identity = await unit.session.get(SignInIdentity, change.identity_id)
    await _note(unit, SecurityEvent.ADDRESS_CHANGE_STOPPED, actor, identity)


async def stop_changes(unit: Unit, *, actor: journal.Actor, identity_id: UUID) -> None:
    """Ends the running change of an identity, if there is one."""
    identity, change = await locked_change(unit, identity_id)
    if identity is not None and change is not None:
        end(change, AddressEnding.CANCELLED)
        await unit.flush()
        await _note(unit, SecurityEvent.ADDRESS_CHANGE_STOPPED, actor, identity)


async def _of_link(unit: Unit, token: str, *, refusal: bool) -> AddressChange | None:
    column = AddressChange.refusal_hash if refusal else AddressChange.secret_hash
    change = await unit.session.scalar(
        select(AddressChange).where(column == hash_secret(token[:100]))
    )
    if change is None or change.ended_at is not None:
        return None
    too_late = not refusal and change.confirmed_at is None and change.expires_at <= now()
    return None if too_late else change


async def confirm_change(database: Database, token: str, *, origin: Origin) -> datetime | None:
    """Confirms the new address: from when it counts; None when the link is not good (any longer)."""
    async with (
        attempt(database, [for_network(origin.network, "link")]) as tried,
        database.work() as unit,
    ):
        await unit.begin()
        found = await _of_link(unit, token, refusal=False)
        if found is None:
            await tried.failed(unit)
            return None
        identity, change = await locked_change(unit, found.identity_id)
        if identity is None or change is None or change.id != found.id:
            return None
        if change.confirmed_at is None:
            change.confirmed_at = now()
            change.touch()
            await unit.flush()
            actor = journal.Actor(change.person_id, PUBLIC_CLIENT)
            await _note(unit, SecurityEvent.ADDRESS_CHANGE_CONFIRMED, actor, identity)
        return max(change.takes_effect_at, now())


async def refuse_change(database: Database, token: str, *, origin: Origin) -> bool:
    """Stops a change from the old address, and ends the person's sessions: whoever began it knew the
    password. False when the link is not good (any longer)."""
    async with (
        attempt(database, [for_network(origin.network, "link")]) as tried,
        database.work() as unit,
    ):
        await unit.begin()
        found = await _of_link(unit, token, refusal=True)
        if found is None:
            await tried.failed(unit)
            return False
        identity, change = await locked_change(unit, found.identity_id)
        if identity is None or change is None or change.id != found.id:
            return False
        end(change, AddressEnding.REFUSED)
        await unit.flush()
        actor = journal.Actor(change.person_id, PUBLIC_CLIENT)
        await _note(unit, SecurityEvent.ADDRESS_CHANGE_STOPPED, actor, identity)
        await end_sessions(unit, actor=actor, because=Ending.REVOKED, person_id=change.person_id)
    return True


async def _note(unit: Unit, event: SecurityEvent, actor: journal.Actor, identity: Any) -> None:
    await note(
        unit,
        event,
        actor=actor,
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=identity.organisation_id,
        changed=["email"],
    )
