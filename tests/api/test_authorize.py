"""The authorization endpoint: whom it leads where, with what, and what it asks before."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from starlette.requests import Request

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.api.sign_in.words import ENGLISH, WELSH, WELSH_SCOPES, chosen_language
from app.core.ids import uuid7
from tests.signing_in import PASSWORD, App, Browser, Desk, answer_of, hidden, made_once, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture(scope="module")
async def shared(app: Any) -> AsyncIterator[Desk]:
    """For what leaves nothing behind: made once."""
    async with made_once(app) as found:
        yield found


async def test_a_person_signs_in_and_allows_and_the_app_gets_a_token(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    assert "Documentation page" in page.text
    question = await desk.browser.sign_in(page, desk.email)
    assert question.status_code == 200
    for scope in ("goals:read", "people:read"):
        assert SCOPES[scope] in question.text
    back = await desk.browser.decide(question)
    assert back.headers["location"].startswith(f"{desk.app.redirect_uri}?")
    found = answer_of(back)
    assert set(found) == {"code", "state", "iss"}
    assert (found["state"], found["iss"]) == (desk.app.state, "https://tandem.example")
    answer = await desk.token(desk.app.exchange(found["code"]))
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in", "scope"}
    assert tokens["scope"] == "goals:read people:read"
    me = (await desk.me(tokens["access_token"])).json()
    assert me["person"]["id"] == str(desk.world.learner.id)
    assert me["client"]["id"] == str(PUBLIC_CLIENT)


async def test_what_was_allowed_before_is_not_asked_again_and_more_is(desk: Desk) -> None:
    await desk.tokens(scope="goals:read people:read")
    page = await desk.browser.open(desk.app.request(scope="goals:read"))
    assert "code" in answer_of(await desk.browser.sign_in(page, desk.email))
    page = await desk.browser.open(desk.app.request(scope="goals:read goals:write"))
    question = await desk.browser.sign_in(page, desk.email)
    assert question.status_code == 200
    assert SCOPES["goals:write"] in question.text


async def test_each_authorization_asks_for_the_password(desk: Desk) -> None:
    await desk.tokens()
    page = await desk.browser.open(desk.app.request())
    assert page.status_code == 200
    assert 'type="password"' in page.text


async def test_a_person_may_refuse(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    question = await desk.browser.sign_in(page, desk.email)
    found = answer_of(await desk.browser.decide(question, "refuse"))
    assert (found["error"], found["state"]) == ("access_denied", desk.app.state)
    assert found["iss"] == "https://tandem.example"
    assert "code" not in found
    # The page has had its answer.
    assert (await desk.browser.decide(question, "allow")).status_code == 400


async def test_a_wrong_password_and_an_unknown_address_look_the_same(desk: Desk) -> None:
    seen = set()
    for email, password in (
        (desk.email, "wrong"),
        ("nobody@school.example", "wrong"),
        ("", ""),
        (desk.email, ""),
        ("x" * 1000, PASSWORD),
        (desk.email, "x" * 10_000),
    ):
        page = await desk.browser.open(desk.app.request())
        answer = await desk.browser.sign_in(page, email, password)
        assert answer.status_code == 403
        assert ENGLISH["wrong"] in answer.text
        seen.add(re.sub(r' value="[^"]*"', "", answer.text))
    assert len(seen) == 1
    right = await desk.browser.sign_in(answer, desk.email)
    assert right.status_code == 200


HOSTILE = '"><script>alert(1)</script>'


async def test_nothing_that_was_sent_becomes_markup(desk: Desk) -> None:
    app = await desk.public("https://app.example/cb")
    page = await desk.browser.open(app.request(state=HOSTILE))
    wrong = await desk.browser.sign_in(page, HOSTILE, "x")
    right = await desk.browser.sign_in(page, desk.email)
    for answer in (page, wrong, right):
        assert "<script" not in answer.text
        assert "<b>" not in answer.text
        assert "Tandem &lt;b&gt;mobile" in answer.text
    assert answer_of(await desk.browser.decide(right))["state"] == HOSTILE


NO_WAY: dict[str, dict[str, Any]] = {
    "no client": {"client_id": None},
    "a client that is none": {"client_id": "x"},
    "an unknown client": {"client_id": str(uuid7())},
    "no address": {"redirect_uri": None},
    "an empty address": {"redirect_uri": ""},
    "another address": {"redirect_uri": "https://evil.example/"},
    "a longer path": {"redirect_uri": "@/x"},
    "a slash more": {"redirect_uri": "@/"},
    "a query more": {"redirect_uri": "@?x=1"},
    "a fragment": {"redirect_uri": "@#x"},
    "another case of the path": {"redirect_uri": "https://tandem.example/Docs/oauth2-redirect"},
    "another case of the host": {"redirect_uri": "https://TANDEM.example/docs/oauth2-redirect"},
    "another scheme": {"redirect_uri": "http://tandem.example/docs/oauth2-redirect"},
    "a port": {"redirect_uri": "https://tandem.example:443/docs/oauth2-redirect"},
    "a user": {"redirect_uri": "https://tandem.example@evil.example/docs/oauth2-redirect"},
    "dots": {"redirect_uri": "https://tandem.example/docs/x/../oauth2-redirect"},
    "percents": {"redirect_uri": "https://tandem.example/docs/oauth2%2Dredirect"},
    "a space before": {"redirect_uri": " @"},
    "a line feed after": {"redirect_uri": "@\n"},
    "a subdomain": {"redirect_uri": "https://x.tandem.example/docs/oauth2-redirect"},
    "a domain that begins alike": {"redirect_uri": "https://tandem.example.evil.example/"},
    "javascript": {"redirect_uri": "javascript:alert(1)"},
    "quotation marks": {"redirect_uri": '@"é'},
    "NUL": {"redirect_uri": "@\x00"},
    "a state that is too long": {"state": "x" * 2001},
}


@pytest.mark.parametrize("name", NO_WAY)
async def test_nobody_is_led_to_an_address_that_is_not_the_clients(shared: Desk, name: str) -> None:
    changed = {
        k: v.replace("@", shared.app.redirect_uri)
        if k == "redirect_uri" and v and v[:1] in "@ "
        else v
        for k, v in NO_WAY[name].items()
    }
    for parameters in (
        shared.app.request(**changed),
        shared.app.request(**changed, response_type="é"),
    ):
        answer = await shared.browser.open(parameters)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "<form" not in answer.text
        assert answer.headers["content-type"].startswith("text/html")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no response type": ({"response_type": None}, "unsupported_response_type"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "code and token": ({"response_type": "code token"}, "unsupported_response_type"),
    "an odd response type": ({"response_type": 'é"'}, "unsupported_response_type"),
    "no PKCE": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "PKCE without its method": ({"code_challenge_method": None}, "invalid_request"),
    "PKCE by plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "PKCE by s256": ({"code_challenge_method": "s256"}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "a short challenge": ({"code_challenge": "x" * 42}, "invalid_request"),
    "a long challenge": ({"code_challenge": "x" * 44}, "invalid_request"),
    "an odd challenge": ({"code_challenge": "é" * 43}, "invalid_request"),
    "a challenge with a line feed": ({"code_challenge": "x" * 43 + "\n"}, "invalid_request"),
    "an unknown scope": ({"scope": "openid"}, "invalid_scope"),
    "an odd scope": ({"scope": '"é'}, "invalid_scope"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_wrong_is_said_to_the_client(shared: Desk, name: str) -> None:
    changed, error = REFUSED[name]
    found = answer_of(await shared.browser.open(shared.app.request(**changed)))
    assert (found["error"], found["state"]) == (error, shared.app.state)
    assert found["iss"] == "https://tandem.example"
    assert "code" not in found


async def test_a_client_asks_for_no_more_than_it_is_registered_for(desk: Desk) -> None:
    app = await desk.public("https://app.example/cb", scopes=("goals:read",))
    found = answer_of(await desk.browser.open(app.request(scope="goals:read goals:write")))
    assert found["error"] == "invalid_scope"
    tokens = await desk.browser.tokens(app, desk.email, scope=None)
    assert tokens["scope"] == "goals:read"


@pytest.mark.parametrize("twice", ["client_id", "redirect_uri", "scope", "state", "response_type"])
async def test_a_parameter_that_is_there_twice_leads_nowhere(shared: Desk, twice: str) -> None:
    parameters = shared.app.request()
    answer = await shared.http.get(
        f"/oauth/authorize?{urlencode(parameters)}&{urlencode({twice: parameters[twice]})}"
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "uri",
    ["https://app.example/cb?a=b%20c", "http://127.0.0.1:8765/cb", "org.example.tandem:/cb", "http://[::1]:1/cb"],
)  # fmt: skip
async def test_an_address_is_kept_as_it_was_registered(shared: Desk, uri: str) -> None:
    app = await shared.public("https://other.example/", uri)
    app.redirect_uri = uri
    code = await shared.browser.code(app, shared.email)
    answer = await shared.token(app.exchange(code))
    assert answer.status_code == 200, answer.text


async def test_a_form_of_another_browser_is_refused(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    right = dict(desk.http.cookies)
    for cookies, changed in (
        ({}, {}),
        ({}, {"browser": ""}),
        (dict.fromkeys(right, "x" * 43), {}),
        (right, {"browser": "x" * 43}),
        (right, {"browser": "é" * 43}),
        (right, {"browser": ""}),
    ):
        desk.http.cookies.clear()
        desk.http.cookies.update(cookies)
        answer = await desk.browser.sign_in(page, desk.email, **changed)
        assert answer.status_code == 400, (cookies, changed)
        assert ENGLISH["over"] in answer.text
    desk.http.cookies.clear()
    desk.http.cookies.update(right)
    form = {**hidden(page.text), "email": desk.email, "password": PASSWORD}
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (
        await desk.http.post("/oauth/authorize", data=form, headers=elsewhere)
    ).status_code == 400
    question = await desk.browser.sign_in(page, desk.email)
    assert question.status_code == 200
    ticket = hidden(question.text)
    # Another browser that has come by the ticket.
    desk.http.cookies.clear()
    desk.http.cookies.update(dict.fromkeys(right, "y" * 43))
    stolen = {**ticket, "browser": "y" * 43, "decision": "allow"}
    assert (await desk.http.post("/oauth/consent", data=stolen)).status_code == 400
    desk.http.cookies.clear()
    desk.http.cookies.update(right)
    assert "code" in answer_of(await desk.browser.decide(question))
    assert (await desk.browser.decide(question)).status_code == 400


async def test_the_cookie_is_closed_to_scripts_and_other_sites(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    cookie = page.headers["set-cookie"].lower()
    assert cookie.startswith("__host-sign-in=")
    for part in ("httponly", "secure", "samesite=lax", "path=/"):
        assert part in cookie
    assert "domain" not in cookie
    # Two tabs of one browser: both forms stay good.
    again = await desk.browser.open(desk.app.request())
    assert hidden(again.text)["browser"] == hidden(page.text)["browser"]
    assert (await desk.browser.sign_in(page, desk.email)).status_code == 200


async def test_the_pages_are_closed_to_whatever_is_not_theirs(desk: Desk) -> None:
    app = await desk.public("org.example.tandem:/cb")
    sign_in = await desk.browser.open(app.request())
    question = await desk.browser.sign_in(sign_in, desk.email)
    refused = await desk.browser.open({})
    for page, target in (
        (sign_in, " org.example.tandem:"),
        (question, " org.example.tandem:"),
        (refused, ""),
    ):
        policy = page.headers["content-security-policy"]
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; "
            rf"form-action 'self'{re.escape(target)}; frame-ancestors 'none'; base-uri 'none'",
            policy,
        )
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in page.text
        assert not re.search(r'\b(?:src|style|on\w+)="', page.text)
        assert not re.search(r"<(?:link|img|iframe)", page.text)
    web = await desk.browser.open(desk.app.request())
    assert "form-action 'self' https://tandem.example;" in web.headers["content-security-policy"]


async def test_the_style_is_the_one_that_the_policy_allows(desk: Desk) -> None:
    import base64
    import hashlib

    page = await desk.browser.open(desk.app.request())
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["content-security-policy"]


async def test_the_pages_speak_welsh(desk: Desk) -> None:
    welsh = {"Accept-Language": "cy, en;q=0.5"}
    page = await desk.browser.open(desk.app.request(), **welsh)
    assert '<html lang="cy">' in page.text
    assert page.headers["content-language"] == "cy"
    assert WELSH["password"] in page.text
    wrong = await desk.browser.sign_in(page, desk.email, "x")
    assert WELSH["wrong"] in wrong.text.replace("&#39;", "'")
    question = await desk.browser.sign_in(wrong, desk.email)
    assert WELSH_SCOPES["goals:read"] in question.text.replace("&#39;", "'")
    assert "code" in answer_of(await desk.browser.decide(question))
    english = await desk.browser.open(desk.app.request(ui_locales="en cy"), **welsh)
    assert ENGLISH["password"] in english.text
    # The way to the other language keeps the request.
    other = re.search(r'<a href="([^"]+)" lang="cy"', english.text)
    assert other
    sent = dict(parse_qsl(urlsplit(other[1].replace("&amp;", "&")).query))
    assert sent == {**desk.app.request(), "ui_locales": "cy"}


def test_every_word_is_there_in_both_languages() -> None:
    assert set(ENGLISH) == set(WELSH)
    assert set(SCOPES) == set(WELSH_SCOPES)
    assert not [name for name in ENGLISH if ENGLISH[name] == WELSH[name]]


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"), ("", "cy", "cy"), ("", "cy-GB,cy;q=0.9,en;q=0.8", "cy"), ("", "en,cy", "en"),
        ("", "fr,cy;q=0.1", "cy"), ("", "cy;q=0.1,en;q=0.2", "en"), ("", "cy;q=0", "en"), ("", "cy;q=x", "en"),
        ("cy", "en", "cy"), ("fr cy en", "en", "cy"), ("fr", "cy", "cy"), ("CY-gb", "", "cy"), ("", "," * 9999, "en"),
    ],
)  # fmt: skip
def test_the_language_is_what_was_asked_for(asked: str, accepted: str, language: str) -> None:
    headers = [(b"accept-language", accepted.encode())]
    assert chosen_language(Request({"type": "http", "headers": headers}), asked) == language


async def test_a_client_that_is_disabled_leads_nowhere(desk: Desk) -> None:
    from app.actions import accounts
    from app.core import journal

    app = await desk.public("https://app.example/cb")
    page = await desk.browser.open(app.request())
    question = await desk.browser.sign_in(page, desk.email)
    async with desk.world.database.work() as unit:
        await accounts.disable_client(unit, actor=journal.COMMAND_LINE, client_id=app.id)
    for answer in (
        await desk.browser.open(app.request()),
        await desk.browser.sign_in(page, desk.email),
        await desk.browser.decide(question),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_a_browser_that_was_never_here_is_given_a_value_of_its_own(desk: Desk) -> None:
    first = hidden((await desk.browser.open(desk.app.request())).text)["browser"]
    desk.http.cookies.clear()
    second = hidden((await Browser(desk.http).open(App().request())).text)["browser"]
    assert first != second
    assert len(first) == len(second) == 43
