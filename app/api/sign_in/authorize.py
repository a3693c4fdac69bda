"""The authorization endpoint (RFC 6749, section 3.1): pages on which people sign in and allow.

There is no cookie that keeps anybody signed in here: each authorization asks for the password, so
that a machine in a staff room opens nothing. One cookie ties a page to the browser that was given
it (app.api.sign_in.browsers); the forms carry its value too, and one without the other is refused.
"""

from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.access.credentials import check_password
from app.access.oauth import Answer, Facts, OAuthClient, Server, chosen_scopes
from app.access.sign_in import KnownClient, find_client
from app.actions import sign_in
from app.api.sign_in import browsers, forms, pages
from app.api.sign_in.words import chosen_language
from app.core.errors import TooManyRequests
from app.core.negotiation import ACCEPT_LANGUAGE
from app.core.routes import Route
from app.core.settings import settings

router = APIRouter(tags=["Sign in"], route_class=Route)

_TAKEN = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge",
    "code_challenge_method", "ui_locales",
)  # fmt: skip
_LONGEST = 2000
_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "query",
        "required": required,
        "schema": {"type": "string", "maxLength": _LONGEST, **more},
        "description": description,
    }
    for name, required, more, description in (
        ("response_type", True, {"enum": ["code"]}, "What is given."),
        ("client_id", True, {"format": "uuid"}, "The client."),
        ("redirect_uri", True, {}, "One of the client's, letter by letter."),
        (
            "scope",
            False,
            {},
            "Scopes asked for, separated by spaces; without it all of the client's.",
        ),
        ("state", False, {}, "Comes back as it was sent."),
        ("code_challenge", True, {}, "PKCE: SHA-256 of the verifier, in base64url."),
        ("code_challenge_method", True, {"enum": ["S256"]}, "PKCE by S256 alone."),
        ("ui_locales", False, {"examples": ["cy en"]}, "Languages of the pages, the best first."),
    )
]


_PAGE: dict[str, Any] = {"text/html": {"schema": {"type": "string", "maxLength": 100_000}}}
_LOCATION = {
    "Location": {
        "description": "The client's address, with `error`, `state` and `iss`.",
        "schema": {"type": "string", "format": "uri", "maxLength": 8000},
        "example": "https://app.example/signed-in?error=invalid_scope&iss=https%3A%2F%2Ftandem.example",
    }
}


class _Asked:
    """An authorization request of a known client, to an address of its own."""

    def __init__(self, client: KnownClient, parameters: dict[str, str], server: Server) -> None:
        self.client, self.parameters, self.server = client, parameters, server
        self.redirect_uri = parameters["redirect_uri"]


async def _asked(request: Request, parameters: dict[str, str]) -> _Asked:
    """The request, or OAuth2Error: with a way back to the client only where it is known and so is the
    address, letter by letter."""
    sent = {name: parameters[name] for name in _TAKEN if name in parameters}
    if any(len(value) > _LONGEST for value in sent.values()):
        raise InvalidRequestError("A parameter is too long.")
    client_id = forms.as_client(sent.get("client_id", ""))
    client = await find_client(request.app.state.database, client_id) if client_id else None
    if client is None or sent.get("redirect_uri") not in client.redirect_uris:
        raise OAuth2Error(error="unknown_client")
    server = Server(Facts(OAuthClient(client)), request.app.state.tokens)
    server.check_authorization(sent)
    return _Asked(client, sent, server)


def _go(answer: Answer, redirect_uri: str) -> Response:
    """To the client's address, with the issuer's name beside the answer (RFC 9207)."""
    assert answer.location is not None
    assert answer.location.startswith(redirect_uri.partition("?")[0])
    issuer = quote(settings().base_url, safe="")
    # 303: a browser sends the password to nobody else (RFC 9700, section 4.12).
    return RedirectResponse(f"{answer.location}&iss={issuer}", 303)


def _no_way(language: str, error: OAuth2Error) -> Response:
    reason = "unknown_client" if error.error == "unknown_client" else "malformed"
    return pages.refused(language, reason)


def _sign_in_page(
    request: Request,
    asked: _Asked,
    language: str,
    *,
    email: str = "",
    failed: bool = False,
    wait: TooManyRequests | None = None,
) -> Response:
    browser = browsers.of(request)
    other = {**asked.parameters, "ui_locales": "en" if language == "cy" else "cy"}
    page = pages.sign_in(
        language,
        client=asked.client.name,
        hidden={**asked.parameters, "ui_locales": language, "browser": browser},
        leads_to=asked.redirect_uri,
        other=f"/oauth/authorize?{urlencode(other)}",
        email=email,
        failed=failed,
        wait=wait,
    )
    return browsers.with_cookie(page, browser)


@router.get(
    "/oauth/authorize",
    summary="Sign in with a browser",
    response_class=HTMLResponse,
    responses={
        200: {"description": "The page.", "content": _PAGE},
        303: {"description": "Back to the client, with a refusal.", "headers": _LOCATION},
        400: {"description": "A page that says why it leads nowhere.", "content": _PAGE},
    },
    openapi_extra={"parameters": [*_PARAMETERS, *ACCEPT_LANGUAGE["parameters"]]},
)
async def ask_to_sign_in(request: Request) -> Response:
    """The page on which a person signs in for a client (RFC 6749, section 4.1, with PKCE). It leads
    back to the client's address with a code that is good for 60 seconds, or with a refusal, and with
    `iss` (RFC 9207)."""
    language = chosen_language(request)
    sent: dict[str, str] = {}
    try:
        sent = forms.parse(request.scope["query_string"])
        language = chosen_language(request, sent.get("ui_locales", ""))
        asked = await _asked(request, sent)
    except OAuth2Error as error:
        if error.redirect_uri:
            answer = Server(Facts(None), request.app.state.tokens).refuse(error)
            return _go(answer, error.redirect_uri)
        return _no_way(language, error)
    return _sign_in_page(request, asked, language)


@router.post("/oauth/authorize", include_in_schema=False)
async def sign_in_by_password(request: Request) -> Response:
    """Takes the page's form: on to the question, or straight back to the client with a code."""
    language = chosen_language(request)
    try:
        form = await forms.read(request)
        language = chosen_language(request, form.get("ui_locales", ""))
        if not browsers.is_ours(request, form):
            return pages.refused(language, "over")
        asked = await _asked(request, form)
    except OAuth2Error as error:
        return _no_way(language, error)
    database, tokens = request.app.state.database, request.app.state.tokens
    email, password = form.get("email", ""), form.get("password", "")
    try:
        identity = await check_password(
            database, email, password, origin=browsers.origin_of(request), client_id=asked.client.id
        )
    except TooManyRequests as wait:
        return _sign_in_page(request, asked, language, email=email[:254], wait=wait)
    if identity is None:
        return _sign_in_page(request, asked, language, email=email[:254], failed=True)
    found = await sign_in.begin_authorization(
        database,
        tokens,
        client=asked.client,
        identity=identity,
        method="password",
        browser=form["browser"],
        scopes=chosen_scopes(form.get("scope"), asked.client.scopes),
        parameters=asked.parameters,
    )
    if found is None:  # the password was changed in this very moment
        return _sign_in_page(request, asked, language, email=email[:254], failed=True)
    if isinstance(found, Answer):
        back = _go(found, asked.redirect_uri)
        browsers.keep_account(request, back, identity.id)
        return back
    pending, ticket = found
    hidden = {"ticket": ticket, "browser": form["browser"], "ui_locales": language}
    question = pages.consent(
        language,
        client=asked.client.name,
        scopes=pending.scopes,
        hidden=hidden,
        leads_to=asked.redirect_uri,
    )
    browsers.keep_account(request, question, identity.id)
    return question


@router.post("/oauth/consent", include_in_schema=False)
async def decide(request: Request) -> Response:
    """Takes what the person has decided, and leads back to the client with it."""
    language = chosen_language(request)
    try:
        form = await forms.read(request)
    except OAuth2Error as error:
        return _no_way(language, error)
    language = chosen_language(request, form.get("ui_locales", ""))
    found = None
    if browsers.is_ours(request, form):
        found = await sign_in.decide(
            request.app.state.database,
            request.app.state.tokens,
            ticket=form.get("ticket", ""),
            browser=form["browser"],
            allowed=form.get("decision") == "allow",
        )
    if found is None or found.location is None:
        return pages.refused(language, "over")
    return _go(found, found.location.partition("?")[0])
