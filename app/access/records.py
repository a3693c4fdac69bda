"""Kinds of owned record: what they have in common when they are read.

A kind joins by having the columns of models.records.Record and calling `record`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, literal, true

from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.opened import opened_record
from app.access.owned import as_it_stood, owed_receipt, owned_relations, owned_ways, shared_with
from app.access.searching import Hidden, Said, moment_shown, words_shown
from app.access.standing import hold_agreement, nothing_more
from app.access.visibility import KEPT, Resource, register
from app.core.clock import today
from app.core.tables import Id
from app.models.terms import RecordKind, RecordReader

_READERS = [
    [str(reader) for i, reader in enumerate(RecordReader) if bits >> i & 1]
    for bits in range(2 ** len(RecordReader))
]


def ticks(row: Any) -> ColumnElement[Any]:
    """The ticks of a record as one number: a bit for each class of reader, in their order."""
    number: ColumnElement[Any] = literal(0)
    for i, reader in enumerate(RecordReader):
        number = number + cast(row.c[f"to_{reader}"], Integer) * 2**i
    return number.label("ticks")


_BASE = (
    "id", "version", "created_at", "updated_at", "owner_id", "created_by", "agreement_id",
    "shows_pupils", "pupil_basis", "pupil_consent", "delete_by", "erased_at",
)  # fmt: skip


_OF_TODAY = ("delete_by", "erased_at")


def _prepare(
    erased: Mapping[str, Any], lists: tuple[str, ...], finish: Callable[[dict[str, Any]], None]
) -> Callable[[dict[str, Any]], None]:
    gone = {"pupil_basis": None, **erased}

    def prepare(row: dict[str, Any]) -> None:
        if row.get("kept"):
            _put_back(row, lists)
        row.setdefault("view", FULL)
        row["readers"] = _READERS[row["ticks"]]
        # The terms may take ticks away without a new version: the ETag tells of it.
        row["shade"] = row["ticks"]
        due = row["delete_by"]
        if due is not None and due <= today().isoformat():
            # From its date on the text is gone, whether or not the sweep has come by.
            row.update(gone)
            row["reduced"] = True
            row["shade"] = f"{row['shade']}-due"
        finish(row)

    return prepare


def _put_back(row: dict[str, Any], lists: tuple[str, ...]) -> None:
    """Makes a row what it was when its reader left; what is gone from `lists` since then stays gone,
    and until when it is kept is what its owner says today."""
    kept_row = json.loads(row["kept"])
    shown = kept_row["shown"]
    for name, value in (json.loads(shown) if isinstance(shown, str) else shown).items():
        if name in lists:
            was = json.loads(value) if isinstance(value, str) else value
            row[name] = json.dumps([entry for entry in json.loads(row[name]) if entry in was])
        elif name not in _OF_TODAY:
            row[name] = json.dumps(value) if isinstance(value, (list, dict)) else value
    row["kept_at"] = kept_row["kept_at"]
    row["only_written"] = not kept_row["ticked"]
    row["view"] = KEPT


FULL = "full"
"""Name of the view of those who see a record as it is."""

RECORDS: dict[RecordKind, Resource] = {}
"""The kinds of owned record, by the word that the terms have for them."""


def record(
    *,
    kind: str,
    disclosed: RecordKind,
    path: str,
    entity: type[Any],
    shown: tuple[str, ...],
    erased: Mapping[str, Any],
    filters: Mapping[str, tuple[Any, Any]],
    more: Callable[[Any, CallerKind], list[ColumnElement[Any]]] = lambda row, kind: [],
    relations: Callable[[Any, CallerKind], dict[Relation, ColumnElement[bool]]] = owned_relations,
    lists: tuple[str, ...] = (),
    finish: Callable[[dict[str, Any]], None] = lambda row: None,
    said: Said | None = None,
    hidden: Hidden | None = None,
    opened: Callable[[Any], ColumnElement[bool]] = lambda row: true(),
) -> Resource:
    """Registers a kind of owned record.

    `shown` are its own columns, `erased` what they hold once the record is erased, `filters` the
    condition and the type of each filter, `more` further columns that the row alone does not give,
    `lists` those of them that are JSON lists of what may be taken away again. `finish` has the last
    word on a row that was read. `said` and `hidden` are those of `words_shown` and `moment_shown`; `opened` is what an
    opening asks beside a tick for a party.
    """

    def columns(row: Any, caller: CallerKind) -> list[ColumnElement[Any]]:
        return [*(row.c[name] for name in (*_BASE, *shown)), ticks(row), *more(row, caller)]

    every = {
        "agreement_id": (lambda row, bind: row.c.agreement_id == bind, Id),
        "owner_id": (lambda row, bind: row.c.owner_id == bind, Id),
        "network_id": (shared_with(kind, disclosed), Id),
        **filters,
    }
    RECORDS[disclosed] = register(
        Resource(
            kind=kind,
            path=path,
            table=entity.__table__,
            entity=entity,
            ways=owned_ways(kind, disclosed),
            columns=columns,
            relations=relations,
            filters={name: condition for name, (condition, _) in every.items()},
            filter_types={name: type_ for name, (_, type_) in every.items()},
            prepare=_prepare(erased, lists, finish),
            owes_receipt=owed_receipt,
            holds=hold_agreement(entity.__table__),
            over=nothing_more,
            kept=as_it_stood(kind),
            opened=None
            if disclosed is RecordKind.REFLECTIONS
            else lambda row: opened_record(row, opened(row)),
            search=words_shown(kind, said, hidden),
            changed=moment_shown(kind, hidden),
        )
    )
    return RECORDS[disclosed]
