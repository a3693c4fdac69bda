"""Looks through every byte of what anybody is sent for texts that are not theirs."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.proof.asked import Asked
from tests.proof.planted import Canary
from tests.proof.stage import Scene
from tests.raw import Answer


@dataclass
class Hunt:
    """What was asked, what came, and what should not have."""

    scene: Scene
    asked: Counter[str] = field(default_factory=Counter)
    size: int = 0
    seen: dict[str, set[Canary]] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def ask(self, actor: str, request: Asked, **headers: str) -> Answer:
        """Sends a request and looks through every byte of its answer."""
        answer = await self.scene.ask(actor, request, **headers)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers).encode()
        self.asked[f"{answer.status // 100}xx"] += 1
        if answer.status >= 500:
            self.failures.append(f"{answer.status} to {actor}: {request}")
        self.size += len(head) + len(answer.body)
        found = self.scene.planted.found(head + b"\n" + answer.body)
        self.seen.setdefault(actor, set()).update(found)
        for canary in found:
            if actor not in canary.allowed:
                self.leaks.append(
                    f"{canary.label} to {actor}: {answer.status} {request.method} "
                    f"{request.path}?{request.query}"
                )
        return answer

    async def turn_pages(self, actor: str, path: str) -> None:
        """Goes through a list one by one; others try the cursors of the learner on the way."""
        cursor = None
        for _ in range(12):
            query = "limit=1" + (f"&cursor={cursor}" if cursor else "")
            answer = await self.ask(actor, Asked("GET", path, query))
            cursor = answer.json()["next"] if answer.status == 200 else None
            if cursor is None:
                return
            for thief in ("stranger", "head", "former", "opener") if actor == "learner" else ():
                await self.ask(thief, Asked("GET", path, f"limit=200&cursor={cursor}"))

    def report(self, record_property: Any, name: str) -> None:
        """The numbers, for the test's report; then the leaks, if there are any."""
        requests = sum(self.asked.values())
        record_property("requests", requests)
        record_property("bytes", self.size)
        record_property("canaries", len(self.scene.planted.birds))
        print(
            f"\n{name}: {len(self.scene.planted.birds)} canaries, {len(self.seen)} actors, "
            f"{requests:,} requests {dict(self.asked)}, {self.size:,} bytes looked through"
        )
        assert self.failures == []
        shown = "\n".join(sorted(set(self.leaks))[:60])
        assert not self.leaks, f"{len(set(self.leaks))} leaks:\n{shown}"
