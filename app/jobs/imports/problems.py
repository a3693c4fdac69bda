"""What is wrong with a file: collected, so that it can be put right in one go."""

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to put right: where (line of the file, column) and what to do."""

    line: int
    column: str | None
    text: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.column is None else f"line {self.line}, {self.column}"
        return f"{where}: {self.text}"


class Refused(Exception):
    """The file cannot be imported as it is; nothing was written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        count = len(self.problems)
        super().__init__("1 problem" if count == 1 else f"{count} problems")
