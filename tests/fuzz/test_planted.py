"""A run finds the faults that are planted, each by the check that is there for it: it can fail."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import prepare
from tests.fuzz.planted import FAULTS, MAKING
from tests.fuzz.running import DOCUMENT, run
from tests.fuzz.staging import staged


def named() -> list[str]:
    """The ids of the operations that are run."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    places = (label.lower().split(" ") for label in FAULTS)
    return [*MAKING, *(paths[path][method]["operationId"] for method, path in places)]


def test_planted_faults_are_found(tmp_path: Path) -> None:
    """On one database: what is planted stands before it."""
    url = f"sqlite:///{tmp_path / 'tandem.db'}"
    prepare(url)
    others: dict[str, Any] = {"exclude-operation-id": named(), "enabled": False}
    bounds = {
        "generation": {"max-examples": 20, "deterministic": True},
        "phases": {
            "stateful": {"generation": {"max-examples": 10}},
        },
    }
    with staged(url, tmp_path, "tests.fuzz.planted") as world:
        told = {**world.told, "operations": [*world.told["operations"], others]}
        outcome = run(world.server.base, {**told, **bounds}, world.callers())
    assert outcome.operations == len(FAULTS) + len(MAKING)
    found = {(operation, check) for operation, check, _ in outcome.findings}
    assert set(FAULTS.items()) <= found, outcome.findings
    assert {operation for operation, _ in found} == set(FAULTS), outcome.findings
