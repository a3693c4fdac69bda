"""Places and the time that bodies have, around an application of the test's own."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from app.core.errors import TooSlow, Unavailable
from app.core.http import Envelope
from app.core.limits import HEALTH, Limits, arriving, moves_a_file
from app.core.rates import Rates
from app.core.settings import Settings
from tests.raw import Answer, problem, send

pytestmark = pytest.mark.anyio


class Waiting:
    """Answers when the test says so; a path that begins with /file moves a file."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.started = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started.set()
        try:
            if scope["path"].startswith("/file"):
                moves_a_file(scope)
            await self.go.wait()
            if scope["path"] == "/fails":
                raise RuntimeError("as a test wants it")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})
        except Unavailable as refused:
            await send({"type": "http.response.start", "status": refused.status, "headers": []})
            await send({"type": "http.response.body"})


def limited(app: Any, *, requests: int = 2, files: int = 1, **rates: int) -> Envelope:
    settings = Settings(**{"rate_address": 0, "rate_caller": 0, **rates})
    return Envelope(Limits(app, rates=Rates(settings), requests=requests, files=files))


class Started:
    """Requests under way."""

    def __init__(self, app: Any, waiting: Waiting) -> None:
        self.app, self.waiting = app, waiting
        self.tasks: list[asyncio.Task[Answer]] = []

    async def start(self, path: str) -> None:
        self.waiting.started.clear()
        self.tasks.append(asyncio.create_task(send(self.app, "GET", path)))
        async with asyncio.timeout(5):
            await self.waiting.started.wait()

    async def finish(self) -> list[int]:
        self.waiting.go.set()
        return [(await task).status for task in self.tasks]


async def test_one_more_than_there_are_places_is_refused_at_once_and_health_never() -> None:
    waiting = Waiting()
    app = limited(waiting)
    started = Started(app, waiting)
    await started.start("/a")
    await started.start("/b")
    refused = await send(app, "POST", "/c", body=b"{}")
    assert refused.status == 503
    assert refused.header("retry-after") == "2"
    assert refused.header("content-type") == "application/problem+json"
    assert refused.json()["detail"] == "Too many requests are being answered just now."
    for path in HEALTH:
        await started.start(path)
    assert await started.finish() == [200] * 4
    assert (await send(app, "GET", "/d")).status == 200


async def test_a_place_is_given_back_however_a_request_ends() -> None:
    waiting = Waiting()
    app = limited(waiting, requests=1)
    for path in ("/fails", "/file", "/a"):
        started = Started(app, waiting)
        await started.start(path)
        started.tasks[0].cancel()
        assert (await started.tasks[0]).status == 503
    waiting.go.set()
    assert [(await send(app, "GET", path)).status for path in ("/fails", "/a", "/file", "/a")] == [
        500,
        200,
        200,
        200,
    ]
    layer = app.app
    assert isinstance(layer, Limits)
    assert (layer.requests.free, layer.files.free) == (1, 1)


async def test_files_under_way_keep_nobody_else_out() -> None:
    waiting = Waiting()
    app = limited(waiting, requests=1, files=2)
    started = Started(app, waiting)
    await started.start("/file/1")
    await started.start("/file/2")
    assert (await send(app, "GET", "/file/3")).status == 503
    await started.start("/a")
    assert (await send(app, "GET", "/b")).status == 503
    assert await started.finish() == [200] * 3


async def test_an_address_has_its_limit_whatever_it_asks_for_but_health() -> None:
    waiting = Waiting()
    waiting.go.set()
    app = limited(waiting, rate_address=2)
    for left in (1, 0):
        answer = await send(app, "GET", "/nowhere")
        assert answer.header("ratelimit-policy") == '"address";q=2;w=60'
        assert str(answer.header("ratelimit")).startswith(f'"address";r={left};t=')
    refused = await send(app, "GET", "/nowhere")
    problem(refused, 429)
    seconds = int(str(refused.header("retry-after")))
    assert 1 <= seconds <= 60
    assert refused.header("ratelimit") == f'"address";r=0;t={seconds}'
    for path in HEALTH:
        answer = await send(app, "GET", path)
        assert (answer.status, answer.header("ratelimit")) == (200, None)


def request(*pieces: bytes) -> Request:
    """A request whose body never ends."""
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    taken: list[bytes] = []

    async def take() -> None:
        async for piece in arriving(request(b"a", b"b"), 1):
            taken.append(piece)  # noqa: PERF401 - what has come stays when the rest does not

    with pytest.raises(TooSlow) as refused:
        await asyncio.wait_for(take(), 20)
    assert taken == [b"a", b"b"]
    assert "within 1 seconds" in refused.value.detail
    assert refused.value.headers == {"Connection": "close"}
