"""Hostile addresses, parameters, headers and methods over every route."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from app.core.ids import uuid7
from app.core.search import pieces, searchable
from tests.raw import Answer, named, problem, send
from tests.scene import (
    ANY,
    BODIES,
    ENDPOINTS,
    GATED,
    JSON,
    LISTS,
    ONE,
    PLAIN,
    Endpoint,
    Findings,
    Scene,
    each,
    harmless,
    refused,
)

pytestmark = pytest.mark.anyio


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
            asked = scene.send(
                endpoint, JSON, ANY, path=scene.path(endpoint, **{name: wrong}), body=b"{}"
            )
            await findings.case(f"{name} = {wrong}", asked, refused(404, 405, 422))


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
    elif schema.get("type") == "boolean":
        yield from ("", "2", "-1", "ja", "null", "%00", "%FF", "[]", "x" * 10_000)
    elif "enum" in schema:
        yield from ("", "nope", "%00", "%FF", "1", "x" * 10_000, quote(schema["enum"][0].upper()))
    elif schema.get("format") == "uuid":
        yield from (
            "",
            "x",
            "0",
            "%00",
            "%FF",
            "1e9",
            "x" * 10_000,
            "g" * 36,
            "00000000-0000-0000-0000-00000000000",
        )
    else:
        yield from (
            "",
            "%00",
            "a%00b",
            "%07",
            "%1B[31m",
            "%7F",
            "%C2%85",
            "x" * 301,
            "x" * 10_000,
            "%20",
            "%0A",
        )


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

        await findings.case(
            query[:60], scene.send(endpoint, JSON, ANY, query=query, body=b""), judge
        )


@each([LISTS[0], PLAIN[0]])
async def test_many_parameters_are_told_in_bounded_space_and_time(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    many = "&".join(["a"] * 15_000 + [f"b{number}" for number in range(15_000)])
    started = time.process_time()

    def judge(answer: Answer) -> None:
        problem(answer, 422)
        assert len(answer.body) < 50_000, f"{len(answer.body)} bytes"
        assert time.process_time() - started < 3

    await findings.case("many", scene.send(endpoint, JSON, ANY, query=many), judge)


@each(LISTS)
async def test_parameters_that_are_wrong_are_named(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    for name, schema in endpoint.query.items():
        rest = scene.needed(endpoint, but=name)
        for value in wrong_parameters(name, schema):
            asked = scene.send(endpoint, query=f"{rest}{name}={value}")
            await findings.case(f"{name}={value:.60}", asked, refused(422, names={f"?{name}"}))
        for twice in (
            f"{name}=1&{name}=1",
            f"{name}=1&{name}=2",
            f"{name}&{name}",
            f"{name}=1&%{ord(name[0]):x}{name[1:]}=2",
        ):
            await findings.case(
                twice, scene.send(endpoint, query=twice), refused(422, names={f"?{name}"})
            )


def part_of_a_name(text: str, item: dict[str, Any]) -> bool:
    return text.casefold() in item["name"].casefold()


def by_words(text: str, item: dict[str, Any]) -> bool:
    said = searchable(item.get(name) for name in ("name", "name_cy", "remit", "statement"))
    return all(piece in said for piece in pieces(text))


@pytest.mark.parametrize(
    ("path", "finds"),
    [
        ("/v1/organisations", part_of_a_name),
        ("/v1/people", by_words),
        ("/v1/networks", by_words),
        ("/v1/goals", by_words),
    ],
)
async def test_a_search_text_is_only_a_text(
    scene: Scene, path: str, finds: Callable[[str, dict[str, Any]], bool]
) -> None:
    endpoint = next(e for e in LISTS if e.route.path == path)
    every = (await scene.send(endpoint, query="limit=200")).json()["items"]
    for text in (
        "%",
        "_",
        "\\",
        "%%",
        "\\%",
        "' OR 1=1 --",
        '"',
        "%' --",
        "{{7*7}}",
        "${x}",
        "(a+)+$",
        "*",
        "?",
    ):
        answer = await scene.send(endpoint, query=f"q={quote(text)}")
        assert answer.status == 200, answer.text
        assert answer.json()["items"] == [i for i in every if finds(text, i)]
    for raw in (
        b"q=%FF",
        b"q=%ED%A0%80",
        b"q=\xff",
        b"q=\xf0\xff",
        b"q=%",
        b"q=%zz",
        b"q=%u0041",
        b"q=a+b",
        b"&&q=x&",
    ):
        answer = await scene.send(endpoint, query=raw)
        assert answer.status == 200, answer.text
    for long in ("\ufdfa" * 300, "\\" * 300, "%" * 300, "\U0001f600" * 300):
        assert (await scene.send(endpoint, query=f"q={quote(long)}")).status == 200


@pytest.mark.parametrize(
    "query", [b"&", b"&&&", b"?", b"limit=1", b"limit=200", b"limit=+7", b"limit=007"]
)
async def test_odd_parameters_that_mean_something_are_taken(scene: Scene, query: bytes) -> None:
    for endpoint in LISTS:
        whole = scene.needed(endpoint).encode() + query
        harmless(await scene.send(endpoint, query=whole))
    for endpoint in PLAIN:
        if endpoint.method == "GET" and not query.strip(b"&"):
            assert (await scene.send(endpoint, query=query)).status == 200


async def test_a_cursor_belongs_to_its_list_and_cannot_be_changed(scene: Scene) -> None:
    world = scene.world
    for _ in range(2):
        await world.goal(None)
    first = (await world.learner.get("/v1/goals", params={"limit": 1})).json()["next"]
    for endpoint in LISTS:
        if "cursor" in endpoint.query and endpoint.route.path != "/v1/goals":
            moved = problem(await scene.send(endpoint, query=f"cursor={first}"), 422)
            assert named(moved) == {"?cursor"}, endpoint
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
    "", " ", '"', '""', "x", '"x"', "W/", 'W/"0.full.en"', '"0.full.en"', '"-1.full.en"', '"1e0.full.en"', "\xe9",
    '"' + "9" * 10_000 + '"', ",".join(f'"{n}.full.en"' for n in range(90, 5000)), ",,,,", '"7', "'1'", "\x00",
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


BYTES = {("Range", "bytes=0-1"): 206, ("If-None-Match", "W/*"): 304}
"""What a download answers otherwise than the rest."""


def is_file(endpoint: Endpoint) -> bool:
    return endpoint.route.path.endswith("/content")


@each([e for e in GATED if e.method == "GET"])
async def test_headers_of_a_read_do_no_harm(scene: Scene, endpoint: Endpoint) -> None:
    odd = [
        *(
            ("If-None-Match", tag)
            for tag in (*(t for t in TAGS if "1.full.en" not in t), "W/*", '"*"')
        ),
        *(("If-Match", tag) for tag in ("x", "")),
        *(
            ("Accept", kind)
            for kind in ("", "text/html", "*/*;q=0", "application/xml", "\xe9", "x" * 10_000, "/;,")
        ),
        *(("Accept-Language", kind) for kind in ("cy", "*", "", "x" * 10_000, "../../etc")),
        *(("Accept-Encoding", kind) for kind in ("br", "identity;q=0", "\x00")),
        *(
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "gopher"),
            ("Forwarded", "host=evil.example"),
        ),
        *(
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Original-URL", "/v1/me"),
            ("Host", "evil.example"),
        ),
        *(
            ("Range", "bytes=0-1"),
            ("Range", "bytes=-"),
            ("If-Modified-Since", "x"),
            ("If-Range", "x"),
        ),
        *(
            ("Cookie", "access_token=x"),
            ("Origin", "https://evil.example"),
            ("Upgrade", "websocket"),
            ("TE", "x"),
        ),
        *(
            ("Content-Type", "x"),
            ("Content-Length", "x"),
            ("Transfer-Encoding", "x"),
            ("X-" + "y" * 5000, "z" * 60_000),
        ),
    ]
    for name, value in odd:
        answer = await scene.send(endpoint, (name, value), query=scene.needed(endpoint))
        expected = BYTES.get((name, value), 200) if is_file(endpoint) else 200
        assert answer.status == expected, (name, value[:60], answer.status, answer.text[:300])
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)
    every = await scene.send(endpoint, ("If-None-Match", "*"), query=scene.needed(endpoint))
    assert every.status == (200 if every.header("etag") is None else 304)


KEYS = [
    "",
    " ",
    "a b",
    "\t",
    "\xe9",
    "a\x00b",
    "a\x7f",
    "a\nb",
    "a\n",
    "x" * 256,
    "x" * 10_000,
    "\u0080",
]


@each([e for e in GATED if e.method == "POST" and e.gate and e.gate.takes_key])
async def test_an_idempotency_key_that_is_none_is_named(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    names = refused(422, names={"Idempotency-Key"})
    for key in KEYS:
        asked = scene.send(endpoint, JSON, ("Idempotency-Key", key), body=b"")
        await findings.case(repr(key)[:40], asked, names)
    two = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    await findings.case("two", scene.send(endpoint, JSON, *two, body=b""), names)


async def test_a_key_of_another_request_is_named(scene: Scene) -> None:
    endpoint = next(e for e in BODIES if str(e) == "POST /v1/goals")
    key = ("Idempotency-Key", str(uuid7()))
    made = await scene.send(endpoint, JSON, key, body=b'{"statement": "One."}')
    assert made.status == 201, made.text
    before = await scene.written()
    for body in (b'{"statement": "Two."}', b'{"statement": "One.", "baseline": null}'):
        again = problem(await scene.send(endpoint, JSON, key, body=body), 422)
        assert named(again) == {"Idempotency-Key"}
    for body in (b"{", b"[]", b'{"statement": 1}'):
        problem(await scene.send(endpoint, JSON, key, body=body), 400, 422)
    assert await scene.written() == before


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x",
        "a" * 65,
        "a b c d e",
        "\xe9" * 10,
        "abcdefgh\n",
        "abcdefgh\r\nX-A: b",
        "<script>",
        "../../../../",
        "a" * 100_000,
    ],
)
async def test_only_a_plain_request_id_comes_back(scene: Scene, sent: str) -> None:
    for target in ("/health/live", "/v1/nowhere", "/v1/goals"):
        answer = await send(scene.world.app, "GET", target, headers=[("X-Request-Id", sent)])
        assert answer.header("x-request-id") not in (None, sent)
        assert len(str(answer.header("x-request-id"))) == 36
    kept = await send(
        scene.world.app, "GET", "/v1/nowhere", headers=[("X-Request-Id", "abcdefgh-1")]
    )
    assert problem(kept)["request_id"] == "abcdefgh-1"


# Addresses and methods.
@pytest.mark.parametrize(
    "target",
    [
        "//", "/v1", "/v1/", "/v1/goals/", "/v1/goals//", "//v1/goals", "/V1/goals", "/v1/goals%2F", "/v1/goals.json",
        "/v1/nowhere", "/v1/goals/x/y/z", "/health/live/", "/.env", "/.git/config", "/admin", "/%00", "/%FF", "/\xe9",
        "/v1/goals%0D%0AX-A:%20b", "/v1/goals%0A%0A", "/v1/../v1/goals", "/assets/..%2f..%2fmain.py",
        "/assets/", "/problems/",
        "/" + "x" * 100_000, "/v1/" + "a/" * 10_000, "*", "/oauth/", "/oauth/token/", "/openapi.json/", "/v1/me/x",
    ],
)  # fmt: skip
async def test_an_unknown_address_is_a_problem(scene: Scene, target: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "BREW"):
        problem(await send(scene.world.app, method, target, body=b"{"), 404)
    assert (await send(scene.world.app, "HEAD", target))[::2] == (404, b"")


@pytest.mark.parametrize("target", ["/assets/%2e%2e", "/assets/main.py", "/assets/."])
async def test_only_the_listed_assets_are_served(scene: Scene, target: str) -> None:
    problem(await send(scene.world.app, "GET", target), 404)


@pytest.mark.parametrize(
    "slug", ["nothing-such", "X", "%00", "a" * 61, "..", "a%0A", "not-found%0A", "<b>", "\xe9"]
)
async def test_a_problem_page_is_asked_for_by_its_name(scene: Scene, slug: str) -> None:
    found = problem(await send(scene.world.app, "GET", f"/problems/{slug}"), 404, 422)
    assert found["status"] == 404 or named(found) == {"?slug"}


METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "BREW",
    "get",
    "x" * 1000,
)


@pytest.mark.parametrize("path", sorted({e.route.path for e in ENDPOINTS}))
async def test_a_method_that_is_not_taken_says_which_are(scene: Scene, path: str) -> None:
    here = [e for e in ENDPOINTS if e.route.path == path]
    taken = {e.method for e in here} | ({"HEAD"} if any(e.method == "GET" for e in here) else set())
    values = {"slug": "not-found", "page": "forgotten", "name": "swagger-ui.css"}
    for method in METHODS:
        if method not in taken:
            asked = {
                name: value
                for name, value in values.items()
                if name in here[0].route.param_convertors
            }
            answer = await send(scene.world.app, method, scene.path(here[0], **asked), body=b"{")
            if method == "HEAD":
                assert (answer.status, answer.body) == (405, b"")
            else:
                problem(answer, 405)
            assert set(str(answer.header("allow")).split(", ")) == taken


async def test_head_is_get_without_its_body(scene: Scene) -> None:
    bearer = ("Authorization", f"Bearer {scene.world.learner.token}")
    for target in (
        "/health/live",
        f"/v1/goals/{scene.places['goal_id']}",
        "/v1/goals",
        "/v1/goals?x=1",
    ):
        answers = [
            await send(
                scene.world.app, method, target, headers=[bearer, ("X-Request-Id", "the-same")]
            )
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
    for host in (
        "evil.example",
        "evil.example/x",
        "[::1",
        "a b",
        "",
        "evil.example:99999",
        "\xe9",
        "evil?x#y",
        "x" * 10_000,
    ):
        answer = await send(
            scene.world.app, "GET", "/v1/goals?limit=1", headers=[("Host", host), bearer]
        )
        assert answer.status == 200, answer.text
        assert str(answer.header("link")).startswith(
            "<https://tandem.example/v1/goals?limit=1&cursor="
        )


async def test_a_line_feed_in_the_address_breaks_no_header(scene: Scene) -> None:
    bearer = ("Authorization", f"Bearer {scene.world.learner.token}")
    answer = await send(scene.world.app, "GET", "/v1/goals%0A?limit=1", headers=[bearer])
    assert not [value for _, value in answer.headers if "\n" in value]
