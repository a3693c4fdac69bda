"""Who sees what: random worlds, in which the service answers as the oracle of the rules says.

`TANDEM_ORACLE_STEPS` says how many steps on each database; `TANDEM_ORACLE_RANDOM=1` takes other worlds
in each run. A disagreement is cut down to few steps and told in full.
"""

import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from anyio.pytest_plugin import get_runner
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.access.records import RECORDS
from tests.oracle.comparing import check_registry
from tests.oracle.machine import ACTS, Machine, cut_down
from tests.oracle.service import Figures, Mismatch, NextDay

STEPS = {"sqlite": 1200, "postgresql": 800}
IN_A_WORLD = 80
"""Steps on each database, and those of one world: more would find all agreements at an end."""
RANDOM = os.environ.get("TANDEM_ORACLE_RANDOM", "") == "1"

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def in_loop(app: Any) -> Iterator[Run]:
    """Runs a coroutine in the loop of the application: the state machine itself is synchronous."""
    with get_runner("asyncio", {}) as runner:

        def run(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
            found: list[Any] = []

            async def call() -> None:
                found.append(await function())

            runner.run_test(call, {})
            return found[0]

        yield run


ATTEMPTS = int(os.environ.get("TANDEM_ORACLE_ATTEMPTS", "60"))
"""How often a disagreement is tried again with fewer steps."""


def machine_of(
    app: Any, run: Run, figures: Figures, failed: list[Any]
) -> type[RuleBasedStateMachine]:
    """A machine for one application; a rule is what somebody does, and a seed for all its choices."""

    class Worlds(RuleBasedStateMachine):
        machine: Machine | None = None

        @initialize(seed=st.integers(0, 2**20))
        def begin(self, seed: int) -> None:
            failed[:] = [seed]
            self.machine = run(lambda: Machine.create(app, figures, seed))

        @rule(act=st.sampled_from(ACTS), seed=st.integers(0, 2**20))
        def step(self, act: str, seed: int) -> None:
            # Every other step tries what has not happened in this run yet: some acts wait for others.
            missing = sorted(set(ACTS) - set(figures.acts))
            if missing and seed % 2:
                act = missing[seed % len(missing)]
            self._do(lambda machine: machine.step(act, seed))

        def teardown(self) -> None:
            if self.machine is not None:
                self._do(lambda machine: machine.finish())

        def _do(self, what: Callable[[Machine], Coroutine[Any, Any, None]]) -> None:
            machine, self.machine = self.machine, None
            if machine is None:
                return  # the day has changed, or it has failed
            try:
                run(lambda: what(machine))
            except NextDay:
                return
            except Mismatch:
                failed[:] = [machine.seed, *machine.trail]
                raise
            self.machine = machine

    return Worlds


@pytest.mark.usefixtures("no_sweep_of_its_own")
def test_oracle_and_service_agree_for_everybody_after_each_step(
    app: Any, backend: str, in_loop: Run, record_property: Callable[[str, object], None]
) -> None:
    steps = int(os.environ.get("TANDEM_ORACLE_STEPS", STEPS[backend]))
    worlds = max(1, steps // IN_A_WORLD)
    figures, failed = Figures(), list[Any]()
    try:
        run_state_machine_as_test(
            machine_of(app, in_loop, figures, failed),
            settings=settings(
                max_examples=worlds,
                stateful_step_count=IN_A_WORLD,
                derandomize=not RANDOM,
                database=None,
                deadline=None,
                print_blob=False,
                # Cutting down is ours: it knows what a step is, and when to stop.
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Mismatch as found:
        smallest = found
        raise in_loop(lambda: cut_down(app, failed[0], failed[1:], smallest, ATTEMPTS)) from None
    finally:
        record_property("oracle", str(figures))
    assert figures.steps >= worlds * IN_A_WORLD * 0.9
    assert set(figures.kinds) == {resource.kind for resource in RECORDS.values()}
    if steps >= STEPS[backend]:
        assert set(figures.acts) == set(ACTS), "an act that nobody ever does says nothing"


def test_oracle_knows_every_kind_of_record() -> None:
    check_registry()
