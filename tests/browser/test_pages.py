"""The documentation page and the pages for people, as somebody sees them in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from app.openapi import TAGS
from tests.browser.conftest import TELEPHONE, WIDE, Opening
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


def execute(page: Page, group: str, operation: str) -> Locator:
    """Opens a group and an operation, executes it; its answer."""
    page.click(f"#operations-tag-{group}")
    block = page.locator(f"#operations-{group}-{operation}")
    block.locator(".opblock-summary-control").click()
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    answer.wait_for()
    return answer


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
