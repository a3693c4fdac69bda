"""Requests that leave nothing behind, and the statements that they run.

A write is answered as always, but where it would commit it is rolled back: so every cell of the
matrix meets the same scene, and a success can be asked for by everybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from app.core.db import Database, Unit
from app.core.drivers import PostgresqlDriver, SqliteDriver

_unmade: ContextVar[bool] = ContextVar("unmade", default=False)
_seen: ContextVar[list[str] | None] = ContextVar("seen", default=None)
"""Of this task alone: the application's own sweep goes on beside it, and is left alone."""


def _note(statement: str) -> None:
    seen = _seen.get()
    if seen is not None:
        seen.append(statement)


@contextmanager
def unmade() -> Iterator[None]:
    """Within, no request changes anything."""
    commit = Unit.commit

    async def roll_back(self: Unit) -> None:
        if not _unmade.get():
            await commit(self)
        elif self._driver is not None:
            await self.flush()
            await self._driver.command("ROLLBACK")
            await self._release(sound=True)

    before = _unmade.set(True)
    try:
        with patch.object(Unit, "commit", roll_back):
            yield
    finally:
        _unmade.reset(before)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Within, the text of each statement is appended to the list, whichever way it is run."""
    seen: list[str] = []
    before = _seen.set(seen)

    def rows(kind: Any, name: str) -> Any:
        original = getattr(kind, name)

        async def spied(self: Any, query: Any, values: Any) -> Any:
            _note(query.plan(self.dialect).sql)
            return await original(self, query, values)

        return patch.object(kind, name, spied)

    def words(kind: Any, name: str) -> Any:
        original = getattr(kind, name)

        async def spied(self: Any, text: str) -> Any:
            # The name of a lock holds the id that it is for.
            _note(text if name == "command" else name)
            return await original(self, text)

        return patch.object(kind, name, spied)

    def through_engine(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        _note(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", through_engine)
    try:
        with (
            rows(SqliteDriver, "rows"),
            rows(SqliteDriver, "long_rows"),
            words(SqliteDriver, "command"),
            rows(PostgresqlDriver, "rows"),
            words(PostgresqlDriver, "command"),
            words(Unit, "try_lock"),
        ):
            yield seen
    finally:
        event.remove(engine, "before_cursor_execute", through_engine)
        _seen.reset(before)
