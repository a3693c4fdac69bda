"""The machine: people do something at random, and after each step the two are compared."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.oracle import step_agreements, step_people, step_records, step_shares
from tests.oracle.comparing import (
    PATHS,
    actors,
    compare_item,
    compare_list,
    things,
    verdicts,
)
from tests.oracle.comparing_all import compare_everything
from tests.oracle.service import Figures, Mismatch, NextDay, Run
from tests.oracle.start import Cast, begin

Step = Callable[[Run, Cast], Awaitable[bool]]

STEPS: dict[str, tuple[Step, int]] = {
    "draft": (step_agreements.draft, 3),
    "propose": (step_agreements.propose, 1),
    "redraft": (step_agreements.redraft, 1),
    "sign": (step_agreements.sign, 3),
    "amend": (step_agreements.amend, 6),
    "let_lapse": (step_agreements.let_lapse, 1),
    "protect": (step_agreements.protect, 4),
    "finish": (step_agreements.finish, 1),
    "write_record": (step_records.write_record, 10),
    "revise": (step_records.revise, 5),
    "retick": (step_records.retick, 4),
    "progress": (step_records.progress, 2),
    "delete": (step_records.delete, 1),
    "let_be_due": (step_records.let_be_due, 2),
    "files": (step_records.files, 2),
    "share": (step_shares.share, 8),
    "end_share": (step_shares.end_share, 2),
    "join": (step_shares.join, 2),
    "change_member": (step_shares.change_member, 4),
    "close_network": (step_shares.close_network, 1),
    "move": (step_people.move, 2),
    "depart": (step_people.depart, 5),
    "client": (step_people.client, 1),
    "mark": (step_people.mark, 1),
    "sweep": (step_people.sweep, 1),
}
"""Each with its weight."""
ACTS = [name for name, (_, weight) in STEPS.items() for _ in range(weight)]
BEGUN = 3
"""Records that a world begins with."""
SAMPLED = 24
"""Single reads after a step, beside those whose answer has changed by it."""


class Machine:
    """One world that grows, compared with the oracle after each step."""

    def __init__(self, run: Run, cast: Cast) -> None:
        self.run, self.cast = run, cast
        self.before: dict[Any, Any] = {}
        self.trail: list[tuple[str, int]] = []
        self.seed = 0

    @classmethod
    async def create(cls, app: Any, figures: Figures, seed: int) -> "Machine":
        """A world with an agreement and some records to begin with, as `seed` has them."""
        run, cast = await begin(app, figures)
        machine = cls(run, cast)
        machine.seed, run.rng = seed, random.Random(seed)
        await step_agreements.draft(run, cast)
        for _ in range(BEGUN):
            await step_records.write_record(run, cast)
        await machine.compare()
        return machine

    async def step(self, act: str, seed: int) -> None:
        """Does one thing, as `seed` has it, and compares."""
        self.run.rng = random.Random(seed)
        self.trail.append((act, seed))
        function, _ = STEPS[act]
        if not await function(self.run, self.cast):
            return
        self.run.figures.steps += 1
        await self.compare()

    async def compare(self) -> None:
        """Every list of everybody; single reads of what has changed, and of some of the rest."""
        run = self.run
        for actor in actors(run):
            for kind in PATHS:
                await compare_list(run, actor, kind)
        now = verdicts(run)
        changed = [key for key, view in now.items() if self.before.get(key) != view]
        rest = [key for key in now if key not in set(changed)]
        sampled = run.rng.sample(changed, min(len(changed), SAMPLED))
        sampled += run.rng.sample(rest, min(len(rest), SAMPLED // 2))
        for kind, id_, actor in sampled:
            await compare_item(run, actor, kind, things(run, kind)[id_])
        self.before = now

    async def finish(self) -> None:
        await compare_everything(self.run)


async def replay(app: Any, seed: int, trail: list[tuple[str, int]]) -> Mismatch | None:
    """The disagreement that the same steps lead to in a new world, if they do."""
    try:
        machine = await Machine.create(app, Figures(), seed)
        for act, seed in trail:
            await machine.step(act, seed)
        await machine.finish()
    except Mismatch as found:
        return found
    except NextDay:
        pass
    return None


async def cut_down(
    app: Any, seed: int, trail: list[tuple[str, int]], found: Mismatch, attempts: int
) -> Mismatch:
    """The same or another disagreement in fewer steps: leaves out ever smaller parts that it does
    not need, for so many attempts at most."""
    size = len(trail) // 2
    while size and attempts:
        at = 0
        while at < len(trail) and attempts:
            attempts -= 1
            fewer = trail[:at] + trail[at + size :]
            smaller = await replay(app, seed, fewer)
            if smaller is None:
                at += size
            else:
                trail, found = fewer, smaller
        size //= 2
    return found
