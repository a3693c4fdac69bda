"""schemathesis against a live server on each database: every phase, every check, and nothing is found.

Bounded and always the same here; `make acceptance` sets TANDEM_FUZZ_SECONDS, and then it goes on for so long on
each database, with other requests all the time. What is narrowed stands in `narrowed.py`.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from schemathesis.checks import CHECKS, load_all_checks

from tests.fuzz.running import PHASES, Outcome, document, run
from tests.fuzz.staging import Staged, staged

SECONDS = int(os.environ.get("TANDEM_FUZZ_SECONDS", "0"))
"""For how long on each database; 0: the bounded run."""

EXAMPLES, SCENARIOS = 8, 40
"""In the bounded run: requests for each operation, and chains of requests."""

OTHERS = ("client", "coach")
"""Who sends the documented examples, beside those who may do most."""

BUILT_IN = 14
"""Checks that schemathesis has; one more is a reason to look at what it does."""

SECRET = {
    "/oauth/": "the client's secret",
    "/v1/me/address-changes": "the password",
    "/v1/me/password": "the password",
    "/v1/me/recovery-codes": "an app that is set up",
    "/v1/me/second-factors/{second_factor_id}/": "the code that the app shows",
    "/v1/me/identity-links": "an account at a provider",
    "/v1/me/joins/completion": "what another record of the same person was answered",
    "/v1/me/consents/": "a page where something was allowed",
    "/v1/me/anonymisation": "what the first step answers, and no agreement in force",
    "/v1/people/{person_id}/anonymisation": "what the first step answers, and no affiliation",
}
"""What requests of chance cannot have; of these operations only the refusals are seen here."""


@pytest.fixture
def world(fresh_url: str, tmp_path: Path) -> Iterator[Staged]:
    with staged(fresh_url, tmp_path) as found:
        yield found


def bounds(fuzzing: int, stateful: int) -> dict[str, Any]:
    return {
        "generation": {"max-examples": fuzzing, "deterministic": not SECONDS},
        "phases": {"stateful": {"generation": {"max-examples": stateful}}},
    }


def _covered_elsewhere(backend: str) -> dict[str, Any]:
    """In the bounded run each database covers the bounds of every other operation: what is refused for its shape
    comes to no database. All other phases, and the long run, have every operation on both."""
    ids = sorted(o["operationId"] for path in document()["paths"].values() for o in path.values())
    others = ids[backend == "postgresql" :: 2]
    return {"include-operation-id": others, "phases": {"coverage": {"enabled": False}}}


def found_nothing(outcome: Outcome) -> None:
    findings = [
        f"{operation}: {check}: {cause}\n{shown}"
        for (operation, check, cause), shown in sorted(outcome.findings.items())
    ]
    assert not findings, "\n\n".join([f"{len(findings)} findings", *findings])


def test_nothing_is_found(
    world: Staged, backend: str, record_property: Callable[[str, object], None]
) -> None:
    configured = bounds(EXAMPLES, SCENARIOS)
    told = world.told
    if not SECONDS:
        told = {**told, "operations": [*told["operations"], _covered_elsewhere(backend)]}
    if SECONDS:
        configured |= {"max-time": SECONDS, "seed": int(time.time())}
        record_property("seed", configured["seed"])
        print(f"seed {configured['seed']}")
    outcome = run(world.server.base, {**told, **configured}, world.callers())
    _tell(f"fuzzing on {backend}", outcome, record_property)
    assert not outcome.broken
    assert set(PHASES) <= set(outcome.cases)
    assert all(outcome.cases[phase] > 50 for phase in PHASES), outcome.told()
    load_all_checks()
    assert set(outcome.checks) == set(CHECKS.get_all_names())
    assert len(outcome.checks) == BUILT_IN
    found_nothing(outcome)
    _reaches_rows(outcome)


def _reaches_rows(outcome: Outcome) -> None:
    """Five of six operations that chance can do succeed at least once: else the world is too small, or the
    narrowing too wide."""
    possible = {
        label: answers
        for label, answers in outcome.answers.items()
        if not label.partition(" ")[2].startswith(tuple(SECRET))
    }
    silent = [
        label for label, answers in possible.items() if not any(status < 400 for status in answers)
    ]
    assert len(outcome.answers) == outcome.operations
    assert len(silent) * 6 < len(possible), "\n".join(sorted(silent))


def test_nothing_is_found_by_others(
    world: Staged, backend: str, record_property: Callable[[str, object], None]
) -> None:
    for who in OTHERS:
        configured = bounds(EXAMPLES, SCENARIOS)
        configured["phases"] |= {
            "coverage": {"enabled": False},
            # In the bounded run there is no time for more.
            "fuzzing": {"enabled": bool(SECONDS)},
            "stateful": {"enabled": False},
        }
        outcome = run(world.server.base, {**world.told, **configured}, world.callers(who))
        _tell(f"fuzzing on {backend} by the {who}", outcome, record_property)
        found_nothing(outcome)


def _tell(name: str, outcome: Outcome, record_property: Callable[[str, object], None]) -> None:
    record_property(name, outcome.told())
    for phase, count in outcome.cases.items():
        record_property(f"{name}: {phase}", count)
    print(f"{name}: {outcome.told()}")
