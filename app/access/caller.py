"""Who asks: a person through a client, or an integration client for itself."""

from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from starlette.requests import Request

from app.core.clock import now, today
from app.core.errors import Forbidden, Unauthenticated
from app.core.journal import Actor
from app.core.tokens import Tokens


class CallerKind(StrEnum):
    """A person or a client: they see by different rules, never by each other's.

    An opener is a person who reads under an opening, and by nothing else.
    """

    PERSON = "person"
    CLIENT = "client"
    OPENER = "opener"


class Caller(NamedTuple):
    """The caller of one request."""

    kind: CallerKind
    person_id: UUID | None
    client_id: UUID
    scopes: frozenset[str]
    opening_id: UUID | None = None
    """The opening under which an opener reads."""
    session_id: UUID | None = None
    """The person's session; a client has none."""

    @property
    def key(self) -> str:
        """Names this caller, for Idempotency-Key and the digest of a client-made id."""
        return f"{self.client_id}:{self.person_id or ''}"

    @property
    def actor(self) -> Actor:
        """The caller as the journal writes it."""
        return Actor(self.person_id, self.client_id)

    def parameters(self) -> dict[str, Any]:
        """What the rules of visibility compare with, today."""
        me = None if self.person_id is None else str(self.person_id)
        found = {"me": me, "client": str(self.client_id), "today": today()}
        if self.kind is CallerKind.OPENER:
            found |= {"opening": str(self.opening_id), "now": now()}
        return found


def authenticate(request: Request, tokens: Tokens) -> Caller:
    """The caller that the request's one Authorization header names, or Unauthenticated."""
    values = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not values:
        raise Unauthenticated("Send an access token: Authorization: Bearer <token>.")
    if len(values) > 1:
        raise Unauthenticated("Send one Authorization header.", error="invalid_request")
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send an access token: Authorization: Bearer <token>.")
    claims = tokens.verify(token)
    if claims.is_client:
        return Caller(CallerKind.CLIENT, None, claims.client, claims.scopes)
    return Caller(
        CallerKind.PERSON, claims.subject, claims.client, claims.scopes, session_id=claims.session
    )


OPENING_HEADER = "Break-Glass"
"""Names the opening under which a request reads."""


def under_opening(caller: Caller, named: list[bytes]) -> Caller:
    """The caller as an opener, who sees what the opening opens and nothing else; Forbidden for a
    client, and for a header that names no opening."""
    if caller.kind is not CallerKind.PERSON:
        raise Forbidden("An opening is for the people who opened it, not for integration clients.")
    try:
        (only,) = named
        text = only.decode("ascii")
        opening_id = UUID(text)
        if str(opening_id) != text.lower():  # braces and the like
            raise ValueError
    except ValueError:
        raise Forbidden(f"{OPENING_HEADER} names one opening, by its id.") from None
    return caller._replace(kind=CallerKind.OPENER, opening_id=opening_id)
