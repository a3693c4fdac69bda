"""Canaries: texts that stand nowhere else, each with the actors who may ever be sent it."""

import re
from dataclasses import dataclass, field
from uuid import uuid4

MARK = re.compile(rb"canary[0-9a-f]{16}")


@dataclass(frozen=True)
class Canary:
    """One planted text; `seen_by` says who must find it, so that a blind search is noticed."""

    text: str
    label: str
    allowed: frozenset[str]
    seen_by: frozenset[str]


@dataclass
class Aviary:
    """Every canary of a scene, by its text as bytes."""

    birds: dict[bytes, Canary] = field(default_factory=dict)

    def plant(self, label: str, *allowed: str, seen_by: str | None = None) -> str:
        """A new text for `label`. The first of `allowed` (or those of `seen_by`) must find it."""
        text = f"canary{uuid4().hex[:16]}"
        first = " ".join(allowed[:1]) if seen_by is None else seen_by
        bird = Canary(text, label, frozenset(allowed), frozenset(first.split()))
        self.birds[text.encode()] = bird
        return text

    def found(self, content: bytes) -> set[Canary]:
        """The canaries in some bytes."""
        return {self.birds[text] for text in MARK.findall(content) if text in self.birds}
