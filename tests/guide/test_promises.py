"""What the guide says of its own code and no page can show: it waits when it is told to, and can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.guide.running import blocks
from tests.servers import Server

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide"
ROWS = 40


def code(page: str, holds: str) -> str:
    """The one block of a page's Python in which something is written."""
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    (found,) = (b.text for b in blocks(text) if b.language == "python" and holds in b.text)
    return found


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return 1_000.0 + sum(self.slept)


Answer = Callable[[], httpx.Response]


def lost() -> httpx.Response:
    raise httpx.ReadTimeout("nobody answers")


def refused(status: int, slug: str = "", **headers: str) -> Answer:
    body = {"type": f"https://tandem.example/problems/{slug}", "detail": ""}
    return lambda: httpx.Response(status, json=body, headers=headers)


def done() -> httpx.Response:
    return httpx.Response(200, json={}, headers={"RateLimit": '"caller";r=10;t=5'})


def asked(page: str, holds: str, answers: list[Answer], monkeypatch: Any) -> tuple[Any, Any]:
    """What `ask` of a page returns when it gets these answers, and how long it slept each time."""
    clock, left = Clock(), iter(answers)
    transport = httpx.MockTransport(lambda request: next(left)())
    with httpx.Client(transport=transport, base_url="https://tandem.example") as http:
        names: dict[str, Any] = {"__name__": "the page", "httpx": httpx, "http": http}
        monkeypatch.setenv("TANDEM", "https://tandem.example")
        exec(code(page, holds), names)
        if names["http"] is not http:
            names["http"].close()
        granted = httpx.Response(
            200,
            json={"access_token": "t", "expires_in": 900},
            request=httpx.Request("POST", "https://tandem.example/oauth/token"),
        )
        names |= {"http": http, "time": clock, "sign_in": lambda: granted}
        return names["ask"]("GET", "/v1/people"), clock.slept


@pytest.mark.parametrize(
    ("page", "holds", "after"),
    [("integrator", "def ask(method", []), ("script-writer", "# bring_in.py", [0.5])],
)
def test_its_code_waits_as_it_is_told_and_asks_again(
    page: str, holds: str, after: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [refused(429, **{"Retry-After": "7"}), refused(503, **{"Retry-After": "3"})]
    answer, slept = asked(page, holds, [lost, *told, refused(401), done], monkeypatch)
    assert (answer.status_code, slept) == (200, [1, 7, 3, *after])


def test_what_is_refused_for_good_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (400, 403, 404, 409, 412, 422, 428):
        answers = [refused(409, "request-in-progress"), refused(status, "x"), done]
        answer, _ = asked("integrator", "def ask(method", answers, monkeypatch)
        assert answer.status_code == status


def test_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError):
        asked("integrator", "def ask(method", [lost] * 6, monkeypatch)
    with pytest.raises(SystemExit):
        asked("script-writer", "# bring_in.py", [lost] * 8, monkeypatch)


def test_the_script_can_be_killed_and_run_twice_at_once(server: Server, tmp_path: Path) -> None:
    (tmp_path / "bring_in.py").write_text(code("script-writer", "# bring_in.py"), "utf-8")
    rows = [f"{n},Athro Rhif {n},athro.{n}@school.example,2024-09-01" for n in range(ROWS)]
    (tmp_path / "people.csv").write_text("\n".join(["Number,Name,E-mail,Since", *rows]), "utf-8")
    client = server.demonstration()["client"]
    environment = {
        **os.environ,
        "TANDEM": server.base,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
    }

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "bring_in.py", "people.csv"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    with httpx.Client(base_url=server.base, timeout=30) as http:
        form = {"grant_type": "client_credentials", **client}
        token = http.post("/oauth/token", data=form).json()["access_token"]

        def numbers() -> list[str]:
            headers = {"Authorization": f"Bearer {token}"}
            people = http.get("/v1/people", params={"limit": 200}, headers=headers).json()["items"]
            return sorted(i["external_id"] for one in people for i in one["identifiers"])

        with start() as killed:
            while len(numbers()) < 5:
                assert killed.poll() is None, killed.stdout and killed.stdout.read()
                time.sleep(0.01)
            killed.kill()
        assert 5 <= len(numbers()) < ROWS
        with ThreadPoolExecutor() as both:
            list(both.map(lambda script: script.communicate(timeout=120), [start(), start()]))
        assert numbers() == sorted(str(n) for n in range(ROWS))
        with start() as last:
            told, _ = last.communicate(timeout=120)
        assert (told, last.returncode) == (
            f"{{'created': 0, 'changed': 0, 'unchanged': {ROWS}}}, refused: 0\n",
            0,
        )
