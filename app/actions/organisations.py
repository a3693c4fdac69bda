"""Writes of organisations."""

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
    delete,
    insert,
    select,
    text,
    update,
)

from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, Invalid
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.core.text import fold
from app.models.organisations import Organisation, OrganisationIdentifier, OrganisationSuccessor

KIND = "organisation"

_organisations: Any = Organisation.__table__
_identifiers: Any = OrganisationIdentifier.__table__
_successors: Any = OrganisationSuccessor.__table__

_PARENT = Query(
    select(_organisations.c.parent_id).where(_organisations.c.id == parameter("id", Id))
)
_HOLDER = Query(
    select(_identifiers.c.organisation_id).where(
        _identifiers.c.source == parameter("source", String),
        _identifiers.c.external_id == parameter("external_id", String),
    )
)


class Identifier(NamedTuple):
    """What another system (`source`) calls an organisation."""

    source: str
    external_id: str


async def create_organisation(
    unit: Unit,
    *,
    actor: journal.Actor,
    organisation_id: UUID,
    values: Mapping[str, Any],
    identifiers: Sequence[Identifier] = (),
    successor_ids: Sequence[UUID] = (),
    digest: str | None = None,
) -> Organisation:
    """Creates an organisation; `values` are its columns. Invalid names the field that is wrong."""
    await unit.begin()
    moment = now()
    organisation = Organisation(
        id=organisation_id,
        version=1,
        created_at=moment,
        updated_at=moment,
        creation_digest=digest,
        folded="",
        **{"address": [], **values},
    )
    await _check(unit, organisation, identifiers, successor_ids)
    await unit.insert(organisation)
    await _write_identifiers(unit, organisation_id, identifiers)
    await _write_successors(unit, organisation_id, successor_ids)
    await journal.record(
        unit,
        actor=actor,
        action="created",
        kind=KIND,
        resource_id=organisation_id,
        version=1,
        organisation_id=organisation_id,
    )
    return organisation


async def change_organisation(
    unit: Unit,
    organisation: Organisation,
    *,
    actor: journal.Actor,
    values: Mapping[str, Any],
    identifiers: Sequence[Identifier] | None = None,
    successor_ids: Sequence[UUID] | None = None,
) -> set[str]:
    """Changes an organisation that this unit holds; returns the names of what did change."""
    changed = {name for name, value in values.items() if getattr(organisation, name) != value}
    for name in changed:
        setattr(organisation, name, values[name])
    await _check(unit, organisation, identifiers or (), successor_ids or ())
    if identifiers is not None:
        await unit.rows(_FORGET_IDENTIFIERS, {"id": organisation.id})
        await _write_identifiers(unit, organisation.id, identifiers)
        changed.add("identifiers")
    if successor_ids is not None:
        await unit.rows(_FORGET_SUCCESSORS, {"id": organisation.id})
        await _write_successors(unit, organisation.id, successor_ids)
        changed.add("successor_ids")
    if changed:
        organisation.touch()
        await unit.flush()
        await journal.record(
            unit,
            actor=actor,
            action="changed",
            kind=KIND,
            resource_id=organisation.id,
            version=organisation.version,
            organisation_id=organisation.id,
            changed=changed,
        )
    return changed


_FORGET_IDENTIFIERS = Query(
    delete(_identifiers).where(_identifiers.c.organisation_id == parameter("id", Id))
)
_FORGET_SUCCESSORS = Query(
    delete(_successors).where(_successors.c.organisation_id == parameter("id", Id))
)
_ADD_SUCCESSOR = Query(
    insert(_successors).values(
        organisation_id=parameter("organisation_id", Id), successor_id=parameter("successor_id", Id)
    )
)


def folded(name: str, name_cy: str | None) -> str:
    """Both names as the search compares them."""
    return fold(f"{name} {name_cy or ''}")


async def _check(
    unit: Unit,
    organisation: Organisation,
    identifiers: Sequence[Identifier],
    successor_ids: Sequence[UUID],
) -> None:
    organisation.folded = folded(organisation.name, organisation.name_cy)
    opened, closed = organisation.opened_on, organisation.closed_on
    if opened and closed and closed < opened:
        raise Invalid.field("/closed_on", "must not be before opened_on")
    await _check_parent(unit, organisation)
    for index, successor_id in enumerate(successor_ids):
        if successor_id == organisation.id:
            raise Invalid.field(f"/successor_ids/{index}", "must be another organisation")
        if not await unit.rows(_PARENT, {"id": successor_id}):
            raise Invalid.field(f"/successor_ids/{index}", "names no organisation")
    if len(set(successor_ids)) != len(successor_ids):
        raise Invalid.field("/successor_ids", "names an organisation twice")
    if len(set(identifiers)) != len(identifiers):
        raise Invalid.field("/identifiers", "has an identifier twice")
    for index, identifier in enumerate(identifiers):
        holders = await unit.rows(_HOLDER, identifier._asdict())
        if holders and as_uuid(holders[0][0]) != organisation.id:
            raise Conflict(
                f"Another organisation has the identifier {identifier.external_id} of "
                f"{identifier.source} (/identifiers/{index})."
            )


async def _check_parent(unit: Unit, organisation: Organisation) -> None:
    above = organisation.parent_id
    while above is not None:
        if above == organisation.id:
            raise Invalid.field("/parent_id", "must not be the organisation itself or one below it")
        found = await unit.rows(_PARENT, {"id": above})
        if not found:
            raise Invalid.field("/parent_id", "names no organisation")
        above = None if found[0][0] is None else as_uuid(found[0][0])


async def _write_identifiers(
    unit: Unit, organisation_id: UUID, items: Sequence[Identifier]
) -> None:
    for item in items:
        await unit.insert(
            OrganisationIdentifier(
                organisation_id=organisation_id, source=item.source, external_id=item.external_id
            )
        )


async def _write_successors(unit: Unit, organisation_id: UUID, ids: Sequence[UUID]) -> None:
    for successor_id in ids:
        await unit.rows(
            _ADD_SUCCESSOR, {"organisation_id": organisation_id, "successor_id": successor_id}
        )


# Imports: many at once, under the rules of create_organisation and change_organisation.

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
_CHUNK = 2000


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
