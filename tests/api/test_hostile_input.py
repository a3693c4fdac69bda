"""Hostile bodies over every route: a problem that names the field, never a failure, nothing written."""

import asyncio
import json
import time
import unicodedata
from typing import Any
from uuid import uuid4

import pytest

from app.access.grants import GRANTS
from app.core.files import store
from app.core.ids import uuid7
from tests.raw import Answer, problem
from tests.scene import (
    ANY,
    BODIES,
    GATED,
    JSON,
    ONE,
    UPLOADS,
    Endpoint,
    Findings,
    Scene,
    creations,
    each,
    refused,
    until_later,
)
from tests.shapes import mutations, sample, unbounded
from tests.worlds import token

pytestmark = pytest.mark.anyio


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
        asked = scene.send(endpoint, JSON, ANY, body=body)
        await findings.case(label, asked, refused(400))


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
    lists = [name for name, value in right.items() if isinstance(value, list)]
    bodies: dict[str, Any] = {
        "10,000 fields": {f"f{number}": 1 for number in range(10_000)},
        "a name of 900,000 characters": {"x" * 900_000: 1},
        "long texts": {name: "x" * (900_000 // len(right)) for name in right},
    }
    if lists:
        bodies["long lists"] = {name: ["x"] * (50_000 // len(lists)) for name in lists}
    for label, body in bodies.items():
        started = time.process_time()

        def judge(answer: Answer, started: float = started) -> None:
            problem(answer, 422)
            assert len(answer.body) < 50_000, f"{len(answer.body)} bytes"
            assert time.process_time() - started < 3

        await findings.case(
            label, scene.send(endpoint, JSON, ANY, body=json.dumps(body).encode()), judge
        )


async def test_reading_a_body_takes_time_in_proportion_to_its_size(
    scene: Scene, findings: Findings
) -> None:
    """What makes a careless reader quadratic: a second would be seen on /health."""
    endpoint = BODIES[0]
    for label, body in {
        "escaped quotes without an end": b"[" * 40 + b'"' + b'\\"' * 450_000,
        "quotes": b"[" * 40 + b'"' * 900_000,
        "backslashes": b"[" * 40 + b'"' + b"\\" * 900_000,
        "shallow brackets": b"[" + b"[]," * 300_000 + b"[]]",
        "digits": b'{"x": 0.' + b"1" * 900_000 + b"}",
        "exponent": b'{"x": 1e-' + b"9" * 900_000 + b"}",
        "empty texts": b"[" + b'"\\u0041",' * 99_000 + b'""]',
    }.items():
        started = time.process_time()

        def judge(answer: Answer, started: float = started) -> None:
            problem(answer, 400, 422)
            assert (took := time.process_time() - started) < 1, f"{took:.1f} s"

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
            f"type {kind!r:.60}",
            scene.send(endpoint, ANY, *headers, body=b'{"x": 1}'),
            refused(415),
        )
    for kind in READ:
        asked = scene.send(endpoint, ANY, ("Content-Type", kind), body=b'{"unexpected": 1}')
        await findings.case(f"type {kind!r}", asked, refused(422))
    for coding in ("gzip", "br", "deflate", "identity, gzip", "", "x" * 10_000, "GZIP"):
        asked = scene.send(endpoint, JSON, ANY, ("Content-Encoding", coding), body=b"{}")
        await findings.case(f"encoding {coding!r:.60}", asked, refused(415))
    twice = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]
    await findings.case(
        "two encodings", scene.send(endpoint, JSON, ANY, *twice, body=b"{}"), refused(415)
    )


SENDING = [e for e in GATED if e.method in ("POST", "PUT", "PATCH") and e not in UPLOADS]


@each(SENDING)
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
        asked = scene.send(
            endpoint, JSON, ANY, ("Content-Length", label), body=b'{"unexpected": 1}'
        )
        await findings.case(f"length {label!r}", asked, refused(400, 422))


FORM = "multipart/form-data; boundary=x"
NAMED = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
END = b"\r\n--x--\r\n"
RIGHT = NAMED + b"\r\nSeven of ten." + END


def part(disposition: bytes, content: bytes = b"text", more: bytes = b"") -> bytes:
    return b"--x\r\nContent-Disposition: " + disposition + b"\r\n" + more + b"\r\n" + content + END


NO_FILE: dict[str, tuple[bytes, int, set[str]]] = {
    "empty": (b"", 400, set()),
    "JSON": (b'{"file": "x"}', 400, set()),
    "another boundary": (RIGHT.replace(b"--x", b"--y"), 400, set()),
    "truncated": (RIGHT[:-6], 400, set()),
    "headers without an end": (NAMED, 400, set()),
    "100,000 headers": (NAMED + b"X: y\r\n" * 100_000 + b"\r\nx" + END, 400, set()),
    "a header of 900,000 bytes": (NAMED + b"X: " + b"y" * 900_000 + b"\r\n\r\nx" + END, 400, set()),
    "base64": (part(b'form-data; name="file"; filename="a"', more=b"Content-Transfer-Encoding: base64\r\n"), 400, set()),
    "no parts": (b"--x--\r\n", 422, {"/file"}),
    "another field": (part(b'form-data; name="photo"; filename="a.txt"'), 422, {"/photo"}),
    "no field": (part(b"form-data"), 422, {"/"}),
    "two files": (RIGHT[: -len(END)] + b"\r\n" + RIGHT, 422, {"/file"}),
    "no bytes": (part(b'form-data; name="file"; filename="a.txt"', b""), 422, {"/file"}),
    "no name": (part(b'form-data; name="file"'), 422, {"/file"}),
    "a name of dots": (part(b'form-data; name="file"; filename="../.."'), 422, {"/file"}),
    "a long name": (part(b'form-data; name="file"; filename="' + b"x" * 256 + b'"'), 422, {"/file"}),
    "a name that is no text": (part(b'form-data; name="file"; filename="\xff"'), 422, {"/file"}),
    "a program": (part(b'form-data; name="file"; filename="a.txt"', b"MZ\x90\x00" * 100), 415, set()),
    "a web page": (part(b'form-data; name="file"; filename="a.html"', b"<html><script>"), 415, set()),
    "a broken picture": (part(b'form-data; name="file"; filename="a.jpg"', b"\xff\xd8\xff\xe0" + b"x" * 99), 422, {"/file"}),
}  # fmt: skip


@each(UPLOADS)
async def test_a_body_that_is_no_file_is_refused_and_leaves_nothing(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    before = {kept.key async for kept in store().all()}
    form = ("Content-Type", FORM)
    for label, (body, status, names) in NO_FILE.items():
        for pieces in ([body], [body[i : i + 7919] for i in range(0, len(body), 7919)] or [b""]):
            asked = scene.send(endpoint, form, body=pieces)
            await findings.case(label, asked, refused(status, names=names))
    for kind in (None, "", "application/json", "text/plain", "multipart/mixed; boundary=x", "\xe9"):
        headers = [] if kind is None else [("Content-Type", kind)]
        asked = scene.send(endpoint, *headers, body=RIGHT)
        await findings.case(f"type {kind!r}", asked, refused(415))
    for kind in ("", "; boundary=", "; boundary=\xe9", "; boundary=" + "x" * 10_000):
        asked = scene.send(endpoint, ("Content-Type", f"multipart/form-data{kind}"), body=RIGHT)
        await findings.case(f"boundary {kind!r:.40}", asked, refused(400))
    coded = scene.send(endpoint, form, ("Content-Encoding", "gzip"), body=RIGHT)
    await findings.case("gzip", coded, refused(415))
    for length in ("9" * 9, "9" * 30, "9" * 5000):
        asked = scene.send(endpoint, form, ("Content-Length", length), body=RIGHT)
        await findings.case(f"length {length:.20}", asked, refused(413))
    assert {kept.key async for kept in store().all()} == before


@each([e for e in SENDING if not e.shape])
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
    wrong = [
        JSON,
        ("Content-Length", "9" * 9),
        ("Idempotency-Key", ""),
        ("Content-Encoding", "gzip"),
    ]
    for label, path in (("there", None), ("absent", absent(scene, endpoint))):
        for body in (b"", b"[", b"x" * 1_000_001):
            for query in ("", "unknown=1&unknown=1"):
                call = {"path": path, "query": query, "body": body}
                await findings.case(
                    f"no token, {label}",
                    scene.send(endpoint, *wrong, **call, token="x"),
                    refused(401),
                )
                await findings.case(
                    f"no scope, {label}",
                    scene.send(endpoint, *wrong, **call, token=lacking),
                    refused(403),
                )


def absent(scene: Scene, endpoint: Endpoint) -> str:
    return scene.path(
        endpoint, **{n: str(uuid7()) for n in endpoint.route.param_convertors if n.endswith("_id")}
    )


SEEN_BY = {
    "/v1/goals/{goal_id}": "coach",
    "/v1/evidence-items/{evidence_item_id}": "coach",
    "/v1/evidence-items/{evidence_item_id}/files/{file_id}": "coach",
    "/v1/learning-agreements/{learning_agreement_id}": "coach",
    "/v1/networks/{network_id}": "tutor",
    "/v1/networks/{network_id}/members/{network_member_id}": "tutor",
    "/v1/shares/{share_id}": "coach",
    "/v1/organisations/{organisation_id}": "learner",
    "/v1/people/{person_id}": "coach",
    "/v1/affiliations/{affiliation_id}": "learner",
    "/v1/clients/{client_id}": None,
    "/v1/clients/{client_id}/secrets/{fingerprint}": None,
    "/v1/identity-providers/{identity_provider_id}": None,
}
"""Who sees what a path names, and may not change it; None: nobody."""


@each([e for e in GATED if e.changes])
async def test_then_the_grant_then_the_version(
    scene: Scene, endpoint: Endpoint, findings: Findings
) -> None:
    """403 to who may only read, then 428 and 412 to who may write, whatever is wrong with the rest."""
    reader = SEEN_BY[endpoint.route.path]
    stale = ("If-Match", '"7.full.en"')
    for body in (b"", b"[", b'{"unexpected": 1}', b"x" * 900_000):
        for query in ("", "unknown=1&unknown=1"):
            for status, who, *headers in (
                *(((403, reader), (403, reader, stale)) if reader else ()),
                (428, None),
                (412, None, stale),
            ):
                bearer = scene.world.actors[who].token if who else None
                asked = scene.send(endpoint, JSON, *headers, query=query, body=body, token=bearer)
                await findings.case(f"{status} {body[:9]!r} {query}", asked, refused(status))


# Ids that clients make.
@each([e for e in BODIES if e.method == "POST" and "id" in e.shape["properties"]])  # type: ignore[index]
async def test_a_taken_id_says_nothing_of_its_holder(scene: Scene, endpoint: Endpoint) -> None:
    world, made = scene.world, str(uuid7())
    bodies = creations(scene)
    body = {**bodies[endpoint.route.path], "id": made}
    first = await scene.send(endpoint, JSON, body=json.dumps(body).encode())
    assert first.status == 201, first.text
    again = await scene.send(endpoint, JSON, body=json.dumps(body).encode())
    # Whatever else is shown again, a secret is not.
    shown = {**first.json(), "secret": None} if "secret" in first.json() else first.json()
    assert (again.status, again.json()) == (200, shown)
    before = await scene.written()
    conflicts = set()
    for bearer in (
        scene.actor(endpoint),
        world.learner.token,
        world.head.token,
        world.stranger.token,
    ):
        other = json.dumps({**body, **CHANGED[endpoint.route.path]}).encode()
        answer = await scene.send(endpoint, JSON, body=other, token=bearer)
        found = problem(answer, 409, 403, 404, 422)
        if answer.status == 409:
            conflicts.add(json.dumps({**found, "request_id": ""}))
    assert len(conflicts) == 1
    assert await scene.written() == before


CHANGED: dict[str, dict[str, Any]] = {
    "/v1/identity-providers": {"name": "Another"},
    "/v1/goals": {"statement": "Another."},
    "/v1/evidence-items": {"title": "Another"},
    "/v1/shares": {"reason": "Another."},
    "/v1/openings": {"reason": "Another."},
    "/v1/networks": {"name": "Another"},
    "/v1/networks/{network_id}/members": {"role": "specialist"},
    "/v1/learning-agreements": {"purpose": "Another."},
    "/v1/organisations": {"name": "Another"},
    "/v1/people": {"name": "Another"},
    "/v1/affiliations": {"role": "other"},
    "/v1/clients": {"name": "Another"},
}


# What is right but extreme comes back as it was sent.
EXTREME = {
    "line": ["😀" * 300, "\ufdfa" * 300, "\u0958" * 100, "e\u0301" * 150, "ﬃ" * 300, "İ" * 300, "\ufffe", "'\"\\%_;--", "\u202eabc", "<b>"],
    "prose": ["😀" * 10_000, "\ufdfa" * 10_000, "a\r\n\tb", "a\u2028\u2029b", "\\u0000", "\\ud800", "{}", "=1+1", "NUL"],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXTREME)
async def test_texts_come_back_as_they_were_sent(scene: Scene, kind: str) -> None:
    creates = creations(scene)
    for text in EXTREME[kind]:
        wanted = unicodedata.normalize("NFC", text)
        for path, fields in (
            ("/v1/goals", {"prose": ("statement", "baseline", "pupil_gain", "personal_priority")}),
            (
                "/v1/evidence-items",
                {
                    "prose": ("description", "context", "what_it_shows", "other_explanations"),
                    "line": ("title", "whose_practice", "pupil_basis"),
                },
            ),
            ("/v1/networks", {"prose": ("remit",), "line": ("name", "name_cy")}),
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
    at = {
        "organisation_id": str(scene.world.school),
        "role": "teacher",
        "starts_on": day,
        "ends_on": day,
    }
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
def meanings(scene: Scene) -> list[tuple[str, str, dict[str, Any], str]]:
    world, creates, absent = scene.world, creations(scene), str(uuid7())
    goal, organisation = creates["/v1/goals"], creates["/v1/organisations"]
    person, affiliation = creates["/v1/people"], creates["/v1/affiliations"]
    twice = [{"source": "mis", "external_id": absent}] * 2
    text = creates["/v1/learning-agreements"]
    item, network = creates["/v1/evidence-items"], creates["/v1/networks"]
    share = creates["/v1/shares"]
    goal_share = {"goal_id": scene.places["goal_id"], **until_later(str(world.coach.id))}
    return [
        ("learner", "/v1/evidence-items", {**item, "agreement_id": absent}, "/agreement_id"),
        ("learner", "/v1/evidence-items", {**item, "goal_ids": [absent]}, "/goal_ids/0"),
        (
            "learner",
            "/v1/evidence-items",
            {**item, "framework_items": [absent]},
            "/framework_items/0",
        ),
        ("learner", "/v1/evidence-items", {**item, "principles": ["99"]}, "/principles/0"),
        ("learner", "/v1/evidence-items", {**item, "readers": ["coaches"]}, "/readers/0"),
        (
            "learner",
            "/v1/evidence-items",
            {**item, "controller_organisation_id": absent},
            "/controller_organisation_id",
        ),
        ("learner", "/v1/evidence-items", {**item, "shows_pupils": "yes"}, "/pupil_basis"),
        ("learner", "/v1/evidence-items", {**item, "delete_by": "2020-01-01"}, "/delete_by"),
        ("learner", "/v1/networks", {**network, "parent_id": absent}, "/parent_id"),
        ("learner", "/v1/shares", {**share, "evidence_item_id": absent}, "/evidence_item_id"),
        ("learner", "/v1/shares", {**share, "person_id": absent}, "/person_id"),
        ("learner", "/v1/shares", {**share, "ends_on": "2020-01-01"}, "/ends_on"),
        (
            "learner",
            "/v1/shares",
            {**goal_share, "person_id": None, "network_id": absent},
            "/network_id",
        ),
        ("learner", "/v1/shares", {**share, "ends_on": None}, ""),
        ("learner", "/v1/shares", goal_share | share, ""),
        ("learner", "/v1/shares", {**share, "with_evidence": True}, ""),
        ("learner", "/v1/goals", {**goal, "agreement_id": absent}, "/agreement_id"),
        ("learner", "/v1/goals", {**goal, "owner_id": absent}, "/owner_id"),
        ("learner", "/v1/goals", {**goal, "framework_items": [absent]}, "/framework_items/0"),
        ("learner", "/v1/goals", {**goal, "principles": ["1", "99"]}, "/principles/1"),
        ("learner", "/v1/goals", {**goal, "readers": ["coaches"]}, "/readers/0"),
        ("operator", "/v1/organisations", {**organisation, "parent_id": absent}, "/parent_id"),
        (
            "operator",
            "/v1/organisations",
            {**organisation, "id": absent, "parent_id": absent},
            "/parent_id",
        ),
        (
            "operator",
            "/v1/organisations",
            {**organisation, "successor_ids": [absent]},
            "/successor_ids/0",
        ),
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
        (
            "administrator",
            "/v1/affiliations",
            {**affiliation, "organisation_id": absent},
            "/organisation_id",
        ),
        ("administrator", "/v1/affiliations", {**affiliation, "ends_on": "2025-01-01"}, "/ends_on"),
        ("learner", "/v1/learning-agreements", {}, "/parties"),
        (
            "learner",
            "/v1/learning-agreements",
            {**text, "home_organisation_id": absent},
            "/home_organisation_id",
        ),
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
    for who, path, body, pointer in meanings(scene):
        endpoint = next(e for e in BODIES if str(e) == f"POST {path}")
        asked = scene.send(
            endpoint, JSON, body=json.dumps(body).encode(), token=scene.world.actors[who].token
        )
        await findings.case(f"{path} {pointer}", asked, refused(422, names={pointer}))


async def test_what_means_nothing_for_one_record_is_named(scene: Scene, findings: Findings) -> None:
    absent = str(uuid7())
    for path, body, pointer in (
        ("/v1/networks/{network_id}/members", {"person_id": absent}, "/person_id"),
        ("/v1/networks/{network_id}/members", {"organisation_id": absent}, "/organisation_id"),
        ("/v1/networks/{network_id}/members", {}, "/person_id"),
        ("/v1/learning-agreements/{learning_agreement_id}/detachments", {"network_id": absent}, "/network_id"),
        ("/v1/learning-agreements/{learning_agreement_id}/amendments", {"changes": {"networks": [absent]}}, "/changes/networks/0"),
        ("/v1/learning-agreements/{learning_agreement_id}/amendments", {"changes": {"home_organisation_id": absent}}, "/changes/home_organisation_id"),
        ("/v1/learning-agreements/{learning_agreement_id}/amendments", {"changes": {"parties": []}}, "/changes/parties"),
        ("/v1/learning-agreements/{learning_agreement_id}/narrowing", {"goals": ["leaders"]}, "/goals"),
        ("/v1/learning-agreements/{learning_agreement_id}/narrowing", {"text": []}, ""),
    ):  # fmt: skip
        endpoint = next(e for e in BODIES if str(e) == f"POST {path}")
        asked = scene.send(endpoint, JSON, body=json.dumps(body).encode())
        await findings.case(f"{path} {body}", asked, refused(422, names={pointer}))


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
