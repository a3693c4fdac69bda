"""Writes of clients: integrations with their secrets and keys, and apps through which people sign in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from app.access.sessions import end_sessions, forget
from app.access.sign_in import PUBLIC_CLIENT
from app.access.visibility import parameter
from app.core import journal
from app.core.assertions import check_key_set
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import uuid7
from app.core.passwords import hash_secret, new_secret
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.people import Client, ClientKind, ClientSecret
from app.models.sessions import Ending

OVERLAP = timedelta(days=7)
"""How long the old secret of a client counts beside the new one."""
_MOST_REDIRECTS = 10
_LONGEST_REDIRECT = 2000
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")

_clients: Any = Client.__table__
_CLIENT = Query(select(_clients.c.id).where(_clients.c.id == parameter("id", Id)))


def checked_redirects(uris: Sequence[str]) -> list[str]:
    """The redirect URIs as they are kept: whole, without a fragment, over TLS unless they lead to the
    person's own machine; an app may have a scheme of its own. Invalid otherwise."""
    if len(uris) > _MOST_REDIRECTS:
        raise Invalid.field("/redirect_uris", f"at most {_MOST_REDIRECTS} are kept")
    for number, uri in enumerate(uris):
        if reason := _wrong_redirect(uri):
            raise Invalid.field(f"/redirect_uris/{number}", reason)
    return sorted(set(uris))


def _wrong_redirect(uri: str) -> str | None:
    if not uri.isascii() or not uri.isprintable() or set(uri) & set(" \"'<>\\^`{|};,"):
        return "must be written in the letters of a URI"
    if len(uri) > _LONGEST_REDIRECT or "#" in uri or "*" in uri:
        return "must be shorter, without a fragment or a pattern"
    try:
        parts = urlsplit(uri)
        host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    except ValueError:
        return "must be a URI"
    if "@" in parts.netloc:
        return "must not name a user"
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and host in _LOOPBACK:
        return None
    # RFC 8252, section 7.1: a scheme that is a domain of the app's makers, the other way round.
    if "." in parts.scheme and not parts.netloc:
        return None
    return "must begin with https, or with the app's own scheme as in org.example.app:/"


async def ensure_public_client(unit: Unit) -> None:
    """The client through which people sign in on the documentation page."""
    if not await unit.rows(_CLIENT, {"id": PUBLIC_CLIENT}):
        await unit.insert(
            Client(
                id=PUBLIC_CLIENT,
                kind=ClientKind.PUBLIC,
                name="Documentation page",
                scopes=[],
                redirect_uris=[],
                version=1,
                created_at=now(),
                updated_at=now(),
            )
        )


async def create_client(
    unit: Unit,
    *,
    actor: journal.Actor,
    name: str,
    organisation_id: UUID | None,
    scopes: list[str],
    network_id: UUID | None = None,
    redirect_uris: Sequence[str] = (),
    keys: Any = None,
) -> tuple[UUID, str]:
    """An integration client bound to an organisation or to a network: its id, and its secret, shown
    only here. `keys` are public keys for private_key_jwt, as a JWK Set."""
    assert (organisation_id is None) != (network_id is None), "bound to one of them"
    client_id = uuid7()
    await _insert_client(
        unit,
        actor=actor,
        client_id=client_id,
        kind=ClientKind.CONFIDENTIAL,
        name=name,
        organisation_id=organisation_id,
        network_id=network_id,
        scopes=sorted(scopes),
        redirect_uris=checked_redirects(redirect_uris),
        keys=None if keys is None else check_key_set(keys),
    )
    return client_id, await _add_secret(unit, client_id)


async def create_app(
    unit: Unit,
    *,
    actor: journal.Actor,
    name: str,
    scopes: list[str],
    redirect_uris: Sequence[str],
) -> UUID:
    """A public client: an app through which people sign in, that can keep no secret."""
    client_id = uuid7()
    await _insert_client(
        unit,
        actor=actor,
        client_id=client_id,
        kind=ClientKind.PUBLIC,
        name=name,
        organisation_id=None,
        network_id=None,
        scopes=sorted(scopes),
        redirect_uris=checked_redirects(redirect_uris),
        keys=None,
    )
    return client_id


async def _insert_client(
    unit: Unit, *, actor: journal.Actor, client_id: UUID, **values: Any
) -> None:
    moment = now()
    client = Client(
        id=client_id,
        version=1,
        created_at=moment,
        updated_at=moment,
        created_by=actor.person_id,
        **values,
    )
    await unit.insert(client)
    await note(
        unit,
        SecurityEvent.CLIENT_CREATED,
        actor=actor,
        resource_id=client_id,
        organisation_id=values["organisation_id"],
    )


async def _add_secret(unit: Unit, client_id: UUID) -> str:
    secret = new_secret()
    await unit.insert(ClientSecret(hash=hash_secret(secret), client_id=client_id, created_at=now()))
    return secret


async def _client(unit: Unit, client_id: UUID) -> Client:
    await unit.begin()
    found = await unit.session.get(Client, client_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


async def rotate_secret(
    unit: Unit, *, actor: journal.Actor, client_id: UUID, overlap: timedelta = OVERLAP
) -> str:
    """A new secret, shown only here; the newest before it counts for `overlap`, any other no longer."""
    client = await _client(unit, client_id)
    if client.kind != ClientKind.CONFIDENTIAL:
        raise Conflict("A public client has no secret.")
    moment = now()
    secrets = await unit.session.scalars(
        select(ClientSecret)
        .where(ClientSecret.client_id == client_id)
        .order_by(ClientSecret.created_at.desc())
    )
    for age, secret in enumerate(secrets):
        if age == 0:
            end = moment + overlap
            secret.expires_at = min(end, secret.expires_at or end)
        else:
            await unit.session.delete(secret)
    # Away before another comes: two at most are there at any time.
    await unit.flush()
    client.touch()
    await note(
        unit,
        SecurityEvent.CLIENT_SECRET_ADDED,
        actor=actor,
        resource_id=client_id,
        version=client.version + 1,
        organisation_id=client.organisation_id,
    )
    return await _add_secret(unit, client_id)


async def disable_client(unit: Unit, *, actor: journal.Actor, client_id: UUID) -> None:
    """Gives the client no more tokens, and ends what it was given: here at once, elsewhere in seconds."""
    client = await _client(unit, client_id)
    if client.disabled_at is not None:
        raise Conflict("The client is disabled already.")
    client.disabled_at = now()
    client.touch()
    await note(
        unit,
        SecurityEvent.CLIENT_DISABLED,
        actor=actor,
        resource_id=client_id,
        version=client.version + 1,
        organisation_id=client.organisation_id,
        changed=["disabled_at"],
    )
    await end_sessions(unit, actor=actor, because=Ending.CLIENT_DISABLED, client_id=client_id)
    forget(unit, [client_id])


async def list_clients(unit: Unit) -> list[Client]:
    """All clients, the oldest first."""
    await unit.begin()
    found = await unit.session.scalars(select(Client).order_by(Client.id))
    return list(found)
