"""Accounts behind the tokens: clients, sign-in identities, consents."""

import json
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, and_, or_, select

from app.access.grants import SCOPES
from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.http import as_uuid
from app.core.query import Query
from app.core.settings import settings
from app.core.tables import Id, Moment
from app.core.text import canonical_address
from app.models.people import Client, ClientKind, ClientSecret, SignInIdentity
from app.models.sessions import Consent

PUBLIC_CLIENT = UUID("0198c0de-0000-7000-8000-000000000001")
"""The public client through which people sign in on the documentation page; made by `migrate`."""

_LONGEST = 1000
"""Of what is typed for an address, so much is looked at."""

_clients: Any = Client.__table__
_secrets: Any = ClientSecret.__table__
_identities: Any = SignInIdentity.__table__
_consents: Any = Consent.__table__

_CLIENT = Query(
    select(
        _clients.c.id,
        _clients.c.name,
        _clients.c.kind,
        _clients.c.scopes,
        _clients.c.redirect_uris,
        _clients.c["keys"],
        _clients.c.last_used_on,
        _secrets.c.hash,
    )
    .select_from(
        _clients.outerjoin(
            _secrets,
            and_(
                _secrets.c.client_id == _clients.c.id,
                or_(
                    _secrets.c.expires_at.is_(None),
                    _secrets.c.expires_at > parameter("now", Moment),
                ),
            ),
        )
    )
    .where(_clients.c.id == parameter("id", Id), _clients.c.disabled_at.is_(None))
)
_IDENTITY = Query(
    select(_identities.c.id, _identities.c.person_id, _identities.c.password_hash).where(
        _identities.c.email == parameter("email", String), _identities.c.closed_at.is_(None)
    )
)
_CONSENT = Query(
    select(_consents.c.scopes).where(
        _consents.c.person_id == parameter("person_id", Id),
        _consents.c.client_id == parameter("client_id", Id),
    )
)


class KnownClient(NamedTuple):
    """A client that may ask for tokens."""

    id: UUID
    name: str
    public: bool
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    keys: dict[str, Any] | None
    """Its public keys, as a JWK Set."""
    secret_hashes: tuple[str, ...]
    """Of the secrets that are valid now."""
    last_used_on: date | None


class KnownIdentity(NamedTuple):
    """A way in for a person."""

    id: UUID
    person_id: UUID
    password_hash: str | None


def documentation_redirect() -> str:
    """Where the documentation page is told the code; follows the public address."""
    return f"{settings().base_url}/docs/oauth2-redirect"


async def find_client(database: Database, client_id: UUID) -> KnownClient | None:
    """The client, unless it is disabled."""
    rows = await database.rows(_CLIENT, {"id": client_id, "now": now()})
    if not rows:
        return None
    _, name, kind, scopes, redirect_uris, keys, last_used_on, _ = rows[0]
    documentation = client_id == PUBLIC_CLIENT
    return KnownClient(
        id=client_id,
        name=name,
        public=kind == ClientKind.PUBLIC,
        scopes=frozenset(SCOPES if documentation else json.loads(scopes)),
        redirect_uris=(documentation_redirect(),)
        if documentation
        else (*json.loads(redirect_uris),),
        keys=json.loads(keys) if keys else None,
        secret_hashes=tuple(row[-1] for row in rows if row[-1] is not None),
        last_used_on=date.fromisoformat(last_used_on)
        if isinstance(last_used_on, str)
        else last_used_on,
    )


async def find_identity(database: Database, email: str) -> KnownIdentity | None:
    """The open sign-in identity with this address (case does not matter)."""
    rows = await database.rows(_IDENTITY, {"email": canonical_address(email[:_LONGEST])[:254]})
    return KnownIdentity(as_uuid(rows[0][0]), as_uuid(rows[0][1]), rows[0][2]) if rows else None


async def find_consent(unit: Unit, person_id: UUID, client_id: UUID) -> frozenset[str]:
    """What the person has allowed the client so far."""
    rows = await unit.rows(_CONSENT, {"person_id": person_id, "client_id": client_id})
    return frozenset(json.loads(rows[0][0])) if rows else frozenset()
