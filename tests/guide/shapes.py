"""What a page shows, compared with what came out: ids, days, moments, tokens and secrets by their shape.

An id, a day or a secret that a page shows stands for one value of this run, wherever it comes again: also
in a request that the page makes with it.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

REST = "…"
"""In an object that is shown: further members that are left out; in a list, as its last: further items."""

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPES = {
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "id": _ID,
    "day": r"\d{4}-\d\d-\d\d",
    "token": r"eyJ[\w.-]{10,}",
    "secret": r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{22,}",
}
_VARIES = re.compile(
    r"(?<![\w.-])(?:" + "|".join(f"(?P<{n}>{s})" for n, s in _SHAPES.items()) + r")(?![\w-])"
)
# A secret may come out without a digit.
_MATCHES = {**_SHAPES, "secret": r"[\w-]{22,}"}
_NOT_KEPT = ("moment", "token")


class Wrong(AssertionError):
    """A page does not show what comes out."""


@dataclass
class Shapes:
    """Compares, and remembers what a value of the page stands for."""

    stands_for: dict[str, str] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """`text` with every value of the page replaced by what it stands for."""
        known = sorted(self.stands_for, key=len, reverse=True)
        if not known:
            return text
        pattern = re.compile("|".join(map(re.escape, known)))
        return pattern.sub(lambda found: self.stands_for[found[0]], text)

    def compare(self, shown: str, actual: str) -> None:
        """Wrong unless `actual` is `shown`, but for what varies."""
        pattern, end = "", 0
        new: list[tuple[str, str]] = []
        for found in _VARIES.finditer(shown):
            kind, value = str(found.lastgroup), found[0]
            pattern += re.escape(self.here(shown[end : found.start()]))
            end = found.end()
            if value in self.stands_for:
                pattern += re.escape(self.stands_for[value])
            elif (kind, value) in new and kind not in _NOT_KEPT:
                pattern += rf"(?P=v{new.index((kind, value))})"
            else:
                pattern += f"(?P<v{len(new)}>{_MATCHES[kind]})"
                new.append((kind, value))
        pattern += re.escape(self.here(shown[end:]))
        match = re.fullmatch(pattern, actual)
        if match is None:
            raise Wrong(f"The page shows\n{shown}\nand out comes\n{actual}")
        for index, (kind, value) in enumerate(new):
            self._learn(kind, value, match[f"v{index}"])

    def _learn(self, kind: str, value: str, actual: str) -> None:
        if kind in _NOT_KEPT:
            return
        if kind != "day" and actual in self.stands_for.values():
            raise Wrong(f"{value} is shown for {actual}, which has another name on the page")
        self.stands_for[value] = actual

    def compare_json(self, shown: str, actual: str) -> None:
        """The same for JSON, whatever its spaces and the order of its members."""
        try:
            documented, came = json.loads(shown), json.loads(actual)
        except ValueError as error:
            raise Wrong(f"No JSON ({error}):\n{shown}\n{actual}") from error
        self.compare(_canonical(_without_rest(documented)), _canonical(_cut(came, documented)))


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _without_rest(shown: Any) -> Any:
    if isinstance(shown, dict):
        return {name: _without_rest(v) for name, v in shown.items() if name != REST}
    if isinstance(shown, list):
        return [_without_rest(v) for v in shown if v != REST]
    return shown


def _cut(actual: Any, shown: Any) -> Any:
    """`actual` without what `shown` leaves out by `REST`."""
    if isinstance(actual, dict) and isinstance(shown, dict):
        if REST in shown and not actual.keys() - shown.keys():
            raise Wrong(f"{REST} stands for nothing in {shown}")
        kept = {n: v for n, v in actual.items() if n in shown or REST not in shown}
        return {name: _cut(value, shown.get(name)) for name, value in kept.items()}
    if isinstance(actual, list) and isinstance(shown, list):
        if shown and shown[-1] == REST:
            if len(actual) < len(shown):
                raise Wrong(f"{REST} stands for nothing in {shown}")
            actual = actual[: len(shown) - 1]
        padded = [*shown, *([None] * len(actual))]
        return [_cut(value, other) for value, other in zip(actual, padded, strict=False)]
    return actual
