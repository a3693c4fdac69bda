"""The two databases behind one door.

Reads are Core selects (`Query`), run on the driver; outside a write they open no transaction. A
`Unit` is one request: its reads and, from its first write on, its one transaction.
"""

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Table, bindparam, insert, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from app.core import sqlite
from app.core.drivers import GONE, Driver, PostgresqlDriver, SqliteDriver, tell, translated
from app.core.postgresql import TextJsonDialect
from app.core.query import Query
from app.core.readers import KEEP_STATEMENTS, Readers
from app.core.search import values_of
from app.core.tables import Base

SCHEMA = "0013"
"""The migration that this code was written for; a test holds it to alembic's head."""

BUSY_SECONDS = 4.0
"""So long a request waits for its database, all in all: its 503 is to be there within five seconds."""

LONG_SECONDS = 60.0
"""So long a transaction may take once it has begun a statement that is known to be long."""

# Planning a page's UNION takes longer than running it: a connection plans each statement once.
# Told that jumps are dear, as on turning disks, it walks everybody's rows to find those of a filter.
PLANNING = {"jit": "off", "plan_cache_mode": "force_generic_plan", "random_page_cost": "1.1"}


class Database:
    """One process's way to its database. `await open()` before use, `await close()` after."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.engine: AsyncEngine
        self._connections = connections
        # Who serves replaces it: what ends here ends at once, elsewhere within seconds.
        self.on_ended: Callable[[Sequence[Any]], None] = lambda ended: None
        self.on_narrowed: Callable[[Any, Any], None] = lambda client_id, moment: None
        self._file: sqlite.File | None = None
        self._reader: sqlite3.Connection | None = None
        self._long_reader: sqlite3.Connection | None = None
        self._long_turn = asyncio.Lock()  # beside the loop, on a connection of their own
        self._readers: Readers | None = None
        # SQLite writes one transaction at a time: writers on this loop take turns.
        self._turns = asyncio.Semaphore(1 if self.is_sqlite else connections)
        self._idle: list[tuple[AsyncConnection, Driver]] = []
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
            # What a statement was given is somebody's record: an error that is logged names none.
            "hide_parameters": True,
        }
        if self.is_sqlite:
            sqlite.create_private(self._path)
            self._file = sqlite.File(self._path)
            self.engine = create_async_engine(self._async_url, **options)
            self._reader = sqlite.connect_to_read(self._path)
            self._long_reader = sqlite.connect_to_read(self._path)
        else:
            self._readers = Readers(
                self._dsn,
                self.dialect,
                size=self._connections,
                settings={**PLANNING, "default_transaction_read_only": "on"},
            )
            # Transactions are begun and ended by Unit, in words, so the driver must begin none.
            self.engine = create_async_engine(
                self._async_url,
                isolation_level="AUTOCOMMIT",
                connect_args={"timeout": 4, "server_settings": PLANNING, **KEEP_STATEMENTS},
                **options,
            )
        tell(self.engine)

    async def close(self) -> None:
        """Closes every connection."""
        while self._idle:
            await self._idle.pop()[0].close()
        await self.engine.dispose()
        for reader in (self._reader, self._long_reader):
            if reader is not None:
                reader.close()
        if self._readers is not None:
            await self._readers.close()

    async def rows(
        self, query: Query, values: Mapping[str, Any], *, long: bool = False
    ) -> list[Any]:
        """Rows of a select, outside any transaction; values are the driver's, in column order.

        `long`: it may take over 20 ms: on SQLite other requests go on meanwhile.
        """
        with translated():
            self._check_file()
            if long and self._long_reader is not None:
                return await self._long_rows(self._long_reader, query, values)
            if self._reader is not None:
                return await SqliteDriver(self._reader, self.dialect).rows(query, values)
            assert self._readers is not None, "open() first"
            return await self._readers.rows(query, values, patience=BUSY_SECONDS)

    async def _long_rows(
        self, reader: sqlite3.Connection, query: Query, values: Mapping[str, Any]
    ) -> list[Any]:
        async with asyncio.timeout(BUSY_SECONDS):
            await self._long_turn.acquire()
        try:
            return await SqliteDriver(reader, self.dialect).long_rows(query, values)
        finally:
            self._long_turn.release()

    async def take_writer(self) -> tuple[AsyncConnection, Driver]:
        """A connection with an open transaction, once it is this writer's turn.

        TimeoutError, or one of GONE, after BUSY_SECONDS. It goes back by `return_writer`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BUSY_SECONDS
        async with asyncio.timeout_at(deadline):
            await self._turns.acquire()
        connection: AsyncConnection | None = None
        try:
            self._check_file()
            while self._idle:
                connection, driver = self._idle.pop()
                with contextlib.suppress(*GONE):
                    await driver.begin(deadline - loop.time())
                    return connection, driver
                await connection.invalidate()  # it died while idle: nothing was begun on it
            async with asyncio.timeout_at(deadline):
                connection = await self.engine.connect()
            driver = await self._driver_of(connection)
            await driver.begin(deadline - loop.time())
            return connection, driver
        except BaseException:
            self._turns.release()
            if connection is not None:
                await connection.invalidate()
                await connection.close()
            raise

    def _check_file(self) -> None:
        if self._file is not None:
            self._file.check()

    async def _driver_of(self, connection: AsyncConnection) -> Driver:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        kind = SqliteDriver if self.is_sqlite else PostgresqlDriver
        return kind(raw, self.dialect)

    async def return_writer(
        self, connection: AsyncConnection, driver: Driver, *, sound: bool
    ) -> None:
        """Takes a connection back, or throws it away when it is in doubt."""
        try:
            if sound:
                self._idle.append((connection, driver))
            else:
                await connection.invalidate()
                await connection.close()
        finally:
            self._turns.release()

    def unit(self) -> "Unit":
        """A request's unit of work: its transaction does not outlast the request's patience."""
        return Unit(self, patience=BUSY_SECONDS)

    @contextlib.asynccontextmanager
    async def work(self) -> AsyncIterator["Unit"]:
        """A unit of work outside a request: commits at the end, rolls back on an error."""
        unit = Unit(self)
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


def lock_number(name: str) -> int:
    """The number by which PostgreSQL knows the advisory lock `name`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


class Unit:
    """One request's reads and, from `begin()` on, its one transaction."""

    def __init__(self, database: Database, *, patience: float | None = None) -> None:
        self.database, self._patience = database, patience
        self._driver: Driver | None = None
        self._connection: AsyncConnection | None = None
        self.before_first_write: Callable[[], Any] | None = None
        """Awaited once, right after the transaction has begun (Idempotency-Key)."""
        self.journaled: list[tuple[str, Any]] = []
        """Kind and id of each journal row written, in order."""
        self.after_commit: list[Callable[[], Any]] = []
        """Called (and awaited, where they are coroutines) once the writes are certain; they must not
        fail: the answer is that of a write that was done."""

    @property
    def begun(self) -> bool:
        """Whether the transaction is open."""
        return self._driver is not None

    async def rows(
        self, query: Query, values: Mapping[str, Any], *, long: bool = False
    ) -> list[Any]:
        """Rows of `query`; inside the transaction once it is open.

        `long`: it may take over 20 ms: on SQLite other requests go on meanwhile.
        """
        if self._driver is None:
            return await self.database.rows(query, values, long=long)
        with translated():
            if long:
                self._driver.end_in(self._patience and LONG_SECONDS)
                return await self._driver.long_rows(query, values)
            return await self._driver.rows(query, values)

    async def begin(self) -> None:
        """Opens the write transaction, if it is not open; 503 when the database stays busy."""
        if self._driver is not None:
            return
        with translated():
            self._connection, self._driver = await self.database.take_writer()
        self._driver.end_in(self._patience)
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
            with translated():
                await self.session.flush()

    async def insert(self, entity: Base) -> None:
        """Inserts a new entity by one statement; the session does not track it."""
        await self.begin()
        query, keys = _insert_of(type(entity))
        await self.rows(query, values_of(entity, keys))

    async def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Any]) -> None:
        """Inserts rows of values as the driver takes them, at one go: by COPY on PostgreSQL."""
        await self.begin()
        with translated():
            if isinstance(self._driver, PostgresqlDriver):
                copy = self._driver.connection.copy_records_to_table
                await copy(table.name, columns=names, records=rows)
            elif isinstance(self._driver, SqliteDriver):
                marks = ", ".join("?" * len(names))
                sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
                # Past LoopConnection.cursor(), which waits for SQLAlchemy at every statement.
                sqlite3.Connection.cursor(self._driver.connection).executemany(sql, rows)

    async def try_lock(self, name: str) -> bool:
        """Takes the lock `name` until the transaction ends; False when another holds it.

        SQLite writes one at a time: the open transaction is the lock.
        """
        await self.begin()
        if self.database.is_sqlite:
            return True
        assert isinstance(self._driver, PostgresqlDriver)
        taken = "SELECT pg_try_advisory_xact_lock($1)"
        with translated():
            return bool(await self._driver.connection.fetchval(taken, lock_number(name)))

    async def commit(self) -> None:
        """Makes the writes last; nothing to do when nothing was begun."""
        if self._driver is not None:
            await self.flush()
            with translated():
                await self._driver.command("COMMIT")
            await self._release(sound=True)
            for certain in self.after_commit:
                pending = certain()
                if pending is not None:
                    await pending

    async def close(self) -> None:
        """Rolls back what was not committed."""
        self.before_first_write = None
        if self._driver is not None:
            try:
                await self._driver.command("ROLLBACK")
            except (*GONE, asyncpg.PostgresError, sqlite3.Error):
                await self._release(sound=False)
            else:
                await self._release(sound=True)

    async def _release(self, *, sound: bool) -> None:
        connection, driver = self._connection, self._driver
        self._connection = self._driver = None
        assert connection is not None, "nothing was begun"
        assert driver is not None
        driver.end_in(None)
        try:
            if "session" in self.__dict__:
                self.session.expunge_all()
                await self.session.close()
                del self.session
        finally:
            # Whatever happens: a turn that is not given back is lost to all who come later.
            await self.database.return_writer(connection, driver, sound=sound)
