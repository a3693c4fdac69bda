"""What authlib judges: clients, codes and refresh tokens as they were fetched, and what it grants."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from authlib.oauth2.rfc6749.errors import InvalidScopeError
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin, TokenMixin

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT, KnownClient


class OAuthClient(ClientMixin):
    """A client as authlib asks about it."""

    def __init__(self, known: KnownClient, method: str = "none") -> None:
        self.known, self.method = known, method

    def get_client_id(self) -> str:
        """Its id as text."""
        return str(self.known.id)

    def get_default_redirect_uri(self) -> str:
        """None: each request names its redirect URI."""
        return ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Letter by letter."""
        return redirect_uri in self.known.redirect_uris

    def check_response_type(self, response_type: str) -> bool:
        """Codes, and nothing in the address."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """A client without a secret cannot speak for itself, and signs people in alone."""
        if grant_type == "client_credentials":
            return not self.known.public
        if grant_type == "password":
            return self.known.id == PUBLIC_CLIENT
        return bool(self.known.redirect_uris)

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for, or all of the client's; InvalidScopeError beyond."""
        return " ".join(sorted(chosen_scopes(scope, self.known.scopes)))


class Subject(NamedTuple):
    """A person who has shown who they are, and the session that they have or will have."""

    person_id: UUID
    identity_id: UUID
    session_id: UUID
    method: str
    signed_in_at: datetime | None = None
    """None: just now."""

    @property
    def methods(self) -> tuple[str, ...]:
        """How they showed who they are, in the words of RFC 8176."""
        return methods_of(self.method)


_METHODS = {"password": "pwd", "password_grant": "pwd", "otp": "otp", "recovery_code": "otp"}


def methods_of(method: str) -> tuple[str, ...]:
    """A session's method in the words of RFC 8176; what is done elsewhere has none of ours."""
    steps = method.split()
    found = [_METHODS[step] for step in steps if step in _METHODS]
    return (*found, "mfa") if len(steps) > 1 else (*found,)


class Given(AuthorizationCodeMixin, TokenMixin):
    """A code or a refresh token: to which client, for whom, with what."""

    def __init__(
        self,
        *,
        client_id: UUID,
        subject: Subject,
        scopes: Iterable[str],
        redirect_uri: str = "",
        code_challenge: str = "",
    ) -> None:
        self.client_id, self.subject, self.scopes = client_id, subject, frozenset(scopes)
        self.redirect_uri, self.code_challenge = redirect_uri, code_challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Where the code was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scopes as text."""
        return " ".join(sorted(self.scopes))

    def check_client(self, client: Any) -> bool:
        """Whether it is this client's."""
        return bool(client.known.id == self.client_id)


class Facts:
    """What is known of a request before authlib judges it, and what it wants written."""

    def __init__(
        self,
        client: OAuthClient | None,
        *,
        given: Given | None = None,
        subject: Subject | None = None,
        refresh_token: str | None = None,
    ) -> None:
        self.client, self.given, self.subject = client, given, subject
        # The refresh token that a granted answer is to carry.
        self.refresh_token = refresh_token
        self.granted: frozenset[str] | None = None
        self.code: str | None = None
        self.code_scopes: frozenset[str] = frozenset()


class Answer(NamedTuple):
    """An answer in the form of RFC 6749; `location` is where the browser goes, if anywhere."""

    status: int
    body: dict[str, Any]
    location: str | None = None


def chosen_scopes(asked: str | None, allowed: frozenset[str]) -> frozenset[str]:
    """The scopes of a request: all that are allowed, or those that it names."""
    wanted = frozenset((asked or "").split())
    if beyond := wanted - allowed:
        # Only scopes that there are: a description holds no other letters than RFC 6749 lists.
        known = " ".join(sorted(beyond & SCOPES.keys())) or "a scope that does not exist"
        raise InvalidScopeError(f"Not open to this client: {known}.")
    return wanted or allowed
