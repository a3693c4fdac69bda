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
        """Rows of a select; TimeoutError, or one of GONE, when there are none in `patience` seconds."""
        deadline = asyncio.get_running_loop().time() + patience
        if self._turns.locked():
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            return await self._rows(query, values, deadline)
        finally:
            self._turns.release()

    async def _rows(self, query: Query, values: Mapping[str, Any], deadline: float) -> list[Any]:
        while self._idle:
            connection = self._idle.pop()
            # It may have died while idle: a read can be asked again on another.
            with contextlib.suppress(*GONE):
                return await self._read(connection, query, values, deadline)
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeoutError
        connection = await asyncpg.connect(
            self._dsn, timeout=left, server_settings=self._settings, **KEEP_STATEMENTS
        )
        return await self._read(connection, query, values, deadline)

    async def _read(
        self, connection: Any, query: Query, values: Mapping[str, Any], deadline: float
    ) -> list[Any]:
        driver = PostgresqlDriver(connection, self._dialect)
        driver.end_in(deadline - asyncio.get_running_loop().time())
        try:
            rows = await driver.rows(query, values)
        except BaseException:
            # Whatever it was, the connection may be in the middle of something.
            connection.terminate()
            raise
        finally:
            driver.end_in(None)
        self._idle.append(connection)
        return rows

    async def close(self) -> None:
        """Closes what is open."""
        while self._idle:
            with contextlib.suppress(*GONE):
                await self._idle.pop().close(timeout=2)
