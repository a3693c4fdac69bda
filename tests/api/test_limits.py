"""Limits and compression over HTTP, in the application as it is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from app.core.limits import Limits
from app.core.rates import Limit
from app.core.settings import settings
from app.main import create_app
from tests.worlds import Actor, World, token

pytestmark = pytest.mark.anyio


@pytest.fixture
def rates(app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The application's limits, for this test: three requests a minute for each caller."""
    monkeypatch.setattr(app.state.rates, "caller", Limit("caller", 3, window=3600))
    monkeypatch.setattr(app.state.rates, "address", Limit("address", 1000, window=3600))
    return app.state.rates


def layer(app: Any) -> Limits:
    # Made by the first request, if nobody has asked for it before.
    found = app.middleware_stack = app.middleware_stack or app.build_middleware_stack()
    while not isinstance(found, Limits):
        found = found.app
    return found


def where(answer: httpx.Response) -> str:
    return answer.headers["ratelimit"].partition(";t=")[0]


async def test_every_answer_says_where_the_caller_stands_until_it_is_429(
    world: World, rates: Any
) -> None:
    paths = ["/v1/goals", "/v1/goals/not-an-id", "/v1/me"]
    answers = [await world.learner.get(path) for path in paths]
    assert [where(answer) for answer in answers] == [f'"caller";r={n}' for n in (2, 1, 0)]
    assert {a.headers["ratelimit-policy"] for a in answers} == {'"caller";q=3;w=3600'}
    refused = await world.learner.post("/v1/goals", json={"statement": "One too many."})
    assert refused.status_code == 429
    body = refused.json()
    assert body["type"] == "https://tandem.example/problems/too-many-requests"
    assert body["request_id"] == refused.headers["x-request-id"]
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["ratelimit"] == f'"caller";r=0;t={refused.headers["retry-after"]}'
    # Others have theirs, and so has the same person through another client.
    assert (await world.coach.get("/v1/goals")).status_code == 200
    elsewhere = Actor(
        world.http, world.learner.id, token(world.app, world.learner.id, world.client.id)
    )
    assert (await elsewhere.get("/v1/goals")).status_code == 200
    # Who is refused has nothing written.
    rates.caller = Limit("caller", 0)
    goals = (await world.learner.get("/v1/goals")).json()["items"]
    assert "One too many." not in [goal["statement"] for goal in goals]


async def test_a_caller_is_counted_when_known_and_before_anything_is_refused(
    world: World, rates: Any
) -> None:
    narrow = Actor(
        world.http, world.learner.id, token(world.app, world.learner.id, scopes=["people:read"])
    )
    refused = [(await narrow.get("/v1/goals")).status_code for _ in range(4)]
    assert refused == [403, 403, 403, 429]


async def test_without_a_valid_token_the_address_counts(world: World, rates: Any) -> None:
    nobody = Actor(world.http, world.learner.id, "not.a.token")
    rates.address = Limit("address", 4, window=3600)
    answers = [await nobody.get("/v1/goals"), await world.http.get("/.well-known/jwks.json")]
    answers.append(await world.http.post("/oauth/token", data={"grant_type": "password"}))
    assert [a.status_code for a in answers] == [401, 200, 400]
    assert [where(a) for a in answers] == [f'"address";r={n}' for n in (3, 2, 1)]
    # A caller's own limit is what a caller is told of; the address counts all the same.
    assert where(await world.learner.get("/v1/goals")) == '"caller";r=2'
    assert (await world.learner.get("/v1/goals")).status_code == 429
    assert (await world.http.get("/health/live")).status_code == 200
    assert (await world.http.get("/health/ready")).status_code == 200


async def test_a_browser_may_read_what_it_must_obey(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TANDEM_CORS_ORIGINS", "https://portal.example")
    monkeypatch.setenv("TANDEM_RATE_ADDRESS", "1")
    settings.cache_clear()
    try:
        made = create_app()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(made), base_url="https://tandem.example"
    ) as http:
        origin = {"Origin": "https://portal.example"}
        answers = [await http.get("/problems/not-found", headers=origin) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 429]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://portal.example"
        exposed = {n.strip() for n in answer.headers["access-control-expose-headers"].split(",")}
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= exposed
        assert "ratelimit" in answer.headers


@pytest.fixture
def one_place(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Limits]:
    """The application with one place for a request and one for a file."""
    found = layer(app)
    free = (found.requests.free, found.files.free)
    found.requests.free = found.files.free = 1
    yield found
    assert (found.requests.free, found.files.free) == (1, 1), "a place was not given back"
    found.requests.free, found.files.free = free


async def test_a_slow_upload_keeps_out_other_files_and_nobody_else(
    world: World, one_place: Limits
) -> None:
    item = await world.evidence()
    file = await world.file(item, b"%PDF-1.7\nabc\n%%EOF\n", "plan.pdf")
    path = f"/v1/evidence-items/{item['id']}/files"
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc'
        begun.set()
        await go.wait()
        yield b"\r\n--b--\r\n"

    form = {"Content-Type": "multipart/form-data; boundary=b"}
    upload = asyncio.create_task(world.learner.post(path, headers=form, content=slow()))
    async with asyncio.timeout(10):
        await begun.wait()
    assert (await world.learner.get("/v1/goals")).status_code == 200
    download = await world.learner.get(f"{path}/{file['id']}/content")
    assert download.status_code == 503
    assert download.headers["retry-after"]
    other = await world.learner.post(path, files={"file": ("b.txt", b"abc")})
    assert other.status_code == 503
    go.set()
    assert (await upload).status_code == 201
    assert (await world.learner.get(f"{path}/{file['id']}/content")).status_code == 200


async def test_a_compressed_record_is_changed_and_asked_for_by_its_tag(world: World) -> None:
    goal = await world.goal(statement="Meddwl cyn ateb. " * 100)
    path = f"/v1/goals/{goal['id']}"
    plain = await world.learner.get(path, headers={"Accept-Encoding": "identity"})
    small = await world.learner.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert small.json() == plain.json()
    etag = small.headers["etag"]
    assert etag == "W/" + plain.headers["etag"]
    for known in (etag, plain.headers["etag"]):
        again = await world.learner.get(
            path, headers={"Accept-Encoding": "gzip", "If-None-Match": known}
        )
        assert (again.status_code, again.content) == (304, b"")
    change = {"statement": "Meddwl cyn ateb."}
    changed = await world.learner.patch(path, etag=etag, json=change)
    assert changed.status_code == 200
    stale = await world.learner.patch(path, etag=etag, json=change)
    assert stale.status_code == 412


async def test_the_document_and_the_page_s_files_come_compressed(app: Any, world: World) -> None:
    for path in ("/openapi.json", "/assets/swagger-ui-bundle.js"):
        answer = await world.http.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) * 2 < len(answer.content)
        head = await world.http.head(path, headers={"Accept-Encoding": "gzip"})
        assert head.headers["content-length"] == answer.headers["content-length"]
