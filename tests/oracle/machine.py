"""The machine: people do something at random, and after each step the two are compared."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.oracle import step_agreements, step_joining, step_people, step_records, step_shares
from tests.oracle.comparing import PATHS, actors, compare_item, compare_list, things, verdicts
from tests.oracle.comparing_all import compare_everything, compare_history, compare_versions
from tests.oracle.comparing_filters import compare_some_filters
from tests.oracle.comparing_more import (
    asked_about,
    compare_audience,
    compare_explanation,
    compare_some_searches,
)
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
    "answer": (step_people.answer, 3),
    "depart": (step_people.depart, 5),
    "become_one": (step_joining.become_one, 2),
    "client": (step_people.client, 1),
    "mark": (step_people.mark, 1),
    "sweep": (step_people.sweep, 1),
}
"""Each with its weight."""
ACTS = [name for name, (_, weight) in STEPS.items() for _ in range(weight)]
BEGUN = 3
"""Records that a world begins with."""
OTHERS = 8
"""What else is tried when there is nothing to do."""
SAMPLED = 8
"""Single reads after a step of what has changed by it; and half as many of anything."""
AUDIENCES, SEARCHES, FILTERS = 2, 3, 2
"""How many are asked after a step, in turn or by chance."""


class Machine:
    """One world that grows, compared with the oracle after each step."""

    def __init__(self, run: Run, cast: Cast) -> None:
        self.run, self.cast = run, cast
        self.before: dict[Any, Any] = {}
        self.trail: list[tuple[str, int]] = []
        self.seed = self.turn = 0

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
        """Does one thing, as `seed` has it, and compares. Where there is nothing to do it does
        another."""
        self.run.rng = random.Random(seed)
        self.trail.append((act, seed))
        for other in [act, *(self.run.rng.choice(ACTS) for _ in range(OTHERS))]:
            function, _ = STEPS[other]
            if await function(self.run, self.cast):
                self.run.figures.note(other)
                await self.compare()
                return

    async def compare(self) -> None:
        """For everybody: one list in turn, and each in which something is to have changed. For what
        has changed, and for some of the rest in turn, who could read it. Single reads, words and
        filters of some."""
        run = self.run
        now = verdicts(run)
        changed = [key for key, view in now.items() if self.before.get(key) != view]
        # What is gone has changed for everybody who saw it.
        gone = [key for key, view in self.before.items() if view and key not in now]
        kinds = list(PATHS)
        lists = {(kind, actor) for kind, _, actor in (*changed, *gone)}
        for number, actor in enumerate(actors(run)):
            lists.add((kinds[(self.turn + number) % len(kinds)], actor))
        for kind, actor in sorted(lists):
            await compare_list(run, actor, kind)
        await self._compare_audiences({id_ for _, id_, _ in changed})
        for kind, id_, actor in self._some(changed, list(now)):
            await compare_item(run, actor, kind, things(run, kind)[id_])
        await compare_some_searches(run, SEARCHES)
        await compare_some_filters(run, FILTERS)
        for compare in (compare_history, compare_versions):
            agreement = run.rng.choice(list(run.world.agreements.values()))
            await compare(run, run.rng.choice(actors(run)), agreement)
        await compare_explanation(
            run, run.rng.choice(actors(run)), *run.rng.choice(asked_about(run))
        )
        self.before = now
        self.turn += 1

    async def _compare_audiences(self, changed: set[str]) -> None:
        every = asked_about(self.run)
        in_turn = {(self.turn * AUDIENCES + i) % len(every) for i in range(AUDIENCES)}
        for number, (kind, thing) in enumerate(every):
            if number in in_turn or thing.id in changed:
                await compare_audience(self.run, kind, thing)

    def _some(self, changed: list[Any], every: list[Any]) -> list[Any]:
        rng = self.run.rng
        found = rng.sample(changed, min(len(changed), SAMPLED))
        return found + rng.sample(every, min(len(every), SAMPLED // 2))

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
