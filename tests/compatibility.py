"""What in a new document would break the clients of an old one.

A request that was taken must still be taken. Of an answer, what was there must still be there, of the same
type; clients pass over members and values of an enumeration that they do not know, so these may come.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum")
METHODS = ("get", "post", "put", "patch", "delete")


class Comparison:
    """Compares two documents; `breaks()` says each breaking change in a line."""

    def __init__(self, old: Json, new: Json) -> None:
        self.old, self.new = old, new
        self._under_way: set[tuple[str, str, bool]] = set()

    def breaks(self) -> list[str]:
        """Each breaking change, with where it is; in the order of the old document."""
        found = []
        for path, methods in self.old["paths"].items():
            for method in METHODS:
                if method in methods:
                    where = f"{method.upper()} {path}"
                    new = self.new["paths"].get(path, {}).get(method)
                    found += (
                        [f"{where}: is gone"]
                        if new is None
                        else self._operation(methods[method], new, where)
                    )
        return list(dict.fromkeys(found))

    def _operation(self, old: Json, new: Json, where: str) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{where}: operationId was {old['operationId']}"
        if old.get("security") != new.get("security"):
            yield f"{where}: security was {old.get('security')}, is {new.get('security')}"
        yield from self._parameters(old, new, where)
        if "requestBody" in new:
            yield from self._body(old.get("requestBody"), new["requestBody"], where)
        elif "requestBody" in old:
            yield f"{where}: no body is taken any more"
        for status, answer in old["responses"].items():
            if int(status) < 400:
                if status not in new["responses"]:
                    yield f"{where}: {status} is no answer any more"
                else:
                    yield from self._answer(answer, new["responses"][status], f"{where} {status}")

    def _parameters(self, old: Json, new: Json, where: str) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old.get("parameters", [])}
        after = {(p["in"], p["name"]): p for p in new.get("parameters", [])}
        for key in before.keys() - after.keys():
            yield f"{where}: parameter {key[1]} is gone"
        for key, parameter in after.items():
            at = f"{where}: parameter {key[1]}"
            known = before.get(key)
            if parameter.get("required") and not (known and known.get("required")):
                yield f"{at} is needed now"
            if known:
                yield from self._schema(known["schema"], parameter["schema"], at, sent=True)

    def _body(self, old: Json | None, new: Json, where: str) -> Iterator[str]:
        if old is None:
            if new.get("required"):
                yield f"{where}: a body is needed now"
            return
        if new.get("required") and not old.get("required"):
            yield f"{where}: a body is needed now"
        for kind, media in old["content"].items():
            if kind not in new["content"]:
                yield f"{where}: {kind} is not taken any more"
            else:
                schema = new["content"][kind].get("schema", {})
                yield from self._schema(media["schema"], schema, f"{where}: body", sent=True)

    def _answer(self, old: Json, new: Json, where: str) -> Iterator[str]:
        old, new = self._resolved(old, self.old), self._resolved(new, self.new)
        for name in old.get("headers", {}).keys() - new.get("headers", {}).keys():
            yield f"{where}: header {name} is gone"
        for kind, media in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{where}: {kind} is not answered any more"
            else:
                schema = new["content"][kind].get("schema", {})
                yield from self._schema(media.get("schema", {}), schema, f"{where}: ", sent=False)

    def _resolved(self, node: Json, document: Json) -> Json:
        while "$ref" in node:
            found: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def _schema(self, old: Json, new: Json, where: str, *, sent: bool) -> Iterator[str]:
        key = (str(old.get("$ref", id(old))), str(new.get("$ref", id(new))), sent)
        if key in self._under_way:
            return  # a schema that holds itself
        self._under_way.add(key)
        old, new = self._resolved(old, self.old), self._resolved(new, self.new)
        before, after = _alternatives(old), _alternatives(new)
        if len(before) > 1 or len(after) > 1:
            yield from self._one_of(before, after, where, sent=sent)
        else:
            yield from self._plain(before[0], after[0], where, sent=sent)
        self._under_way.discard(key)

    def _one_of(
        self, before: list[Json], after: list[Json], where: str, *, sent: bool
    ) -> Iterator[str]:
        """Each kind of value that was sent is taken; each that is answered is known."""
        needed, offered = (before, after) if sent else (after, before)
        for one in needed:
            pairs = [(one, other) if sent else (other, one) for other in offered]
            tried = [list(self._schema(*pair, where, sent=sent)) for pair in pairs]
            if all(tried):
                yield min(tried, key=len)[0]

    def _plain(self, old: Json, new: Json, where: str, *, sent: bool) -> Iterator[str]:
        before, after = old.get("type"), new.get("type")
        wider = (before, after) if sent else (after, before)
        if before != after and wider != ("integer", "number") and not (sent and after is None):
            yield f"{where} was of type {before}, is {after}"
            return
        yield from _values(old, new, where, sent=sent)
        if sent:
            yield from _limits(old, new, where)
        if "items" in old and "items" in new:
            yield from self._schema(old["items"], new["items"], f"{where}[]", sent=sent)
        yield from self._members(old, new, where, sent=sent)

    def _members(self, old: Json, new: Json, where: str, *, sent: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            at = f"{where}/{name}"
            if name not in after:
                if not sent or new.get("additionalProperties") is False:
                    yield f"{at} is gone"
            else:
                yield from self._schema(schema, after[name], at, sent=sent)
        was, needed = set(old.get("required", ())), set(new.get("required", ()))
        if sent:
            yield from (f"{where}/{name} is needed now" for name in sorted(needed - was))
        else:
            gone = (was - needed) & after.keys()
            yield from (f"{where}/{name} is not always there any more" for name in sorted(gone))


def _alternatives(schema: Json) -> list[Json]:
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _values(old: Json, new: Json, where: str, *, sent: bool) -> Iterator[str]:
    """Enumerations, formats and patterns."""
    before, after = (s.get("enum", [s["const"]] if "const" in s else None) for s in (old, new))
    if before is not None and after is not None:
        yield from (f"{where}: value {v!r} is gone" for v in before if v not in after)
    elif after is not None and sent:
        yield f"{where} is one of {after} now"
    elif before is not None and after is None and not sent:
        yield f"{where} is any value now"
    for word in ("format", "pattern"):
        if old.get(word) != new.get(word) and not (sent and word not in new):
            if word == "pattern" and not sent:
                continue
            yield f"{where}: {word} was {old.get(word)}, is {new.get(word)}"


def _limits(old: Json, new: Json, where: str) -> Iterator[str]:
    for word in _UPPER:
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{where}: {word} was {old.get(word)}, is {new[word]}"
    for word in _LOWER:
        if word in new and new[word] > old.get(word, float("-inf")):
            yield f"{where}: {word} was {old.get(word)}, is {new[word]}"
