"""Goals, as readers see them; who sees one is decided in `owned`."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, String

from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.records import record
from app.access.visibility import Resource, Way, parameter
from app.core.sql import there_is
from app.core.tables import Id, Moment
from app.models.goals import WORDING, Goal, GoalFrameworkItem, GoalProgress, GoalRevision
from app.models.terms import RecordKind

_items: Any = GoalFrameworkItem.__table__

_SHOWN = (
    "state", "wording_number", "statement", "baseline", "stage", "pupil_gain", "success_indicators",
    "development_plan_priorities", "personal_priority", "principles", "framework_items",
    "target_date", "learner_accepted_at", "coach_accepted_at", "coach_accepted_by",
)  # fmt: skip


def _has_item(row: Any, bind: Any) -> ColumnElement[bool]:
    return there_is(_items, _items.c.goal_id == row.c.id, _items.c.item_id == bind)


_WRITTEN = frozenset(
    (
        "id",
        "created_at",
        "owner_id",
        "created_by",
        "agreement_id",
        *WORDING,
        "wording_number",
        "view",
    )
)


def _finish(row: dict[str, Any]) -> None:
    """Who typed a goal and is not ticked reads what they typed, and nothing of what became of it."""
    if row.pop("only_written", False):
        row["view"] = "written"
        for name in set(row) - _WRITTEN - {"version", "owes_receipt", "reduced"}:
            del row[name]
        shown = "|".join(str(row[name]) for name in sorted(_WRITTEN))
        row["view_digest"] = hashlib.sha256(shown.encode()).hexdigest()[:20]


GOALS = record(
    kind="goal",
    disclosed=RecordKind.GOALS,
    path="/v1/goals",
    entity=Goal,
    shown=_SHOWN,
    erased={
        "statement": "", "baseline": None, "pupil_gain": None, "success_indicators": "[]",
        "development_plan_priorities": "[]", "personal_priority": None,
    },
    filters={
        "state": (lambda row, bind: row.c.state == bind, String),
        "framework_item": (_has_item, Id),
    },
    finish=_finish,
)  # fmt: skip


def _below(row: Any) -> Way:
    # The goal itself has been seen first: these lists hang below it.
    return Way("goal", row.c.goal_id == parameter("goal_id", Id))


def _of_goal(row: Any, kind: CallerKind) -> list[Way]:
    return [_below(row)]


def _none(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    return {}


GOAL_PROGRESS = Resource(
    kind="goal_progress",
    path="",
    table=GoalProgress.__table__,  # type: ignore[arg-type]
    entity=GoalProgress,
    ways=_of_goal,
    opened=_below,
    columns=lambda row, kind: [
        row.c[n] for n in ("id", "created_at", "created_by", "note", "from_state", "to_state")
    ],
    relations=_none,
    filters={
        "goal_id": lambda row, bind: row.c.goal_id == bind,
        "until": lambda row, bind: row.c.created_at <= bind,
        "created_by": lambda row, bind: row.c.created_by == bind,
    },
    filter_types={"goal_id": Id, "until": Moment, "created_by": Id},
)

GOAL_REVISIONS = Resource(
    kind="goal_revision",
    path="",
    table=GoalRevision.__table__,  # type: ignore[arg-type]
    entity=GoalRevision,
    ways=_of_goal,
    opened=_below,
    columns=lambda row, kind: [
        row.c[n] for n in ("id", "number", "wording", "replaced_at", "replaced_by")
    ],
    relations=_none,
    filters={
        "goal_id": lambda row, bind: row.c.goal_id == bind,
        "until": lambda row, bind: row.c.replaced_at <= bind,
    },
    filter_types={"goal_id": Id, "until": Moment},
)
