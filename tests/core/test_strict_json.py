"""Strict JSON: what I-JSON allows is read and equal, anything else is a MalformedRequest."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import MalformedRequest
from app.core.strict_json import MAX_DEPTH, parse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b" \t\r\n[ ] ", []),
        (b"null", None),
        (b'"x"', "x"),
        (b"-0", 0),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1.5e3", 1500.0),
        (b"1e308", 1e308),
        (b"1e-999", 0.0),
        (b"0." + b"1" * 1000, 1 / 9),
        (b'"\\ud83d\\ude00"', "😀"),
        ('"😀"'.encode(), "😀"),
        (b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
        (b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}),
        (b'{"": 1}', {"": 1}),
        (b'"\xc2\x85\xe2\x80\xa8"', "\x85\u2028"),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b'"' + b'\\"[' * 1000 + b'"', '"[' * 1000),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b"[" + b"[]," * 1000 + b"[]]", [[]] * 1001),
    ],
    ids=lambda part: repr(part)[:40],
)  # fmt: skip
def test_json_is_read(body: bytes, value: Any) -> None:
    found = parse(body)
    assert found == (json.loads(body) if value is None else value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b'{"a": 1,\n"b"}', "line 2, column 4"),
        (b"[1,]", "column"),
        (b"{} {}", "column 4"),
        (b"'a'", "column 1"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"-Infinity", "-Infinity"),
        (b"1e999", "too large"),
        (b"-1e400", "too large"),
        (b"9223372036854775808", "64 bits"),
        (b"-9223372036854775809", "64 bits"),
        (b"1" * 10_000, "64 bits"),
        (b'{"a": 1, "a": 1}', "there twice"),
        (b'{"a": 1, "\\u0061": 1}', "there twice"),
        (b'[{"x": {"b": 1, "b": 2}}]', "there twice"),
        (b'"\\u0000"', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'"a\x00"', "control character"),
        (b"\x00", "line 1"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'["a", {"b": ["\\ud800"]}]', "surrogate"),
        (b'"\xff"', "byte 1"),
        (b'"\xed\xa0\x80"', "byte 1"),
        (b'"\xc0\x80"', "byte 1"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"[" * 33 + b"]" * 33, "32 levels"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "32 levels"),
        (b"[" * 100_000, "32 levels"),
        (b'"\\"' + b"[" * 100_000, "line 1"),
        (b'["\\"", ' + b"[" * 100_000, "32 levels"),
    ],
    ids=lambda part: repr(part)[:40],
)  # fmt: skip
def test_anything_else_is_refused_with_the_place(body: bytes, said: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        parse(body)
    assert said in refused.value.detail
    assert len(refused.value.detail) < 300


@pytest.mark.parametrize(
    "tail",
    [b'"' + b'\\"' * 400_000, b'"' * 800_000, b'"' + b"\\" * 800_000, b'"a' * 400_000, b'"\\u00"' * 100_000],
    ids=lambda tail: repr(tail[:8]),
)  # fmt: skip
def test_measuring_the_depth_takes_time_in_proportion(tail: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(MalformedRequest):
        parse(b"[" * 40 + tail)
    assert time.perf_counter() - started < 1


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_i_json_allows_comes_back(value: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    found = parse(body)
    assert found == value
    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_read_or_malformed(body: bytes) -> None:
    _read(body)


PIECES = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"d800", b"dc00", b"0000", b"1", b"-", b"e", b"9" * 30,
    b".", b"NaN", b"Infinity", b"null", b"true", b" ", b"\n", b"\x00", b"\xff", b"\xed\xa0\x80", b'"a"', b'"a":1',
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
def test_pieces_of_json_are_read_or_malformed(body: bytes) -> None:
    _read(body)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_damaged_json_is_read_or_malformed(value: Any, data: st.DataObject) -> None:
    body = json.dumps(value).encode()
    place = data.draw(st.integers(0, len(body)))
    _read(body[:place] + data.draw(st.sampled_from([b"", *PIECES])) + body[place + 1 :])


def _read(body: bytes) -> None:
    """Reads; whatever is taken is what the standard library takes too, and has no trap in it."""
    try:
        found = parse(body)
    except MalformedRequest:
        return
    assert json.loads(body) == found
    stack = [found]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            value.encode()
            assert "\x00" not in value
        elif isinstance(value, int):
            assert -(2**63) <= value < 2**63
        elif isinstance(value, float):
            assert math.isfinite(value)
        elif isinstance(value, dict):
            stack += [*value, *value.values()]
        elif isinstance(value, list):
            stack += value
