"""The pages to which links in messages lead, and the one that asks for such a message.

Looking at a page uses nothing up: mail scanners follow links. What counts is the page's form, which
is tied to its browser as that of the sign-in page is.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.access.addresses import change_of_link
from app.access.invitations import Hindrance
from app.access.ways_in import of_reset
from app.actions import accounts
from app.api.sign_in import browsers, forms, pages
from app.api.sign_in.account_words import WORDS
from app.api.sign_in.words import chosen_language
from app.core.errors import NotFound, TooManyRequests
from app.core.links import LinkKind
from app.core.passwords import Weakness
from app.core.routes import Route

router = APIRouter(tags=["Sign in"], route_class=Route)

_FORGOTTEN = "forgotten"
_LONGEST_TOKEN = 100


class _Visit(NamedTuple):
    """Somebody who follows a link."""

    request: Request
    language: str
    token: str
    browser: str

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.language]

    def moment(self, moment: datetime) -> str:
        """A moment as the page writes it."""
        return moment.strftime("%d.%m.%Y, %H:%M UTC")

    def asks(
        self,
        name: str,
        facts: Mapping[str, str] | None = None,
        *,
        asks: str = "",
        wrong: str | None = None,
        username: str = "",
    ) -> HTMLResponse:
        """A page with its form."""
        hidden = {"token": self.token, "browser": self.browser, "ui_locales": self.language}
        query = {"token": self.token} if self.token else {}
        query["ui_locales"] = "en" if self.language == "cy" else "cy"
        page = pages.account(
            self.language,
            name,
            status=403 if wrong else 200,
            hidden=hidden,
            asks=asks,
            wrong=wrong,
            other=f"/account/{name}?{urlencode(query)}",
            username=username,
            facts=facts,
        )
        return browsers.with_cookie(page, self.browser)

    def over(self, name: str, reason: str = "link_over") -> HTMLResponse:
        """The page that says that the link, or the form, counts no longer."""
        return pages.account(self.language, name, status=400, lines=(self.words[reason],))

    def weak(self, reason: Weakness) -> str:
        """Why the password was not taken."""
        return self.words[f"weak_{reason.name.lower()}"]

    def hindered(self, hindrance: Hindrance) -> HTMLResponse:
        """The page that says what stands against an invitation."""
        line = self.words["invitation_agree"]
        if hindrance.until is not None:
            moment = self.moment(hindrance.until)
            line = self.words["invitation_wait"].format(moment=moment)
        return pages.account(self.language, "invitation", status=409, lines=(line,))


async def _ask_address(visit: _Visit) -> HTMLResponse:
    return visit.asks(_FORGOTTEN, asks="email")


async def _send_link(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    await accounts.forget_password(
        visit.request.app.state.database,
        form.get("email", ""),
        origin=browsers.origin_of(visit.request),
        language=visit.language,
    )
    return pages.account(visit.language, "sent")


async def _ask_password(visit: _Visit) -> HTMLResponse:
    found = await of_reset(visit.request.app.state.database, visit.token)
    if found is None:
        return visit.over("password")
    return visit.asks("password", asks="password", username=found.email or "")


async def _set_password(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    chosen = await accounts.reset_password(
        visit.request.app.state.database,
        visit.token,
        form.get("password", ""),
        origin=browsers.origin_of(visit.request),
        language=visit.language,
    )
    if chosen is None:
        return visit.over("password")
    if chosen.reason is not None:
        found = await of_reset(visit.request.app.state.database, visit.token)
        return visit.asks(
            "password",
            asks="password",
            wrong=visit.weak(chosen.reason),
            username=(found.email if found else None) or "",
        )
    page = pages.account(visit.language, "password_set")
    if chosen.identity_id is not None:
        browsers.keep_account(visit.request, page, chosen.identity_id)
    return page


async def _ask_invited(visit: _Visit) -> HTMLResponse:
    database = visit.request.app.state.database
    found = await accounts.look_at_invitation(database, visit.token, refusal=False)
    if found is None:
        return visit.over("invitation")
    if found.hindrance is not None:
        return visit.hindered(found.hindrance)
    facts = {"organisation": found.organisation, "email": found.email}
    return visit.asks("invitation", facts, asks="password", username=found.email)


async def _accept(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    database = visit.request.app.state.database
    found = await accounts.look_at_invitation(database, visit.token, refusal=False)
    origin = browsers.origin_of(visit.request)
    done = await accounts.accept_invitation(
        database, visit.token, form.get("password", ""), origin=origin
    )
    if done is None or found is None:
        return visit.over("invitation")
    if done.hindrance is not None:
        return visit.hindered(done.hindrance)
    facts = {"organisation": found.organisation, "email": found.email}
    if done.reason is not None:
        wrong = visit.weak(done.reason)
        return visit.asks("invitation", facts, asks="password", wrong=wrong, username=found.email)
    page = pages.account(visit.language, "invited", facts=facts)
    if done.identity_id is not None:
        browsers.keep_account(visit.request, page, done.identity_id)
    return page


async def _ask_refusal(visit: _Visit) -> HTMLResponse:
    database = visit.request.app.state.database
    found = await accounts.look_at_invitation(database, visit.token, refusal=True)
    if found is None:
        return visit.over("invitation-refusal")
    facts = {"organisation": found.organisation, "email": found.email}
    return visit.asks("invitation-refusal", facts)


async def _refuse(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    done = await accounts.refuse_invitation(
        visit.request.app.state.database, visit.token, origin=browsers.origin_of(visit.request)
    )
    return (
        pages.account(visit.language, "invitation_refused")
        if done
        else visit.over("invitation-refusal")
    )


async def _ask_confirmation(visit: _Visit) -> HTMLResponse:
    found = await change_of_link(visit.request.app.state.database, visit.token, refusal=False)
    if found is None:
        return visit.over("address")
    return visit.asks("address", {"email": found[0], "moment": visit.moment(found[1])})


async def _confirm(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    moment = await accounts.confirm_change(
        visit.request.app.state.database, visit.token, origin=browsers.origin_of(visit.request)
    )
    if moment is None:
        return visit.over("address")
    return pages.account(
        visit.language, "address_confirmed", facts={"moment": visit.moment(moment)}
    )


async def _ask_stop(visit: _Visit) -> HTMLResponse:
    found = await change_of_link(visit.request.app.state.database, visit.token, refusal=True)
    if found is None:
        return visit.over("address-refusal")
    return visit.asks("address-refusal", {"email": found[0]})


async def _stop(visit: _Visit, form: dict[str, str]) -> HTMLResponse:
    done = await accounts.refuse_change(
        visit.request.app.state.database, visit.token, origin=browsers.origin_of(visit.request)
    )
    if not done:
        return visit.over("address-refusal")
    return pages.account(
        visit.language,
        "address_refused",
        leads=f"/account/{_FORGOTTEN}?ui_locales={visit.language}",
    )


_Look = Callable[[_Visit], Awaitable[HTMLResponse]]
_Act = Callable[[_Visit, dict[str, str]], Awaitable[HTMLResponse]]
_PAGES: dict[str, tuple[_Look, _Act]] = {
    _FORGOTTEN: (_ask_address, _send_link),
    LinkKind.PASSWORD: (_ask_password, _set_password),
    LinkKind.INVITATION: (_ask_invited, _accept),
    LinkKind.INVITATION_REFUSAL: (_ask_refusal, _refuse),
    LinkKind.ADDRESS: (_ask_confirmation, _confirm),
    LinkKind.ADDRESS_REFUSAL: (_ask_stop, _stop),
}


def _page(name: str) -> tuple[_Look, _Act]:
    if name not in _PAGES:
        raise NotFound()
    return _PAGES[name]


@router.get("/account/{page}", include_in_schema=False)
async def look_at_link(request: Request, page: str) -> Response:
    """The page of a link: what it is about, and its form. Uses nothing up."""
    look, _ = _page(page)
    language = chosen_language(request)
    try:
        sent = forms.parse(request.scope["query_string"])
    except OAuth2Error:
        return pages.refused(language, "malformed")
    language = chosen_language(request, sent.get("ui_locales", ""))
    token = sent.get("token", "")[:_LONGEST_TOKEN]
    return await look(_Visit(request, language, token, browsers.of(request)))


@router.post("/account/{page}", include_in_schema=False)
async def act_on_link(request: Request, page: str) -> Response:
    """Takes the form of a link's page, once."""
    _, act = _page(page)
    language = chosen_language(request)
    try:
        form = await forms.read(request)
    except OAuth2Error:
        return pages.refused(language, "malformed")
    language = chosen_language(request, form.get("ui_locales", ""))
    token = form.get("token", "")[:_LONGEST_TOKEN]
    visit = _Visit(request, language, token, form.get("browser", ""))
    if not browsers.is_ours(request, form):
        return visit.over(page, "form_over")
    try:
        return await act(visit, form)
    except TooManyRequests as wait:
        line = visit.words["wait_links"].format(minutes=pages.minutes_of(wait))
        answer = pages.account(language, page, status=429, lines=(line,))
        answer.headers.update(wait.headers)
        return answer
