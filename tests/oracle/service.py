"""The service as the oracle calls it, and what a human needs to know when the two disagree."""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import update

from app.core.clock import today
from app.core.db import Database
from tests.oracle.model import World
from tests.raw import Answer, send


class Mismatch(AssertionError):
    """Oracle and service disagree."""


class NextDay(Exception):
    """The day has changed under a world: it says nothing."""


@dataclass
class Figures:
    """What a run has done."""

    worlds: int = 0
    steps: int = 0
    comparisons: int = 0
    requests: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def note(self, act: str) -> None:
        """Something was done."""
        self.steps += 1
        self.acts[act] += 1

    def __str__(self) -> str:
        return (
            f"{self.worlds} worlds, {self.steps} steps, {self.comparisons} comparisons, "
            f"{self.requests} requests"
        )


@dataclass
class Run:
    """One world, as the model has it and as the service has it."""

    app: Any
    world: World
    figures: Figures
    tokens: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    words: list[tuple[str, str]] = field(default_factory=list)

    @property
    def database(self) -> Database:
        found: Database = self.app.state.database
        return found

    def serial(self, what: str, kind: str) -> str:
        """Words of which one is nowhere else; `kind`: of what a search for it is to be asked."""
        word = f"w{len(self.words):04d}"
        self.words.append((kind, word))
        return f"{what} {word}"

    def say(self, line: str) -> None:
        """Notes what is done, for who reads a mismatch."""
        self.log.append(line)

    async def call(
        self, actor: str | None, method: str, path: str, body: Any = None, **headers: str
    ) -> Answer:
        """A request by somebody; nobody: without a token."""
        self.figures.requests += 1
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if actor is not None:
            sent.append(("authorization", f"Bearer {self.tokens[actor]}"))
        if method in ("PATCH", "DELETE"):
            sent.append(("if-match", "*"))
        if body is not None and not isinstance(body, bytes):
            sent.append(("content-type", "application/json"))
            body = json.dumps(body).encode()
        return await send(self.app, method, path, headers=sent, body=body or b"")

    async def write(
        self,
        actor: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        allowed: bool | None,
        doing: str,
        refused_as: int | None = None,
        **headers: str,
    ) -> Any:
        """A write; its answer, or None when it is refused. `allowed`: what the rules say of it;
        `refused_as`: the status of the refusal, where the rules say that."""
        answer = await self.call(actor, method, path, body, **headers)
        done = answer.status < 300
        self.say(f"{self.world.name(actor)} {doing}{'' if done else f' -> {answer.status}'}")
        if answer.status >= 500:
            self.differ(actor, doing, "an answer", f"{answer.status} {answer.text}")
        if allowed is not None and allowed != done:
            expected = "allowed" if allowed else "refused"
            self.differ(actor, doing, expected, f"{answer.status} {answer.text[:600]}")
        if not done and refused_as not in (None, answer.status):
            self.differ(actor, doing, refused_as, f"{answer.status} {answer.text[:600]}")
        if not done:
            return None
        return answer.json() if answer.body else {}

    async def change(self, entity: Any, record_id: str, **values: Any) -> None:
        """Writes into a row, as only time could."""
        async with self.database.work() as unit:
            await unit.begin()
            await unit.session.execute(
                update(entity)
                .where(entity.id == UUID(record_id))
                .values(**values)
                .execution_options(synchronize_session=False)
            )

    def differ(self, actor: str | None, what: str, expected: object, got: object) -> NoReturn:
        """Raises Mismatch with all that a human needs; NextDay when midnight has passed meanwhile."""
        if today() != self.world.today:
            raise NextDay
        steps = "\n".join(f"  {number}. {line}" for number, line in enumerate(self.log, 1))
        who = "somebody without a token" if actor is None else self.world.name(actor)
        raise Mismatch(
            f"oracle and service disagree\n  actor:    {who}\n  about:    {what}\n"
            f"  expected: {expected}\n  got:      {got}\nsteps so far:\n{steps}"
        )
