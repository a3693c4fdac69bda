"""Bodies made from their own JSON schema: one that is right, and each way of being wrong."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid1, uuid4

from app.core.ids import uuid7
from app.core.text import PATTERNS

Schema = dict[str, Any]
WRONG = object()

SAMPLES = {
    r"^[0-9a-f]{64}$": "0" * 64,
    r"^A?[0-9]{1,2}$": "1",
    r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$": "mis",
    r"^[A-Za-z0-9:/?\[\]@!$&()+=._~%-]+$": "https://portal.example/cb",
    r"^[A-Za-z0-9_-]+$": "AQAB",
    next(iter(PATTERNS)): "someone@school.example",
    r"^[\x21-\x7e]+$": "a-secret-of-the-school",
}
"""A text for each pattern in use."""

_UUID = "0198c0de-0000-7000-8000-00000000000"
_TEXTS: list[Any] = [7, True, 1.5, [], {}, ["x"], {"x": "x"}]
NOT_A_UUID: list[Any] = [
    "",
    "x",
    _UUID,
    _UUID + "00",
    "g" * 36,
    "\N{FULLWIDTH DIGIT ONE}" * 32,
    7,
    True,
    [],
    {},
]
NOT_A_DATE: list[Any] = [
    "", "0000-00-00", "2024-02-30", "2024-13-01", "99999-01-01", "-0001-01-01", "2024-1-1", "20240101",
    "2024-01-01T00:00:00Z", "2024-01-01T00:00:00", "01/02/2024", "today", "0", "1704067200", 0, 20240101,
    1704067200, -1, 1.0, True, [], {},
]  # fmt: skip
NOT_CLEAN = ["a\x07b", "\x1b[31m", "a\x7f", "a\x85b"]
BLANK = ["", " ", "\u00a0\u2003", "\n"]


def resolve(schema: Schema, root: Schema) -> Schema:
    """The schema behind a reference, without null."""
    while True:
        if "$ref" in schema:
            schema = {**root["$defs"][schema["$ref"].rpartition("/")[2]]}
        elif "anyOf" in schema:
            rest = {name: value for name, value in schema.items() if name != "anyOf"}
            kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
            assert len(kinds) == 1, f"no test knows a choice between shapes: {schema}"
            schema = {**rest, **kinds[0]}
        else:
            return schema


def nullable(schema: Schema) -> bool:
    return any(kind.get("type") == "null" for kind in schema.get("anyOf", ()))


def sample(schema: Schema, root: Schema) -> Any:
    """A value that the schema accepts, with every field there is."""
    schema = resolve(schema, root)
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
    kind = schema["type"]
    if kind == "object":
        return {name: sample(field, root) for name, field in schema["properties"].items()}
    if kind == "array":
        if schema.get("default"):
            return list(schema["default"])  # not every choice goes with every other
        item = resolve(schema["items"], root)
        return list(item["enum"]) if "enum" in item else [sample(item, root)]
    if kind == "string":
        if schema.get("format") == "uuid":
            return str(uuid7())
        if schema.get("format") == "date":
            return "2026-01-01"
        return SAMPLES.get(schema.get("pattern", ""), "Text")
    return {"integer": schema.get("minimum", 1), "number": 0.5, "boolean": True}[kind]


class Mutation(NamedTuple):
    """A body with one thing wrong, and the pointer that a refusal must name."""

    label: str
    body: Any
    pointer: str


def _numbers(schema: Schema) -> Iterator[Any]:
    yield from ("1", True, [], {}, "", "NaN")
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "exclusiveMinimum" in schema:
        yield schema["exclusiveMinimum"]
    if "maximum" in schema:
        yield from (schema["maximum"] + 1, 2**63 - 1)
    yield -(2**63)
    if schema["type"] == "integer":
        yield from (1.5, 1e300)


def _texts(schema: Schema) -> Iterator[Any]:
    yield from _TEXTS
    if schema.get("format") == "uuid":
        yield from NOT_A_UUID
    elif schema.get("format") == "date":
        yield from NOT_A_DATE
    else:
        yield from (*NOT_CLEAN, *BLANK)
        yield "x" * (schema.get("maxLength", 100) + 1)
        yield "x" * 100_000


def wrong_values(schema: Schema, root: Schema) -> Iterator[Any]:
    """Values of the wrong kind or size for a field."""
    if not nullable(schema):
        yield None
    schema = resolve(schema, root)
    if "const" in schema or "enum" in schema:
        yield from (*_TEXTS, "", "nope", sample(schema, root) + " ", "x" * 10_000)
    elif schema["type"] == "object":
        yield from ([], ["x"], "x", "", 7, True)
    elif schema["type"] == "array":
        most = schema["maxItems"]
        yield from ({}, {"0": "x"}, "x", "", 7, True)
        yield [sample(schema["items"], root) for _ in range(most + 1)]
    elif schema["type"] == "string":
        yield from _texts(schema)
    elif schema["type"] == "boolean":
        yield from ("true", "yes", "", 1, 0, 1.0, [], {})
    else:
        yield from _numbers(schema)


def _replaced(body: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(body)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def _pointer(path: list[Any]) -> str:
    return "".join(f"/{step}" for step in path)


def _walk(
    schema: Schema, root: Schema, value: Any, path: list[Any]
) -> Iterator[tuple[list[Any], Schema, Any]]:
    yield path, schema, value
    inner = resolve(schema, root)
    if inner.get("type") == "object":
        for name, field in inner.get("properties", {}).items():
            yield from _walk(field, root, value[name], [*path, name])
    elif inner.get("type") == "array":
        yield from _walk(inner["items"], root, value[0], [*path, 0])


# Names that the checker itself uses, and that have to be escaped in a JSON pointer.
UNKNOWN = {
    "unexpected": "unexpected", "date": "date", "str": "str", "union_code": "union_code",
    "nullable": "nullable", "list[int]": "list[int]", "function-after": "function-after", "": "",
    "a/b": "a~1b", "a~b": "a~0b", "0": "0", "__class__": "__class__", "model_config": "model_config",
    "é\u202e": "é\u202e", "missing-sentinel": "missing-sentinel",
}  # fmt: skip


def mutations(root: Schema) -> Iterator[Mutation]:
    """Every way of breaking the right body in one place."""
    right = sample(root, root)
    for path, schema, value in _walk(root, root, right, []):
        for wrong in wrong_values(schema, root):
            shown = repr(wrong)
            label = f"{_pointer(path) or '/'} = {shown if len(shown) < 40 else shown[:40] + '…'}"
            yield Mutation(label, _replaced(right, path, wrong), _pointer(path))
        if resolve(schema, root).get("type") == "object":
            for name, escaped in UNKNOWN.items():
                body = _replaced(right, path, {**value, name: 1})
                yield Mutation(
                    f"{_pointer(path)} has {name!r}", body, f"{_pointer(path)}/{escaped}"
                )
        if path[-1:] == ["id"]:
            for wrong in (
                uuid4(),
                uuid1(),
                "0198c0de-0000-7000-0000-000000000000",
                "f" * 32,
                "0" * 32,
            ):
                body = _replaced(right, path, str(wrong))
                yield Mutation(f"id = {wrong}", body, _pointer(path))
    for name in resolve(root, root).get("required", ()):
        body = {key: value for key, value in right.items() if key != name}
        yield Mutation(f"without {name}", body, f"/{name}")


def unbounded(root: Schema) -> set[str]:
    """Pointers of texts and lists that have no greatest size."""
    found = set()
    for path, schema, _ in _walk(root, root, sample(root, root), []):
        inner = resolve(schema, root)
        plain = inner.get("type") == "string" and not {"enum", "const", "format"} & set(inner)
        if plain and "maxLength" not in inner and inner.get("pattern") not in SAMPLES:
            found.add(_pointer(path))
        if inner.get("type") == "array" and "maxItems" not in inner:
            found.add(_pointer(path))
    return found
