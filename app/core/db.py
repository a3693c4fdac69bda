"""The two databases behind one door.

Reads are Core selects, compiled once (`Query`) and run on the driver; outside a write they open no
transaction. A `Unit` is one request: its reads and, from its first write on, its one transaction.
"""

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import asyncpg
from sqlalchemy import BindParameter, Dialect, Executable, Table, bindparam, insert, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler

from app.core import sqlite
from app.core.errors import Conflict, Unavailable
from app.core.postgresql import TextJsonDialect
from app.core.tables import Base

SCHEMA = "0001"
"""The migration that this code was written for; a test holds it to alembic's head."""

BUSY_SECONDS = 5.0

_GONE = (
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


class _Parameter(NamedTuple):
    name: str
    process: Callable[[Any], Any] | None
    constant: bool
    value: Any


class _Plan(NamedTuple):
    sql: str
    parameters: tuple[_Parameter, ...]


class UnscopedError(AssertionError):
    """A statement reads an owned table without coming through `access`."""


def owned_tables(statement: Any) -> set[str]:
    """Names of the owned tables (`info={"access": "owned…"}`) that `statement` reads."""
    return {
        element.name
        for element in visitors.iterate(statement)
        if isinstance(element, Table) and str(element.info.get("access", "")).startswith("owned")
    }


class Query:
    """A statement built at import and compiled once for each database.

    `columns` names the selected columns in order. A select on an owned table must come through
    `access` (`scoped=True`) or say why it need not (`unscoped="…"`).
    """

    def __init__(self, statement: Executable, *, scoped: bool = False, unscoped: str = "") -> None:
        reads = statement.is_select and not scoped and not unscoped
        if reads and (tables := owned_tables(statement)):
            raise UnscopedError(f"this statement reads {sorted(tables)} around app.access")
        self.statement = statement
        self.columns: tuple[str, ...] = (
            tuple(statement.selected_columns.keys())
            if hasattr(statement, "selected_columns")
            else ()
        )
        self._plans: dict[str, _Plan] = {}

    def plan(self, dialect: Dialect) -> _Plan:
        """SQL text and parameters for `dialect`."""
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = self._compile(dialect)
        return plan

    def _compile(self, dialect: Dialect) -> _Plan:
        compiled = self.statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        parameters = []
        for name in compiled.positiontup or ():
            bind: BindParameter[Any] = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            value = bind.effective_value
            if not bind.required and process is not None:
                value = process(value)
            parameters.append(_Parameter(bind.key, process, not bind.required, value))
        return _Plan(str(compiled), tuple(parameters))

    def dicts(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """`rows` by column name."""
        columns = self.columns
        return [dict(zip(columns, row, strict=True)) for row in rows]


def _arguments(plan: _Plan, values: Mapping[str, Any]) -> list[Any]:
    return [
        p.value
        if p.constant
        else (values[p.name] if p.process is None else p.process(values[p.name]))
        for p in plan.parameters
    ]


class Driver(Protocol):
    """A connection of either database, with the little that Tandem asks of it."""

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Runs a compiled statement and returns its rows."""
        ...

    async def command(self, sql: str) -> None:
        """Runs SQL that has neither parameters nor rows."""
        ...


class _SqliteDriver:
    def __init__(self, connection: sqlite3.Connection, dialect: Dialect) -> None:
        self.connection, self.dialect = connection, dialect

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        plan = query.plan(self.dialect)
        cursor = self.connection.execute(plan.sql, _arguments(plan, values))
        return cursor.fetchall()

    async def command(self, sql: str) -> None:
        self.connection.execute(sql)


class _PostgresqlDriver:
    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection, self.dialect = connection, dialect

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        plan = query.plan(self.dialect)
        result: list[Any] = await self.connection.fetch(plan.sql, *_arguments(plan, values))
        return result

    async def command(self, sql: str) -> None:
        await self.connection.execute(sql)


# Actions check first and name the field; this answers two writers who checked in the same moment.
_TAKEN = Conflict("Another record holds that identifier, or one that this names is gone.")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turns what a driver says when its database is busy or away into a 503."""
    try:
        yield
    except _GONE as error:
        raise Unavailable("The database does not answer.") from error
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
        if error.connection_invalidated or isinstance(error.orig, _GONE):
            raise Unavailable("The database does not answer.") from error
        raise


async def _keep(connection: Any) -> None:
    """A reading connection carries no state that would have to be reset."""


class Database:
    """One process's way to its database. `await open()` before use, `await close()` after."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.engine: AsyncEngine
        self._connections = connections
        self._reader: sqlite3.Connection | None = None
        self._readers: asyncpg.Pool[Any] | None = None
        self._writing = asyncio.Lock()
        if self.is_sqlite:
            self._path = parsed.database or ""
            if not self._path or self._path == ":memory:":
                raise ValueError("TANDEM_DATABASE_URL needs a file: sqlite:///path/to/tandem.db")
            self._async_url = parsed.set(drivername="sqlite+loop")
            self.dialect: Dialect = sqlite.LoopDialect(paramstyle="qmark")
        else:
            self._dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
            self._async_url = parsed.set(drivername="postgresql+textjson")
            self.dialect = TextJsonDialect()  # type: ignore[no-untyped-call]

    async def open(self) -> None:
        """Opens the pools; PostgreSQL need not be there yet."""
        options: dict[str, Any] = {
            "pool_size": self._connections,
            "max_overflow": 0,
            "pool_timeout": 5,
        }
        if self.is_sqlite:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_async_engine(self._async_url, **options)
            self._reader = sqlite.connect(self._path)
            sqlite3.Connection.execute(self._reader, "PRAGMA query_only=ON")
        else:
            # Transactions are begun and ended by Unit, in words, so the driver must begin none.
            self.engine = create_async_engine(
                self._async_url,
                isolation_level="AUTOCOMMIT",
                connect_args={"timeout": 4, "server_settings": {"jit": "off"}},
                **options,
            )

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
        if self._reader is not None:
            self._reader.close()
        if self._readers is not None:
            await self._readers.close()

    async def _pool(self) -> "asyncpg.Pool[Any]":
        if self._readers is None:
            # Planning a page's UNION takes longer than running it: plan once for each connection.
            self._readers = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._connections,
                reset=_keep,
                statement_cache_size=500,
                max_inactive_connection_lifetime=300,
                timeout=4,
                server_settings={
                    "jit": "off",
                    "plan_cache_mode": "force_generic_plan",
                    "default_transaction_read_only": "on",
                },
            )
        return self._readers

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Rows of a select, outside any transaction; values are the driver's, in column order."""
        with _translated():
            if self._reader is not None:
                return await _SqliteDriver(self._reader, self.dialect).rows(query, values)
            pool = await self._pool()
            async with pool.acquire(timeout=4) as connection:
                return await _PostgresqlDriver(connection, self.dialect).rows(query, values)

    def unit(self) -> "Unit":
        """A new unit of work."""
        return Unit(self)

    @contextlib.asynccontextmanager
    async def work(self) -> AsyncIterator["Unit"]:
        """A unit of work outside a request: commits at the end, rolls back on an error."""
        unit = self.unit()
        try:
            yield unit
            await unit.commit()
        finally:
            await unit.close()


_inserts: dict[type[Base], tuple[Query, tuple[str, ...]]] = {}


def _insert_of(kind: type[Base]) -> tuple[Query, tuple[str, ...]]:
    if kind not in _inserts:
        table: Any = inspect(kind).local_table
        keys = tuple(column.key for column in table.columns)
        named = {c.key: bindparam(c.key, type_=c.type, required=True) for c in table.columns}
        statement = insert(table).values(named)
        _inserts[kind] = (Query(statement), keys)
    return _inserts[kind]


class Unit:
    """One request's reads and, from `begin()` on, its one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._stack = contextlib.AsyncExitStack()
        self._driver: Driver | None = None
        self._connection: AsyncConnection | None = None
        self.before_first_write: Callable[[], Any] | None = None
        """Awaited once, right after the transaction has begun (Idempotency-Key)."""
        self.journaled: list[tuple[str, Any]] = []
        """Kind and id of each journal row written, in order."""
        self.after_commit: list[Callable[[], None]] = []
        """Called once the writes are certain."""

    @property
    def begun(self) -> bool:
        """Whether the transaction is open."""
        return self._driver is not None

    async def rows(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """Rows of `query`; inside the transaction once it is open."""
        if self._driver is None:
            return await self.database.rows(query, values)
        with _translated():
            return await self._driver.rows(query, values)

    async def begin(self) -> None:
        """Opens the write transaction, if it is not open; 503 when the database stays busy."""
        if self._driver is not None:
            return
        with _translated():
            if self.database.is_sqlite:
                await asyncio.wait_for(self.database._writing.acquire(), BUSY_SECONDS)
                self._stack.callback(self.database._writing.release)
            self._connection = await self._stack.enter_async_context(self.database.engine.connect())
            raw = (await self._connection.get_raw_connection()).driver_connection
            assert raw is not None
            dialect = self.database.dialect
            if self.database.is_sqlite:
                driver: Driver = _SqliteDriver(raw, dialect)
                await _begin_immediate(driver)
            else:
                driver = _PostgresqlDriver(raw, dialect)
                await driver.command("BEGIN")
        self._driver = driver
        if self.before_first_write is not None:
            await self.before_first_write()

    @cached_property
    def session(self) -> AsyncSession:
        """The ORM session of the open transaction."""
        assert self._connection is not None, "begin() first"
        return AsyncSession(bind=self._connection, expire_on_commit=False, autoflush=False)

    async def flush(self) -> None:
        """Sends what the entities of the session changed."""
        if "session" in self.__dict__:
            with _translated():
                await self.session.flush()

    async def insert(self, entity: Base) -> None:
        """Inserts a new entity by one statement; the session does not track it."""
        await self.begin()
        query, keys = _insert_of(type(entity))
        state = entity.__dict__
        await self.rows(query, {key: state.get(key) for key in keys})

    async def insert_rows(self, query: Query, rows: Iterable[Mapping[str, Any]]) -> None:
        """Runs an insert once a row."""
        await self.begin()
        for row in rows:
            await self.rows(query, row)

    async def try_lock(self, name: str) -> bool:
        """Takes the lock `name` until the transaction ends; False when another holds it.

        SQLite writes one at a time: the open transaction is the lock.
        """
        await self.begin()
        if self.database.is_sqlite:
            return True
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        assert isinstance(self._driver, _PostgresqlDriver)
        return bool(
            await self._driver.connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", number)
        )

    async def commit(self) -> None:
        """Makes the writes last; nothing to do when nothing was begun."""
        if self._driver is not None:
            await self.flush()
            with _translated():
                await self._driver.command("COMMIT")
            self._driver = None
            await self._release()
            for certain in self.after_commit:
                certain()

    async def close(self) -> None:
        """Rolls back what was not committed."""
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                await driver.command("ROLLBACK")
            except (*_GONE, asyncpg.PostgresError, sqlite3.Error):
                # The connection is in doubt: the pool must not hand it out again.
                assert self._connection is not None
                await self._connection.invalidate()
        await self._release()

    async def _release(self) -> None:
        if "session" in self.__dict__:
            self.session.expunge_all()
            await self.session.close()
        await self._stack.aclose()


async def _begin_immediate(driver: Driver) -> None:
    """BEGIN IMMEDIATE, waiting for another process's write without stopping this one's loop."""
    deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
    pause = 0.002
    while True:
        try:
            await driver.command("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.05)
