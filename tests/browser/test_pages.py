"""The documentation page and the pages for people, as somebody sees them in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Page

from app.openapi import TAGS
from tests.browser.conftest import TELEPHONE, WIDE, Opening
from tests.browser.docs_page import execute, give_password, window_of
from tests.servers import Server


def sign_in(page: Page, section: str, fields: dict[str, str]) -> None:
    """Fills one section of *Authorize* in and closes the dialog."""
    page.click(".btn.authorize")
    dialog = page.locator(".auth-container", has_text=f"(OAuth2, {section})")
    for name, value in fields.items():
        dialog.locator(f"#{name}").fill(value)
    dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    dialog.get_by_role("button", name="Remove authorization").wait_for()
    page.locator(".btn-done").first.click()


def account(server: Server, role: str) -> dict[str, Any]:
    return next(a for a in server.demonstration()["accounts"] if a["role"] == role)


@pytest.mark.parametrize("size", [WIDE, TELEPHONE])
def test_a_person_signs_in_on_the_documentation_page_and_sees_who_they_are(
    visit: Opening, server: Server, size: tuple[int, int]
) -> None:
    learner = account(server, "learner")
    page = visit("/docs", size)
    given = {"oauth_username": learner["email"], "oauth_password": learner["password"]}
    sign_in(page, "password", given)
    answer = execute(page, "People", "read_me")
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert learner["name"] in answer.inner_text()
    # Neither the token nor the password is left behind for who sits down next.
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []
    assert page.context.cookies() == []


@pytest.mark.parametrize(
    ("role", "size", "locale", "question"),
    [
        ("coach", WIDE, "en-GB", "Allow access?"),
        ("tutor", TELEPHONE, "cy", "Caniatáu mynediad?"),
    ],
)
def test_a_person_signs_in_in_a_window_allows_it_and_signs_out(
    visit: Opening, server: Server, role: str, size: tuple[int, int], locale: str, question: str
) -> None:
    somebody = account(server, role)
    page = visit("/docs", size, locale)
    window = window_of(page)
    give_password(window, somebody)
    assert window.locator("h1").inner_text() == question
    beyond = window.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond <= 0
    with page.expect_response("**/oauth/token") as answered, window.expect_event("close"):
        window.locator("button[value=allow]").click()
    token = answered.value.json()["access_token"]
    # One way in: the others are not shown beside it.
    page.locator(".way.in").wait_for()
    assert page.locator(".way").count() == 1
    page.locator(".btn-done").first.click()
    answer = execute(page, "People", "read_me")
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert somebody["name"] in answer.inner_text()
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []
    # What ties the form to the browser, and that the account was used in it; nobody is signed in by either.
    assert {cookie["name"] for cookie in page.context.cookies()} == {"sign-in", "known"}
    bearer = {"Authorization": f"Bearer {token}"}
    assert page.request.get(f"{server.base}/v1/me", headers=bearer).status == 200
    page.locator(".btn.authorize").first.click()
    with page.expect_response("**/oauth/revoke"):
        page.locator(".way.in").get_by_role("button", name="Remove authorization").click()
    page.locator(".way.clientCredentials").wait_for()
    assert page.request.get(f"{server.base}/v1/me", headers=bearer).status == 401


def test_a_page_that_is_left_signs_out(visit: Opening, server: Server) -> None:
    page = visit("/docs")
    window = window_of(page)
    give_password(window, account(server, "head_teacher"))
    with page.expect_response("**/oauth/token") as answered:
        window.locator("button[value=allow]").click()
    bearer = {"Authorization": f"Bearer {answered.value.json()['access_token']}"}
    page.locator(".way.in").wait_for()
    page.goto(server.base + "/problems")

    def status() -> int:
        return page.request.get(f"{server.base}/v1/me", headers=bearer).status

    for _ in range(50):
        if status() == 401:
            break
        page.wait_for_timeout(100)
    assert status() == 401


def test_who_does_not_allow_it_is_told_that_nothing_was_given(
    visit: Opening, server: Server
) -> None:
    page = visit("/docs")
    window = window_of(page)
    give_password(window, account(server, "cluster_lead"))
    with window.expect_event("close"):
        window.locator("button[value=refuse]").click()
    said = page.locator(".way.authorizationCode .errors")
    assert "You did not allow it. Nothing was given." in said.inner_text()
    assert page.locator(".way.in").count() == 0


def test_an_answer_that_this_page_has_not_asked_for_is_let_pass(
    visit: Opening, server: Server
) -> None:
    page = visit("/docs")
    redeemed: list[str] = []
    page.on("request", lambda r: redeemed.append(r.url) if "/oauth/token" in r.url else None)
    window = window_of(page)
    window.wait_for_load_state()
    state = page.evaluate("swaggerUIRedirectOauth2.state")
    assert len(state) == 32
    tell = "said => new BroadcastChannel('tandem-sign-in').postMessage(said)"
    for said in (
        f"?code=stolen&state=other&iss={server.base}",
        f"?code=stolen&iss={server.base}",
        f"?code=stolen&state={state}&iss=https://evil.example",
        f"?code=stolen&state={state}",
        "",
    ):
        window.evaluate(tell, said)
    page.wait_for_timeout(300)
    assert redeemed == []
    assert page.evaluate("swaggerUIRedirectOauth2.state") == state


def test_what_is_not_offered_is_not_shown(visit: Opening) -> None:
    page = visit("/docs")

    def without(route: Any) -> None:
        whole = route.fetch()
        route.fulfill(response=whole, body=whole.text().replace(" data-password", ""))

    page.route("**/docs", without)
    page.reload(wait_until="networkidle")
    page.locator(".opblock-tag").first.wait_for()
    page.click(".btn.authorize")
    page.locator(".way.authorizationCode").wait_for()
    assert page.locator(".way").count() == 2
    assert page.locator("#oauth_password").count() == 0
    # Only a system types a client; it is offered none.
    assert not page.locator("#client_id_authorizationCode").is_visible()
    assert page.locator("#client_id_clientCredentials").input_value() == ""


def test_a_system_signs_in_with_its_client_and_lists_goals(visit: Opening, server: Server) -> None:
    client = server.demonstration()["client"]
    page = visit("/docs")
    given = {
        "client_id_clientCredentials": client["client_id"],
        "client_secret_clientCredentials": client["client_secret"],
    }
    sign_in(page, "clientCredentials", given)
    answer = execute(page, "Goals", "list_goals")
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert "Pupils give a reason with each answer" in answer.inner_text()


def test_the_groups_stand_in_the_order_in_which_a_newcomer_reads(visit: Opening) -> None:
    page = visit("/docs")
    groups = page.locator(".opblock-tag").evaluate_all("all => all.map(one => one.dataset.tag)")
    assert groups == [tag["name"] for tag in TAGS]
    page.click("#operations-tag-People")
    paths = page.locator(".opblock-summary-path")
    assert paths.first.inner_text().replace("\u200b", "") == "/v1/me"


@pytest.mark.parametrize("size", [WIDE, TELEPHONE])
def test_a_page_fits_its_window_and_has_one_heading_and_a_way_past_its_bar(
    visit: Opening, size: tuple[int, int]
) -> None:
    for path in ("/", "/problems", "/problems/not-found", "/docs"):
        page = visit(path, size)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, path
        assert page.locator("main").count() == 1, path
        assert page.locator("h1, h2.title").count() == 1, path
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip", path


def test_a_browser_that_speaks_welsh_gets_welsh_and_can_go_over_to_english(visit: Opening) -> None:
    page = visit("/", locale="cy")
    assert page.locator("html").get_attribute("lang") == "cy"
    assert "does neb wedi'i hadolygu" in page.locator(".notice").inner_text()
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("navigation").get_by_role("link", name="Problems").click()
    assert page.locator("h1").inner_text() == "Problems"
    assert page.locator("script").count() == 0
