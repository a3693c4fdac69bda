"""What a search costs: hidden rows that have the words cost nothing, however many there are."""

from typing import Any
from uuid import UUID

import pytest

from app.access.caller import CallerKind
from app.access.goals import GOALS
from app.access.visibility import page_query
from app.core.clock import now, today
from app.core.db import Database
from app.core.ids import uuid7
from app.core.search import values_of
from app.models.goals import Goal
from tests.counting import Read, tidy, visited
from tests.worlds import World, add_person

pytestmark = pytest.mark.anyio

VISIBLE, LIMIT = 100, 20
ALL = ("coaches", "fellows", "advisers", "leaders", "systems")
QUESTIONS = {
    "common": LIMIT + 1, "comm": LIMIT + 1, "again comm": LIMIT + 1, "rare": 1, "ra": 1,
    "common rare": 1, "nowhere": 0, "hiddenly": 0, "hid": 0,
}  # fmt: skip
"""What is asked, and how many rows the first page must give."""


async def add(world: World, statements: list[str], **values: Any) -> None:
    """Goals by the thousand."""
    dialect, table, moment = world.database.dialect, GOALS.table, now()
    names = [column.name for column in table.columns]
    process = [c.type.dialect_impl(dialect).bind_processor(dialect) for c in table.columns]
    rows = []
    for statement in statements:
        goal = Goal(
            id=uuid7(), version=1, created_at=moment, updated_at=moment, state="draft",
            wording_number=1, statement=statement, success_indicators=[], principles=[],
            development_plan_priorities=[], framework_items=[],
            **{**dict.fromkeys((f"to_{reader}" for reader in ALL), False), **values},
        )  # fmt: skip
        row = values_of(goal, names).values()
        rows.append(tuple(v if p is None else p(v) for v, p in zip(row, process, strict=True)))
    async with world.database.work() as unit:
        await unit.insert_many(table, names, rows)


async def costs(world: World) -> dict[str, int]:
    database: Database = world.database
    tidy(database)
    found = {}
    for who in ("learner", "coach", "head", "client"):
        kind = CallerKind.CLIENT if who == "client" else CallerKind.PERSON
        caller = str(world.actors[who].id)
        for q, rows in QUESTIONS.items():
            query = page_query(GOALS, kind, frozenset(("q",)), continued=False)
            values = {"me": caller, "client": caller, "today": today(), "limit": LIMIT + 1, "q": q}
            found[f"{who}: {q}"] = await visited(database, Read(who, q, query, values, rows))
    return found


async def test_hidden_rows_with_the_words_cost_a_search_nothing(world: World) -> None:
    agreement = UUID(await world.agreement(disclosure={"goals": list(ALL), "existence": list(ALL)}))
    elsewhere = UUID(await world.agreement(disclosure={"goals": list(ALL), "existence": list(ALL)}))
    async with world.database.work() as unit:
        somebody = await add_person(unit, "Somebody")
    under = {"agreement_id": agreement, "home_organisation_id": world.school}
    ticked = {f"to_{reader}": True for reader in ALL}
    mine = {"owner_id": world.learner.id, "created_by": world.learner.id}
    await add(world, ["Common again"] * 50, **mine, **under, **ticked)
    await add(world, ["Common, rare"], **mine, **under, **ticked)
    await add(world, ["Common again"] * (VISIBLE - 51), **mine, **under, **ticked)

    async def hide(count: int) -> None:
        said = ["Common again, rare and hiddenly"] * count
        fellow = {"owner_id": world.fellow.id, "created_by": world.fellow.id}
        other = {"owner_id": somebody, "created_by": somebody}
        await add(world, said, **fellow, **under)
        await add(world, said, **other)
        await add(world, said, **other, agreement_id=elsewhere)

    await hide(200)
    before = await costs(world)
    await hide(3000)
    after = await costs(world)
    most = 1.1 if world.database.is_sqlite else 1.5
    grown = [f"{r}: {before[r]} -> {after[r]}" for r in before if after[r] > before[r] * most + 20]
    assert grown == []
