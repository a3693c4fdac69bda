"""SQLite through SQLAlchemy's asyncio API, on the event loop itself.

A statement on a local file takes microseconds; handing it to a thread (aiosqlite) costs more than
the statement. See docs/decisions/databases.md.
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, AsyncAdaptedQueuePool, Pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util.concurrency import await_


async def _turn() -> None:
    """Nothing to wait for: tells SQLAlchemy that the driver is awaitable."""


class _Cursor(sqlite3.Cursor):
    server_side = False

    def execute(self, *arguments: Any) -> "_Cursor":
        await_(_turn())
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> "_Cursor":
        await_(_turn())
        return super().executemany(*arguments)

    async def _async_soft_close(self) -> None:
        """The rows are in memory already."""


class LoopConnection(sqlite3.Connection):
    """A connection whose `cursor()` may be used under SQLAlchemy's greenlet."""

    def cursor(self, factory: type[sqlite3.Cursor] | None = None) -> Any:  # type: ignore[override]
        return super().cursor(factory or _Cursor)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """The plain driver's execute: for statements that do not come through SQLAlchemy."""
        return super().cursor(sqlite3.Cursor).execute(*arguments)


def create_private(path: str) -> None:
    """Makes the file, readable by its owner alone, unless it is there; what SQLite puts beside it
    takes over its mode."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


class File:
    """The database's file as it was opened.

    Whoever has it open can go on writing to a file that was moved away or removed: what is
    acknowledged then is lost with it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened = self._found()

    def _found(self) -> tuple[int, int]:
        found = os.stat(self._path)
        return found.st_dev, found.st_ino

    def check(self) -> None:
        """OSError unless the same file is in its place; another one is opened by the next start."""
        if self._found() != self._opened:
            raise OSError(errno.ESTALE, "another file is in the place of the database")


def connect(
    path: str, *, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """A connection as Tandem needs it: explicit transactions, no waiting inside the driver."""
    connection = sqlite3.connect(
        path,
        factory=factory,
        isolation_level=None,
        timeout=0,
        cached_statements=512,
        # Used by one task at a time; a long statement of it runs in a worker thread.
        check_same_thread=False,
    )
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # What is deleted is overwritten: not every build of SQLite does it of itself.
        "secure_delete=ON",
        "cache_size=-32000",
        "temp_store=MEMORY",
    ):
        sqlite3.Connection.execute(connection, f"PRAGMA {pragma}").close()
    return connection


def connect_to_read(path: str) -> sqlite3.Connection:
    """A connection that writes nothing."""
    connection = connect(path)
    connection.execute("PRAGMA query_only=ON").close()
    return connection


class LoopDialect(SQLiteDialect_pysqlite):
    """`sqlite+loop://`."""

    driver = "loop"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def on_connect_url(self, url: URL) -> Callable[[Any], None] | None:
        return None

    def connect(self, *arguments: Any, **named: Any) -> Any:
        return connect(arguments[0], factory=LoopConnection)


registry.register("sqlite.loop", __name__, "LoopDialect")
