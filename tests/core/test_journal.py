"""The journal's reading order: no reader ever skips a change, however the writers interleave."""

import asyncio
import random
from uuid import UUID

import pytest

from app.core import journal
from app.core.db import Database
from app.core.ids import uuid7

WRITERS, EACH = 6, 12


async def write(unit_of: Database, ids: list[UUID], *, pauses: random.Random) -> None:
    """One transaction of several rows that takes its time before it commits."""
    async with unit_of.work() as unit:
        for resource_id in ids:
            await journal.record(
                unit,
                actor=journal.COMMAND_LINE,
                action="tested",
                kind="test",
                resource_id=resource_id,
                version=1,
            )
            await asyncio.sleep(pauses.random() * 0.004)


@pytest.mark.anyio
async def test_a_reader_who_follows_the_journal_skips_nothing(fresh_url: str) -> None:
    database = Database(fresh_url, connections=WRITERS + 1)
    await database.open()
    pauses = random.Random(7)
    written: list[UUID] = []
    done = asyncio.Event()

    async def writer() -> None:
        for _ in range(EACH):
            ids = [uuid7() for _ in range(3)]
            await write(database, ids, pauses=pauses)
            written.extend(ids)

    async def reader() -> list[UUID]:
        found, position = [], journal.START
        while True:
            finished = done.is_set()
            rows = await journal.following(database, position, limit=5)
            for transaction_id, sequence, kind, resource_id in rows:
                position = journal.Position(transaction_id, sequence)
                if kind == "test":
                    found.append(UUID(str(resource_id)))
            if finished and not rows:
                return found
            await asyncio.sleep(0.001)

    readers = [asyncio.create_task(reader()) for _ in range(2)]
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    done.set()
    for found in await asyncio.gather(*readers):
        assert len(found) == len(set(found)) == WRITERS * EACH * 3
        assert set(found) == set(written)
    await database.close()


@pytest.mark.anyio
async def test_a_row_that_commits_late_is_served_in_its_place(fresh_url: str) -> None:
    """An early transaction that draws a later sequence is the case that a sequence alone skips."""
    database = Database(fresh_url, connections=4)
    await database.open()
    if database.is_sqlite:
        await database.close()
        return  # SQLite writes one transaction at a time: the case cannot arise
    first, second = database.unit(), database.unit()

    async def note(unit: object, resource_id: UUID) -> None:
        await journal.record(
            unit,  # type: ignore[arg-type]
            actor=journal.COMMAND_LINE,
            action="tested",
            kind="test",
            resource_id=resource_id,
            version=1,
        )

    ids = [uuid7() for _ in range(3)]
    await note(first, ids[0])
    await note(second, ids[1])
    await note(first, ids[2])
    await first.commit()
    # The first transaction began first; the second still runs, above it.
    position, found = await follow(database, journal.START, 2)
    assert found == [ids[0], ids[2]]
    await second.commit()
    _, found = await follow(database, position, 1)
    assert found == [ids[1]]
    await database.close()


async def follow(
    database: Database, position: journal.Position, count: int
) -> tuple[journal.Position, list[UUID]]:
    """The next `count` rows of the tests; other databases' transactions may hold them back a while."""
    found: list[UUID] = []
    while len(found) < count:
        for transaction_id, sequence, kind, resource_id in await journal.following(
            database, position
        ):
            position = journal.Position(transaction_id, sequence)
            if kind == "test":
                found.append(UUID(str(resource_id)))
        await asyncio.sleep(0.01)
    return position, found
