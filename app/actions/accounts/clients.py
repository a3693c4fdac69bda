"""Writes of clients: integrations with their secrets and keys, and apps through which people sign in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.sessions import end_sessions, forget
from app.access.sign_in import PUBLIC_CLIENT
from app.access.visibility import parameter
from app.actions.accounts.client_secrets import insert_secret, locked_client
from app.core import journal
from app.core.assertions import check_key_set
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.query import Query
from app.core.redirects import checked_redirects
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.people import Client, ClientKind
from app.models.sessions import Ending

_clients: Any = Client.__table__
_CLIENT = Query(select(_clients.c.id).where(_clients.c.id == parameter("id", Id)))


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
    await insert_client(
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
    return client_id, await insert_secret(unit, client_id)


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
    await insert_client(
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


async def insert_client(
    unit: Unit, *, actor: journal.Actor, client_id: UUID, **values: Any
) -> None:
    """A client with these columns, and its journal row."""
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


async def disable_client(unit: Unit, *, actor: journal.Actor, client_id: UUID) -> None:
    """Gives the client no more tokens, and ends what it was given: here at once, elsewhere in seconds."""
    client = await locked_client(unit, client_id)
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
