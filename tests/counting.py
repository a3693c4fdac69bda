"""What a read costs, counted, not timed: virtual machine steps on SQLite, rows touched by the plan on
PostgreSQL."""

import json
from typing import Any, NamedTuple

import asyncpg
import psycopg

from app.core.db import PLANNING, Database
from app.core.query import Query, arguments


class Read(NamedTuple):
    """One read by one actor, and how many rows it must give; -1: as many as there are."""

    who: str
    what: str
    query: Query
    values: dict[str, Any]
    rows: int


def tidy(database: Database) -> None:
    """What autovacuum would have done by now."""
    if not database.is_sqlite:
        with psycopg.connect(database._dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


async def visited(database: Database, read: Read) -> int:
    """What a read costs."""
    plan = read.query.plan(database.dialect)
    values = arguments(plan, read.values)
    if database.is_sqlite:
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        reader = database._reader
        assert reader is not None
        reader.set_progress_handler(count, 1)
        rows = reader.execute(plan.sql, values).fetchall()
        reader.set_progress_handler(None, 1)
        assert read.rows in (-1, len(rows)), f"{read.who}, {read.what}: {len(rows)} rows"
        return steps
    connection = await asyncpg.connect(database._dsn, server_settings=PLANNING)
    try:
        text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {plan.sql}", *values)
    finally:
        await connection.close()
    root = json.loads(text)[0]["Plan"]
    found = root["Actual Rows"]
    assert read.rows in (-1, found), f"{read.who}, {read.what}: {found} rows"
    return touched(root)


def touched(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get(
            "Rows Removed by Index Recheck", 0
        )
        own = int((node["Actual Rows"] + removed) * node["Actual Loops"])
    return own + sum(touched(child) for child in node.get("Plans", []))
