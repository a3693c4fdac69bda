"""Every block of docs/guide is run against a live server, on both databases, and prints what the page shows.

A page begins in a folder where `make run` has just been started: its folder `var` is there, the command
`tandem` is found, and the service answers.
"""

import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.guide.running import Reader, blocks
from tests.servers import Person, Server, free_port
from tests.signing_in import hidden

ROOT = Path(__file__).parent.parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted({page.stem for page in GUIDE.glob("*.md")} - {"README"})
ADDRESS = "http://127.0.0.1:8000"
"""Where the pages say that the service is."""
CALLBACK = "127.0.0.1:8765"
"""Where the app of the page for mobile developers waits for its code."""


@pytest.fixture
def reader(server: Server, tmp_path: Path) -> Iterator[Reader]:
    """Somebody who does what a page says, beside the server."""
    binaries = os.path.dirname(sys.executable)
    environment = {**server.environment, "PATH": f"{binaries}:{os.environ['PATH']}"}
    roles = {account["name"]: account["role"] for account in server.demonstration()["accounts"]}
    with httpx.Client(base_url=server.base, timeout=30) as http:

        def token(name: str) -> str:
            headers = Person.of(server, http, roles[name]).headers
            return headers["Authorization"].removeprefix("Bearer ")

        made = Reader(tmp_path, environment, http, token)
        made.shapes.stands_for[ADDRESS] = server.base
        yield made
        for client in made.names.values():
            if isinstance(client, httpx.Client):
                client.close()


@pytest.fixture
def somebody_at_a_browser(
    server: Server, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The learner, who signs in on whatever page the system browser is told to open."""
    reader.shapes.stands_for[CALLBACK] = f"127.0.0.1:{free_port()}"
    account = server.demonstration()["accounts"][0]
    threads = []

    def sign_in(address: str) -> None:
        with httpx.Client(base_url=server.base, timeout=30) as browser:
            page = browser.get(address)
            form = {
                **hidden(page.text),
                "email": account["email"],
                "password": account["password"],
            }
            after = browser.post("/oauth/authorize", data=form)
            if after.status_code == 200:
                form = {**hidden(after.text), "decision": "allow"}
                after = browser.post("/oauth/consent", data=form)
            assert after.status_code == 303, after.text
            assert urlsplit(after.headers["location"]).netloc == reader.shapes.here(CALLBACK)
            browser.get(after.headers["location"])

    def opened(address: str) -> bool:
        threads.append(threading.Thread(target=sign_in, args=[address]))
        threads[-1].start()
        return True

    monkeypatch.setattr("webbrowser.open", opened)
    yield
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("somebody_at_a_browser")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_guide_does_what_it_says(reader: Reader, page: str) -> None:
    found = reader.read((GUIDE / f"{page}.md").read_text(encoding="utf-8"))
    assert found > 4


def test_the_index_names_every_page_and_has_no_block() -> None:
    index = (GUIDE / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(([a-z-]+)\.md\)", index)) == set(PAGES)
    assert not list(blocks(index))


def test_a_page_begins_with_what_its_reader_will_have() -> None:
    for page in PAGES:
        lines = (GUIDE / f"{page}.md").read_text(encoding="utf-8").splitlines()
        assert lines[2].startswith("**At the end you ")
