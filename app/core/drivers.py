"""The two drivers, with the little that Tandem asks of a connection, and what their errors mean."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.orm.exc import StaleDataError

from app.core.errors import Conflict, Unavailable
from app.core.query import Query, arguments

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    OSError,
    TimeoutError,
    InterfaceError,
)
"""What the drivers raise when the database is away."""


class Driver(Protocol):
    """A connection of either database, with the little that Tandem asks of it."""

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


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns what a driver says when its database is busy or away into a 503."""
    try:
        yield
    except GONE as error:
        raise Unavailable("The database does not answer.") from error
    except CROSSED as error:
        raise Unavailable("Another write was in the way.") from error
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error) or "unable to open" in str(error):
            raise Unavailable("The database is busy.") from error
        raise
    except (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError) as error:
        raise _TAKEN from error
    except IntegrityError as error:
        raise _TAKEN from error
    except StaleDataError as error:
        raise Conflict("Somebody else changed the record in the same moment.") from error
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None)
        if isinstance(error.orig, CROSSED) or isinstance(cause, CROSSED):
            raise Unavailable("Another write was in the way.") from error
        if error.connection_invalidated or isinstance(error.orig, GONE):
            raise Unavailable("The database does not answer.") from error
        raise
