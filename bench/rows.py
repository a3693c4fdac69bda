"""Many rows into either database by its raw driver: executemany on SQLite, COPY on PostgreSQL."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import asyncpg
from sqlalchemy import Column, Dialect, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import make_url

Row = dict[str, Any]
Batch = tuple[Table, Iterable[Row]]
"""Rows of one table, all with the same keys; columns that they lack take the database's default."""


def is_sqlite(database_url: str) -> bool:
    """Whether the address is SQLite's."""
    return make_url(database_url).get_backend_name() == "sqlite"


def sqlite_path(database_url: str) -> str:
    """The file of a SQLite address."""
    return make_url(database_url).database or ""


def as_stored(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Turns a value of Python's into what the raw driver takes for a column."""
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return process if process is not None else lambda value: value


def insert(database_url: str, batches: Iterable[Batch]) -> None:
    """Inserts all batches, then lets the database tidy up."""
    if is_sqlite(database_url):
        _into_sqlite(sqlite_path(database_url), batches)
    else:
        asyncio.run(_into_postgresql(database_url, batches))


def execute(database_url: str, statement: str) -> None:
    """Runs one statement and commits."""
    if is_sqlite(database_url):
        connection = sqlite3.connect(sqlite_path(database_url), isolation_level=None)
        connection.execute(statement)
        connection.close()
    else:
        asyncio.run(_execute(database_url, statement))


def _prepared(
    table: Table, rows: Iterable[Row], dialect: Dialect
) -> tuple[list[str], Iterator[Any]]:
    rows = iter(rows)
    first = next(rows)
    names = list(first)
    processes = [as_stored(table.columns[name], dialect) for name in names]
    return names, (
        tuple([process(row[name]) for name, process in zip(names, processes, strict=True)])
        for row in itertools.chain([first], rows)
    )


def _into_sqlite(path: str, batches: Iterable[Batch]) -> None:
    dialect = sqlite.dialect()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in batches:
        names, values = _prepared(table, rows, dialect)
        marks = ", ".join("?" * len(names))
        connection.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values
        )
    connection.execute("COMMIT")
    # No ANALYZE: the service runs none, so it is measured with the plans that it has.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _into_postgresql(url: str, batches: Iterable[Batch]) -> None:
    dialect = asyncpg_dialect()  # type: ignore[no-untyped-call]
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for table, rows in batches:
                names, values = _prepared(table, rows, dialect)
                await connection.copy_records_to_table(table.name, columns=names, records=values)
        await connection.execute("VACUUM ANALYZE")  # what autovacuum would have done by now
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
