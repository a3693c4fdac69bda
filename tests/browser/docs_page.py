"""What somebody does on the documentation page."""

from typing import Any

from playwright.sync_api import Locator, Page


def execute(page: Page, group: str, operation: str) -> Locator:
    """Opens a group and an operation, executes it; its answer."""
    page.click(f"#operations-tag-{group}")
    block = page.locator(f"#operations-{group}-{operation}")
    block.locator(".opblock-summary-control").click()
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    answer.wait_for()
    return answer


def window_of(page: Page) -> Page:
    """The window that *Authorize* opens for people."""
    page.click(".btn.authorize")
    way = page.locator(".way.authorizationCode")
    with page.context.expect_page() as opened:
        way.get_by_role("button", name="Apply given OAuth2 credentials").click()
    return opened.value


def give_password(window: Page, somebody: dict[str, Any]) -> None:
    window.locator("input[name=email]").fill(somebody["email"])
    window.locator("input[name=password]").fill(somebody["password"])
    window.locator("form button").first.click()
