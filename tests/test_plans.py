"""A connection plans each of the large questions once: planning takes longer than running them."""

from typing import Any
from uuid import uuid4

import pytest

from app.access.caller import CallerKind
from app.access.visibility import RESOURCES, item_query, page_query
from app.core.clock import now, today
from app.core.db import Database
from app.core.query import Query
from app.main import ROUTERS

assert ROUTERS  # every resource is registered
pytestmark = pytest.mark.anyio

VALUES: dict[str, Any] = {
    **dict.fromkeys(("me", "client", "opening", "id"), uuid4()),
    "today": today(),
    "now": now(),
    "limit": 51,
}
TIMES = 3


def questions(kind: str) -> list[Query]:
    """A page and an item of a kind, for a person."""
    resource = RESOURCES[kind]
    page = page_query(resource, CallerKind.PERSON, frozenset(), continued=False)
    return [page, item_query(resource, CallerKind.PERSON)]


@pytest.mark.parametrize("kind", RESOURCES)
async def test_a_statement_is_planned_once_for_a_connection(database: Database, kind: str) -> None:
    planned = _planned_on_sqlite if database.is_sqlite else _planned_on_postgresql
    for query in questions(kind):
        await database.rows(query, VALUES)
        assert await planned(database, query) == 0


async def _planned_on_sqlite(database: Database, query: Query) -> int:
    """How many tables and columns SQLite looks up while a statement runs again and again."""
    found: list[Any] = []
    reader: Any = database._reader

    def note(*what: Any) -> int:
        found.append(what)
        return 0  # SQLITE_OK

    reader.set_authorizer(note)
    try:
        # The first may be planned anew for being authorised.
        await database.rows(query, VALUES)
        found.clear()
        for _ in range(TIMES):
            await database.rows(query, VALUES)
    finally:
        reader.set_authorizer(None)
    return len(found)


async def _planned_on_postgresql(database: Database, query: Query) -> int:
    """How many of the times that a statement ran it was not one that had been planned before."""
    readers: Any = database._readers
    connection = readers._idle[-1]
    sql = query.plan(database.dialect).sql
    plans = "SELECT max(generic_plans) FROM pg_prepared_statements WHERE statement = $1"
    before = await connection.fetchval(plans, sql) or 0
    for _ in range(TIMES):
        await database.rows(query, VALUES)
    after = await connection.fetchval(plans, sql) or 0
    return TIMES - int(after - before)


async def test_a_number_that_an_index_needs_is_in_the_words(database: Database) -> None:
    """An index of the rows that have 1 serves no statement that asks for a value."""
    plan = questions("goal")[0].plan(database.dialect)
    assert "wording_number = 1" in plan.sql
