"""Requests that leave nothing behind, and the statements that they run.

A write is answered as always, but where it would commit it is rolled back: so every cell of the
matrix meets the same scene, and a success can be asked for by everybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from app.core.db import Database, Unit
from app.core.drivers import PostgresqlDriver, SqliteDriver


async def _roll_back(self: Unit) -> None:
    if self._driver is not None:
        await self.flush()
        await self._driver.command("ROLLBACK")
        await self._release(sound=True)


@contextmanager
def unmade() -> Iterator[None]:
    """Within, no request changes anything."""
    with patch.object(Unit, "commit", _roll_back):
        yield


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Within, the text of each statement is appended to the list, whichever way it is run."""
    seen: list[str] = []

    def rows(kind: Any, name: str) -> Any:
        original = getattr(kind, name)

        async def spied(self: Any, query: Any, values: Any) -> Any:
            seen.append(query.plan(self.dialect).sql)
            return await original(self, query, values)

        return patch.object(kind, name, spied)

    def words(kind: Any, name: str) -> Any:
        original = getattr(kind, name)

        async def spied(self: Any, text: str) -> Any:
            # The name of a lock holds the id that it is for.
            seen.append(text if name == "command" else name)
            return await original(self, text)

        return patch.object(kind, name, spied)

    def through_engine(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

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
