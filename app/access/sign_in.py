"""Accounts behind the tokens: integration clients and sign-in identities."""

import json
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, select

from app.access.visibility import parameter
from app.core.db import Database
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.people import Client, SignInIdentity

PUBLIC_CLIENT = UUID("0198c0de-0000-7000-8000-000000000001")
"""The public client through which people sign in on the documentation page; made by `migrate`."""

_clients: Any = Client.__table__
_identities: Any = SignInIdentity.__table__

_CLIENT = Query(
    select(_clients.c.id, _clients.c.secret_hash, _clients.c.scopes).where(
        _clients.c.id == parameter("id", Id), _clients.c.disabled_at.is_(None)
    )
)
_IDENTITY = Query(
    select(_identities.c.person_id, _identities.c.password_hash).where(
        _identities.c.email == parameter("email", String), _identities.c.closed_at.is_(None)
    )
)


class KnownClient(NamedTuple):
    """A client that may ask for tokens."""

    id: UUID
    secret_hash: str | None
    scopes: list[str]


class KnownIdentity(NamedTuple):
    """A way in for a person."""

    person_id: UUID
    password_hash: str | None


async def find_client(database: Database, client_id: UUID) -> KnownClient | None:
    """The client, unless it is disabled."""
    rows = await database.rows(_CLIENT, {"id": client_id})
    return KnownClient(as_uuid(rows[0][0]), rows[0][1], json.loads(rows[0][2])) if rows else None


async def find_identity(database: Database, email: str) -> KnownIdentity | None:
    """The open sign-in identity with this address (case does not matter)."""
    rows = await database.rows(_IDENTITY, {"email": email.strip().casefold()[:254]})
    return KnownIdentity(as_uuid(rows[0][0]), rows[0][1]) if rows else None
