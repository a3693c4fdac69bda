"""A real browser at a real server. Where there is no Chromium these tests are skipped, and say so."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.servers import Server, serving

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = "no Chromium here: sudo apt-get install --no-install-recommends chromium"

WIDE, TELEPHONE = (1280, 900), (390, 844)

Opening = Callable[..., Page]


# For a module and no longer: as long as Playwright is there its event loop counts as running, and
# no test that runs one of its own could follow.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(ADVICE)
    with sync_playwright() as playwright:
        # Without its sandbox, which containers do not allow; it visits nothing but our own server.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What `make run` starts, with its demonstration."""
    folder = tmp_path_factory.mktemp("served")
    with serving(f"sqlite:///{folder / 'tandem.db'}", folder) as started:
        yield started


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Opening]:
    """Opens a path in a new tab. At the end: nothing left the server, and no page complained."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def open_tab(path: str, size: tuple[int, int] = WIDE, locale: str = "en-GB") -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale=locale)  # type: ignore[arg-type]
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.base + path, wait_until="networkidle")
        if path == "/docs":
            # Swagger UI draws some time after it has the document.
            page.locator(".opblock-tag").first.wait_for()
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert asked, "no page was opened"
    assert [url for url in asked if not url.startswith((f"{server.base}/", "data:"))] == []
    assert complaints == []
