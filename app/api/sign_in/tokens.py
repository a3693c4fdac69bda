"""OAuth 2.0 token endpoint (RFC 6749), revocation (RFC 7009) and introspection (RFC 7662)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.access.oauth import Answer, Facts, OAuthClient, Server
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import sign_in
from app.api.sign_in import forms
from app.api.sign_in.browsers import origin_of
from app.core import assertions, wire
from app.core.rates import network_of
from app.core.routes import Route
from app.core.settings import settings

router = APIRouter(tags=["Sign in"], route_class=Route)

_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_TEXT: dict[str, Any] = {"type": "string", "maxLength": forms.LIMIT}
_CLIENT = {
    "client_id": {"type": "string", "format": "uuid"},
    "client_secret": {**_TEXT, "description": "Or by HTTP Basic."},
    "client_assertion_type": {"type": "string", "enum": [assertions.TYPE]},
    "client_assertion": {
        **_TEXT,
        "description": "Instead of a secret: a JWT of the client's own key (RFC 7523), for this "
        "endpoint, for at most five minutes, with a jti.",
    },
}


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
    refresh_token: Annotated[
        Annotated[str, wire.Says(maxLength=200)] | None,
        Field(
            description="After a code, and with each refresh: good for one refresh. If an answer "
            "was lost, the same token may be sent again for 30 seconds; later it ends the session."
        ),
    ] = None


class RefusalOut(BaseModel):
    """A refusal in the words of RFC 6749, section 5.2."""

    error: Literal[
        "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client",
        "unsupported_grant_type", "unsupported_token_type",
    ]  # fmt: skip
    error_description: Annotated[str, wire.Says(maxLength=1000)]


_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": RefusalOut, "description": "Something is wrong with the request."},
    401: {"model": RefusalOut, "description": "The client, its secret or its key is wrong."},
    413: {"model": RefusalOut, "description": "The form is too large."},
    415: {"model": RefusalOut, "description": "The form is encoded."},
}


class RevokedOut(BaseModel):
    """Nothing more is said (RFC 7009, section 2.2)."""


class IntrospectionOut(BaseModel):
    """What a token says (RFC 7662, section 2.2); of one that does not count, only that."""

    active: bool
    scope: Annotated[str, wire.Says(maxLength=2000)] | None = None
    client_id: wire.WireIdOrNull = None
    sub: wire.WireIdOrNull = None
    iss: Annotated[str, wire.Says(maxLength=500)] | None = None
    aud: Annotated[str, wire.Says(maxLength=500)] | None = None
    exp: Annotated[int, wire.Says(minimum=0, maximum=2**53 - 1)] | None = None
    iat: Annotated[int, wire.Says(minimum=0, maximum=2**53 - 1)] | None = None
    jti: wire.WireIdOrNull = None
    token_type: Literal["Bearer", "refresh_token"] | None = None


Done = Callable[[Request, OAuthClient | None, dict[str, str]], Awaitable[Answer]]


async def _answer(request: Request, path: str, done: Done) -> Response:
    """Reads the form, finds out who the client is, and gives the answer in the form of RFC 6749."""
    tokens, database = request.app.state.tokens, request.app.state.database
    try:
        form = await forms.read(request)
        client_id, secret = forms.credentials(request, form)
        if form.get("grant_type") == "password" and client_id is None:
            client_id = PUBLIC_CLIENT
        client = None
        # What is not offered is said before it is asked who wants it.
        if path != "/oauth/token" or form.get("grant_type") in grant_types():
            base = settings().base_url
            client = await sign_in.authenticate_client(
                database,
                client_id,
                secret,
                form,
                audiences=(base, f"{base}/oauth/token", base + path),
                network=network_of(request.scope),
            )
        answer = await done(request, client, form)
    except OAuth2Error as error:
        answer = Server(Facts(None), tokens).refuse(error)
    headers = dict(_HEADERS)
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="tandem"'
    return JSONResponse(answer.body, answer.status, headers)


def grant_types() -> list[str]:
    """The grants that are offered here."""
    offered = ["authorization_code", "client_credentials", "refresh_token"]
    return [*offered, "password"] if settings().password_grant else offered


@router.post(
    "/oauth/token",
    summary="Get an access token",
    response_model=TokenOut,
    responses=_REFUSALS,
    openapi_extra=forms.described(
        ["grant_type"],
        grant_type={
            "type": "string",
            "enum": ["authorization_code", "client_credentials", "refresh_token", "password"],
        },
        code={**_TEXT, "description": "With authorization_code."},
        redirect_uri={**_TEXT, "description": "With authorization_code: as it was asked for."},
        code_verifier={**_TEXT, "description": "With authorization_code: PKCE, always."},
        refresh_token={**_TEXT, "description": "With refresh_token."},
        username={**_TEXT, "description": "With password: the e-mail address."},
        password={**_TEXT, "description": "With password."},
        scope={**_TEXT, "description": "Scopes asked for, separated by spaces."},
        **_CLIENT,
    ),
)
async def issue_token(request: Request) -> Response:
    """For people a code from /oauth/authorize, with PKCE, and then refresh tokens; for integrations
    client credentials. The password grant only where a setting turns it on, for local use. Refusals
    are those of RFC 6749, section 5.2."""

    async def done(request: Request, client: OAuthClient | None, form: dict[str, str]) -> Answer:
        if not form.get("grant_type"):
            return Answer(
                400, {"error": "invalid_request", "error_description": "grant_type is needed."}
            )
        state = request.app.state
        origin = origin_of(request)
        return await sign_in.grant_token(state.database, state.tokens, client, form, origin=origin)

    return await _answer(request, "/oauth/token", done)


@router.post(
    "/oauth/revoke",
    summary="Sign out",
    response_model=RevokedOut,
    responses=_REFUSALS,
    openapi_extra=forms.described(["token"], token=_TEXT, token_type_hint=_TEXT, **_CLIENT),
)
async def revoke_token(request: Request) -> Response:
    """Ends the session that the refresh token or access token belongs to (RFC 7009). Refresh tokens
    stop at once, access tokens within a minute. 200 also for what is no token, or no longer."""

    async def done(request: Request, client: OAuthClient | None, form: dict[str, str]) -> Answer:
        await sign_in.revoke(request.app.state.database, request.app.state.tokens, client, form)
        return Answer(200, {})

    return await _answer(request, "/oauth/revoke", done)


@router.post(
    "/oauth/introspect",
    summary="Ask what a token says",
    response_model=IntrospectionOut,
    responses=_REFUSALS,
    response_model_exclude_none=True,
    openapi_extra=forms.described(["token"], token=_TEXT, token_type_hint=_TEXT, **_CLIENT),
)
async def introspect_token(request: Request) -> Response:
    """Whether one of the client's own tokens counts, and what it says (RFC 7662). For clients that
    keep a secret or a key."""

    async def done(request: Request, client: OAuthClient | None, form: dict[str, str]) -> Answer:
        state = request.app.state
        return Answer(200, await sign_in.introspect(state.database, state.tokens, client, form))

    return await _answer(request, "/oauth/introspect", done)
