"""Receipts: one row a reader, client, record and day, in one statement a page.

Owed for reads beyond existence by anyone who is neither owner nor party, and by a party who is also
a leader of the home organisation. Under an opening every read owes one, in a table of its own, which
is shown with the opening. A repeat writes nothing and opens no transaction: each process
remembers what it has written; the memory may be cold.
"""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, JSON, BindParameter, Date, String, bindparam, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from app.access.caller import Caller
from app.core.db import Unit
from app.core.query import Query
from app.core.tables import Id
from app.models.openings import OpeningReceipt
from app.models.receipts import NOBODY, Receipt

_REMEMBERED = 100_000
_written: dict[tuple[Any, ...], set[str]] = {}
"""Ids by reader, client, day, opening and kind."""

_rest: list[BindParameter[Any]] = [
    bindparam("kind", type_=String, required=True),
    bindparam("day", type_=Date, required=True),
    bindparam("person_id", type_=Id, required=True),
    bindparam("client_id", type_=Id, required=True),
]
_opening: BindParameter[Any] = bindparam("opening_id", type_=Id, required=True)

_each = func.json_each(bindparam("ids", type_=JSON, required=True)).table_valued("value")
_array = func.unnest(bindparam("ids", type_=ARRAY(Id), required=True)).column_valued("owed")


def _insert(table: Any, values: list[BindParameter[Any]]) -> dict[str, Query]:
    columns = ["resource_id", *(value.key for value in values)]
    return {
        # "WHERE true": without it SQLite reads ON CONFLICT as a join's ON.
        "sqlite": Query(
            sqlite.insert(table)
            .from_select(columns, select(_each.c.value, *values).where(literal(1) == literal(1)))
            .on_conflict_do_nothing()
        ),
        "postgresql": Query(
            postgresql.insert(table)
            .from_select(columns, select(_array, *values))
            .on_conflict_do_nothing()
        ),
    }


_INSERT = _insert(Receipt.__table__, _rest)
_INSERT_OPENED = _insert(OpeningReceipt.__table__, [*_rest, _opening])


async def write(unit: Unit, caller: Caller, day: date, owed: list[tuple[str, str]]) -> None:
    """Writes what of `owed` (kind and id) is new today; the request commits it before it answers."""
    opening_id = caller.opening_id
    reader = (id(unit.database), caller.key, day, opening_id)
    missing: dict[str, list[str]] = {}
    for kind, resource_id in owed:
        if resource_id not in _written.get((*reader, kind), ()):
            missing.setdefault(kind, []).append(resource_id)
    if not missing:
        return
    for kind, ids in missing.items():
        await unit.begin()
        await unit.rows(
            (_INSERT if opening_id is None else _INSERT_OPENED)[unit.database.dialect.name],
            {
                "ids": ids,
                "kind": kind,
                "day": day,
                "person_id": caller.person_id or NOBODY,
                "client_id": caller.client_id,
                "opening_id": opening_id,
            },
        )
    unit.after_commit.append(lambda: _remember(reader, missing))


def _remember(reader: tuple[Any, ...], written: dict[str, list[str]]) -> None:
    if sum(len(ids) for ids in _written.values()) > _REMEMBERED:
        _written.clear()  # a cold memory only costs statements that write nothing
    for kind, ids in written.items():
        _written.setdefault((*reader, kind), set()).update(ids)
