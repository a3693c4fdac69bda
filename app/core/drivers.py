"""The two drivers, with the little that Tandem asks of a connection, and what their errors mean."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import asyncpg
import structlog
from sqlalchemy import Dialect, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm.exc import StaleDataError

from app.core.errors import Conflict, Problem, Unavailable
from app.core.query import Query, arguments

log = structlog.get_logger()

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # A statement is sent on a connection that is being lost at this very moment.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    # A standby that has not taken over yet.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresIOError,
    OSError,
    TimeoutError,
)
"""What the drivers raise when the database is away."""


class Driver(Protocol):
    """A connection of either database, with the little that Tandem asks of it."""

    async def begin(self, seconds: float) -> None:
        """Opens a transaction for writing, or says within so many seconds why not."""
        ...

    def end_in(self, seconds: float | None) -> None:
        """Breaks the connection off in so many seconds, whatever waits for it; None: not at all.

        A server that is frozen, or behind a line that is cut, says nothing: nobody waits for it.
        """
        ...

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Runs a compiled statement and returns its rows."""
        ...

    async def long_rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """As `rows`, for a statement that may take over 20 ms: the loop does not wait for it."""
        ...

    async def command(self, sql: str) -> None:
        """Runs SQL that has neither parameters nor rows."""
        ...


class SqliteDriver:
    """sqlite3: a statement runs on the loop, in microseconds."""

    def __init__(self, connection: sqlite3.Connection, dialect: Dialect) -> None:
        self.connection, self.dialect = connection, dialect

    async def begin(self, seconds: float) -> None:
        """Waits for another process's write without stopping this one's loop."""
        deadline = asyncio.get_running_loop().time() + seconds
        pause = 0.002
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    def end_in(self, seconds: float | None) -> None:
        """Nothing waits for a server here."""

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Rows of a compiled statement."""
        plan = query.plan(self.dialect)
        cursor = self.connection.execute(plan.sql, arguments(plan, values))
        return cursor.fetchall()

    async def long_rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Rows of a compiled statement, run in a worker thread."""
        plan = query.plan(self.dialect)
        given = arguments(plan, values)
        return await asyncio.to_thread(lambda: self.connection.execute(plan.sql, given).fetchall())

    async def command(self, sql: str) -> None:
        """Runs SQL without parameters or rows."""
        self.connection.execute(sql)


class PostgresqlDriver:
    """asyncpg."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection, self.dialect = connection, dialect
        self._end: asyncio.TimerHandle | None = None

    async def begin(self, seconds: float) -> None:
        """BEGIN; a server that says nothing in time is gone."""
        self.end_in(seconds)
        await self.command("BEGIN")
        self.end_in(None)

    def end_in(self, seconds: float | None) -> None:
        """Whoever waits for the connection then is told that it was closed."""
        if self._end is not None:
            self._end.cancel()
        loop = asyncio.get_running_loop()
        self._end = None if seconds is None else loop.call_later(seconds, self.connection.terminate)

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Rows of a compiled statement."""
        plan = query.plan(self.dialect)
        result: list[Any] = await self.connection.fetch(plan.sql, *arguments(plan, values))
        return result

    async def long_rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """The server works, not the loop."""
        return await self.rows(query, values)

    async def command(self, sql: str) -> None:
        """Runs SQL without parameters or rows."""
        await self.connection.execute(sql)


CROSSED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""Two writes stood in each other's way, and the database let one of them go."""

# Actions check first and name the field; this answers two writers who checked in the same moment.
_TAKEN = Conflict("Another record holds that identifier, or one that this names is gone.")


_BUSY = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL)
)
_NO_ROOM = frozenset((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY))


def meaning(error: BaseException | None) -> Problem | None:
    """What an error of a driver, or SQLAlchemy's wrapping of one, means; None for our own mistakes."""
    if isinstance(error, StaleDataError):
        return Conflict("Somebody else changed the record in the same moment.")
    if isinstance(
        error, (IntegrityError, sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
    ):
        return _TAKEN
    if isinstance(error, CROSSED):
        return Unavailable("Another write was in the way.")
    if isinstance(error, sqlite3.Error):
        # The extended codes of SQLite have the plain one in their last byte.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            return Unavailable("The database is busy.")
        return Unavailable("The database cannot write.") if code in _NO_ROOM else None
    if isinstance(error, DBAPIError):
        # SQLAlchemy's own errors of asyncpg have the driver's as their cause.
        found = meaning(error.orig) or meaning(getattr(error.orig, "__cause__", None))
        if found is not None or not error.connection_invalidated:
            return found
        return Unavailable(_AWAY)
    return Unavailable(_AWAY) if isinstance(error, GONE) else None


_AWAY = "The database does not answer."


def refusal(error: BaseException | None) -> Problem | None:
    """As `meaning`; that the database is away is noted for who runs the service."""
    problem = meaning(error)
    if isinstance(problem, Unavailable):
        # Never what was asked: a statement's values are somebody's record.
        log.warning("database_unavailable", kind=type(error).__name__, said=problem.detail)
    return problem


def tell(engine: AsyncEngine) -> None:
    """Has the errors of ORM statements, and of new connections, told as those of the drivers are."""

    def told(met: ExceptionContext) -> Problem | None:
        return refusal(met.sqlalchemy_exception or met.original_exception)

    event.listen(engine.sync_engine, "handle_error", told)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns what a driver says when its database is busy, full or away into a 503, and what it says
    of two writers into a 409."""
    try:
        yield
    except (*GONE, asyncpg.PostgresError, sqlite3.Error, DBAPIError, StaleDataError) as error:
        problem = refusal(error)
        if problem is None:
            raise
        raise problem from error
