"""Lets schemathesis run against a live server, and tells what it sent and what it found."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import schemathesis.openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from tests.fuzz.callers import Callers
from tests.fuzz.narrowed import CHECKS, filter_failure

DOCUMENT = Path(__file__).parents[2] / "openapi" / "openapi.json"
SEED = 20260907
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@cache
def _document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def document() -> dict[str, Any]:
    """The committed document. schemathesis takes no credentials away from an OAuth scheme, so for it the scheme
    is what it comes to at each operation: a bearer token."""
    found: dict[str, Any] = json.loads(_document())
    schemes = found["components"]["securitySchemes"]
    # Where tokens are granted is still to be seen: there what nobody has been given is refused with 400.
    schemes["granting"] = schemes["tandem"]
    schemes["tandem"] = {"type": "http", "scheme": "bearer"}
    return found


@dataclass
class Outcome:
    """What a run sent and found."""

    operations: int = 0
    cases: Counter[str] = field(default_factory=Counter)
    """By phase."""
    seconds: Counter[str] = field(default_factory=Counter)
    """By phase."""
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    """Statuses, by operation."""
    checks: Counter[str] = field(default_factory=Counter)
    """How often each check judged."""
    findings: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """By operation, check and title: an example of each."""
    broken: list[str] = field(default_factory=list)
    """Phases that did not run, and errors of schemathesis' own."""

    def note(self, phase: str, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            self.cases[phase] += 1
            if interaction.response is not None:
                label = recorder.cases[case_id].value.operation.label
                self.answers.setdefault(label, Counter())[interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    label = recorder.cases[case_id].value.operation.label
                    answer = recorder.interactions[case_id].response
                    shown = answer.text[:600] if answer is not None else ""
                    sent = check.failure_info.code_sample[:1500]
                    said = f"[{phase}] {failure.message[:1200]}\n{sent}\n{answer and answer.status_code} {shown}"
                    self.findings.setdefault((label, check.name, _cause(failure, answer)), said)

    def told(self) -> str:
        parts = (f"{n}: {self.cases[n]} cases, {self.seconds[n]:.0f} s" for n in self.seconds)
        return f"{self.operations} operations; " + "; ".join(parts)


def _cause(failure: Failure, answer: Response | None) -> str:
    """What tells two findings of one check on one operation apart."""
    try:
        problem = answer.json() if answer is not None else None
    except ValueError:
        problem = None
    if isinstance(problem, dict) and answer is not None and answer.status_code >= 400:
        errors = [{k: v[:80] for k, v in e.items()} for e in problem.get("errors") or ()]
        return f"{answer.status_code} {problem.get('type')} {errors[:3]}"
    return failure.message.rpartition("Invalid component")[2][:200]


def run(base: str, configured: dict[str, Any], callers: Callers) -> Outcome:
    """One run through all phases."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": base,
            "cache": {"enabled": False},
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "checks": CHECKS,
            **configured,
        }
    )
    schema = schemathesis.openapi.from_dict(document(), config=config)
    schema.auth.providers.append(callers)
    schema.hooks.hook(filter_failure)
    found = Outcome(operations=schema.statistic.operations.selected)
    begun: dict[str, float] = {}
    # For each request requests would ask the whole environment for a proxy: a tenth of the time.
    with patch.multiple("requests.utils", getproxies=dict, proxy_bypass=lambda host: True):
        for event in from_schema(schema).execute():
            _follow(event, found, begun)
    return found


def _follow(event: events.EngineEvent, found: Outcome, begun: dict[str, float]) -> None:
    if isinstance(event, events.PhaseStarted):
        begun[event.phase.name.value] = time.monotonic()
    elif isinstance(event, events.PhaseFinished):
        name = event.phase.name.value
        found.seconds[name] += time.monotonic() - begun[name]
        # Where time is up in the middle, a phase calls itself skipped.
        skipped = event.status is Status.SKIP and not found.cases[name]
        if (skipped or event.status is Status.ERROR) and name in PHASES:
            found.broken.append(f"{name}: {event.status.value} {event.phase.skip_reason}")
    elif isinstance(event, events.ScenarioFinished):
        found.note(event.phase.value, event.recorder)
    elif isinstance(event, events.NonFatalError):
        found.broken.append(f"{event.label}: {event.info.title} {event.info.message}")
    elif isinstance(event, events.FatalError):
        raise event.exception
