"""The OAuth 2.0 grants: authlib's rules over rows that are fetched already.

authlib is synchronous and the database is not. So the rows that a request may need are fetched
first, by those who call; authlib judges them here without I/O, in its order and its words; and what
it wants written is noted in `Facts` and written afterwards, in the same transaction. Who the client
is, has been shown before: that takes the database, and every refusal of it must look alike.
"""

import re
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from app.access.oauth.facts import Answer, Facts, Given, OAuthClient, Subject, chosen_scopes
from app.core.clock import now
from app.core.settings import settings
from app.core.tokens import Tokens

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PLAIN = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749, 5.2: what an error_description may hold."""


class _Request(OAuth2Request):
    def __init__(self, method: str, parameters: dict[str, str]) -> None:
        # authlib refuses any address without TLS; whether ours has it is the operator's matter.
        super().__init__(method, "https://localhost/")
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


class _Code(grants.AuthorizationCodeGrant):
    server: "Server"

    def query_authorization_code(self, code: str, client: OAuthClient) -> Given | None:
        given = self.server.facts.given
        return given if given is not None and given.check_client(client) else None

    def delete_authorization_code(self, authorization_code: Given) -> None:
        """Marked as used before it was judged: see app.actions.sign_in.granting."""

    def authenticate_user(self, authorization_code: Given) -> Subject:
        return authorization_code.subject

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        self.server.facts.code = code
        self.server.facts.code_scopes = frozenset(request.scope.split())


class _Refresh(grants.RefreshTokenGrant):
    server: "Server"
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Given | None:
        return self.server.facts.given

    def authenticate_user(self, refresh_token: Given) -> Subject:
        return refresh_token.subject

    def _validate_token_scope(self, token: Given) -> None:
        """Of what the person allowed, what the client may have today (RFC 6749, section 6)."""
        client = self.server.facts.client
        assert client is not None
        chosen_scopes(self.request.payload.scope, token.scopes & client.known.scopes)

    def revoke_old_credential(self, refresh_token: Given) -> None:
        """Rotated by whoever fetched it: see app.actions.sign_in.granting."""


class _Password(grants.ResourceOwnerPasswordCredentialsGrant):
    server: "Server"

    @classmethod
    def check_token_endpoint(cls, request: OAuth2Request) -> bool:
        return settings().password_grant and super().check_token_endpoint(request)

    def authenticate_user(self, username: str, password: str) -> Subject:
        if self.server.facts.subject is None:
            raise InvalidGrantError("The address or the password is wrong.")
        return self.server.facts.subject


class _S256(CodeChallenge):
    """PKCE for every client, by S256 alone (RFC 9700, section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        sent = grant.request.payload.data
        if sent.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        if not _CHALLENGE.fullmatch(sent.get("code_challenge", "")):
            raise InvalidRequestError("code_challenge must be a SHA-256 in base64url.")


class Server(AuthorizationServer):
    """One request's authorization server."""

    def __init__(self, facts: Facts, tokens: Tokens) -> None:
        super().__init__()
        self.facts, self.tokens = facts, tokens
        self.register_grant(_Code, [_S256(required=True)])
        self.register_grant(_Refresh)
        self.register_grant(grants.ClientCredentialsGrant)
        self.register_grant(_Password)

    def answer_token(self, parameters: dict[str, str]) -> Answer:
        """The token endpoint's answer."""
        found: Answer = self.create_token_response(_Request("POST", parameters))
        return found

    def check_authorization(self, parameters: dict[str, str]) -> Any:
        """The grant that answers an authorization request, or OAuth2Error."""
        return self.get_consent_grant(_Request("GET", parameters))

    def answer_authorization(self, parameters: dict[str, str], subject: Subject | None) -> Answer:
        """Where the browser goes with a code for `subject`, or with a refusal for nobody."""
        request = _Request("POST", parameters)
        found: Answer = self.create_authorization_response(
            request, grant_user=subject, grant=self.get_authorization_grant(request)
        )
        return found

    def refuse(self, error: OAuth2Error) -> Answer:
        """The answer that says `error`."""
        found: Answer = self.handle_error_response(None, error)
        return found

    def create_oauth2_request(self, request: Any) -> Any:
        """It is one already."""
        return request

    def query_client(self, client_id: str) -> OAuthClient | None:
        """The client that was fetched."""
        return self.facts.client

    def authenticate_client(
        self, request: Any, methods: Any = None, endpoint: str = "token"
    ) -> OAuthClient:
        """The client that has shown who it is."""
        if self.facts.client is None:
            raise InvalidClientError()
        request.auth_method = self.facts.client.method
        return self.facts.client

    def validate_requested_scope(self, scope: str | None) -> None:
        """Refuses what the client may not have."""
        assert self.facts.client is not None or scope is None
        if self.facts.client is not None:
            chosen_scopes(scope, self.facts.client.known.scopes)

    def generate_token(
        self, grant_type: str, client: Any, user: Any = None, scope: Any = None, **_: Any
    ) -> dict[str, Any]:
        """A token answer; for a person's session, or for the client itself."""
        allowed: frozenset[str] = client.known.scopes
        if self.facts.given is not None:
            allowed &= self.facts.given.scopes
        self.facts.granted = (frozenset(scope.split()) if scope else allowed) & allowed
        if not self.facts.granted:
            raise InvalidScopeError("The client has lost every scope that was asked for.")
        access_token = self.tokens.issue(
            subject=client.known.id if user is None else user.person_id,
            client=client.known.id,
            scopes=self.facts.granted,
            session=None if user is None else user.session_id,
            signed_in=None if user is None else int((user.signed_in_at or now()).timestamp()),
            methods=() if user is None else user.methods,
        )
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.tokens.lifetime,
            "scope": " ".join(sorted(self.facts.granted)),
            **({"refresh_token": self.facts.refresh_token} if self.facts.refresh_token else {}),
        }

    def save_token(self, token: Any, request: Any) -> None:
        """`granted` says it."""

    def send_signal(self, name: str, *args: Any, **named: Any) -> None:
        """Nobody listens."""

    def get_authorization_grant(self, request: Any) -> Any:
        """As authlib, without saying back what was sent."""
        if request.payload.response_type == "code":
            return super().get_authorization_grant(request)
        redirect_uri = request.payload.redirect_uri
        known = self.facts.client is not None and self.facts.client.check_redirect_uri(redirect_uri)
        raise UnsupportedResponseTypeError(None, redirect_uri=redirect_uri if known else None)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """The parts of an answer; the framework's form of it is given elsewhere."""
        return Answer(status, body or {}, dict(headers).get("Location"))

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        """RFC 6749, sections 4.1.2.1 and 5.2, in words that hold nothing of what was sent."""
        if isinstance(error, InvalidClientError):
            error.status_code, error.description = 401, "The client or its secret is wrong."
        elif isinstance(error, UnsupportedGrantTypeError):
            error = OAuth2Error("This grant is not offered here.", error="unsupported_grant_type")
        elif isinstance(error, UnsupportedResponseTypeError):
            error = OAuth2Error(
                "Only response_type=code is offered here.",
                error="unsupported_response_type",
                redirect_uri=error.redirect_uri,
                state=error.state,
            )
        elif not error.description or not _PLAIN.fullmatch(error.description):
            error.description = "That is no grant, or it is over."
        found: Answer = super().handle_error_response(request, error)
        return found
