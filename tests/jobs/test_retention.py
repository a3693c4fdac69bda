"""The sweep: what has come to its date is gone everywhere, and nothing else is touched."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, select, update

from app.core.clock import now, today
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.files import Kept, Store, store
from app.core.idempotency import answers
from app.core.journal import journal
from app.core.query import Query
from app.jobs import retention
from app.models.evidence import EvidenceFile, EvidenceItem
from app.models.goals import Goal, GoalProgress, GoalRevision
from app.models.shares import KeptRecord, Share, SharedKind
from tests.servers import Server
from tests.worlds import World

pytestmark = pytest.mark.anyio

LATER = today() + timedelta(days=30)


async def rows(database: Database, table: Any, **where: Any) -> list[dict[str, Any]]:
    """Rows of a table, behind the door's back."""
    source: Table = getattr(table, "__table__", table)
    conditions = [source.c[name] == value for name, value in where.items()]
    query = Query(select(source).where(*conditions), unscoped="a test")
    return query.dicts(await database.rows(query, {}))


async def change(database: Database, entity: Any, record_id: str, **values: Any) -> None:
    async with database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(entity)
            .where(entity.id == UUID(record_id))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


async def share(world: World, kind: SharedKind, record_id: str) -> UUID:
    """Shows a record of the learner to the head teacher for a month."""
    body = {
        f"{kind}_id": record_id, "person_id": str(world.head.id), "reason": "To prepare the review.",
        "ends_on": LATER.isoformat(),
    }  # fmt: skip
    made = await world.learner.post("/v1/shares", json=body)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


async def is_there(key: str) -> bool:
    try:
        return [chunk async for chunk in store().read(key, 0, 1)] != []
    except Unavailable:
        return False


@pytest.fixture
def files(world: World) -> Store:
    """The store of the application."""
    return store()


async def test_evidence_is_erased_at_its_date_with_files_shares_copies_and_answers(
    world: World, files: Store
) -> None:
    agreement = await world.agreement(disclosure={"former_parties": "their_time"})
    key = {"Idempotency-Key": str(uuid4())}
    body = {
        "kind": "video", "title": "Secret 7B", "description": "Secret", "what_it_shows": "Secret",
        "agreement_id": agreement, "shows_pupils": "yes", "pupil_basis": "Secret basis",
        "delete_by": LATER.isoformat(),
    }  # fmt: skip
    made = await world.learner.post("/v1/evidence-items", headers=key, json=body)
    item = made.json()
    other = await world.evidence(agreement, delete_by=LATER.isoformat())
    for of in (item, other):
        await world.file(of, b"secret")
    held = {
        of["id"]: (await rows(world.database, EvidenceFile, evidence_item_id=UUID(of["id"])))[0]
        for of in (item, other)
    }
    await world.coach.post(f"/v1/learning-agreements/{agreement}/departure")
    await share(world, SharedKind.EVIDENCE_ITEM, item["id"])
    assert await rows(world.database, KeptRecord, record_id=UUID(item["id"]))
    assert await rows(world.database, answers, resource_id=UUID(item["id"]))
    await change(world.database, EvidenceItem, item["id"], delete_by=today())

    first = await retention.sweep(world.database, files)
    assert first.records >= 1  # what other tests have left is due, too
    (erased,) = await rows(world.database, EvidenceItem, id=UUID(item["id"]))
    assert "ecret" not in str(erased)
    assert erased["erased_at"] is not None
    assert erased["version"] == 3
    assert await rows(world.database, EvidenceFile, evidence_item_id=UUID(item["id"])) == []
    assert not await is_there(held[item["id"]]["key"])
    for table, column in (
        (KeptRecord, "record_id"),
        (Share, "record_id"),
        (answers, "resource_id"),
    ):
        assert await rows(world.database, table, **{column: UUID(item["id"])}) == []
    entries = await rows(world.database, journal, resource_id=UUID(item["id"]))
    last = max(entries, key=lambda entry: entry["sequence"])
    assert (last["action"], last["resource_version"]) == ("erased", 3)
    assert (last["person_id"], last["client_id"]) == (None, None)
    shown = (await world.learner.get(f"/v1/evidence-items/{item['id']}")).json()
    assert (shown["title"], shown["files"], shown["kind"]) == ("", [], "video")
    assert shown["erased_at"] is not None
    assert (await world.coach.get(f"/v1/evidence-items/{item['id']}")).status_code == 404

    # The other is as it was, and doing it again does nothing.
    assert await is_there(held[other["id"]]["key"])
    assert await rows(world.database, KeptRecord, record_id=UUID(other["id"]))
    assert (await retention.sweep(world.database, files)).records == 0
    assert len(await rows(world.database, journal, resource_id=UUID(item["id"]))) == len(entries)


async def test_a_goal_is_erased_with_its_old_wordings_and_its_progress(
    world: World, files: Store
) -> None:
    goal = await world.goal(None, baseline="Secret", success_indicators=["Secret"])
    path = f"/v1/goals/{goal['id']}"
    await world.learner.patch(path, json={"statement": "Secret, reworded."})
    await world.learner.post(f"{path}/progress", json={"note": "Secret"})
    stays = await world.goal(None)
    await change(world.database, Goal, goal["id"], delete_by=today())
    # Before the sweep nobody reads them either.
    for below in ("progress", "revisions"):
        assert (await world.learner.get(f"{path}/{below}")).json()["items"] == []
    await retention.sweep(world.database, files)
    (erased,) = await rows(world.database, Goal, id=UUID(goal["id"]))
    assert "ecret" not in str(erased)
    for table in (GoalRevision, GoalProgress):
        assert await rows(world.database, table, goal_id=UUID(goal["id"])) == []
    (other,) = await rows(world.database, Goal, id=UUID(stays["id"]))
    assert (other["statement"], other["erased_at"]) == ("Pupils give reasons.", None)


async def test_more_than_one_transaction_takes_all_that_is_due(
    world: World, files: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    made = [await world.evidence() for _ in range(5)]
    for item in made:
        await change(world.database, EvidenceItem, item["id"], delete_by=today())
    assert (await retention.sweep(world.database, files)).records >= 5
    for item in made:
        (erased,) = await rows(world.database, EvidenceItem, id=UUID(item["id"]))
        assert erased["erased_at"] is not None


async def test_two_sweeps_at_once_erase_each_record_once(world: World, files: Store) -> None:
    made = [await world.evidence() for _ in range(6)]
    for item in made:
        await change(world.database, EvidenceItem, item["id"], delete_by=today())
    swept = await asyncio.gather(*(retention.sweep(world.database, files) for _ in range(3)))
    await retention.sweep(world.database, files)
    assert sum(s.records for s in swept) >= 6
    for item in made:
        entries = await rows(world.database, journal, resource_id=UUID(item["id"]))
        assert sorted(entry["action"] for entry in entries) == ["created", "erased"]


async def test_shares_whose_date_has_passed_are_ended(world: World, files: Store) -> None:
    goals = [(await world.goal(None))["id"] for _ in range(2)]
    past, to_come = [await share(world, SharedKind.GOAL, goal) for goal in goals]
    await change(world.database, Share, str(past), ends_on=today())
    assert (await retention.sweep(world.database, files)).shares >= 1
    assert await rows(world.database, Share, id=past) == []
    assert await rows(world.database, Share, id=to_come)


class _Aged:
    """A store as it will be in two days."""

    def __init__(self, real: Store) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def all(self) -> AsyncIterator[Kept]:
        async for kept in self._real.all():
            yield Kept(kept.key, kept.modified - timedelta(days=2))


async def test_files_that_no_row_names_are_removed_when_they_are_a_day_old(
    world: World, files: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await world.evidence()
    await world.file(item)
    (named,) = await rows(world.database, EvidenceFile, evidence_item_id=UUID(item["id"]))
    orphans = [await files.put(b"orphan") for _ in range(5)]
    assert (await retention.sweep(world.database, files)).files == 0
    assert all([await is_there(key) for key in orphans])
    monkeypatch.setattr(retention, "_LISTED", 2)
    aged: Any = _Aged(files)
    assert (await retention.sweep(world.database, aged)).files >= 5
    assert not any([await is_there(key) for key in orphans])
    assert await is_there(named["key"])


async def test_a_failure_is_logged_and_the_next_time_does_what_was_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, enough = [], asyncio.Event()

    async def sweep(*_: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            enough.set()
        if len(calls) == 1:
            raise Unavailable("The files cannot be reached just now.")

    monkeypatch.setattr(retention, "sweep", sweep)
    soon = timedelta(milliseconds=1)
    task = asyncio.create_task(retention.keep_sweeping(world.database, first=soon, every=soon))
    async with asyncio.timeout(5):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_command_says_what_it_did(fresh_url: str, tmp_path: Path) -> None:
    server = Server(fresh_url, tmp_path)
    done = server.command("sweep")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Erased 0 records; ended 0 shares; removed 0 files.\n"
    # What a killed process left half written goes when it is a day old.
    left = tmp_path / "files" / "ab" / "cdef#1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    old = (now() - timedelta(days=2)).timestamp()
    os.utime(left, (old, old))
    assert "removed 1 files" in server.command("sweep").stdout
    assert not left.exists()
