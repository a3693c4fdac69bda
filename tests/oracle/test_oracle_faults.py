"""The oracle sees: each fault that is planted in the policy is found, within few worlds."""

import random
from typing import Any

import pytest

from tests.oracle.faults import FAULTS, planted
from tests.oracle.machine import ACTS, Machine
from tests.oracle.service import Figures, Mismatch, NextDay

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("no_sweep_of_its_own"),
    # A fault is one of the policy, not of a database.
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
]

WORLDS = 25
STEPS = 40
Trail = list[tuple[str, int]]


@pytest.mark.parametrize("name", FAULTS)
async def test_oracle_finds_a_fault_in_the_policy(
    app: Any, name: str, record_property: Any
) -> None:
    fault, figures = FAULTS[name], Figures()
    acts = [*ACTS, *(act for act in fault.often for _ in range(len(ACTS) // 4))]
    with planted(fault):
        seed, trail, found = await _search(app, acts, figures, fault.seed)
    assert found is not None, f"not found in {figures}: {fault.plant.__doc__}"
    record_property("oracle", str(figures))
    told = str(found)
    for part in ("actor:", "about:", "expected:", "got:", "steps so far:"):
        assert part in told
    # It was the fault that was found: without it the same steps lead to no disagreement.
    assert await _walk(app, seed, trail) is None


async def _search(
    app: Any, acts: list[str], figures: Figures, first: int
) -> tuple[int, Trail, Mismatch | None]:
    """The first disagreement, and what led to it."""
    trail: Trail = []
    for seed in range(first, first + WORLDS):
        rng = random.Random(seed)
        steps = [(rng.choice(acts), rng.randrange(2**20)) for _ in range(STEPS)]
        trail = []
        found = await _walk(app, seed, steps, figures, trail)
        if found is not None:
            return seed, trail, found
    return first, trail, None


async def _walk(
    app: Any, seed: int, steps: Trail, figures: Figures | None = None, done: Trail | None = None
) -> Mismatch | None:
    """Takes steps in a new world, and notes in `done` those that were taken."""
    try:
        machine = await Machine.create(app, figures or Figures(), seed)
        for act, number in steps:
            if done is not None:
                done.append((act, number))
            await machine.step(act, number)
    except Mismatch as found:
        return found
    except NextDay:
        pass
    return None
