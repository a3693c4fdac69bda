"""What the drivers say when something is wrong with the database, and what callers are told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import literal, select, text

from app.core import db
from app.core.db import Database, Unit
from app.core.errors import Unavailable
from app.core.query import Query
from tests.worlds import add_person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def fresh(fresh_url: str) -> AsyncIterator[Database]:
    """A database that this test has to itself, open."""
    opened = Database(fresh_url)
    await opened.open()
    yield opened
    await opened.close()


async def fill_up(unit: Unit) -> None:
    """From here on nothing can be written on this connection; reading goes on."""
    await unit.begin()
    if unit.database.is_sqlite:
        await unit.session.execute(text("PRAGMA query_only = ON"))
        return
    # PostgreSQL's own words, since its disk is everybody's.
    for sent in (
        "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE OR REPLACE TRIGGER no_room BEFORE INSERT ON people EXECUTE FUNCTION no_room()",
    ):
        await unit.session.execute(text(sent))


async def test_a_database_without_room_is_a_503_from_the_driver_and_from_the_orm(
    fresh: Database,
) -> None:
    for _ in range(6):  # more often than there are connections: none is lost
        unit = fresh.unit()
        await fill_up(unit)
        with pytest.raises(Unavailable):
            await add_person(unit, "Somebody")
        if fresh.is_sqlite:
            await unit.session.execute(text("PRAGMA query_only = OFF"))
        await unit.close()
    unit = fresh.unit()
    await fill_up(unit)
    sent = (
        "INSERT INTO people (id, version, created_at, updated_at, name, folded) VALUES "
        "('01890a5d-ac96-774b-bcce-b302099a8057', 1, '2026-01-01 00:00Z', '2026-01-01 00:00Z', 'A', '')"
    )
    with pytest.raises(Unavailable):
        await unit.session.execute(text(sent))
    await unit.close()
    assert await fresh.rows(Query(select(literal(1))), {}) == [(1,)]


async def test_a_writer_who_comes_later_does_not_wait_longer(
    fresh: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patience of each is counted from their own coming, not from their turn."""
    monkeypatch.setattr(db, "BUSY_SECONDS", 2.0)
    async with fresh.work() as holder:
        # On PostgreSQL all the turns are taken; on SQLite it is the file that is held.
        await holder.begin()
        others = [fresh.unit() for _ in range(0 if fresh.is_sqlite else 3)]
        for other in others:
            await other.begin()
        second = (
            Database(str(fresh.engine.url.set(drivername="sqlite"))) if fresh.is_sqlite else None
        )
        if second is not None:
            await second.open()
        asked = second or fresh

        async def refused(after: float) -> float:
            await asyncio.sleep(after)
            with pytest.raises(Unavailable):
                await asked.unit().begin()
            return asyncio.get_running_loop().time()

        first, later = await asyncio.gather(refused(0), refused(1))
        for other in others:
            await other.close()
        if second is not None:
            await second.close()
    assert later - first < 1.6


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.DatabaseError("file is not a database"),
        asyncpg.InvalidCatalogNameError("database is gone"),
        asyncpg.InsufficientPrivilegeError("permission denied"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_is_no_use_is_not_ready(
    http: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def rows(*_: Any, **__: Any) -> list[Any]:
        raise error

    monkeypatch.setattr(database, "rows", rows)
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert str(error) not in answer.text
    assert (await http.get("/health/live")).status_code == 200
