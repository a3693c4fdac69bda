"""What a page costs: rows that the caller may not see cost nothing, however many there are.

Counted, not timed: virtual machine steps on SQLite, rows touched by the plan on PostgreSQL.
"""

import json
import random
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import pytest

from app.access.caller import CallerKind
from app.access.goals import GOALS
from app.access.visibility import page_query
from app.core.clock import now, today
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.core.query import arguments
from app.models.goals import Goal
from app.models.organisations import OrganisationKind
from tests.worlds import World, add_organisation, add_person

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
ACTORS = ("learner", "fellow", "coach", "tutor", "head", "client")
LIMIT = 20


async def add_goals(unit: Unit, count: int, **values: Any) -> None:
    """Goals by the thousand, as the table holds them; their ids lie among all others."""
    table: Any = Goal.__table__
    names = [column.name for column in table.columns]
    dialect = unit.database.dialect
    process = {c.name: c.type.dialect_impl(dialect).bind_processor(dialect) for c in table.columns}
    plain = {
        **dict.fromkeys(names),
        "version": 1, "created_at": now(), "updated_at": now(), "state": "draft",
        "wording_number": 1, "statement": "Hidden.", "success_indicators": [],
        "development_plan_priorities": [], "principles": [], "framework_items": [],
        "to_coaches": False, "to_fellows": False, "to_advisers": False, "to_leaders": False,
        "to_systems": False, "shows_pupils": "no", **values,
    }  # fmt: skip
    rows = []
    for _ in range(count):
        row = {**plain, "id": uuid7()}
        rows.append(
            tuple(process[n](row[n]) if process[n] is not None else row[n] for n in names)  # type: ignore[misc]
        )
    random.Random(1).shuffle(rows)
    await unit.insert_many(table, names, rows)


async def add_hidden(world: World, agreement: UUID, others: list[UUID], count: int) -> None:
    """Rows of every sort that none of the actors may see (the fellow's own are the fellow's)."""
    other, elsewhere = others
    async with world.database.work() as unit:
        # under the same agreement, of a learner who ticks nobody
        await add_goals(
            unit, count, owner_id=other, created_by=other, agreement_id=agreement,
            home_organisation_id=world.school,
        )  # fmt: skip
        # at the same school, on somebody's own plan, and at another school, open to all there
        await add_goals(unit, count, owner_id=other, created_by=other)
        ticks = {f"to_{reader}": True for reader in ALL}
        await add_goals(
            unit, count, owner_id=other, created_by=other, home_organisation_id=elsewhere, **ticks
        )


async def visited(database: Database, parameters: dict[str, Any], kind: CallerKind) -> int:
    """What one page costs, cursor in the middle."""
    query = page_query(GOALS, kind, frozenset(), continued=True)
    plan = query.plan(database.dialect)
    values = arguments(plan, {**parameters, "limit": LIMIT + 1, "cursor": uuid7()})
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
        assert len(rows) == LIMIT + 1
        return steps
    connection = await asyncpg.connect(database._dsn)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {plan.sql}", *values)
    finally:
        await connection.close()
    assert json.loads(text)[0]["Plan"]["Actual Rows"] == LIMIT + 1
    return touched(json.loads(text)[0]["Plan"])


def touched(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get(
            "Rows Removed by Index Recheck", 0
        )
        own = int((node["Actual Rows"] + removed) * node["Actual Loops"])
    return own + sum(touched(child) for child in node.get("Plans", []))


async def test_hidden_rows_cost_a_page_nothing(world: World) -> None:
    agreement = UUID(await world.agreement(disclosure={"goals": ALL, "existence": ALL}))
    async with world.database.work() as unit:
        other = await add_person(unit, "Somebody Else")
        elsewhere = await add_organisation(unit, OrganisationKind.SCHOOL, "Another School")
        ticks = {f"to_{reader}": True for reader in ALL}
        await add_goals(
            unit, 3 * LIMIT, owner_id=world.learner.id, created_by=world.learner.id,
            agreement_id=agreement, home_organisation_id=world.school, **ticks,
        )  # fmt: skip

    async def costs() -> dict[str, int]:
        if not world.database.is_sqlite:
            with psycopg.connect(world.database._dsn, autocommit=True) as connection:
                connection.execute("ANALYZE")
        found = {}
        for who in ACTORS:
            kind = CallerKind.CLIENT if who == "client" else CallerKind.PERSON
            actor = str(world.actors[who].id)
            parameters = {"me": actor, "client": actor, "today": today()}
            found[who] = await visited(world.database, parameters, kind)
        return found

    await add_hidden(world, agreement, [other, elsewhere], 400)
    before = await costs()
    await add_hidden(world, agreement, [other, elsewhere], 3600)
    after = await costs()
    for who in ACTORS:
        assert after[who] <= before[who] * 1.1 + 20, f"{who}: {before[who]} -> {after[who]}"
