"""Connections for reading PostgreSQL: a few, kept open, each used by one request at a time.

asyncpg's own pool costs as much as a short query: it wraps each connection anew, asks the server to
reset it and puts a task around each wait.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy import Dialect

from app.core.drivers import GONE, PostgresqlDriver
from app.core.query import Query

KEEP_STATEMENTS = {"statement_cache_size": 500, "max_cacheable_statement_size": 0}
"""What asyncpg keeps prepared: without the second it forgets whatever is longer than 15 KB, which is
every read of a record by a person, and the server plans it at each call."""


class Readers:
    """At most `size` connections to `dsn`; a reader waits for its turn, in order."""

    def __init__(
        self, dsn: str, dialect: Dialect, *, size: int, settings: Mapping[str, str]
    ) -> None:
        self._dsn, self._dialect, self._settings = dsn, dialect, dict(settings)
        self._turns = asyncio.Semaphore(size)
        self._idle: list[Any] = []

    async def rows(self, query: Query, values: Mapping[str, Any], *, patience: float) -> list[Any]:
        """Rows of a select; TimeoutError when no connection comes free in `patience` seconds."""
        if self._turns.locked():
            async with asyncio.timeout(patience):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            return await self._rows(query, values)
        finally:
            self._turns.release()

    async def _rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        while self._idle:
            connection = self._idle.pop()
            # It may have died while idle: a read can be asked again on another.
            with contextlib.suppress(*GONE):
                return await self._read(connection, query, values)
        connection = await asyncpg.connect(
            self._dsn, timeout=4, server_settings=self._settings, **KEEP_STATEMENTS
        )
        return await self._read(connection, query, values)

    async def _read(self, connection: Any, query: Query, values: Mapping[str, Any]) -> list[Any]:
        try:
            rows = await PostgresqlDriver(connection, self._dialect).rows(query, values)
        except BaseException:
            # Whatever it was, the connection may be in the middle of something.
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    async def close(self) -> None:
        """Closes what is open."""
        while self._idle:
            with contextlib.suppress(*GONE):
                await self._idle.pop().close(timeout=2)
