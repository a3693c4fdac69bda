"""OAuth 2.0 token endpoint (RFC 6749) and the public keys (RFC 7517)."""

import base64
import binascii
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT, find_client, find_identity
from app.core import wire
from app.core.errors import TooLarge, UnsupportedMediaType
from app.core.passwords import verify_password, verify_secret
from app.core.routes import Route, read_body
from app.core.settings import settings
from app.core.tokens import Tokens

router = APIRouter(tags=["Sign in"], route_class=Route)

_LIMIT = 16_384


class OAuthError(Exception):
    """A refusal in the words of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class TokenOut(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: Annotated[str, wire.Says(maxLength=8000)]
    token_type: Literal["Bearer"]
    expires_in: Annotated[
        int, wire.Says(minimum=60, maximum=900), Field(description="Seconds until it expires.")
    ]
    scope: Annotated[
        str,
        wire.Says(maxLength=2000),
        Field(description="The scopes that it carries, separated by spaces."),
    ]


class RefusalOut(BaseModel):
    """A refusal in the words of RFC 6749, section 5.2."""

    error: Literal[
        "invalid_client", "invalid_grant", "invalid_request", "invalid_scope",
        "unsupported_grant_type",
    ]  # fmt: skip
    error_description: Annotated[str, wire.Says(maxLength=1000)]


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {
                            "type": "string",
                            "enum": ["client_credentials", "password"],
                        },
                        "client_id": {"type": "string", "format": "uuid"},
                        "client_secret": {"type": "string", "maxLength": 200},
                        "username": {
                            "type": "string",
                            "maxLength": 254,
                            "description": "E-mail address.",
                        },
                        "password": {"type": "string", "maxLength": 1000},
                        "scope": {
                            "type": "string",
                            "maxLength": 2000,
                            "description": "Scopes asked for, separated by spaces.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/oauth/token",
    summary="Get an access token",
    response_model=TokenOut,
    openapi_extra=_FORM,
    responses={
        400: {"model": RefusalOut, "description": "Something is wrong with the request."},
        401: {"model": RefusalOut, "description": "The client or its secret is wrong."},
        413: {"model": RefusalOut, "description": "The form is too large."},
        415: {"model": RefusalOut, "description": "The form is encoded."},
    },
)
async def issue_token(request: Request) -> Response:
    """Client credentials (by HTTP Basic or in the form) for integrations; the password grant only
    where a setting turns it on, for local use. Refusals are those of RFC 6749, section 5.2."""
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    try:
        content = await _grant(request)
    except OAuthError as refused:
        body = {"error": refused.error, "error_description": refused.description}
        if refused.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="tandem"'
        return JSONResponse(body, refused.status, headers)
    return JSONResponse(content, 200, headers)


async def _grant(request: Request) -> dict[str, Any]:
    form = await _form(request)
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        return await _client_credentials(request, form)
    if grant == "password" and settings().password_grant:
        return await _password(request, form)
    if not grant:
        raise OAuthError("invalid_request", "grant_type is needed.")
    raise OAuthError("unsupported_grant_type", "This grant is not offered here.")


async def _client_credentials(request: Request, form: dict[str, str]) -> dict[str, Any]:
    client_id, secret = _credentials(request, form)
    client = await find_client(request.app.state.database, client_id) if client_id else None
    known = client is not None and client.secret_hash is not None
    # An unknown client is compared too, so that it takes as long.
    matches = verify_secret(secret, client.secret_hash if client and known else "0" * 64)  # type: ignore[arg-type]
    if client is None or not known or not matches:
        raise OAuthError("invalid_client", "The client or its secret is wrong.", 401)
    scopes = _scopes(form, frozenset(client.scopes))
    return _token(request.app.state.tokens, client.id, client.id, scopes)


async def _password(request: Request, form: dict[str, str]) -> dict[str, Any]:
    if missing := [name for name in ("username", "password") if not form.get(name)]:
        raise OAuthError("invalid_request", f"{missing[0]} is needed.")
    identity = await find_identity(request.app.state.database, form["username"])
    stored = identity.password_hash if identity else None
    if not await verify_password(form["password"], stored) or identity is None:
        raise OAuthError("invalid_grant", "The address or the password is wrong.")
    scopes = _scopes(form, frozenset(SCOPES))
    return _token(request.app.state.tokens, identity.person_id, PUBLIC_CLIENT, scopes)


def _token(tokens: Tokens, subject: UUID, client: UUID, scopes: frozenset[str]) -> dict[str, Any]:
    return {
        "access_token": tokens.issue(subject=subject, client=client, scopes=scopes),
        "token_type": "Bearer",
        "expires_in": tokens.lifetime,
        "scope": " ".join(sorted(scopes)),
    }


def _scopes(form: dict[str, str], allowed: frozenset[str]) -> frozenset[str]:
    asked = frozenset(form.get("scope", "").split())
    if not asked:
        return allowed
    if beyond := asked - allowed:
        # Only scopes that there are: a description holds no other letters than RFC 6749 lists.
        known = " ".join(sorted(beyond & SCOPES.keys())) or "a scope that does not exist"
        raise OAuthError("invalid_scope", f"Not open to this client: {known}.")
    return asked


def _credentials(request: Request, form: dict[str, str]) -> tuple[UUID | None, str]:
    headers = request.headers.getlist("authorization")
    if not headers:
        return _uuid(form.get("client_id", "")), form.get("client_secret", "")
    if "client_secret" in form or len(headers) > 1:
        raise OAuthError(
            "invalid_request", "Send the client's secret once: by Basic or in the form."
        )
    scheme, _, encoded = headers[0].partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not Basic")
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise OAuthError(
            "invalid_client", "The Authorization header cannot be read.", 401
        ) from error
    client_id = _uuid(unquote_plus(name))
    if "client_id" in form and _uuid(form["client_id"]) != client_id:
        raise OAuthError("invalid_request", "The form names another client than Basic does.")
    return client_id, unquote_plus(secret)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


async def _form(request: Request) -> dict[str, str]:
    if request.scope["query_string"]:
        raise OAuthError(
            "invalid_request", "Send the parameters in the body, never in the address."
        )
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send Content-Type: application/x-www-form-urlencoded.")
    try:
        body = await read_body(request, _LIMIT)
    except (TooLarge, UnsupportedMediaType) as refused:
        raise OAuthError("invalid_request", refused.detail, refused.status) from refused
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError as error:
        raise OAuthError("invalid_request", "The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "A parameter is there twice.")
    if any("\x00" in value for value in form.values()):
        raise OAuthError("invalid_request", "A parameter contains NUL.")
    return form


class Key(BaseModel):
    """A public key (RFC 7517); other members belong to its kind."""

    model_config = ConfigDict(extra="allow")

    kty: Literal["EC", "RSA"]
    kid: wire.Word


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: Annotated[list[Key], wire.at_most(10)]


@router.get("/.well-known/jwks.json", summary="Read the public keys")
async def read_keys(request: Request, response: Response) -> KeySet:
    """With these anyone can check the service's access tokens."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return request.app.state.tokens.jwks()  # type: ignore[no-any-return]
