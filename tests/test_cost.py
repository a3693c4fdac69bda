"""What a read costs: rows that the caller may not see cost nothing, however many there are.

Counted, not timed: virtual machine steps on SQLite, rows touched by the plan on PostgreSQL.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import asyncpg
import psycopg
import pytest

from app.access.caller import CallerKind
from app.access.evidence import EVIDENCE_ITEMS
from app.access.visibility import Resource, item_query, page_query
from app.core.clock import today
from app.core.db import Database
from app.core.ids import uuid7
from app.core.query import Query, arguments
from tests.crowds import ACTORS, GUEST, RECORDS, VISIBLE, Crowded, gather, hide
from tests.worlds import World

pytestmark = pytest.mark.anyio

LIMIT = 20


class Read(NamedTuple):
    """One read by one actor, and how many rows it must give."""

    who: str
    what: str
    query: Query
    values: dict[str, Any]
    rows: int


def reads(crowded: Crowded) -> Iterator[Read]:
    """A page, the whole list, one record that is seen and some that are not, for every actor."""
    for resource, _ in RECORDS:
        actors = (*ACTORS, GUEST) if resource is EVIDENCE_ITEMS else ACTORS
        for who in actors:
            kind = CallerKind.CLIENT if who.endswith("client") else CallerKind.PERSON
            caller = str(crowded.world.actors[who].id)
            values = {"me": caller, "client": caller, "today": today(), "cursor": uuid7()}
            page = page_query(resource, kind, frozenset(), continued=True)
            one = item_query(resource, kind)

            def read(
                what: str,
                query: Query,
                rows: int,
                resource: Resource = resource,
                who: str = who,
                values: dict[str, Any] = values,
                **more: Any,
            ) -> Read:
                return Read(who, f"{resource.kind}, {what}", query, {**values, **more}, rows)

            yield read("page", page, LIMIT + 1, limit=LIMIT + 1)
            # No branch stops before its end.
            yield read("whole list", page, VISIBLE, limit=VISIBLE + 1)
            yield read("one seen", one, 1, id=crowded.seen[resource.kind][7])
            for number, hidden in enumerate(crowded.hidden[resource.kind]):
                yield read(f"hidden {number}", one, 0, id=hidden)


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
        assert len(rows) == read.rows, f"{read.who}, {read.what}: {len(rows)} rows"
        return steps
    connection = await asyncpg.connect(database._dsn)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {plan.sql}", *values)
    finally:
        await connection.close()
    root = json.loads(text)[0]["Plan"]
    found = root["Actual Rows"]
    assert found == read.rows, f"{read.who}, {read.what}: {found} rows"
    return touched(root)


def touched(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get(
            "Rows Removed by Index Recheck", 0
        )
        own = int((node["Actual Rows"] + removed) * node["Actual Loops"])
    return own + sum(touched(child) for child in node.get("Plans", []))


async def costs(crowded: Crowded) -> dict[str, int]:
    database = crowded.world.database
    if not database.is_sqlite:
        with psycopg.connect(database._dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")  # what autovacuum would have done by now
    return {f"{r.who}: {r.what}": await visited(database, r) for r in reads(crowded)}


async def test_hidden_rows_cost_a_read_nothing(world: World) -> None:
    crowded = await gather(world)
    await hide(crowded, 200)
    before = await costs(crowded)
    await hide(crowded, 1800)
    after = await costs(crowded)
    # PostgreSQL may take another of two indexes that both lead to a few rows.
    most = 1.1 if world.database.is_sqlite else 1.5
    grown = [f"{r}: {before[r]} -> {after[r]}" for r in before if after[r] > before[r] * most + 20]
    assert grown == []
