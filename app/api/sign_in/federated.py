"""Signing in with an account of a school, an authority or a country: to the provider, and back."""

from uuid import UUID

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.access.identity_providers import KnownProvider, find_provider, provider_of_domain
from app.access.oauth import chosen_scopes
from app.actions import sign_in
from app.api.sign_in import browsers, forms, pages, steps
from app.api.sign_in.authorize import asked_for, no_way, sign_in_page
from app.api.sign_in.words import chosen_language
from app.core.routes import Route

router = APIRouter(tags=["Sign in"], route_class=Route)

_LONGEST = 4000


async def _chosen(request: Request, form: dict[str, str]) -> KnownProvider | None:
    database = request.app.state.database
    if "provider" in form:
        provider_id = forms.as_client(form["provider"])
        return await find_provider(database, provider_id) if provider_id else None
    domain = form.get("address", "").strip().casefold().rpartition("@")[2]
    return await provider_of_domain(database, domain) if domain else None


@router.post("/oauth/federated", include_in_schema=False)
async def sign_in_elsewhere(request: Request) -> Response:
    """Takes the button of a provider, or an address at a school, and leads there."""
    language = chosen_language(request)
    try:
        form = await forms.read(request)
        language = chosen_language(request, form.get("ui_locales", ""))
        if not browsers.is_ours(request, form):
            return pages.refused(language, "over")
        asked = await asked_for(request, form)
    except OAuth2Error as error:
        return no_way(language, error)
    provider = await _chosen(request, form)
    if provider is None:
        return await sign_in_page(request, asked, language, notice="no_provider")
    try:
        address = await sign_in.lead_away(
            request.app.state.database,
            request.app.state.providers,
            provider,
            browser=form["browser"],
            parameters=asked.parameters,
            language=language,
            hint=form.get("address", "").strip()[:254],
        )
    except sign_in.Refusal as refusal:
        return await sign_in_page(request, asked, language, notice=refusal.reason)
    return pages.leading_on(language, address=address, name=provider.name_in(language))


@router.get("/oauth/callback", include_in_schema=False, response_class=HTMLResponse)
async def come_back(request: Request) -> Response:
    """Takes what a provider sends back with the browser: on as after a password, or a page that says
    what went wrong."""
    language = chosen_language(request)
    try:
        sent = forms.parse(request.scope["query_string"])
    except OAuth2Error:
        return pages.refused(language, "malformed")
    if any(len(value) > _LONGEST for value in sent.values()) or not sent.get("state"):
        return pages.refused(language, "malformed")
    state = request.app.state
    browser = browsers.of(request)
    back = await sign_in.take_back(state.database, state=sent["state"], browser=browser)
    if back is None:
        return pages.refused(language, "over")
    if back.link_id is not None:
        return await _link(request, back, back.link_id, sent, browser)
    return await _go_on(request, back, sent, browser)


async def _go_on(
    request: Request, back: sign_in.Back, sent: dict[str, str], browser: str
) -> Response:
    """On as after a password, or the page again with what went wrong."""
    state, language = request.app.state, back.language
    try:
        asked = await asked_for(request, back.parameters)
    except OAuth2Error as error:
        return no_way(language, error)
    try:
        claims = await sign_in.believe(
            state.providers, state.seals, back.provider, sent, browser=browser
        )
        identity = await sign_in.recognise(
            state.database, back.provider, claims, client_id=asked.client.id
        )
    except sign_in.Refusal as refusal:
        await sign_in.note_refusal(
            state.database, back.provider, refusal, client_id=asked.client.id
        )
        return await sign_in_page(request, asked, language, notice=refusal.reason)
    found = await sign_in.begin_authorization(
        state.database,
        state.tokens,
        client=asked.client,
        identity=identity,
        method="federated",
        browser=browser,
        scopes=chosen_scopes(asked.parameters.get("scope"), asked.client.scopes),
        parameters=asked.parameters,
    )
    if found is None:  # closed in this very moment
        return pages.refused(language, "over")
    return await steps.answer(
        request, found, language=language, browser=browser, leads_to=asked.redirect_uri
    )


@router.get("/oauth/link", include_in_schema=False, response_class=HTMLResponse)
async def ask_to_link(request: Request) -> Response:
    """The page that says whose record one more account is about to open, and asks whether to go on."""
    language = chosen_language(request)
    try:
        ticket = forms.parse(request.scope["query_string"]).get("ticket", "")
    except OAuth2Error:
        return pages.refused(language, "malformed")
    found = await sign_in.find_link(request.app.state.database, ticket)
    if found is None:
        return pages.refused(language, "over")
    browser = browsers.of(request)
    page = pages.link(
        language,
        provider=found.provider.name_in(language),
        person=found.person,
        client=found.client,
        hidden={"ticket": ticket, "browser": browser, "ui_locales": language},
    )
    return browsers.with_cookie(page, browser)


@router.post("/oauth/link", include_in_schema=False)
async def go_to_link(request: Request) -> Response:
    """Takes that page's form, and leads to the provider."""
    language = chosen_language(request)
    try:
        form = await forms.read(request)
    except OAuth2Error as error:
        return no_way(language, error)
    language = chosen_language(request, form.get("ui_locales", ""))
    database = request.app.state.database
    found = await sign_in.find_link(database, form.get("ticket", ""))
    if found is None or not browsers.is_ours(request, form):
        return pages.refused(language, "over")
    try:
        address = await sign_in.lead_away(
            database,
            request.app.state.providers,
            found.provider,
            browser=form["browser"],
            parameters={},
            language=language,
            link_id=found.link_id,
        )
    except sign_in.Refusal as refusal:
        return pages.refused(language, refusal.reason)
    return pages.leading_on(language, address=address, name=found.provider.name_in(language))


async def _link(
    request: Request, back: sign_in.Back, link_id: UUID, sent: dict[str, str], browser: str
) -> Response:
    """Back to the app that asked for a link, with a code for the account that was shown."""
    state = request.app.state
    try:
        claims = await sign_in.believe(
            state.providers, state.seals, back.provider, sent, browser=browser
        )
    except sign_in.Refusal as refusal:
        await sign_in.note_refusal(state.database, back.provider, refusal, client_id=None)
        if refusal.reason != "cancelled":
            return pages.refused(back.language, refusal.reason)
        claims = {}
    address = await sign_in.show_account(state.database, link_id, claims.get("sub"))
    if address is None:
        return pages.refused(back.language, "over")
    return RedirectResponse(address, 303)
