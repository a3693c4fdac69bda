"""Writes of clients' secrets: added, shown once, removed."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from app.access.clients import fingerprint
from app.access.sessions import forget_before
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, NotFound
from app.core.passwords import hash_secret, new_secret
from app.core.security_events import SecurityEvent, note
from app.models.people import Client, ClientKind, ClientSecret

OVERLAP = timedelta(days=7)
"""How long the old secret of a client counts beside the new one."""


async def locked_client(unit: Unit, client_id: UUID) -> Client:
    """The client, locked; NotFound."""
    await unit.begin()
    found = await unit.session.get(Client, client_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


async def insert_secret(unit: Unit, client_id: UUID) -> str:
    """A new secret, shown only here."""
    secret = new_secret()
    await unit.insert(ClientSecret(hash=hash_secret(secret), client_id=client_id, created_at=now()))
    return secret


async def list_secrets(unit: Unit, client_id: UUID) -> list[ClientSecret]:
    """The secrets that count now, the oldest first."""
    await unit.begin()
    found = await unit.session.scalars(
        select(ClientSecret)
        .where(
            ClientSecret.client_id == client_id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now()),
        )
        .order_by(ClientSecret.created_at, ClientSecret.hash)
    )
    return list(found)


async def add_secret(
    unit: Unit, *, actor: journal.Actor, client_id: UUID, overlap: timedelta = OVERLAP
) -> str:
    """A new secret, shown only here; the one before it counts for `overlap`.

    Conflict when two count already: which of them is in use, and which was lost on the way, only
    those who administer the client can tell.
    """
    client = await locked_client(unit, client_id)
    check_enabled(client)
    if client.kind != ClientKind.CONFIDENTIAL:
        raise Conflict("A public client has no secret.")
    before = await list_secrets(unit, client_id)
    if len(before) > 1:
        names = " and ".join(fingerprint(secret.hash) for secret in before)
        raise Conflict(f"Two secrets count already, {names}: remove one of them first.")
    for secret in before:
        end = now() + overlap
        secret.expires_at = min(end, secret.expires_at or end)
    client.touch()
    await note(
        unit,
        SecurityEvent.CLIENT_SECRET_ADDED,
        actor=actor,
        resource_id=client_id,
        version=client.version + 1,
        organisation_id=client.organisation_id,
    )
    return await insert_secret(unit, client_id)


async def remove_secret(
    unit: Unit, *, actor: journal.Actor, client_id: UUID, shown_as: str
) -> None:
    """Ends a secret, by its fingerprint, and every access token that the client was given before;
    NotFound when none that counts is shown so."""
    client = await locked_client(unit, client_id)
    found = [s for s in await list_secrets(unit, client_id) if fingerprint(s.hash) == shown_as]
    if not found:
        raise NotFound()
    for secret in found:
        await unit.session.delete(secret)
    client.touch()
    end_tokens(unit, client)
    await note(
        unit,
        SecurityEvent.CLIENT_SECRET_REMOVED,
        actor=actor,
        resource_id=client_id,
        version=client.version + 1,
        organisation_id=client.organisation_id,
    )


def end_tokens(unit: Unit, client: Client) -> None:
    """Ends the access tokens that a client was given so far, its own and those of people; sessions go
    on: the next refresh gives what the client may have by then."""
    client.tokens_since = moment = now()
    forget_before(unit, client.id, moment)


def check_enabled(client: Client) -> None:
    """Conflict when the client is disabled."""
    if client.disabled_at is not None:
        raise Conflict("The client is disabled, and stays so: register another.")
