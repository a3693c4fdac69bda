"""Revocation (RFC 7009) and introspection (RFC 7662): of a client's own tokens alone."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, OAuth2Error
from sqlalchemy import String, select

from app.access.oauth import OAuthClient
from app.access.sessions import end_sessions
from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database
from app.core.errors import Unauthenticated
from app.core.http import as_uuid
from app.core.journal import Actor
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.tables import as_moment
from app.core.tokens import Claims, Tokens
from app.models.sessions import Ending, RefreshToken, Session

_refresh: Any = RefreshToken.__table__
_sessions: Any = Session.__table__

_FIND = Query(
    select(
        _sessions.c.id,
        _sessions.c.person_id,
        _sessions.c.client_id,
        _sessions.c.scopes,
        _sessions.c.expires_at,
        _sessions.c.ended_at,
        _refresh.c.used_at,
        _refresh.c.created_at,
    )
    .join_from(_refresh, _sessions, _refresh.c.session_id == _sessions.c.id)
    .where(_refresh.c.hash == parameter("hash", String))
)


class _Refresh:
    """What is known of a refresh token."""

    def __init__(self, row: Any) -> None:
        self.session_id, self.person_id, self.client_id = (as_uuid(value) for value in row[:3])
        self.scopes: str = " ".join(json.loads(row[3]))
        self.expires_at: datetime = as_moment(row[4])
        self.live = row[5] is None and row[6] is None and self.expires_at > now()
        self.created_at: datetime = as_moment(row[7])


async def _find(
    database: Database, tokens: Tokens, client: OAuthClient, token: str
) -> Claims | _Refresh | None:
    """What this token of the client's is, if it is one: the hint is not needed to tell them apart."""
    client_id: UUID
    if "." in token:
        try:
            claims = tokens.verify(token)
        except Unauthenticated:
            return None
        found: Claims | _Refresh = claims
        client_id = claims.client
    else:
        rows = await database.rows(_FIND, {"hash": hash_secret(token)})
        if not rows:
            return None
        found = _Refresh(rows[0])
        client_id = found.client_id
    return found if client_id == client.known.id else None


def _token_of(client: OAuthClient | None, form: dict[str, str]) -> tuple[OAuthClient, str]:
    if client is None:
        raise InvalidClientError
    if not form.get("token"):
        raise InvalidRequestError("token is needed.")
    return client, form["token"]


async def revoke(
    database: Database, tokens: Tokens, client: OAuthClient | None, form: dict[str, str]
) -> None:
    """Ends the session that the token belongs to; nothing to do for what is no token of the client.

    A client's own access token belongs to no session: it is refused as a kind that is not revoked.
    """
    client, token = _token_of(client, form)
    found = await _find(database, tokens, client, token)
    if found is None:
        return
    session_id = found.session if isinstance(found, Claims) else found.session_id
    if session_id is None:
        raise OAuth2Error(
            "A client's own access token is not revoked: it lives for minutes.",
            error="unsupported_token_type",
        )
    person_id = found.subject if isinstance(found, Claims) else found.person_id
    async with database.work() as unit:
        actor = Actor(person_id, client.known.id)
        await end_sessions(unit, actor=actor, because=Ending.REVOKED, session_id=session_id)


async def introspect(
    database: Database, tokens: Tokens, client: OAuthClient | None, form: dict[str, str]
) -> dict[str, Any]:
    """What a token of the client's says, if it counts."""
    client, token = _token_of(client, form)
    if client.known.public:
        raise InvalidClientError
    found = await _find(database, tokens, client, token)
    if found is None or (isinstance(found, _Refresh) and not found.live):
        return {"active": False}
    common = {"active": True, "client_id": str(client.known.id), "iss": tokens.issuer}
    if isinstance(found, Claims):
        return common | {
            "scope": " ".join(sorted(found.scopes)),
            "sub": str(found.subject),
            "aud": tokens.audience,
            "exp": found.expires,
            "iat": found.issued,
            "jti": found.jti,
            "token_type": "Bearer",
        }
    return common | {
        # As the next refresh would give it.
        "scope": " ".join(sorted(set(found.scopes.split()) & client.known.scopes)),
        "sub": str(found.person_id),
        "exp": int(found.expires_at.timestamp()),
        "iat": int(found.created_at.timestamp()),
        "token_type": "refresh_token",
    }
