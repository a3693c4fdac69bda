"""Reads the table: one row for an operation and a record, one expected status for an actor."""

from typing import NamedTuple

from tests.proof.table import GROUPS, TABLE

ACTORS = (
    "anonymous", "learner", "fellow", "coach", "tutor", "former", "newcomer", "head", "other_head",
    "administrator", "operator", "second", "opener", "lead", "member", "reader", "client",
    "network_client", "disabled_client", "stranger",
)  # fmt: skip
"""newcomer: asked to join by an amendment; reader: somebody with whom a record is shared by name;
second: another of the operator's administrators; opener: the same, under the opening `open`; lead and
member: of the network; client, disabled_client: of the school."""


class Row(NamedTuple):
    """One line of the table."""

    method: str
    path: str
    record: str
    expected: dict[str, str]

    @property
    def operation(self) -> str:
        """As the OpenAPI document names it."""
        return f"{self.method} {self.path}"

    def __str__(self) -> str:
        return f"{self.operation} [{self.record}]"


def _statuses(record: str, cells: str) -> dict[str, str]:
    expected: dict[str, str] = {}
    rest = None
    for cell in cells.split("|"):
        status, *names = cell.split()
        for name in names:
            if name == "rest":
                rest = status
            for actor in GROUPS.get(name, name).split():
                assert actor in (*ACTORS, "rest"), f"{record}: nobody is called {actor}"
                # A group after one of its own names only those who are left.
                expected.setdefault(actor, status)
    expected.pop("rest", None)
    expected.setdefault("anonymous", "401")
    for actor in ACTORS:
        if actor not in expected:
            assert rest is not None, f"{record}: nothing is said of {actor}"
            expected[actor] = rest
    return expected


def rows() -> list[Row]:
    """The table, line by line."""
    found, operation = [], ""
    for line in TABLE.splitlines():
        if line.startswith(" "):
            record, _, cells = line.strip().partition(" ")
            method, path = operation.split()
            found.append(Row(method, path, record, _statuses(line, cells)))
        elif line:
            operation = line
    return found


ROWS = rows()
