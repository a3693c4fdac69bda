"""Evidence items, as readers see them; who sees one is decided in `owned`."""

import json
import zlib
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, false, not_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.gates import Row
from app.access.goals import GOALS
from app.access.records import record
from app.access.visibility import parameter, visible
from app.core.errors import Conflict, NotFound
from app.core.http import as_uuid
from app.core.pages import PageQuery
from app.core.query import Query
from app.core.search import all_words
from app.core.sql import json_list, json_object, there_is, wire
from app.core.tables import Id
from app.models.evidence import (
    EvidenceFile,
    EvidenceFrameworkItem,
    EvidenceGoal,
    EvidenceItem,
    EvidenceKind,
)
from app.models.pupils import PupilsShown
from app.models.terms import RecordKind

_files: Any = EvidenceFile.__table__
_goals: Any = EvidenceGoal.__table__
_items: Any = EvidenceFrameworkItem.__table__

WITHHELD = "withheld"
"""Name of the view of an owner who has left where it was captured: that it is there, no more."""

_TEXT = ("description", "context", "whose_practice", "what_it_shows", "other_explanations")
_CUT = (
    "title", *_TEXT, "principles", "framework_items", "goal_ids", "files", "created_by", "updated_at",
    "shows_pupils", "pupil_basis", "pupil_consent", "erased_at",
)  # fmt: skip


def _withheld(row: Any, caller: CallerKind) -> ColumnElement[Any]:
    """Whether it may show pupils, and the caller is its owner, gone from where it was captured."""
    if caller is not CallerKind.PERSON:
        return false().label("withheld")
    return and_(row.c.owner_id == r.me, *_stays_behind(row, r.me)).label("withheld")


def _stays_behind(row: Any, person_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Whether it may show pupils and a person is gone from where it was captured."""
    a = r.affiliations.alias("at_controller")
    there = there_is(
        a,
        a.c.person_id == person_id,
        a.c.organisation_id == row.c.controller_organisation_id,
        r.current(a),
    )
    return (
        row.c.shows_pupils != PupilsShown.NO,
        row.c.controller_organisation_id.is_not(None),
        not_(there),
    )


def _opened(row: Any) -> ColumnElement[bool]:
    """No reflection, whoever is ticked for it, and nothing that its own owner no longer sees."""
    withheld = and_(*_stays_behind(row, row.c.owner_id))
    return and_(row.c.kind != EvidenceKind.REFLECTION, not_(withheld))


def _goal_ids(row: Any, caller: CallerKind) -> ColumnElement[Any]:
    """The goals that it is linked to, for who sees them too."""
    link, goal = _goals.alias("link"), GOALS.table.alias("linked_goal")
    found = (
        select(wire(goal.c.id).label("id"))
        .join_from(link, goal, goal.c.id == link.c.goal_id)
        .where(link.c.evidence_item_id == row.c.id, visible(GOALS, goal, caller))
        .order_by(goal.c.id)
        .correlate(row)
    )
    return json_list(found).label("goal_ids")


def _file_list(row: Any) -> ColumnElement[Any]:
    f = _files.alias("file")
    shown = json_object(
        "id", wire(f.c.id), "name", f.c.name, "media_type", f.c.media_type, "size", f.c.size,
        "sha256", f.c.sha256, "created_at", wire(f.c.created_at),
    )  # fmt: skip
    found = select(shown).where(f.c.evidence_item_id == row.c.id).order_by(f.c.id).correlate(row)
    return json_list(found).label("files")


def _names(row: Any, until: Any) -> ColumnElement[str]:
    """The words of the names of its files, of those that were there at a moment."""
    f = _files.alias("named")
    then = true() if until is None else f.c.created_at <= until
    names = select(all_words(f.c.folded)).where(f.c.evidence_item_id == row.c.id, then)
    return names.correlate_except(f).scalar_subquery()


def _finish(row: dict[str, Any]) -> None:
    # Goals and what is kept of the files come and go without a new version: the ETag tells of it.
    lists = f"{row['goal_ids']}{row['files']}".encode()
    row["shade"] = f"{row['shade']}-{zlib.crc32(lists):x}"
    if row.pop("withheld"):
        row["view"], row["reduced"] = WITHHELD, True
        for name in _CUT:
            del row[name]


EVIDENCE_ITEMS = record(
    kind="evidence_item",
    disclosed=RecordKind.EVIDENCE,
    path="/v1/evidence-items",
    entity=EvidenceItem,
    shown=(
        "kind", "title", *_TEXT, "captured_on", "principles", "framework_items",
        "controller_organisation_id",
    ),
    erased={"title": "", **dict.fromkeys(_TEXT), "files": "[]"},
    filters={
        "kind": (lambda row, bind: row.c.kind == bind, String),
        "framework_item": (
            lambda row, bind: there_is(
                _items, _items.c.evidence_item_id == row.c.id, _items.c.item_id == bind
            ),
            Id,
        ),
        # Who does not see the goal must not learn of the link: only `evidence_page` uses it.
        "goal_id": (
            lambda row, bind: there_is(
                _goals, _goals.c.evidence_item_id == row.c.id, _goals.c.goal_id == bind
            ),
            Id,
        ),
    },
    more=lambda row, caller: [_withheld(row, caller), _goal_ids(row, caller), _file_list(row)],
    lists=("goal_ids", "files"),
    said=_names,
    hidden=_withheld,
    finish=_finish,
    opened=_opened,
)  # fmt: skip


async def evidence_page(access: Access, query: PageQuery, goal_id: UUID | None) -> dict[str, Any]:
    """One page of evidence items; of those linked to a goal when the caller sees that goal."""
    if goal_id is not None and await access.find(GOALS, goal_id) is None:
        return {"items": [], "next": None}
    return await access.page(EVIDENCE_ITEMS, query)


_PLACES = Query(
    select(r.affiliations.c.organisation_id)
    .where(r.affiliations.c.person_id == r.me, r.current(r.affiliations))
    .distinct(),
    scoped=True,
)


async def places_today(access: Access) -> list[UUID]:
    """The organisations where the caller is today."""
    return [as_uuid(row[0]) for row in await access.unit.rows(_PLACES, access.parameters)]


async def open_item(access: Access, item_id: UUID) -> dict[str, Any]:
    """The item as its owner sees it; Conflict when it stays where it was captured."""
    row = await access.find(EVIDENCE_ITEMS, item_id)
    if row is None:
        raise NotFound()
    if row["view"] == WITHHELD:
        raise Conflict(
            "It may show pupils and stays where it was captured, where you are no longer: its "
            "readers can be taken away, and it can be deleted."
        )
    return row


def files_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of an item that its reader sees: none of one that is withheld or erased."""
    found: list[dict[str, Any]] = json.loads(row.get("files", "[]"))
    return found


def file_of(row: dict[str, Any], file_id: UUID) -> dict[str, Any]:
    """One of them; NotFound when it is hidden or not there."""
    for file in files_of(row):
        if file["id"] == str(file_id):
            return file
    raise NotFound()


_KEY = Query(
    select(_files.c.key).where(
        _files.c.id == parameter("id", Id),
        _files.c.evidence_item_id == parameter("evidence_item_id", Id),
    )
)


async def key_of(row: Row, file_id: UUID) -> str:
    """Where the store keeps the bytes of a file of `row`; NotFound when it is gone."""
    found = await row.access.unit.rows(_KEY, {"id": file_id, "evidence_item_id": row.id})
    if not found:
        raise NotFound()
    key: str = found[0][0]
    return key
