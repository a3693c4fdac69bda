"""The oracle sees: each fault that is planted in the policy is found, within few worlds."""

import random
from typing import Any

import pytest

from tests.oracle.faults import FAULTS, planted
from tests.oracle.machine import ACTS, Machine
from tests.oracle.service import Figures, Mismatch, NextDay

pytestmark = pytest.mark.anyio

WORLDS = 25
STEPS = 40


@pytest.mark.usefixtures("no_sweep_of_its_own")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", FAULTS)
async def test_oracle_finds_a_fault_in_the_policy(
    app: Any, name: str, record_property: Any
) -> None:
    fault, figures = FAULTS[name], Figures()
    acts = [*ACTS, *(act for act in fault.often for _ in range(len(ACTS) // 4))]
    with planted(fault):
        found = await _search(app, acts, figures)
    assert found is not None, f"not found in {figures}: {fault.plant.__doc__}"
    record_property("oracle", str(figures))
    told = str(found)
    for part in ("actor:", "about:", "expected:", "got:", "steps so far:"):
        assert part in told


async def _search(app: Any, acts: list[str], figures: Figures) -> Mismatch | None:
    for world in range(WORLDS):
        rng = random.Random(world)
        try:
            machine = await Machine.create(app, figures, world)
            for _ in range(STEPS):
                await machine.step(rng.choice(acts), rng.randrange(2**20))
        except Mismatch as found:
            return found
        except NextDay:
            continue
    return None


@pytest.mark.usefixtures("no_sweep_of_its_own")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_oracle_finds_nothing_where_no_fault_is(app: Any) -> None:
    assert await _search_few(app) is None


async def _search_few(app: Any) -> Mismatch | None:
    """As many steps as the faults are found in, without one: the faults are what was found."""
    figures = Figures()
    rng = random.Random(7)
    try:
        machine = await Machine.create(app, figures, 7)
        for _ in range(STEPS):
            await machine.step(rng.choice(ACTS), rng.randrange(2**20))
    except Mismatch as found:
        return found
    return None
