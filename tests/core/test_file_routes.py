"""Routes that take and give files: the row speaks first, no transaction waits, nothing is left over.

Shown on goals, by an application of this test alone with the doors and databases of the real one.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from app.access.gates import Row, one
from app.access.goals import GOALS
from app.access.grants import Action
from app.core import http as problems
from app.core.db import Unit
from app.core.downloads import answer
from app.core.errors import Conflict, RequestInProgress, Unavailable
from app.core.files import Store
from app.core.routes import Route
from app.core.uploads import FORM, receive
from tests.api.test_contract import count
from tests.worlds import Actor, World

router = APIRouter(prefix="/goals", route_class=Route)

Taking = Annotated[Row, one(Action.GOAL_WRITE, GOALS, streams=True)]
Reading = Annotated[Row, one(Action.GOAL_READ, GOALS)]


@router.post("/{goal_id}/files", status_code=201, openapi_extra=FORM)
async def take(request: Request, goal: Taking) -> dict[str, Any]:
    assert not goal.access.unit.begun
    stored = await receive(request)
    assert not goal.access.unit.begun
    held = await goal.access.locked(GOALS, goal.id)
    if stored.name == "refuse.txt":
        raise Conflict("The goal takes no such file.")
    await goal.access.journal("attached", GOALS.kind, held.entity)
    goal.access.about = (GOALS.kind, goal.id)
    return {"key": stored.key, "name": stored.name, "size": stored.size, "sha256": stored.sha256}


FILES: dict[str, Any] = {}
"""What the test last stored, by the name under which it is asked for."""


@router.get("/{goal_id}/files/{name}", response_class=Response)
async def give(request: Request, goal: Reading, name: str) -> Response:
    store, stored = FILES[name]
    return await answer(
        request,
        partial(store.read, stored["key"]),
        name=stored["name"],
        media_type="text/plain",
        size=stored["size"],
        sha256=stored["sha256"],
    )


@pytest.fixture
async def caller(world: World) -> AsyncIterator[httpx.AsyncClient]:
    made = FastAPI()
    made.router.routes.extend(router.routes)
    problems.install(made)
    made.add_middleware(problems.Envelope)
    for name in ("tokens", "database", "cursors", "rates"):
        setattr(made.state, name, getattr(world.app.state, name))
    transport = httpx.ASGITransport(made, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as client:
        yield client


class Sender:
    """Uploads as one actor; knows whether any of the body was asked for."""

    def __init__(self, caller: httpx.AsyncClient, actor: Actor) -> None:
        self.caller, self.actor, self.started = caller, actor, False

    async def __call__(
        self,
        goal_id: Any,
        content: bytes = b"text",
        name: str = "a.txt",
        *,
        query: str = "",
        body: AsyncIterator[bytes] | None = None,
        **headers: str,
    ) -> httpx.Response:
        files = {"file": (name, content)}
        made = httpx.Request("POST", "https://x/", files=files)

        async def whole() -> AsyncIterator[bytes]:
            self.started = True
            for start in range(0, len(made.read()), 60_000):
                yield made.content[start : start + 60_000]

        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.caller.post(
            f"/goals/{goal_id}/files{query}",
            content=body or whole(),
            headers=self.actor.headers({"Content-Type": made.headers["content-type"], **named}),
        )


async def left(store: Store) -> list[str]:
    return [found.key async for found in store.all()]


async def test_a_file_is_taken_and_given_back(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    goal = await world.goal(None)
    content = b"A lesson. " * 500_000
    taken = await Sender(caller, world.learner)(goal["id"], content, "Tŷ.txt")
    assert taken.status_code == 201, taken.text
    assert await left(store) == [taken.json()["key"]]
    FILES["lesson"] = store, taken.json()
    path, headers = f"/goals/{goal['id']}/files/lesson", world.learner.headers()
    given = await caller.get(path, headers=headers)
    assert given.content == content
    assert given.headers["etag"] == f'"{taken.json()["sha256"]}"'
    assert given.headers.get_list("x-content-type-options") == ["nosniff"]
    assert given.headers.get_list("cache-control") == ["no-store"]
    part = await caller.get(path, headers={**headers, "Range": "bytes=-10"})
    assert (part.status_code, part.content) == (206, b"A lesson. ")


async def test_the_etag_of_a_file_is_not_that_of_its_record(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    goal = await world.goal(None)
    FILES["tagged"] = store, (await Sender(caller, world.learner)(goal["id"])).json()
    path, headers = f"/goals/{goal['id']}/files/tagged", world.learner.headers()
    record = (await world.learner.get(f"/v1/goals/{goal['id']}")).headers["etag"]
    other = await caller.get(path, headers={**headers, "If-None-Match": record})
    assert (other.status_code, other.content) == (200, b"text")
    same = await caller.get(path, headers={**headers, "If-None-Match": other.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize(
    ("who", "status"), [("stranger", 404), ("coach", 403), ("client", 403), ("learner", 201)]
)
async def test_the_row_speaks_before_any_of_the_body_is_read(
    store: Store, world: World, caller: httpx.AsyncClient, who: str, status: int
) -> None:
    goal = await world.goal(await world.agreement())
    sender = Sender(caller, world.actors[who])
    assert (await sender(goal["id"])).status_code == status
    assert sender.started == (status == 201)
    assert len(await left(store)) == (status == 201)


async def test_a_row_that_is_none_speaks_before_the_body(
    configured: pytest.MonkeyPatch, world: World, caller: httpx.AsyncClient
) -> None:
    sender = Sender(caller, world.learner)
    assert (await sender(uuid4())).status_code == 404
    assert (await sender("no-id")).status_code in (404, 422)
    assert not sender.started


async def test_what_is_wrong_with_the_request_speaks_after_the_row_and_before_the_body(
    configured: pytest.MonkeyPatch, world: World, caller: httpx.AsyncClient
) -> None:
    goal = await world.goal(None)
    sender = Sender(caller, world.learner)
    key = await sender(goal["id"], Idempotency_Key="not a key")
    assert key.json()["errors"][0]["header"] == "Idempotency-Key"
    unknown = await sender(goal["id"], query="?x=1")
    assert unknown.json()["errors"][0]["parameter"] == "x"
    assert (await sender(uuid4(), query="?x=1")).status_code == 404
    assert not sender.started


async def test_others_write_while_a_file_arrives(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    """SQLite has one writer: a transaction that waited for the body would stop everybody."""
    goal = await world.goal(None)
    made = httpx.Request("POST", "https://x/", files={"file": ("a.txt", b"x" * 100_000)})
    written = []

    async def slow() -> AsyncIterator[bytes]:
        body = made.read()
        yield body[:50_000]
        written.append(await world.goal(None))
        yield body[50_000:]

    taken = await caller.post(
        f"/goals/{goal['id']}/files",
        content=slow(),
        headers=world.learner.headers({"Content-Type": made.headers["content-type"]}),
    )
    assert taken.status_code == 201, taken.text
    assert len(written) == 1


async def test_a_repeat_with_the_same_key_is_one_file(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    goal, key = await world.goal(None), str(uuid4())
    send = Sender(caller, world.learner)
    first = await send(goal["id"], b"once", Idempotency_Key=key)
    again = await send(goal["id"], b"once", Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    for content, name in ((b"twice", "a.txt"), (b"once", "b.txt")):
        other = await send(goal["id"], content, name, Idempotency_Key=key)
        assert other.json()["type"].endswith("/problems/idempotency-key-reused")
    assert await left(store) == [first.json()["key"]]
    assert await count(world.database, "journal", resource_id=goal["id"], action="attached") == 1


async def test_a_replay_is_authorised_anew_and_leaves_nothing(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    goal, key = await world.goal(None), str(uuid4())
    send = Sender(caller, world.learner)
    first = await send(goal["id"], Idempotency_Key=key)
    await world.learner.delete(f"/v1/goals/{goal['id']}")
    assert (await send(goal["id"], Idempotency_Key=key)).status_code == 404
    assert await left(store) == [first.json()["key"]]


async def test_a_refusal_after_the_body_leaves_nothing(
    store: Store, world: World, caller: httpx.AsyncClient
) -> None:
    goal = await world.goal(None)
    refused = await Sender(caller, world.learner)(goal["id"], name="refuse.txt")
    assert refused.status_code == 409
    assert await left(store) == []


async def test_a_request_that_lost_to_its_twin_leaves_nothing(
    store: Store,
    world: World,
    caller: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.core.idempotency import Guard

    async def lost(self: Guard, *_: Any, **__: Any) -> None:
        raise RequestInProgress()

    goal = await world.goal(None)
    monkeypatch.setattr(Guard, "store", lost)
    refused = await Sender(caller, world.learner)(goal["id"], Idempotency_Key=str(uuid4()))
    assert refused.status_code == 409
    assert await left(store) == []


async def test_when_a_commit_is_in_doubt_the_file_stays(
    store: Store, world: World, caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row may be there: a file without a row is swept, a row without its file is a loss."""
    goal = await world.goal(None)
    commit = Unit.commit

    async def in_doubt(self: Unit) -> None:
        await commit(self)
        raise Unavailable("The database went away.")

    monkeypatch.setattr(Unit, "commit", in_doubt)
    assert (await Sender(caller, world.learner)(goal["id"])).status_code == 503
    assert len(await left(store)) == 1


async def test_a_receipt_is_certain_before_the_first_byte_is_sent(
    configured: pytest.MonkeyPatch, world: World, caller: httpx.AsyncClient
) -> None:
    everyone = ["coaches", "fellows", "advisers", "leaders", "systems"]
    agreement = await world.agreement(disclosure={"goals": everyone, "existence": everyone})
    goal = await world.goal(agreement, readers=["leaders"])
    seen = []

    class Watching:
        async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
            yield b"ab"
            seen.append(await count(world.database, "receipts", resource_id=goal["id"]))
            yield b"cd"

    FILES["watched"] = Watching(), {"key": "", "name": "a.txt", "size": 4, "sha256": "00" * 32}
    given = await caller.get(f"/goals/{goal['id']}/files/watched", headers=world.head.headers())
    assert given.content == b"abcd"
    assert seen == [1]


def test_an_endpoint_has_one_body() -> None:
    with pytest.raises(AssertionError, match="no transaction is open"):
        one(Action.GOAL_WRITE, GOALS, Any, streams=True)  # type: ignore[arg-type]

    async def confused(goal: Taking, body: dict[str, Any]) -> None:
        """Takes a file and JSON."""

    with pytest.raises(AssertionError, match="two bodies"):
        APIRouter(route_class=Route).post("/{goal_id}")(confused)
