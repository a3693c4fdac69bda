"""A run finds the faults that are planted: it can fail, check by check."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import prepare
from tests.fuzz.planted import FAULTS, WHERE
from tests.fuzz.running import run
from tests.fuzz.staging import Staged, staged


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """One database for all: what is planted is in the server's process."""
    folder = tmp_path_factory.mktemp("planted")
    url = f"sqlite:///{folder / 'tandem.db'}"
    prepare(url)
    with staged(url, folder, "tests.fuzz.planted") as found:
        yield found


def findings(world: Staged, fault: str) -> set[tuple[str, str]]:
    """Operations and checks that find something, while the fault is there."""
    world.server.restart({**world.server.settings, "PLANTED": fault})
    named = [WHERE.get(fault, "read_goal"), "record_goal"]
    others: dict[str, Any] = {"exclude-operation-id": named, "enabled": False}
    told = {**world.told, "operations": [*world.told["operations"], others]}
    bounds = {
        "generation": {"max-examples": 20, "deterministic": True},
        "phases": {"stateful": {"generation": {"max-examples": 10}}},
    }
    outcome = run(world.server.base, {**told, **bounds}, world.callers())
    assert outcome.operations == 2
    return {(operation, check) for operation, check, _ in outcome.findings}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(world: Staged, fault: str) -> None:
    document = json.loads(
        (Path(__file__).parents[2] / "openapi" / "openapi.json").read_text(encoding="utf-8")
    )
    (where,) = (
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] == WHERE.get(fault, "read_goal")
    )
    assert (where, FAULTS[fault]) in findings(world, fault)


def test_without_a_fault_nothing_is_found(world: Staged) -> None:
    assert findings(world, "none") == set()
