"""Hostile input over every route: a problem that names the field, never a failure, nothing written.

The routes are walked from `app.main.ROUTERS`, the fields from their schemas: a new route is covered
by being there. A new kind of record needs a place in `scene`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from app.access.door import ActionGate
from app.access.grants import GRANTS
from app.core.ids import uuid7
from app.core.routes import gates_of
from app.main import ROUTERS
from tests.raw import Answer, named, problem, send
from tests.shapes import mutations, resolve, sample, unbounded
from tests.worlds import World, token

pytestmark = pytest.mark.anyio

JSON = ("Content-Type", "application/json")
ANY = ("If-Match", "*")


@dataclass(frozen=True)
class Endpoint:
    """One method of one route."""

    method: str
    route: APIRoute

    def __str__(self) -> str:
        return f"{self.method} {self.route.path}"

    @property
    def gate(self) -> ActionGate | None:
        found = gates_of(self.route.dependant)
        return found[0] if found else None  # type: ignore[return-value]

    @property
    def changes(self) -> bool:
        return self.method in ("PATCH", "PUT", "DELETE")

    @property
    def shape(self) -> dict[str, Any] | None:
        """JSON schema of the body."""
        field = self.route.body_field
        return None if field is None else field.field_info.annotation.model_json_schema()  # type: ignore[union-attr]

    @property
    def query(self) -> dict[str, Any]:
        """JSON schema of each parameter."""
        found: dict[str, Any] = {}
        for parameter in self.route.dependant.query_params:
            schema = parameter.field_info.annotation.model_json_schema()  # type: ignore[union-attr]
            found |= {name: resolve(field, schema) for name, field in schema["properties"].items()}
        return found


ENDPOINTS = [
    Endpoint(method, route)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
GATED = [e for e in ENDPOINTS if e.gate]
BODIES = [e for e in GATED if e.shape]
ONE = [e for e in GATED if "{" in e.route.path]
LISTS = [e for e in GATED if e.query]
PLAIN = [e for e in GATED if not e.query]


def each(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    assert endpoints
    return pytest.mark.parametrize("endpoint", endpoints, ids=str)


@dataclass
class Scene:
    """A world with a record of every kind, and who may do everything to each."""

    world: World
    places: dict[str, str]

    def actor(self, endpoint: Endpoint) -> str:
        path = endpoint.route.path
        if path.startswith("/v1/organisations"):
            return self.world.operator.token
        if path.startswith(("/v1/people", "/v1/affiliations")):
            return self.world.administrator.token
        return self.world.learner.token

    def path(self, endpoint: Endpoint, **changed: str) -> str:
        path = endpoint.route.path
        code = "1" if "principles" in path else "coaching-principles"
        values = {**self.places, "code": code, **changed}
        if path.endswith(("/completion", "/ending")):
            values = {**values, "learning_agreement_id": self.places["active"], **changed}
        for name in endpoint.route.param_convertors:
            assert name in values, f"give the scene a place for {{{name}}} of {endpoint}"
            path = path.replace(f"{{{name}}}", values[name])
        return path

    async def send(
        self,
        endpoint: Endpoint,
        *headers: tuple[str | bytes, str | bytes],
        path: str | None = None,
        query: str | bytes = b"",
        body: bytes | list[bytes] = b"",
        token: str | None = None,
    ) -> Answer:
        target = (path or self.path(endpoint)).encode("latin-1")
        asked = query.encode("latin-1") if isinstance(query, str) else query
        bearer = ("Authorization", f"Bearer {token or self.actor(endpoint)}")
        return await send(
            self.world.app,
            endpoint.method,
            target + (b"?" + asked if asked else b""),
            headers=[bearer, *headers],
            body=body,
        )

    async def written(self) -> list[Any]:
        """Grows with every write."""
        async with self.world.database.work() as unit:
            await unit.begin()
            assert unit._connection is not None
            found = await unit._connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM idempotency_answers)"
            )
            return list(found.one())


@pytest.fixture(scope="module")
async def scene(app: Any) -> AsyncIterator[Scene]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        world = await World.create(app, http)
        agreement = await world.agreement()
        goal = await world.goal(agreement)
        proposal, _ = await world.propose()
        yield Scene(
            world,
            {
                "goal_id": goal["id"],
                "learning_agreement_id": proposal.rpartition("/")[2],
                "active": agreement,
                "organisation_id": str(world.school),
                "person_id": str(world.learner.id),
                "affiliation_id": str(world.affiliations["learner"]),
                "number": "1",
                "version": "1",
            },
        )


class Findings:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self) -> None:
        self.cases = 0
        self.found: list[str] = []

    async def case(self, label: str, answer: Awaitable[Answer], judge: Callable[[Answer], Any]) -> None:
        self.cases += 1
        got = await answer
        try:
            judge(got)
        except (AssertionError, KeyError, TypeError, ValueError) as wrong:
            self.found.append(f"{label}: {got.status} {wrong} {got.text[:300]}")

    def report(self) -> None:
        assert self.cases
        shown = "\n".join(self.found[:40])
        assert not self.found, f"{len(self.found)} of {self.cases} cases:\n{shown}"


@pytest.fixture
async def findings(scene: Scene) -> AsyncIterator[Findings]:
    """Every case is refused: at the end nothing has been written."""
    before, made = await scene.written(), Findings()
    yield made
    made.report()
    assert await scene.written() == before


def refused(*statuses: int, names: set[str] | None = None) -> Callable[[Answer], None]:
    def judge(answer: Answer) -> None:
        found = problem(answer, *statuses)
        if names is not None:
            assert named(found) == names, f"names {sorted(named(found))}, not {sorted(names)}"

    return judge


def harmless(answer: Answer) -> None:
    """An answer or a problem, whole either way."""
    if answer.status >= 400:
        problem(answer)
    else:
        assert answer.status in (200, 204, 304), answer.status


# Bodies that are no JSON, or not the JSON that the contract asks for.
DEEP = 100_000
MALFORMED: dict[str, bytes] = {
    "truncated object": b'{"statement": "x"',
    "truncated text": b'{"statement": "x',
    "truncated escape": b'{"statement": "\\u00',
    "comma at the end": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1 /* no */}',
    "two values": b"{} {}",
    "words": b"statement=x",
    "form": b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--",
    "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "white space": b" \r\n\t ",
    "NUL": b"\x00",
    "raw NUL in a text": b'{"statement": "a\x00b"}',
    "escaped NUL": b'{"statement": "a\\u0000b"}',
    "escaped NUL in a key": b'{"\\u0000": 1}',
    "raw line feed in a text": b'{"statement": "a\nb"}',
    "bad escape": b'{"statement": "\\x41"}',
    "key twice": b'{"statement": "a", "statement": "b"}',
    "key twice by escape": b'{"note": "a", "n\\u006fte": "b"}',
    "nested key twice": b'{"x": [{"a": 1, "a": 1}]}',
    "NaN": b'{"x": NaN}',
    "Infinity": b'{"x": Infinity}',
    "-Infinity": b'{"x": -Infinity}',
    "1e999": b'{"x": 1e999}',
    "-1e999": b'{"x": -1e999}',
    "10^30": b'{"x": 1000000000000000000000000000000}',
    "2^63": b'{"x": 9223372036854775808}',
    "-2^63-1": b'{"x": -9223372036854775809}',
    "an integer of 10,000 digits": b'{"x": ' + b"9" * 10_000 + b"}",
    "leading zero": b'{"x": 01}',
    "plus": b'{"x": +1}',
    "hexadecimal": b'{"x": 0x10}',
    "point without digits": b'{"x": 1.}',
    "lone high surrogate": b'{"statement": "\\ud800"}',
    "lone low surrogate": b'{"statement": "\\udc00 x"}',
    "surrogates in the wrong order": b'{"statement": "\\udc00\\ud800"}',
    "lone surrogate in a key": b'{"\\ud800": 1}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"statement": "x"}'.encode("utf-16"),
    "UTF-32": '{"statement": "x"}'.encode("utf-32"),
    "latin-1": '{"statement": "Môn"}'.encode("latin-1"),
    "overlong": b'{"statement": "\xc0\xaf"}',
    "surrogate in UTF-8": b'{"statement": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"statement": "\xf4\x90\x80\x80"}',
    "cut UTF-8": b'{"statement": "\xe2\x82"}',
    "33 levels": b"[" * 33 + b"]" * 33,
    "33 levels of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "33 levels in a field": b'{"statement": ' + b"[" * 32 + b"]" * 32 + b"}",
    "100,000 brackets": b"[" * DEEP,
    "100,000 levels": b"[" * DEEP + b"]" * DEEP,
    "100,000 objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "brackets hidden by a quote": b'"' + b"[" * DEEP,
    "brackets after escaped quotes": b'["\\"",' + b"[" * DEEP,
}
NO_OBJECT: dict[str, bytes] = {
    "array": b"[]",
    "array of objects": b'[{"statement": "x"}]',
    "text": b'"statement"',
    "empty text": b'""',
    "number": b"7",
    "fraction": b"0.5",
    "zero": b"0",
    "true": b"true",
    "false": b"false",
    "null": b"null",
    "empty": b"",
}


@each(BODIES)
async def test_what_is_not_json_is_malformed(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for label, body in MALFORMED.items():
        for kind in ("application/json", "application/merge-patch+json; charset=utf-8"):
            asked = scene.send(endpoint, ("Content-Type", kind), ANY, body=body)
            await findings.case(f"{label} as {kind}", asked, refused(400))


@each(BODIES)
async def test_a_body_that_is_no_object_is_named_as_a_whole(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for label, body in NO_OBJECT.items():
        asked = scene.send(endpoint, JSON, ANY, body=body)
        await findings.case(label, asked, refused(422, names={""}))


@each(BODIES)
async def test_every_field_that_is_wrong_is_named(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    assert endpoint.shape is not None
    for label, body, pointer in mutations(endpoint.shape):
        asked = scene.send(endpoint, JSON, ANY, body=json.dumps(body).encode())
        await findings.case(label, asked, refused(422, names={pointer}))


@each(BODIES)
def test_every_text_and_list_has_a_greatest_size(endpoint: Endpoint) -> None:
    assert endpoint.shape is not None
    assert unbounded(endpoint.shape) == set()


@each(BODIES)
async def test_many_things_wrong_are_told_in_bounded_space(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    assert endpoint.shape is not None
    right = sample(endpoint.shape, endpoint.shape)
    lists = {name: ["x"] * 200_000 for name, value in right.items() if isinstance(value, list)}
    for label, body in {
        "80,000 fields": {f"f{number}": 1 for number in range(80_000)},
        "a name of 900,000 characters": {"x" * 900_000: 1},
        "a text of 900,000 characters": {name: "x" * (900_000 // len(right)) for name in right},
        "long lists": {name: value[: 200_000 // len(lists)] for name, value in lists.items()},
    }.items():
        started = time.perf_counter()

        def judge(answer: Answer, started: float = started) -> None:
            problem(answer, 422)
            assert len(answer.body) < 50_000, f"{len(answer.body)} bytes"
            assert time.perf_counter() - started < 3

        await findings.case(label, scene.send(endpoint, JSON, ANY, body=json.dumps(body).encode()), judge)


@each(BODIES)
async def test_reading_a_body_takes_time_in_proportion_to_its_size(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    """What makes a careless reader quadratic: a second would be seen on /health."""
    for label, body in {
        "escaped quotes without an end": b"[" * 40 + b'"' + b'\\"' * 450_000,
        "quotes": b"[" * 40 + b'"' * 900_000,
        "backslashes": b"[" * 40 + b'"' + b"\\" * 900_000,
        "shallow brackets": b"[" + b"[]," * 300_000 + b"[]]",
        "digits": b'{"x": 0.' + b"1" * 900_000 + b"}",
        "exponent": b'{"x": 1e-' + b"9" * 900_000 + b"}",
        "empty texts": b"[" + b'"\\u0041",' * 99_000 + b'""]',
    }.items():
        started = time.perf_counter()

        def judge(answer: Answer, started: float = started) -> None:
            problem(answer, 400, 422)
            assert (took := time.perf_counter() - started) < 1, f"{took:.1f} s"

        await findings.case(label, scene.send(endpoint, JSON, ANY, body=body), judge)


CONTENT_TYPES = [
    None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/jsonp", "application/json, text/plain", "application", "/", ";", "json",
    "application/problem+json", "application/\xe9", "x" * 10_000,
]  # fmt: skip
READ = [
    "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;",
    "application/json ; charset=\xe9", 'application/json; charset="', "application/json;=;;=",
    "application/merge-patch+json",
]  # fmt: skip


@each(BODIES)
async def test_only_json_is_read(scene: Scene, endpoint: Endpoint, findings: Findings) -> None:
    for kind in CONTENT_TYPES:
        headers = [] if kind is None else [("Content-Type", kind)]
        await findings.case(
            f"type {kind!r:.60}", scene.send(endpoint, ANY, *headers, body=b'{"x": 1}'), refused(415)
        )
    for kind in READ:
        asked = scene.send(endpoint, ANY, ("Content-Type", kind), body=b'{"unexpected": 1}')
        await findings.case(f"type {kind!r}", asked, refused(422))
    for coding in ("gzip", "br", "deflate", "identity, gzip", "", "x" * 10_000, "GZIP"):
        asked = scene.send(endpoint, JSON, ANY, ("Content-Encoding", coding), body=b"{}")
        await findings.case(f"encoding {coding!r:.60}", asked, refused(415))
    twice = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]
    await findings.case("two encodings", scene.send(endpoint, JSON, ANY, *twice, body=b"{}"), refused(415))


@each([e for e in GATED if e.method in ("POST", "PUT", "PATCH")])
async def test_a_body_that_is_too_large_is_refused(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    whole = b'{"x": "' + b"x" * 1_000_000 + b'"}'
    length = ("Content-Length", str(len(whole)))
    for label, headers, body in (
        ("declared", [length], [whole]),
        ("not declared", [], [whole[i : i + 65_536] for i in range(0, len(whole), 65_536)]),
        ("declared only", [("Content-Length", "9" * 30)], [b"{}"]),
        ("declared smaller", [("Content-Length", "2")], [whole]),
    ):
        asked = scene.send(endpoint, JSON, ANY, *headers, body=body)
        await findings.case(label, asked, refused(413))
    for label in ("", "x", "-1", "1.5", "\xb2", "0x10"):
        asked = scene.send(endpoint, JSON, ANY, ("Content-Length", label), body=b'{"unexpected": 1}')
        await findings.case(f"length {label!r}", asked, refused(400, 422))


@each([e for e in GATED if e.method in ("POST", "PUT", "PATCH") and not e.shape])
async def test_where_no_body_is_taken_its_fields_are_unknown(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    unknown = scene.send(endpoint, JSON, ANY, body=b'{"state": "active", "x": 1}')
    await findings.case("fields", unknown, refused(422, names={"/state", "/x"}))
    for label, body in MALFORMED.items():
        await findings.case(label, scene.send(endpoint, JSON, ANY, body=body), refused(400))
    for label, body in NO_OBJECT.items():
        if label not in ("null", "empty"):
            asked = scene.send(endpoint, JSON, ANY, body=body)
            await findings.case(label, asked, refused(422, names={""}))
    plain = scene.send(endpoint, ("Content-Type", "text/plain"), ANY, body=b"x")
    await findings.case("text", plain, refused(415))


# Ids in the path.
NOT_IDS = [
    "x", "0", "-1", "1e9", "null", "undefined", "None", "%00", "%20", "%0A", "%FF", "%ED%A0%80", "%C3%A9",
    "%F0%9F%98%80", "%25", "%5C", "*", "'", "';--", "%3Cscript%3E", "..", "%2e%2e", "{id}", "%7Bid%7D",
    "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000", "g" * 36, "9" * 50,
    "x" * 10_000, "\xe9", ";a=b", "a;b", "a,b", "[1]", "%E2%80%AE",
]  # fmt: skip
NOWHERE = ["%2F", "a%2Fb", "..%2F..%2Fetc", "/", "//", "%2F%2F"]


@each(ONE)
async def test_a_path_that_is_no_id_is_refused(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for name in endpoint.route.param_convertors:
        for wrong in NOT_IDS:
            asked = scene.send(
                endpoint, JSON, ANY, path=scene.path(endpoint, **{name: wrong}), body=b"[" * 50
            )

            def judge(answer: Answer, name: str = name) -> None:
                found = problem(answer, 404, 422)
                if answer.status == 422:
                    assert named(found) == {f"?{name}"}

            await findings.case(f"{name} = {wrong:.40}", asked, judge)
        for wrong in NOWHERE:
            asked = scene.send(endpoint, JSON, ANY, path=scene.path(endpoint, **{name: wrong}), body=b"{}")
            await findings.case(f"{name} = {wrong}", asked, refused(404, 405, 422))


@each([e for e in ONE if any(name.endswith("_id") for name in e.route.param_convertors)])
async def test_the_row_speaks_before_parameters_and_body(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    """A record that is not there, or not for the caller, is the same 404 whatever comes with it."""
    name = next(name for name in endpoint.route.param_convertors if name.endswith("_id"))
    answers = set()

    def judge(answer: Answer) -> None:
        found = problem(answer, 404)
        answers.add(json.dumps({**found, "request_id": ""}, sort_keys=True))

    for absent in (uuid7(), uuid4(), "00000000-0000-0000-0000-000000000000", "F" * 32):
        path = scene.path(endpoint, **{name: str(absent)})
        for label, headers, query, body in (
            ("right", [JSON, ANY], "", b""),
            ("malformed", [JSON, ANY], "", b"["),
            ("no precondition", [JSON], "", b"{}"),
            ("another type", [ANY, ("Content-Type", "text/plain")], "", b"x"),
            ("unknown parameter", [JSON, ANY], "unknown=1", b"{}"),
            ("repeated parameter", [JSON, ANY], "limit=1&limit=2", b"{}"),
            ("wrong parameter", [JSON, ANY], "limit=x", b"{}"),
            ("bad key", [JSON, ANY, ("Idempotency-Key", "a b")], "", b"{}"),
        ):
            asked = scene.send(endpoint, *headers, path=path, query=query, body=body)
            await findings.case(f"{absent} {label}", asked, judge)
    assert len(answers) == 1, answers


@each(GATED)
async def test_authentication_then_authorization_come_first(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    assert endpoint.gate is not None
    scope = GRANTS[endpoint.gate.action].scope
    without = [s for s in ("goals:read", "people:read") if s != scope]
    lacking = token(scene.world.app, scene.world.learner.id, scopes=without)
    wrong = [JSON, ("Content-Length", "9" * 9), ("Idempotency-Key", ""), ("Content-Encoding", "gzip")]
    for label, path in (("there", None), ("absent", absent(scene, endpoint))):
        for body in (b"", b"[", b"x" * 1_000_001):
            for query in ("", "unknown=1&unknown=1"):
                call = {"path": path, "query": query, "body": body}
                await findings.case(
                    f"no token, {label}", scene.send(endpoint, *wrong, **call, token="x"), refused(401)
                )
                await findings.case(
                    f"no scope, {label}", scene.send(endpoint, *wrong, **call, token=lacking), refused(403)
                )


def absent(scene: Scene, endpoint: Endpoint) -> str:
    return scene.path(
        endpoint, **{n: str(uuid7()) for n in endpoint.route.param_convertors if n.endswith("_id")}
    )


@pytest.mark.parametrize("body", [b"", b"[", b'{"statement": 1}', b"x" * 900_000])
async def test_then_the_grant_then_the_version(scene: Scene, body: bytes) -> None:
    """A goal that the coach reads and does not revise: 403, whatever is wrong with the rest."""
    path = f"/v1/goals/{scene.places['goal_id']}"
    app, coach, learner = scene.world.app, scene.world.coach.token, scene.world.learner.token
    for status, bearer, *headers in (
        (403, coach),
        (403, coach, ("If-Match", '"7.full.en"')),
        (428, learner),
        (412, learner, ("If-Match", '"7.full.en"')),
    ):
        signed = [("Authorization", f"Bearer {bearer}"), JSON, *headers]
        problem(await send(app, "PATCH", path, headers=signed, body=body), status)


# Parameters.
WRONG_LIMITS = [
    "0", "-1", "201", "1e3", "NaN", "Infinity", "", "abc", "1.5", "0x10", "%00", "9" * 30, "9" * 5000, "true",
    "[]", "1,2", "%D9%A1x", "1%002", "null",
]  # fmt: skip
WRONG_CURSORS = [
    "", "x", "%00", "%20", "=", "====", "A", "AAAA", "A" * 400, "A" * 401, "A" * 10_000, "%C3%A9", "%FF",
    "-_-_", "../../etc", "MDE5OGMwZGUtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx", "null", "1",
]  # fmt: skip


def wrong_parameters(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if name == "limit":
        yield from WRONG_LIMITS
    elif name == "cursor":
        yield from WRONG_CURSORS
    elif "enum" in schema:
        yield from ("", "nope", "%00", "%FF", "1", "x" * 10_000, quote(schema["enum"][0].upper()))
    elif schema.get("format") == "uuid":
        yield from ("", "x", "0", "%00", "%FF", "1e9", "x" * 10_000, "g" * 36, "00000000-0000-0000-0000-00000000000")
    else:
        yield from ("", "%00", "a%00b", "%07", "%1B[31m", "%7F", "%C2%85", "x" * 301, "x" * 10_000, "%20", "%0A")


UNKNOWN = [
    "unknown=1", "LIMIT=1", "limit%20=1", "limit[]=1", "limit[$gt]=1", "q%00=1", "=", "=1", "unknown", "%FF=1",
    "%F0%9F%98%80=1", "a=b=c", "offset=0", "page=2", "sort=name", "fields=id", "include=all", "access_token=x",
    "__proto__=1", "id=1", "%ED%A0%80=1", "model_config=1", "\xe9=1", "x" * 10_000 + "=1", "limit=1;cursor=x",
    "unknown=%00",
]  # fmt: skip


@each(GATED)
async def test_unknown_parameters_are_refused_by_name(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for query in UNKNOWN:

        def judge(answer: Answer) -> None:
            found = named(problem(answer, 422))
            assert found, "names nothing"
            assert all(name.startswith("?") or not endpoint.query for name in found)

        await findings.case(query[:60], scene.send(endpoint, JSON, ANY, query=query, body=b""), judge)
    started = time.perf_counter()
    many = "&".join(["a"] * 15_000 + [f"b{number}" for number in range(15_000)])

    def bounded(answer: Answer) -> None:
        problem(answer, 422)
        assert len(answer.body) < 50_000, f"{len(answer.body)} bytes"
        assert time.perf_counter() - started < 1

    await findings.case("many", scene.send(endpoint, JSON, ANY, query=many, body=b""), bounded)


@each(LISTS)
async def test_parameters_that_are_wrong_are_named(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for name, schema in endpoint.query.items():
        for value in wrong_parameters(name, schema):
            asked = scene.send(endpoint, query=f"{name}={value}")
            await findings.case(f"{name}={value:.60}", asked, refused(422, names={f"?{name}"}))
        for twice in (f"{name}=1&{name}=1", f"{name}=1&{name}=2", f"{name}&{name}", f"{name}=1&%{ord(name[0]):x}{name[1:]}=2"):
            await findings.case(twice, scene.send(endpoint, query=twice), refused(422, names={f"?{name}"}))


@pytest.mark.parametrize("path", ["/v1/organisations", "/v1/people"])
async def test_a_search_text_is_only_a_text(scene: Scene, path: str) -> None:
    endpoint = next(e for e in LISTS if e.route.path == path)
    every = (await scene.send(endpoint, query="limit=200")).json()["items"]
    for text in ("%", "_", "\\", "%%", "\\%", "' OR 1=1 --", '"', "%' --", "{{7*7}}", "${x}", "(a+)+$", "*", "?"):
        answer = await scene.send(endpoint, query=f"q={quote(text)}")
        assert answer.status == 200, answer.text
        assert answer.json()["items"] == [i for i in every if text.casefold() in i["name"].casefold()]
    for raw in (b"q=%FF", b"q=%ED%A0%80", b"q=\xff", b"q=\xf0\x9f", b"q=%", b"q=%zz", b"q=%u0041", b"q=a+b", b"&&q=x&"):
        answer = await scene.send(endpoint, query=raw)
        assert answer.status == 200, answer.text
    for long in ("\ufdfa" * 300, "\\" * 300, "%" * 300, "\U0001f600" * 300):
        assert (await scene.send(endpoint, query=f"q={quote(long)}")).status == 200


@pytest.mark.parametrize("query", [b"&", b"&&&", b"?", b"limit=1", b"limit=200", b"limit=+7", b"limit=007"])
async def test_odd_parameters_that_mean_something_are_taken(scene: Scene, query: bytes) -> None:
    for endpoint in LISTS:
        harmless(await scene.send(endpoint, query=query))
    for endpoint in PLAIN:
        if endpoint.method == "GET" and not query.strip(b"&"):
            assert (await scene.send(endpoint, query=query)).status == 200


async def test_a_cursor_belongs_to_its_list_and_cannot_be_changed(scene: Scene) -> None:
    world = scene.world
    for _ in range(2):
        await world.goal(None)
    first = (await world.learner.get("/v1/goals", params={"limit": 1})).json()["next"]
    elsewhere = ("/v1/organisations", "/v1/people", "/v1/affiliations", "/v1/learning-agreements")
    for path in (*elsewhere, f"/v1/goals/{scene.places['goal_id']}/progress"):
        moved = await world.learner.get(path, params={"cursor": first})
        assert (moved.status_code, moved.json()["errors"][0]["parameter"]) == (422, "cursor")
    for index in range(len(first)):
        other = "A" if first[index] != "A" else "B"
        changed = first[:index] + other + first[index + 1 :]
        answer = await world.learner.get("/v1/goals", params={"cursor": changed})
        # The last letter carries bits that mean nothing.
        assert answer.status_code == 422 or index == len(first) - 1
    for changed in (first[:-1], first[:14], first + "A", first * 2, first[::-1], first.swapcase()):
        answer = await world.learner.get("/v1/goals", params={"cursor": changed})
        assert answer.status_code == 422, changed


# Headers.
TAGS = [
    "", " ", '"', '""', "x", '"x"', "W/", 'W/"1.full.en"', '"0.full.en"', '"-1.full.en"', '"1e0.full.en"', "\xe9",
    '"' + "9" * 10_000 + '"', ",".join(f'"{n}.full.en"' for n in range(2, 5000)), ",,,,", '"1', "'1'", "\x00",
    '"99999999999999999999.full.en"', "; DROP TABLE goals", '"01.full.en"', '"+1.full.en"', '"1 .full.en"',
]  # fmt: skip


@each([e for e in GATED if e.changes])
async def test_a_version_that_is_none_is_stale(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for tag in TAGS:
        asked = scene.send(endpoint, JSON, ("If-Match", tag), body=b"{}")
        await findings.case(f"If-Match {tag!r:.60}", asked, refused(412))
    await findings.case("none", scene.send(endpoint, JSON, body=b"{}"), refused(428))
    two = [("If-Match", '"77.full.en"'), ("If-Match", '"78.full.en"')]
    await findings.case("two", scene.send(endpoint, JSON, *two, body=b"{}"), refused(412))


@each([e for e in GATED if e.method == "GET"])
async def test_headers_of_a_read_do_no_harm(scene: Scene, endpoint: Endpoint) -> None:
    odd = [
        *(("If-None-Match", tag) for tag in (*TAGS, "W/*", '"*"')),
        *(("If-Match", tag) for tag in ("x", "")),
        *(("Accept", kind) for kind in ("", "text/html", "*/*;q=0", "application/xml", "\xe9", "x" * 10_000, "/;,")),
        *(("Accept-Language", kind) for kind in ("cy", "*", "", "x" * 10_000, "../../etc")),
        *(("Accept-Encoding", kind) for kind in ("br", "identity;q=0", "\x00")),
        *(("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "gopher"), ("Forwarded", "host=evil.example")),
        *(("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/v1/me"), ("Host", "evil.example")),
        *(("Range", "bytes=0-1"), ("Range", "bytes=-"), ("If-Modified-Since", "x"), ("If-Range", "x")),
        *(("Cookie", "access_token=x"), ("Origin", "https://evil.example"), ("Upgrade", "websocket"), ("TE", "x")),
        *(("Content-Type", "x"), ("Content-Length", "x"), ("Transfer-Encoding", "x"), ("X-" + "y" * 5000, "z" * 60_000)),
    ]
    for name, value in odd:
        answer = await scene.send(endpoint, (name, value))
        assert answer.status == 200, (name, value[:60], answer.status, answer.text[:300])
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)
    every = await scene.send(endpoint, ("If-None-Match", "*"))
    assert every.status == (200 if every.header("etag") is None else 304)


KEYS = ["", " ", "a b", "\t", "\xe9", "a\x00b", "a\x7f", "a\nb", "a\n", "x" * 256, "x" * 10_000, "\u0080"]


@each([e for e in GATED if e.method == "POST"])
async def test_an_idempotency_key_that_is_none_is_named(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    names = refused(422, names={"Idempotency-Key"})
    for key in KEYS:
        asked = scene.send(endpoint, JSON, ("Idempotency-Key", key), body=b"")
        await findings.case(repr(key)[:40], asked, names)
    two = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    await findings.case("two", scene.send(endpoint, JSON, *two, body=b""), names)


@pytest.mark.parametrize(
    "sent",
    ["", "x", "a" * 65, "a b c d e", "\xe9" * 10, "abcdefgh\n", "abcdefgh\r\nX-A: b", "<script>", "../../../../", "a" * 100_000],
)
async def test_only_a_plain_request_id_comes_back(scene: Scene, sent: str) -> None:
    for target in ("/health/live", "/v1/nowhere", "/v1/goals"):
        answer = await send(scene.world.app, "GET", target, headers=[("X-Request-Id", sent)])
        assert answer.header("x-request-id") not in (None, sent)
        assert len(str(answer.header("x-request-id"))) == 36
    kept = await send(scene.world.app, "GET", "/v1/nowhere", headers=[("X-Request-Id", "abcdefgh-1")])
    assert problem(kept)["request_id"] == "abcdefgh-1"


# Addresses and methods.
@pytest.mark.parametrize(
    "target",
    [
        "/", "//", "/v1", "/v1/", "/v1/goals/", "/v1/goals//", "//v1/goals", "/V1/goals", "/v1/goals%2F", "/v1/goals.json",
        "/v1/nowhere", "/v1/goals/x/y/z", "/health/live/", "/.env", "/.git/config", "/admin", "/%00", "/%FF", "/\xe9",
        "/v1/goals%0D%0AX-A:%20b", "/v1/goals%0A%0A", "/v1/../v1/goals", "/docs/assets/..%2f..%2fmain.py",
        "/docs/assets/%2e%2e", "/docs/assets/main.py", "/docs/assets/.", "/problems/nothing-such", "/problems/",
        "/" + "x" * 100_000, "/v1/" + "a/" * 10_000, "*", "/oauth/", "/oauth/token/", "/openapi.json/", "/v1/me/x",
    ],
)  # fmt: skip
async def test_an_unknown_address_is_a_problem(scene: Scene, target: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "BREW"):
        problem(await send(scene.world.app, method, target, body=b"{"), 404)
    assert (await send(scene.world.app, "HEAD", target))[::2] == (404, b"")


@pytest.mark.parametrize("slug", ["X", "%00", "a" * 61, "..", "a%0A", "not-found%0A", "<b>", "\xe9"])
async def test_a_problem_page_is_asked_for_by_its_name(scene: Scene, slug: str) -> None:
    found = problem(await send(scene.world.app, "GET", f"/problems/{slug}"), 404, 422)
    assert found["status"] == 404 or named(found) == {"?slug"}


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "BREW", "get", "x" * 1000)


@pytest.mark.parametrize("path", sorted({e.route.path for e in ENDPOINTS}))
async def test_a_method_that_is_not_taken_says_which_are(scene: Scene, path: str) -> None:
    here = [e for e in ENDPOINTS if e.route.path == path]
    taken = {e.method for e in here} | ({"HEAD"} if any(e.method == "GET" for e in here) else set())
    values = {"slug": "not-found", "name": "swagger-ui.css"}
    for method in METHODS:
        if method not in taken:
            asked = {name: value for name, value in values.items() if name in here[0].route.param_convertors}
            answer = await send(scene.world.app, method, scene.path(here[0], **asked), body=b"{")
            if method == "HEAD":
                assert (answer.status, answer.body) == (405, b"")
            else:
                problem(answer, 405)
            assert set(str(answer.header("allow")).split(", ")) == taken


async def test_head_is_get_without_its_body(scene: Scene) -> None:
    bearer = ("Authorization", f"Bearer {scene.world.learner.token}")
    for target in ("/health/live", f"/v1/goals/{scene.places['goal_id']}", "/v1/goals", "/v1/goals?x=1"):
        answers = [
            await send(scene.world.app, method, target, headers=[bearer, ("X-Request-Id", "the-same")])
            for method in ("GET", "HEAD")
        ]
        assert answers[0].status == answers[1].status
        assert answers[0].headers == answers[1].headers
        assert answers[0].body
        assert answers[1].body == b""


async def test_the_host_header_is_not_reflected(scene: Scene) -> None:
    for _ in range(2):
        await scene.world.goal(None)
    bearer = ("Authorization", f"Bearer {scene.world.learner.token}")
    for host in ("evil.example", "evil.example/x", "[::1", "a b", "", "evil.example:99999", "\xe9", "evil?x#y", "x" * 10_000):
        answer = await send(
            scene.world.app, "GET", "/v1/goals?limit=1", headers=[("Host", host), bearer]
        )
        assert answer.status == 200, answer.text
        assert str(answer.header("link")).startswith("<https://tandem.example/v1/goals?limit=1&cursor=")


# Ids that clients make.
@each([e for e in BODIES if e.method == "POST" and "id" in e.shape["properties"]])  # type: ignore[index]
async def test_a_taken_id_says_nothing_of_its_holder(scene: Scene, endpoint: Endpoint) -> None:
    world, made = scene.world, str(uuid7())
    bodies = creations(world)
    body = {**bodies[endpoint.route.path], "id": made}
    first = await scene.send(endpoint, JSON, body=json.dumps(body).encode())
    assert first.status == 201, first.text
    again = await scene.send(endpoint, JSON, body=json.dumps(body).encode())
    assert (again.status, again.json()) == (200, first.json())
    before = await scene.written()
    conflicts = set()
    for bearer in (scene.actor(endpoint), world.learner.token, world.head.token, world.stranger.token):
        other = json.dumps({**body, **CHANGED[endpoint.route.path]}).encode()
        answer = await scene.send(endpoint, JSON, body=other, token=bearer)
        found = problem(answer, 409, 403, 422)
        if answer.status == 409:
            conflicts.add(json.dumps({**found, "request_id": ""}))
    assert len(conflicts) == 1
    assert await scene.written() == before


CHANGED: dict[str, dict[str, Any]] = {
    "/v1/goals": {"statement": "Another."},
    "/v1/learning-agreements": {"purpose": "Another."},
    "/v1/organisations": {"name": "Another"},
    "/v1/people": {"name": "Another"},
    "/v1/affiliations": {"role": "other"},
}


def creations(world: World) -> dict[str, dict[str, Any]]:
    at_school = {"organisation_id": str(world.school), "role": "teacher", "starts_on": "2026-01-01"}
    return {
        "/v1/goals": {"statement": "One."},
        "/v1/learning-agreements": world.text(),
        "/v1/organisations": {"name": "One", "kind": "school"},
        "/v1/people": {"name": "One", "affiliation": at_school},
        "/v1/affiliations": {"person_id": str(world.coach.id), **at_school},
    }


# What is right but extreme comes back as it was sent.
EXTREME = {
    "line": ["😀" * 300, "\ufdfa" * 300, "\u0958" * 100, "e\u0301" * 150, "ﬃ" * 300, "İ" * 300, "\ufffe", "'\"\\%_;--", "\u202eabc", "<b>"],
    "prose": ["😀" * 10_000, "\ufdfa" * 10_000, "a\r\n\tb", "\u2028\u2029", "\\u0000", "\\ud800", "{}", "=1+1", "NUL"],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXTREME)
async def test_texts_come_back_as_they_were_sent(scene: Scene, kind: str) -> None:
    import unicodedata

    world = scene.world
    creates = creations(world)
    for text in EXTREME[kind]:
        wanted = unicodedata.normalize("NFC", text)
        for path, fields in (
            ("/v1/goals", {"prose": ("statement", "baseline", "pupil_gain", "personal_priority")}),
            ("/v1/organisations", {"line": ("name", "name_cy", "sector", "safeguarding_contact")}),
            ("/v1/people", {"line": ("name",)}),
        ):
            names = fields.get(kind, ())
            endpoint = next(e for e in BODIES if str(e) == f"POST {path}")
            if names and len(wanted) <= (300 if kind == "line" else 10_000):
                body = {**creates[path], **dict.fromkeys(names, text)}
                made = await scene.send(endpoint, JSON, body=json.dumps(body).encode())
                assert made.status == 201, (text[:20], made.text)
                assert {made.json()[name] for name in names} == {wanted}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2024-02-29"])
async def test_the_first_and_the_last_day_are_days(scene: Scene, day: str) -> None:
    made = await scene.world.learner.post("/v1/goals", json={"statement": "x", "target_date": day})
    assert (made.status_code, made.json()["target_date"]) == (201, day)
    at = {"organisation_id": str(scene.world.school), "role": "teacher", "starts_on": day, "ends_on": day}
    body = {"person_id": str(scene.world.fellow.id), **at}
    affiliated = await scene.world.administrator.post("/v1/affiliations", json=body)
    assert (affiliated.status_code, affiliated.json()["ends_on"]) == (201, day)


@pytest.mark.parametrize("fraction", [1, 1.0, 0.2, 0.001, 0.0001, 1e-300, 0.3333333333, 0.9999])
async def test_a_fraction_is_the_same_on_both_databases(scene: Scene, fraction: float) -> None:
    at = {"organisation_id": str(scene.world.school), "role": "teacher", "starts_on": "2026-01-01"}
    body = {"person_id": str(scene.world.fellow.id), "fraction": fraction, **at}
    made = await scene.world.administrator.post("/v1/affiliations", json=body)
    if fraction < 0.001:
        assert made.json()["errors"][0]["pointer"] == "/fraction"
    else:
        assert (made.status_code, made.json()["fraction"]) == (201, round(fraction, 3))


# Right in form, wrong in meaning: what is named must be there, and once.
def meanings(world: World) -> list[tuple[str, str, dict[str, Any], str]]:
    creates, absent = creations(world), str(uuid7())
    goal, organisation = creates["/v1/goals"], creates["/v1/organisations"]
    person, affiliation = creates["/v1/people"], creates["/v1/affiliations"]
    twice = [{"source": "mis", "external_id": absent}] * 2
    text = creates["/v1/learning-agreements"]
    return [
        ("learner", "/v1/goals", {**goal, "agreement_id": absent}, "/agreement_id"),
        ("learner", "/v1/goals", {**goal, "owner_id": absent}, "/owner_id"),
        ("learner", "/v1/goals", {**goal, "framework_items": [absent]}, "/framework_items/0"),
        ("learner", "/v1/goals", {**goal, "principles": ["1", "99"]}, "/principles/1"),
        ("learner", "/v1/goals", {**goal, "readers": ["coaches"]}, "/readers/0"),
        ("operator", "/v1/organisations", {**organisation, "parent_id": absent}, "/parent_id"),
        ("operator", "/v1/organisations", {**organisation, "id": absent, "parent_id": absent}, "/parent_id"),
        ("operator", "/v1/organisations", {**organisation, "successor_ids": [absent]}, "/successor_ids/0"),
        ("operator", "/v1/organisations", {**organisation, "identifiers": twice}, "/identifiers"),
        (
            "operator",
            "/v1/organisations",
            {**organisation, "opened_on": "2026-01-02", "closed_on": "2026-01-01"},
            "/closed_on",
        ),
        ("administrator", "/v1/people", {"name": "x"}, "/affiliation"),
        (
            "administrator",
            "/v1/people",
            {**person, "affiliation": {**person["affiliation"], "organisation_id": absent}},
            "/affiliation/organisation_id",
        ),
        (
            "administrator",
            "/v1/people",
            {**person, "affiliation": {**person["affiliation"], "ends_on": "2025-01-01"}},
            "/affiliation/ends_on",
        ),
        ("administrator", "/v1/people", {**person, "identifiers": twice}, "/identifiers"),
        ("administrator", "/v1/affiliations", {**affiliation, "person_id": absent}, "/person_id"),
        ("administrator", "/v1/affiliations", {**affiliation, "organisation_id": absent}, "/organisation_id"),
        ("administrator", "/v1/affiliations", {**affiliation, "ends_on": "2025-01-01"}, "/ends_on"),
        ("learner", "/v1/learning-agreements", {}, "/parties"),
        ("learner", "/v1/learning-agreements", {**text, "home_organisation_id": absent}, "/home_organisation_id"),
        (
            "learner",
            "/v1/learning-agreements",
            {**text, "parties": [*text["parties"], {"person_id": absent, "role": "tutor"}]},
            "/parties/4/person_id",
        ),
        ("learner", "/v1/learning-agreements", {**text, "disclosure": {"text": []}}, "/disclosure"),
        (
            "learner",
            "/v1/learning-agreements",
            {**text, "disclosure": {"existence": ["leaders"]}},
            "/disclosure",
        ),
        (
            "learner",
            "/v1/learning-agreements",
            {**text, "disclosure": {"text": ["coaches", "fellows", "advisers", "systems"]}},
            "/disclosure",
        ),
    ]


async def test_what_means_nothing_is_named(scene: Scene, findings: Findings) -> None:
    for who, path, body, pointer in meanings(scene.world):
        endpoint = next(e for e in BODIES if str(e) == f"POST {path}")
        asked = scene.send(
            endpoint, JSON, body=json.dumps(body).encode(), token=scene.world.actors[who].token
        )
        await findings.case(f"{path} {pointer}", asked, refused(422, names={pointer}))


async def test_a_draft_is_patched_by_its_fields(scene: Scene) -> None:
    path = await scene.world.draft()
    before = (await scene.world.learner.get(path)).json()["text"]
    for patch, pointer in (
        ({"rhythm": {"minutes": None}}, "/rhythm/minutes"),
        ({"rhythm": {"minutes": 481}}, "/rhythm/minutes"),
        ({"rhythm": {"RhythmChange": 1}}, "/rhythm/RhythmChange"),
        ({"rhythm": {"minutes": "45"}}, "/rhythm/minutes"),
        ({"disclosure": {"text": None, "existence": ["leaders"]}}, "/disclosure"),
        ({"disclosure": {"text": []}}, "/disclosure"),
        ({"disclosure": {"goals": ["nobody"]}}, "/disclosure/goals/0"),
        ({"disclosure": {"text": {"0": "leaders"}}}, "/disclosure/text"),
        ({"parties": [{"person_id": str(uuid4())}]}, "/parties/0/role"),
        ({"parties": []}, "/parties"),
        ({"parties": None}, "/parties"),
    ):
        answer = await scene.world.learner.patch(path, json=patch)
        assert answer.status_code == 422, answer.text
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer], answer.text
    assert (await scene.world.learner.get(path)).json()["text"] == before


async def test_duplicates_in_lists_are_one_or_refused(scene: Scene) -> None:
    world = scene.world
    principles = (await world.learner.get("/v1/principles")).json()["items"]
    for body in (
        {"principles": ["1", "1"]},
        {"framework_items": [principles[0]["id"], principles[0]["id"].upper()]},
        {"principles": ["1"], "framework_items": [principles[0]["id"]]},
    ):
        made = await world.learner.post("/v1/goals", json={"statement": "x", **body})
        assert made.status_code in (201, 422), made.text
    party = world.text()["parties"][0]
    path = await world.draft(parties=[party, party, *world.text()["parties"][1:]])
    refused = await world.learner.post(f"{path}/proposal")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/parties"]


async def test_a_caller_who_hangs_up_leaves_nothing(scene: Scene) -> None:
    """The connection ends in the middle of a body: no write, and no failure of ours."""
    before = await scene.written()
    scope_seen: list[Any] = []

    async def receive() -> dict[str, Any]:
        if scope_seen:
            return {"type": "http.disconnect"}
        scope_seen.append(1)
        return {"type": "http.request", "body": b'{"statement": "x"', "more_body": True}

    sent: list[Any] = []

    async def collect(message: Any) -> None:
        sent.append(message)

    bearer = f"Bearer {scene.world.learner.token}".encode()
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "https", "path": "/v1/goals",
        "raw_path": b"/v1/goals", "query_string": b"", "root_path": "", "client": None, "server": None,
        "headers": [(b"authorization", bearer), (b"content-type", b"application/json")], "state": {},
    }  # fmt: skip
    await asyncio.wait_for(scene.world.app(scope, receive, collect), 5)
    assert all(message.get("status", 0) < 500 for message in sent)
    assert await scene.written() == before
