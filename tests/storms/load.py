"""Several clients at once against a real server, each noting what it was answered, and when."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from app.core.ids import uuid7
from tests.servers import Person, Server

MOST_SECONDS = 15.0
"""The contract says five; a loaded machine is given more."""

PATIENCE = 30.0
"""After so many seconds a client calls a request hung."""


KINDS = ("POST", "PATCH", "GET")
"""What the clients of a load ask for: a new goal, a change of one, a list."""


class Answer(NamedTuple):
    """One request: what was asked, when (monotonic), for how long, and what came."""

    what: str
    at: float
    seconds: float
    status: int
    retry_after: str | None
    problem: str


class Load:
    """Clients of the demonstration's learner: they record goals, change one, and read."""

    def __init__(self, server: Server) -> None:
        self.server = server
        with httpx.Client(base_url=server.base, timeout=PATIENCE) as http:
            self.headers = Person.of(server, http, "learner").headers
            made = http.post("/v1/goals", json={"statement": "Changed."}, headers=self.headers)
        assert made.status_code == 201, made.text
        self.goal: str = made.json()["id"]
        self._log = server.folder / "server.log"
        self._before = self._log.stat().st_size
        self.answers: list[Answer] = []
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.broken: list[str] = []
        """What was no answer at all: a connection that broke, a request that hung."""
        self.versions: list[int] = []
        self._over = threading.Event()

    @contextmanager
    def running(self, writers: int = 6, editors: int = 2, readers: int = 2) -> Iterator[None]:
        """Sends requests until the block ends."""
        kinds = (self._write,) * writers + (self._edit,) * editors + (self._read,) * readers
        threads = [threading.Thread(target=self._repeat, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _repeat(self, act: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(
            base_url=self.server.base, timeout=PATIENCE, headers=self.headers
        ) as http:
            while not self._over.is_set():
                try:
                    act(http)
                except httpx.TransportError as error:
                    self.broken.append(f"{act.__name__}: {error!r}")

    def _note(self, what: str, at: float, answer: httpx.Response) -> None:
        problem = answer.json().get("type", "").rpartition("/")[2] if answer.is_error else ""
        self.answers.append(
            Answer(
                what, at, time.monotonic() - at, answer.status_code,
                answer.headers.get("Retry-After"), problem,
            )
        )  # fmt: skip
        if answer.is_error:
            # A client that minds Retry-After would wait longer still.
            time.sleep(0.05)

    def _write(self, http: httpx.Client) -> None:
        """One goal, sent until it is acknowledged, as an app does that was offline."""
        body = {"id": str(uuid7()), "statement": "Goal of the storm."}
        self.sent.add(body["id"])
        while not self._over.is_set():
            at = time.monotonic()
            answer = http.post("/v1/goals", json=body, headers={"Idempotency-Key": body["id"]})
            self._note("POST", at, answer)
            if answer.status_code in (200, 201):
                self.acknowledged.add(body["id"])
                return

    def _edit(self, http: httpx.Client) -> None:
        at = time.monotonic()
        answer = http.patch(
            f"/v1/goals/{self.goal}", json={"baseline": str(at)}, headers={"If-Match": "*"}
        )
        self._note("PATCH", at, answer)
        if answer.status_code == 200:
            self.versions.append(answer.json()["version"])

    def _read(self, http: httpx.Client) -> None:
        at = time.monotonic()
        self._note("GET", at, http.get("/v1/goals", params={"limit": "50"}))

    def wait_for(self, *statuses: int, kinds: Sequence[str] = KINDS, count: int = 1) -> float:
        """Waits until of each kind so many requests sent from now on were answered so; how long."""
        begun = time.monotonic()
        while time.monotonic() - begun < 2 * PATIENCE:
            told = Counter(
                a.what for a in list(self.answers) if a.at >= begun and a.status in statuses
            )
            if all(told[kind] >= count for kind in kinds):
                return time.monotonic() - begun
            time.sleep(0.02)
        raise AssertionError(f"not {count} each of {kinds} with {statuses}: {self.told()}")

    def told(self) -> Counter[tuple[str, int, str]]:
        """How often each kind of request was answered how."""
        return Counter((a.what, a.status, a.problem) for a in list(self.answers))

    def slowest(self, status: int = 503) -> float:
        """Seconds that the slowest such answer took."""
        return max(a.seconds for a in list(self.answers) if a.status == status)

    def written(self) -> list[str]:
        """The ids of the storm's goals in the learner's list, as often as they stand there."""
        found: list[str] = []
        query = {"limit": "200"}
        with httpx.Client(
            base_url=self.server.base, timeout=PATIENCE, headers=self.headers
        ) as http:
            while True:
                page = http.get("/v1/goals", params=query).json()
                found += [g["id"] for g in page["items"] if g["id"] in self.sent]
                if page["next"] is None:
                    return found
                query["cursor"] = page["next"]

    def failures(self) -> list[str]:
        """What the server logged meanwhile as a failure of its own: a database that is away is none."""
        lines = self._log.read_bytes()[self._before :].decode().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line["exception"][-2000:] for line in found if line["event"] == "failure"]

    def check(self) -> None:
        """What holds however the storm went: nothing hung or broke, no answer but 2xx and a 503 that
        says when to come again, nothing acknowledged is lost, nothing is there twice."""
        assert self.broken == []
        assert self.failures() == []
        # A repeat may come while the first sending, whose client has given up, is still at work.
        odd = {a for a in self.answers if a.status not in (200, 201, 503)}
        assert {a.problem for a in odd} <= {"request-in-progress"}, self.told()
        assert {a.retry_after for a in self.answers if a.status == 503} <= {"2"}
        assert self.slowest() < MOST_SECONDS
        written = self.written()
        assert len(written) == len(set(written))
        assert self.acknowledged <= set(written)
        # An edit is one version, and none was acknowledged twice.
        assert len(self.versions) == len(set(self.versions))
