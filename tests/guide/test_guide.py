"""Every block of docs/guide is run against a live server, on both databases, and prints what the page shows.

A page begins in a folder where `make run` has just been started: its folder `var` is there, the command
`tandem` is found, and the service answers.
"""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import postgresql_database
from tests.guide.running import Reader
from tests.servers import Person, Server, free_port
from tests.signing_in import hidden

ROOT = Path(__file__).parent.parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(page.stem for page in GUIDE.glob("*.md"))
ADDRESS = "http://127.0.0.1:8000"
"""Where the pages say that the service is."""
CALLBACK = "127.0.0.1:8765"
"""Where the app of the page for mobile developers waits for its code."""


@contextmanager
def database(backend: str, worker: str, folder: Path, template: str | None) -> Iterator[str]:
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'var' / 'tandem.db'}"
    else:
        name = "guide" if template else "demonstrated"
        with postgresql_database(f"{name}_{worker}", template) as url:
            yield url


@pytest.fixture(scope="module")
def demonstrated(
    backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with the demonstration in it: made once, copied for each page."""
    folder = tmp_path_factory.mktemp("demonstrated")
    (folder / "var").mkdir()
    with database(backend, worker_id, folder, None) as url:
        done = Server(url, folder / "var").command("demonstrate")
        assert done.returncode == 0, done.stdout + done.stderr
        yield folder


@pytest.fixture
def server(
    backend: str, worker_id: str, demonstrated: Path, tmp_path: Path
) -> Iterator[tuple[Server, Path]]:
    """What `make run` starts, and the folder where it was started."""
    shutil.copytree(demonstrated, tmp_path, dirs_exist_ok=True)
    with database(backend, worker_id, tmp_path, f"demonstrated_{worker_id}") as url:
        started = Server(url, tmp_path / "var")
        started.start()
        try:
            yield started, tmp_path
        finally:
            started.stop()


@pytest.fixture
def reader(server: tuple[Server, Path]) -> Iterator[Reader]:
    """Somebody who does what a page says, beside the server."""
    running, folder = server
    binaries = os.path.dirname(sys.executable)
    environment = {**running.environment, "PATH": f"{binaries}:{os.environ['PATH']}"}
    roles = {account["name"]: account["role"] for account in running.demonstration()["accounts"]}
    with httpx.Client(base_url=running.base, timeout=30) as http:

        def token(name: str) -> str:
            headers = Person.of(running, http, roles[name]).headers
            return headers["Authorization"].removeprefix("Bearer ")

        made = Reader(folder, environment, http, token)
        made.shapes.stands_for[ADDRESS] = running.base
        yield made
        for client in made.names.values():
            if isinstance(client, httpx.Client):
                client.close()


@pytest.fixture
def somebody_at_a_browser(
    server: tuple[Server, Path], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The learner, who signs in on whatever page the system browser is told to open."""
    running, _ = server
    reader.shapes.stands_for[CALLBACK] = f"127.0.0.1:{free_port()}"
    account = running.demonstration()["accounts"][0]
    threads = []

    def sign_in(address: str) -> None:
        with httpx.Client(base_url=running.base, timeout=30) as browser:
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
    blocks = reader.read((GUIDE / f"{page}.md").read_text(encoding="utf-8"))
    assert (blocks > 4) is (page != "README")
