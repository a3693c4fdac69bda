"""Imports of organisations: many at once, under the rules of single writes."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    Dialect,
    MetaData,
    String,
    Table,
    select,
    text,
    update,
)

from app.access.visibility import parameter
from app.actions.organisations.single import KIND, Identifier
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.organisations import Organisation, OrganisationIdentifier

_organisations: Any = Organisation.__table__
_identifiers: Any = OrganisationIdentifier.__table__

_PARENT = Query(
    select(_organisations.c.parent_id).where(_organisations.c.id == parameter("id", Id))
)

FIELDS = (
    "kind", "name", "name_cy", "parent_id", "opened_on", "closed_on", "sector", "address",
    "postcode", "phone",
)  # fmt: skip
"""What an import may speak of."""


class Found(NamedTuple):
    """An organisation as it stands."""

    id: UUID
    version: int
    values: tuple[Any, ...]
    """Of `FIELDS`, in their order."""


class Wanted(NamedTuple):
    """An organisation as it is to be; `version` is the one that it then has, 1 for a new one."""

    id: UUID
    version: int
    values: Sequence[Any]
    """Of `FIELDS`, in their order."""
    folded: str
    changed: Sequence[str]
    identifier: Identifier


_BY_SOURCE = Query(
    select(
        _identifiers.c.external_id,
        _organisations.c.id,
        _organisations.c.version,
        *(_organisations.c[name] for name in FIELDS),
    )
    .join_from(_identifiers, _organisations)
    .where(_identifiers.c.source == parameter("source", String))
)


async def organisations_of(unit: Unit, source: str) -> dict[str, Found]:
    """Every organisation that `source` has a name for, by that name."""
    found = {}
    for external_id, organisation_id, version, *values in await unit.rows(
        _BY_SOURCE, {"source": source}
    ):
        kind, name, name_cy, parent_id, opened_on, closed_on, sector, address, *rest = values
        found[external_id] = Found(
            as_uuid(organisation_id),
            version,
            (
                kind,
                name,
                name_cy,
                None if parent_id is None else as_uuid(parent_id),
                _as_date(opened_on),
                _as_date(closed_on),
                sector,
                json.loads(address),
                *rest,
            ),
        )
    return found


def _as_date(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


async def circles(unit: Unit, parents: Mapping[UUID, UUID | None]) -> set[UUID]:
    """Which of these organisations would be above themselves if they had these parents."""
    above = dict(parents)
    seen: set[UUID] = set()
    found: set[UUID] = set()
    for start in parents:
        path: list[UUID] = []
        at: UUID | None = start
        while at is not None and at not in seen:
            seen.add(at)
            path.append(at)
            if at not in above:
                rows = await unit.rows(_PARENT, {"id": at})
                above[at] = as_uuid(rows[0][0]) if rows and rows[0][0] is not None else None
            at = above[at]
        if at in path:
            found.update(path[path.index(at) :])
    return found & parents.keys()


def moves_of(changed: Sequence[Wanted]) -> dict[UUID, UUID | None]:
    """The new parents of those that get another one."""
    parent = FIELDS.index("parent_id")
    return {w.id: w.values[parent] for w in changed if "parent_id" in w.changed}


class Batch(NamedTuple):
    """Rows of an import as the driver takes them, made before the transaction opens."""

    organisations: list[Any]
    identifiers: list[Any]
    changes: list[Any]
    journal: list[Any]
    moved: dict[UUID, UUID | None]
    journaled: list[UUID]

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(map(len, (self.organisations, self.identifiers, self.changes, self.journal)))


_NEW = ("id", "version", "created_at", "updated_at", "folded", *FIELDS)
_NAMES = ("organisation_id", "source", "external_id")
_CHANGES = ("id", "version", "updated_at", "folded", *FIELDS)
_JOURNAL = (
    "at", "person_id", "client_id", "action", "kind", "resource_id", "resource_version",
    "organisation_id", "changed",
)  # fmt: skip


def batch_of(
    dialect: Dialect,
    *,
    actor: journal.Actor,
    created: Sequence[Wanted],
    changed: Sequence[Wanted],
) -> Batch:
    """The rows that `import_organisations` writes; of the created, parents come first."""
    c, j = _organisations.c, journal.journal.c

    def bound(column: Any, values: Iterable[Any]) -> list[Any]:
        way = column.type.dialect_impl(dialect).bind_processor(dialect)
        return list(map(way, values) if way else values)

    def fields(wanted: Sequence[Wanted]) -> list[list[Any]]:
        columns = zip(*((w.folded, *w.values) for w in wanted), strict=True)
        return [
            bound(c[n], values) for n, values in zip(("folded", *FIELDS), columns, strict=False)
        ]

    new = bound(c.id, (w.id for w in created))
    old = bound(c.id, (w.id for w in changed))
    (at,), (nothing,) = bound(j.at, [now()]), bound(j.changed, [[]])
    who = bound(j.person_id, actor)
    names = zip(old, bound(j.changed, (sorted(w.changed) for w in changed)), changed, strict=True)
    return Batch(
        list(zip(new, repeat(1), repeat(at), repeat(at), *fields(created), strict=False)),
        [(id_, *w.identifier) for id_, w in zip(new, created, strict=True)],
        list(zip(old, (w.version for w in changed), repeat(at), *fields(changed), strict=False)),
        [
            *((at, *who, "created", KIND, id_, 1, id_, nothing) for id_ in new),
            *((at, *who, "changed", KIND, id_, w.version, id_, named) for id_, named, w in names),
        ],
        moves_of(changed),
        [w.id for w in (*created, *changed)],
    )


_staged: Any = Table(
    "organisation_changes", MetaData(), *(Column(n, _organisations.c[n].type) for n in _CHANGES)
)
_STAGE = Query(
    text(f"CREATE TEMPORARY TABLE organisation_changes AS SELECT {', '.join(_CHANGES)} FROM organisations LIMIT 0")  # noqa: S608
)  # fmt: skip
_APPLY = Query(
    update(_organisations)
    .values({name: _staged.c[name] for name in _CHANGES[1:]})
    .where(_organisations.c.id == _staged.c.id, _organisations.c.version == _staged.c.version - 1)
    .returning(_organisations.c.id)
)
_CLEAR = Query(text("DROP TABLE organisation_changes"))
_CHUNK = 5000


async def import_organisations(
    unit: Unit, batch: Batch, *, advance: Callable[[int], None] = lambda rows: None
) -> None:
    """Writes the batch; Conflict when what it was made from has changed meanwhile.

    Versions, the unique names of each source and the foreign keys tell that themselves.
    """
    if not await unit.try_lock("import organisations"):
        raise Conflict("Another import of organisations is at work.")
    if await circles(unit, batch.moved):
        raise Conflict("The organisations above have changed in the same moment.")

    done = 0

    async def insert_all(table: Any, names: Sequence[str], rows: list[Any]) -> None:
        nonlocal done
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            await unit.insert_many(table, names, chunk)
            done += len(chunk)
            advance(done)
            await asyncio.sleep(0)  # on SQLite nothing else waits

    await insert_all(_organisations, _NEW, batch.organisations)
    await insert_all(_identifiers, _NAMES, batch.identifiers)
    if batch.changes:
        await unit.rows(_STAGE, {})
        await insert_all(_staged, _CHANGES, batch.changes)
        if len(await unit.rows(_APPLY, {})) != len(batch.changes):
            raise Conflict("Somebody else changed an organisation in the same moment.")
        await unit.rows(_CLEAR, {})
    await insert_all(journal.journal, _JOURNAL, batch.journal)
    unit.journaled += [(KIND, organisation_id) for organisation_id in batch.journaled]
