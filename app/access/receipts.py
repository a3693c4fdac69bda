"""Receipts: one row a reader, client, record and day, in one statement a page.

Owed for reads beyond existence by anyone who is neither owner nor party, and by a party who is also
a leader of the home organisation. A repeat writes nothing and opens no transaction: each process
remembers what it has written; the memory may be cold.
"""

from collections import OrderedDict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, JSON, Date, String, bindparam, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from app.access.caller import Caller
from app.core.db import Unit
from app.core.query import Query
from app.core.tables import Id
from app.models.receipts import NOBODY, Receipt

_REMEMBERED = 200_000
_written: OrderedDict[tuple[Any, ...], None] = OrderedDict()

_table: Any = Receipt.__table__
_rest = [
    bindparam("kind", type_=String, required=True),
    bindparam("day", type_=Date, required=True),
    bindparam("person_id", type_=Id, required=True),
    bindparam("client_id", type_=Id, required=True),
]
_columns = ["resource_id", "kind", "day", "person_id", "client_id"]

_each = func.json_each(bindparam("ids", type_=JSON, required=True)).table_valued("value")
_array = func.unnest(bindparam("ids", type_=ARRAY(Id), required=True)).column_valued("owed")
_INSERT = {
    # "WHERE true": without it SQLite reads ON CONFLICT as a join's ON.
    "sqlite": Query(
        sqlite.insert(_table)
        .from_select(_columns, select(_each.c.value, *_rest).where(literal(1) == literal(1)))
        .on_conflict_do_nothing()
    ),
    "postgresql": Query(
        postgresql.insert(_table)
        .from_select(_columns, select(_array, *_rest))
        .on_conflict_do_nothing()
    ),
}


async def write(unit: Unit, caller: Caller, day: date, owed: list[tuple[str, UUID]]) -> None:
    """Writes what of `owed` is new today; the caller commits before the body is sent."""
    reader = (id(unit.database), caller.person_id or NOBODY, caller.client_id, day)
    missing: dict[str, list[UUID]] = {}
    for kind, resource_id in owed:
        if (*reader, kind, resource_id) not in _written:
            missing.setdefault(kind, []).append(resource_id)
    if not missing:
        return
    await unit.begin()
    sqlite_like = unit.database.is_sqlite
    for kind, ids in missing.items():
        await unit.rows(
            _INSERT[unit.database.dialect.name],
            {
                "ids": [str(i) for i in ids] if sqlite_like else ids,
                "kind": kind,
                "day": day,
                "person_id": caller.person_id or NOBODY,
                "client_id": caller.client_id,
            },
        )
    unit.after_commit.append(lambda: _remember(reader, missing))


def _remember(reader: tuple[Any, ...], written: dict[str, list[UUID]]) -> None:
    for kind, ids in written.items():
        for resource_id in ids:
            _written[(*reader, kind, resource_id)] = None
    while len(_written) > _REMEMBERED:
        _written.popitem(last=False)
