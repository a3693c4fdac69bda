"""JSON as RFC 8259 and I-JSON (RFC 7493) want it; what is ambiguous is refused."""

import json
import re
from typing import Any, NoReturn

from app.core.errors import MalformedRequest

MAX_DEPTH = 32
# Always matches where a text begins, also one without an end: searching on from each quotation mark
# of such a text would take time in the square of its length.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_UNPAIRED = re.compile("[\ud800-\udfff]")


def _refuse(detail: str) -> NoReturn:
    raise MalformedRequest(f"The body is not JSON that can be read: {detail}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(f"the key {key[:60]!a} is there twice")
            seen.add(key)
    return result


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        _refuse("a whole number does not fit into 64 bits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        _refuse("a number is too large")
    return value


def _constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a number in JSON")


def _is_too_deep(body: bytes) -> bool:
    depth = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            _refuse("a text contains NUL")
        if _UNPAIRED.search(value):
            _refuse("a text contains half of a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def parse(body: bytes) -> Any:
    """The value of `body`; raises MalformedRequest with the place where reading stopped."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_too_deep(body):
        _refuse(f"it is more than {MAX_DEPTH} levels deep")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"byte {error.start} is not UTF-8")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        _refuse(f"{error.msg} at line {error.lineno}, column {error.colno}")
    if "\\u" in text:
        _check_text(value)
    return value
