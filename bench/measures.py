"""What is measured: the requests of each measure, and the shares of hello to reach."""

import json
from typing import Any, NamedTuple

from bench.load import COUNTER, BenchError, Request, ask
from bench.seed import Bearers, World
from bench.servers import Server

PAGE = 50
_IDS = 200
_FIRST_READS_A_SECOND = 3000


class Measure(NamedTuple):
    """One line of the table."""

    kind: str
    """R1 (one goal by id), R2 (a page of 50 goals) or W1 (a goal recorded)."""
    caller: str

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"{self.kind} {self.caller}".strip()


FIRST_READS = Measure("R1", "client, first")
MEASURES = (
    Measure("R1", "owner"),
    Measure("R1", "coach"),
    Measure("R1", "client"),
    Measure("R2", "owner"),
    Measure("R2", "coach"),
    Measure("R2", "client"),
    FIRST_READS,
    Measure("W1", "learner"),
)
"""In the order in which they run: the client has read what R1 and R2 ask of it, before they count,
so they write no receipts; its first reads of the day write one each. W1 is last: it adds rows."""

RAW = (Measure("R1", ""), Measure("R2", ""), Measure("W1", ""))


class Target(NamedTuple):
    """Shares of hello to reach."""

    first: float
    stretch: float


TARGETS = {
    "sqlite": {"R1": Target(0.06, 0.10), "R2": Target(0.015, 0.03), "W1": Target(0.02, 0.04)},
    "postgresql": {
        "R1": Target(0.045, 0.09),
        "R2": Target(0.015, 0.06),
        "W1": Target(0.02, 0.05),
    },
}

_WORDING: dict[str, Any] = {
    "statement": "Every pupil has time to think before anyone answers, and I ask Siân to watch for it.",
    "baseline": "I often answer my own questions.",
}


def raw_requests(measure: Measure, server: Server, world: World) -> list[Request]:
    """The requests of a measure to a raw server."""
    if measure.kind == "R1":
        return [Request("GET", f"/r1/{goal}") for goal in world.owner_goals[:_IDS]]
    if measure.kind == "R2":
        return _pages(server, f"/r2/{world.owner}?", {})
    return [Request("POST", "/w1", {}, _json(owner_id=str(world.writer), **_WORDING))]


def service_requests(
    measure: Measure, server: Server, world: World, bearers: Bearers, seconds: int
) -> list[Request]:
    """The requests of a measure to the service."""
    if measure.kind == "W1":
        headers = {**_bearer(bearers.writer), "Idempotency-Key": f"bench-{server.pid}-{COUNTER}"}
        body = _json(agreement_id=str(world.writer_agreement), **_WORDING)
        return [Request("POST", "/v1/goals", headers, body)]
    if measure == FIRST_READS:
        some = world.client_goals[_IDS : _IDS + _FIRST_READS_A_SECOND * seconds]
        return [Request("GET", f"/v1/goals/{goal}", _bearer(bearers.client)) for goal in some]
    headers = _bearer(getattr(bearers, measure.caller))
    if measure.kind == "R1":
        goals = world.client_goals if measure.caller == "client" else world.owner_goals
        return [Request("GET", f"/v1/goals/{goal}", headers) for goal in goals[:_IDS]]
    return _pages(server, f"/v1/goals?limit={PAGE}&", headers)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _json(**values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)


def _pages(server: Server, path: str, headers: dict[str, str]) -> list[Request]:
    """The first full pages of a list, each by the cursor of the one before."""
    requests: list[Request] = []
    cursor = ""
    while len(requests) * PAGE < _IDS:
        request = Request("GET", f"{path}{cursor}".rstrip("?&"), headers)
        page = ask(server.port, request)
        if len(page["items"]) != PAGE:
            raise BenchError(f"{request.path}: {len(page['items'])} goals where {PAGE} should be")
        requests.append(request)
        if not page["next"]:
            break
        cursor = f"cursor={page['next']}"
    return requests
