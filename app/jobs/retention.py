"""The sweep: erases what has come to its date, and removes what nothing names any more.

Nothing waits for it: dates are compared when reading. It may be missed, or run twice at once.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, JSON, ColumnElement, String, bindparam, delete, func, select

from app.access import relations as r
from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.homes import any_gone, mark_gone
from app.access.records import RECORDS
from app.access.sharing import forget
from app.access.visibility import Resource
from app.actions.accounts import gather_strays
from app.actions.evidence import drop_files
from app.actions.sign_in import forget_expired
from app.core import journal
from app.core.clock import now, today
from app.core.db import Database, Unit
from app.core.files import Store, store
from app.core.idempotency import EXPIRE
from app.core.query import Query
from app.models.evidence import EvidenceFile
from app.models.goals import GoalProgress, GoalRevision
from app.models.shares import Share

log = structlog.get_logger()

EVERY = timedelta(hours=1)
FIRST = timedelta(minutes=1)
"""How long after the start: serving comes first."""

ORPHAN_AGE = timedelta(hours=24)
"""No request takes as long from its file to its row."""

_AT_ONCE = 50  # records in one transaction: on SQLite the others wait for it
_PAUSE = 0.05
_LISTED = 500

_shares: Any = Share.__table__
_files: Any = EvidenceFile.__table__

_BELOW: dict[str, tuple[tuple[Any, str], ...]] = {
    GOALS.kind: (
        (GoalRevision.__table__, "goal_id"),
        (GoalProgress.__table__, "goal_id"),
    ),
    EVIDENCE_ITEMS.kind: ((_files, "evidence_item_id"),),
}
"""What hangs below a record and says something, by the column with the record's id."""

_some_past = select(_shares.c.id).where(_shares.c.ends_on <= r.today).limit(_LISTED)
_END_PAST = Query(delete(_shares).where(_shares.c.id.in_(_some_past)).returning(_shares.c.id))
_PAST = Query(_some_past, unscoped="shares whose date has passed count for nobody")

_keys = func.json_each(bindparam("keys", type_=JSON, required=True)).table_valued("value")
_NAMED = {
    "sqlite": Query(select(_files.c.key).where(_files.c.key.in_(select(_keys.c.value)))),
    "postgresql": Query(
        select(_files.c.key).where(
            _files.c.key == func.any(bindparam("keys", type_=ARRAY(String), required=True))
        )
    ),
}


class Swept(NamedTuple):
    """How many of each."""

    records: int
    shares: int
    agreements: int
    """Whose learners have left the home organisation: they are passed over from now on."""
    files: int


async def sweep(database: Database, files: Store) -> Swept:
    """Erases records whose date has come, ends shares whose date has passed, marks agreements whose
    learners have left, and removes files that no row names. Raises Unavailable when the database or the files are away."""
    records = 0
    for resource in RECORDS.values():
        while erased := await _erase_some(database, resource):
            records += erased
            await asyncio.sleep(_PAUSE)
    shares = 0
    while ended := await _end_some(database):
        shares += ended
        await asyncio.sleep(_PAUSE)
    marked = 0
    while gone := await _mark_some(database):
        marked += gone
        await asyncio.sleep(_PAUSE)
    async with database.work() as unit:
        if await unit.try_lock("sweep"):
            await forget_expired(unit)
            await gather_strays(unit)
    swept = Swept(records, shares, marked, await _drop_orphans(database, files))
    if any(swept):
        log.info("swept", **swept._asdict())
    return swept


def _due(resource: Resource) -> tuple[ColumnElement[bool], ...]:
    table = resource.table
    return table.c.delete_by <= r.today, table.c.erased_at.is_(None)


@cache
def _any_due(resource: Resource) -> Query:
    return Query(
        select(resource.table.c.id).where(*_due(resource)).limit(1),
        unscoped="only whether anything is due at all",
    )


async def _erase_some(database: Database, resource: Resource) -> int:
    """Erases some records that are due, in one transaction; how many there were."""
    if not await database.rows(_any_due(resource), {"today": today()}):
        return 0
    kind = resource.kind
    async with database.work() as unit:
        if not await unit.try_lock("sweep"):
            return 0  # another process is at it
        found = await unit.session.scalars(
            select(resource.entity)
            .where(*_due(resource))
            .limit(_AT_ONCE)
            # What somebody is writing just now is left to the next time.
            .with_for_update(skip_locked=True)
            .execution_options(unscoped="what is due is erased, whoever sees it"),
            {"today": today()},
        )
        records: Sequence[Any] = found.all()
        for record in records:
            record.erase()
        keys = await _forget(unit, kind, [record.id for record in records])
        await unit.flush()
        for record in records:
            await journal.record(
                unit,
                actor=journal.COMMAND_LINE,
                action="erased",
                kind=kind,
                resource_id=record.id,
                version=record.version,
                owner_id=record.owner_id,
                agreement_id=record.agreement_id,
                organisation_id=record.home_organisation_id,
            )
        unit.after_commit.append(lambda: drop_files(keys))
    return len(records)


async def _forget(unit: Unit, kind: str, ids: list[UUID]) -> list[str]:
    """Removes what hangs below erased records, and what others hold of them; the keys of files."""
    execute = unit.session.execute
    keys: list[str] = []
    if kind == EVIDENCE_ITEMS.kind:
        found = await execute(select(_files.c.key).where(_files.c.evidence_item_id.in_(ids)))
        keys.extend(found.scalars())
    for table, column in _BELOW.get(kind, ()):
        await execute(delete(table).where(table.c[column].in_(ids)))
    for record_id in ids:
        await forget(unit, kind, record_id)
    return keys


async def _end_some(database: Database) -> int:
    if not await database.rows(_PAST, {"today": today()}):
        return 0
    async with database.work() as unit:
        if not await unit.try_lock("sweep"):
            return 0
        # Answers that were stored to be sent again go when their time is over, asked for or not.
        await unit.rows(EXPIRE, {"now": now()})
        return len(await unit.rows(_END_PAST, {"today": today()}))


async def _mark_some(database: Database) -> int:
    if not await any_gone(database):
        return 0
    async with database.work() as unit:
        if not await unit.try_lock("sweep"):
            return 0
        return await mark_gone(unit)


async def _drop_orphans(database: Database, files: Store) -> int:
    """Removes what is in the store and in no row: an upload that broke off, a deletion that failed."""
    before, dropped = now() - ORPHAN_AGE, 0
    old: list[str] = []
    async for kept in files.all():
        if kept.modified < before:
            old.append(kept.key)
        if len(old) == _LISTED:
            dropped += await _drop_unnamed(database, files, old)
            old = []
    dropped += await _drop_unnamed(database, files, old)
    return dropped + await files.drop_unfinished(before)


async def _drop_unnamed(database: Database, files: Store, keys: list[str]) -> int:
    rows = await database.rows(_NAMED[database.dialect.name], {"keys": keys})
    orphans = set(keys) - {row[0] for row in rows}
    for key in orphans:
        await files.delete(key)
    return len(orphans)


async def keep_sweeping(
    database: Database, *, first: timedelta = FIRST, every: timedelta = EVERY
) -> None:
    """Sweeps soon after the start and then again and again; a failure is logged, and the next time
    does what was missed."""
    await asyncio.sleep(first.total_seconds())
    while True:
        try:
            await sweep(database, store())
        except Exception as error:  # whatever it was: the next time does what was missed
            log.error("sweep_failed", kind=type(error).__name__, exc_info=True)
        await asyncio.sleep(every.total_seconds())
