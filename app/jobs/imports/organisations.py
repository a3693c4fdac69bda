"""Imports organisations from a CSV file: checked as a whole first, then written at one go."""

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from app.access.health import schema_of
from app.actions.organisations import batch_of, import_organisations
from app.core import journal
from app.core.db import SCHEMA, Database
from app.core.errors import Conflict, Unavailable
from app.jobs.imports.cells import Reader, Row
from app.jobs.imports.mapping import Mapping
from app.jobs.imports.plan import Plan, check_within
from app.jobs.imports.problems import Problem, Refused
from app.jobs.imports.table import Table

ATTEMPTS = 3
OUTCOMES = ("created", "changed", "unchanged")

Progress = Callable[[str, int, int | None], None]
"""Told of a stage, how many rows it has behind it, and of how many where that is known."""


class Summary(NamedTuple):
    """What an import did, or would do."""

    counts: Counter[tuple[str, str]]
    """By kind and outcome."""

    def lines(self) -> list[str]:
        """The counts in words: of all, then of each kind."""
        kinds = sorted({kind for kind, _ in self.counts})
        width = max(map(len, kinds), default=0)
        return [self._line(kinds), *(f"  {kind:<{width}}  {self._line([kind])}" for kind in kinds)]

    def _line(self, kinds: list[str]) -> str:
        return ", ".join(
            f"{sum(self.counts[kind, outcome] for kind in kinds)} {outcome}" for outcome in OUTCOMES
        )


def _unheard(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


async def import_file(
    database: Database,
    path: Path,
    mapping: Mapping,
    *,
    dry_run: bool = False,
    progress: Progress = _unheard,
) -> Summary:
    """Creates and changes what the file says, or nothing at all.

    Refused lists what is wrong with the file; Unavailable and Conflict say why the database would
    not take it.
    """
    schema = await schema_of(database)
    if schema != SCHEMA:
        raise Unavailable(
            "The database is empty: run tandem migrate first."
            if schema is None
            else f"The database has the schema {schema}, this is for {SCHEMA}: run tandem migrate."
        )
    with _without_collecting():
        return await _import(database, path, mapping, dry_run, progress)


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Hundreds of thousands of rows and no circles: looking for garbage would take a third more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


async def _import(
    database: Database, path: Path, mapping: Mapping, dry_run: bool, progress: Progress
) -> Summary:
    problems: list[Problem] = []
    reader = Reader(mapping, problems)
    rows: list[Row] = []
    for row in reader.rows(Table(path, mapping.delimiter, problems)):
        rows.append(row)
        if len(rows) % 2000 == 0:
            progress("Reading", len(rows), None)
            await asyncio.sleep(0)  # a place where Ctrl-C can end it
    problems += check_within(mapping, rows)
    for attempt in range(ATTEMPTS):
        try:
            return await _attempt(database, mapping, reader, rows, problems, dry_run, progress)
        except Conflict:
            # Somebody wrote between our reading and our writing: look again at what is there now.
            if attempt + 1 == ATTEMPTS:
                raise
        await asyncio.sleep(0.2)
    raise AssertionError("the last attempt returns or raises")


async def _attempt(
    database: Database,
    mapping: Mapping,
    reader: Reader,
    rows: list[Row],
    problems: list[Problem],
    dry_run: bool,
    progress: Progress,
) -> Summary:
    plan = Plan(mapping, reader)
    async with database.work() as unit:
        progress("Comparing", 0, None)
        await plan.make(unit, rows)
        if problems or plan.problems:
            raise Refused([*problems, *plan.problems])
        if not dry_run and (plan.created or plan.changed):
            batch = batch_of(
                database.dialect,
                actor=journal.COMMAND_LINE,
                created=plan.created,
                changed=plan.changed,
            )
            await import_organisations(
                unit, batch, advance=lambda done: progress("Writing", done, batch.size)
            )
    return Summary(plan.counts)
