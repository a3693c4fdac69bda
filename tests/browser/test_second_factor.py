"""Signing in with a second factor, as somebody does it in a browser: wide and on a telephone, in both languages."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from app.access.sign_in import PUBLIC_CLIENT
from tests.browser.conftest import TELEPHONE, WIDE
from tests.browser.docs_page import execute, give_password, window_of
from tests.second_factors import Authenticator
from tests.servers import Server, serving
from tests.signing_in import challenge_of

CASES = [
    pytest.param(number, size, language, id=f"{language}-{size[0]}")
    for number, (size, language) in enumerate(
        (size, language) for size in (WIDE, TELEPHONE) for language in ("en", "cy")
    )
]
WORDS = {
    "en": ("Set up an authenticator app", "Keep these recovery codes", "Allow", "Enter your code"),
    "cy": ("Gosod ap dilysu", "Cadwch y codau adfer hyn", "Caniatáu", "Rhowch eich cod"),
}
CHECK = """
() => {
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push('wider than the window');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('headings');
  if (document.querySelectorAll('main').length !== 1) wrong.push('main');
  if (document.scripts.length) wrong.push('a script');
  for (const field of document.querySelectorAll('input:not([type=hidden])')) {
    if (!field.labels.length) wrong.push('no label: ' + field.name);
    for (const id of (field.getAttribute('aria-describedby') || '').split(' ').filter(Boolean))
      if (!document.getElementById(id)) wrong.push('described by nothing: ' + id);
  }
  for (const one of document.querySelectorAll('button, input:not([type=hidden])'))
    if (one.getBoundingClientRect().height < 44) wrong.push('small: ' + one.outerHTML.slice(0, 60));
  return wrong;
}
"""


@pytest.fixture(scope="module")
def demanding(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration, where everybody must have a second factor."""
    folder = tmp_path_factory.mktemp("demanding")
    url = f"sqlite:///{folder / 'tandem.db'}"
    with serving(url, folder, SECOND_FACTOR="everyone") as started:
        yield started


class Walk:
    """One person's way through the pages, each looked at."""

    def __init__(self, page: Page, server: Server, name: str) -> None:
        self.page, self.server, self.name = page, server, name
        self.verifier, self.shots = secrets.token_urlsafe(48), 0
        self.asked_for: list[str] = []
        page.on("request", lambda request: self.asked_for.append(request.url))

    def look(self, heading: str) -> None:
        """The page has this heading, and everything in its place."""
        assert self.page.locator("h1").inner_text() == heading
        assert self.page.evaluate(CHECK) == []
        if folder := os.environ.get("TANDEM_TEST_SHOTS"):
            self.shots += 1
            path = Path(folder) / f"{self.name}-{self.shots}.png"
            self.page.screenshot(path=path, full_page=True)

    def begin(self, language: str, account: dict[str, str]) -> None:
        asked = {
            "response_type": "code",
            "client_id": str(PUBLIC_CLIENT),
            "redirect_uri": f"{self.server.base}/docs/oauth2-redirect",
            "scope": "goals:read people:read",
            "state": "s",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        self.page.goto(f"{self.server.base}/oauth/authorize?{urlencode(asked)}")
        self.page.locator("#email").fill(account["email"])
        self.page.locator("#password").fill(account["password"])
        self.page.get_by_role("button").click()

    def type(self, code: str) -> None:
        self.page.locator("#code").fill(code)
        self.page.get_by_role("button").click()

    def redeem(self) -> str:
        """The access token that the code at the end of the way is good for."""
        # The page that it leads to clears its address at once.
        self.page.wait_for_url("**/docs/oauth2-redirect*")
        back = [url for url in self.asked_for if urlsplit(url).path == "/docs/oauth2-redirect"][-1]
        found = dict(parse_qsl(urlsplit(back).query))
        form = {
            "grant_type": "authorization_code",
            "client_id": str(PUBLIC_CLIENT),
            "code": found["code"],
            "code_verifier": self.verifier,
            "redirect_uri": f"{self.server.base}/docs/oauth2-redirect",
        }
        answer = httpx.post(f"{self.server.base}/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.mark.parametrize(("number", "size", "language"), CASES)
def test_somebody_sets_up_an_app_and_signs_in_with_it(
    browser: Browser, demanding: Server, number: int, size: tuple[int, int], language: str
) -> None:
    account = demanding.demonstration()["accounts"][number]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{said.location['url']} {said.text}"))
    setting_up, keeping, allow, asking = WORDS[language]
    walk = Walk(page, demanding, f"{language}-{size[0]}")

    walk.begin(language, account)
    walk.look(setting_up)
    key = page.locator(".key").inner_text()
    app = Authenticator(re.sub(r"\s", "", key))
    link = page.locator('a[href^="otpauth:"]')
    assert f"secret={app.secret}" in str(link.get_attribute("href"))
    picture = page.locator(".picture svg").bounding_box()
    assert picture is not None
    assert picture["width"] > 150
    walk.type(app.wrong())
    assert page.locator("#code").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "code"
    walk.look(setting_up)
    walk.type(app.code())
    walk.look(keeping)
    codes = page.locator(".codes li").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("button").click()
    page.get_by_role("button", name=allow, exact=True).click()
    token = walk.redeem()
    me = httpx.get(f"{demanding.base}/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["person"]["name"] == account["name"]

    # The next time: a code is asked for, by the keyboard alone; then a recovery code does as well.
    walk.begin(language, account)
    walk.look(asking)
    assert page.evaluate("document.activeElement.id") == "code"
    page.keyboard.type(app.code())
    page.keyboard.press("Enter")
    assert walk.redeem()
    walk.begin(language, account)
    walk.type("wrong")
    walk.look(asking)
    walk.type(codes[0])
    assert walk.redeem()
    context.close()
    # Each wrong code is a 403, which the browser tells; what the client's page says is its own.
    ours = [said for said in complaints if "/oauth/" in said]
    assert [said for said in ours if "403" not in said] == []


@pytest.mark.parametrize(
    ("number", "size", "locale", "allow"),
    [
        pytest.param(4, WIDE, "en-GB", "Allow", id="en-1280"),
        pytest.param(5, TELEPHONE, "cy", "Caniatáu", id="cy-390"),
    ],
)
def test_the_documentation_page_signs_in_who_shows_a_second_factor(
    browser: Browser,
    demanding: Server,
    number: int,
    size: tuple[int, int],
    locale: str,
    allow: str,
) -> None:
    """From its *Authorize* to an answer: first an app is set up, the next time its code is asked for."""
    account = demanding.demonstration()["accounts"][number]
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, locale=locale)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    app: Authenticator | None = None
    for _ in range(2):
        page = context.new_page()
        page.goto(f"{demanding.base}/docs", wait_until="networkidle")
        page.locator(".opblock-tag").first.wait_for()
        window = window_of(page)
        give_password(window, account)
        window.locator("#code").wait_for()
        assert window.evaluate(CHECK) == []
        if app is None:
            app = Authenticator(re.sub(r"\s", "", window.locator(".key").inner_text()))
            window.locator("#code").fill(app.code())
            window.get_by_role("button").click()
            # The recovery codes, then what the page asks for.
            window.locator(".codes li").first.wait_for()
            window.get_by_role("button").click()
            window.get_by_role("button", name=allow, exact=True).wait_for()
            with window.expect_event("close"):
                window.get_by_role("button", name=allow, exact=True).click()
        else:
            window.locator("#code").fill(app.code())
            with window.expect_event("close"):
                window.get_by_role("button").click()
        page.locator(".way.in").wait_for()
        page.locator(".btn-done").first.click()
        answer = execute(page, "People", "read_me")
        assert answer.locator(".response-col_status").inner_text().startswith("200")
        assert account["name"] in answer.inner_text()
        page.close()
    context.close()
