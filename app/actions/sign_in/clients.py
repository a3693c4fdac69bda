"""Who a client is: by secret, by an assertion of its own key, or, if it is public, by its word."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, update

from app.access.attempts import attempt, for_network
from app.access.oauth import OAuthClient
from app.access.sign_in import KnownClient, find_client
from app.access.visibility import parameter
from app.core import assertions
from app.core.clock import today
from app.core.db import Database
from app.core.errors import Conflict
from app.core.journal import Actor
from app.core.passwords import hash_secret, verify_secret
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.core.tokens import Refused
from app.models.people import Client, UsedAssertion

_ABSENT = "0" * 64
_clients: Any = Client.__table__
_USED = Query(
    update(_clients)
    .where(_clients.c.id == parameter("id", Id))
    .values(last_used_on=parameter("day", Date))
)


async def authenticate_client(
    database: Database,
    client_id: UUID | None,
    secret: str | None,
    form: Mapping[str, str],
    *,
    audiences: Iterable[str],
    network: str,
) -> OAuthClient | None:
    """The client that the request comes from; None when it has not shown so. TooManyRequests after too
    many wrong secrets.

    `client_id` and `secret` are those of Basic or of the form.
    """
    if "client_assertion" in form or "client_assertion_type" in form:
        if secret is not None:
            return None
        return await _by_assertion(database, client_id, form, audiences)
    client = await find_client(database, client_id) if client_id else None
    if client is not None and client.public:
        return OAuthClient(client, "none") if not secret else None
    # By client and address together: a secret is too long to be guessed, so neither a neighbour's
    # stale one nor whoever knows a client's id keeps an integration out.
    key = for_network(network, f"client-{client.id if client else 'unknown'}")
    async with attempt(database, [key]) as tried:
        hashes = client.secret_hashes if client is not None else ()
        # An unknown client is compared too, so that it takes as long.
        found = [verify_secret(secret or "", stored) for stored in hashes or (_ABSENT,)]
        if client is not None and any(found):
            return OAuthClient(client, "client_secret")
        async with database.work() as unit:
            await tried.failed(unit)
    return None


async def _by_assertion(
    database: Database,
    named: UUID | None,
    form: Mapping[str, str],
    audiences: Iterable[str],
) -> OAuthClient | None:
    if form.get("client_assertion_type") != assertions.TYPE:
        return None
    text = form.get("client_assertion", "")
    client_id = assertions.claimed_client(text)
    if client_id is None or named not in (None, client_id):
        return None
    client = await find_client(database, client_id)
    if client is None or client.keys is None:
        return None
    try:
        said = assertions.verify(text, client.keys, client_id=client_id, audiences=audiences)
    except Refused:
        return None
    if not await _use_once(database, client_id, said):
        return None
    return OAuthClient(client, "private_key_jwt")


async def _use_once(database: Database, client_id: UUID, said: assertions.Assertion) -> bool:
    used = UsedAssertion(
        client_id=client_id,
        jti_hash=hash_secret(said.jti),
        expires_at=datetime.fromtimestamp(said.expires, UTC),
    )
    try:
        async with database.work() as unit:
            await unit.insert(used)
    except Conflict:
        async with database.work() as unit:
            await note(
                unit,
                SecurityEvent.ASSERTION_REPLAYED,
                actor=Actor(None, client_id),
                resource_id=client_id,
            )
        return False
    return True


async def mark_used(database: Database, client: KnownClient) -> None:
    """Notes the day on which a client was last given a token: one write a day."""
    if client.last_used_on != today():
        async with database.work() as unit:
            await unit.begin()
            await unit.rows(_USED, {"id": client.id, "day": today()})
