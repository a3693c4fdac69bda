"""What the oracle has done, at the end of a run of this folder (elsewhere: in the JUnit report)."""

from typing import Any

import pytest

from app.jobs import retention


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = {
        f"oracle: {report.nodeid.rpartition('::')[2]}: {value}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == "oracle"
    }
    for line in sorted(lines):
        terminalreporter.write_line(line)


@pytest.fixture
def no_sweep_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep comes as a step, at a known moment, and not by the clock."""

    async def quiet(*_: Any) -> None:
        pass

    monkeypatch.setattr(retention, "sweep", quiet)
