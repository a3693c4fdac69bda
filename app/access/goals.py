"""Goals, as readers see them; who sees one is decided in `owned`."""

from typing import Any

from sqlalchemy import ColumnElement, String

from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.owned import (
    agreement_over,
    hold_agreement,
    owed_receipt,
    owned_relations,
    owned_ways,
    show_readers,
    ticks,
)
from app.access.visibility import Resource, Way, parameter, register
from app.core.sql import there_is
from app.core.tables import Id
from app.models.goals import Goal, GoalFrameworkItem, GoalProgress, GoalRevision

_items: Any = GoalFrameworkItem.__table__

_SHOWN = [
    "id",
    "version",
    "created_at",
    "updated_at",
    "owner_id",
    "created_by",
    "agreement_id",
    "state",
    "wording_number",
    "statement",
    "baseline",
    "stage",
    "pupil_gain",
    "success_indicators",
    "development_plan_priorities",
    "personal_priority",
    "principles",
    "framework_items",
    "target_date",
    "learner_accepted_at",
    "coach_accepted_at",
    "coach_accepted_by",
]


def _has_item(row: Any, bind: Any) -> ColumnElement[bool]:
    return there_is(_items, _items.c.goal_id == row.c.id, _items.c.item_id == bind)


GOALS = register(
    Resource(
        kind="goal",
        path="/v1/goals",
        table=Goal.__table__,  # type: ignore[arg-type]
        entity=Goal,
        ways=owned_ways,
        columns=lambda row, kind: [*(row.c[name] for name in _SHOWN), ticks(row)],
        relations=owned_relations,
        filters={
            "agreement_id": lambda row, bind: row.c.agreement_id == bind,
            "owner_id": lambda row, bind: row.c.owner_id == bind,
            "state": lambda row, bind: row.c.state == bind,
            "framework_item": _has_item,
        },
        filter_types={
            "agreement_id": Id,
            "owner_id": Id,
            "state": String,
            "framework_item": Id,
        },
        prepare=show_readers,
        owes_receipt=owed_receipt,
        holds=hold_agreement(Goal.__table__),
        over=agreement_over,
    )
)


def _of_goal(row: Any, kind: CallerKind) -> list[Way]:
    # The goal itself has been seen first: these lists hang below it.
    return [Way("goal", row.c.goal_id == parameter("goal_id", Id))]


def _none(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    return {}


GOAL_PROGRESS = Resource(
    kind="goal_progress",
    path="",
    table=GoalProgress.__table__,  # type: ignore[arg-type]
    entity=GoalProgress,
    ways=_of_goal,
    columns=lambda row, kind: [
        row.c[n] for n in ("id", "created_at", "created_by", "note", "from_state", "to_state")
    ],
    relations=_none,
    filters={"goal_id": lambda row, bind: row.c.goal_id == bind},
    filter_types={"goal_id": Id},
)

GOAL_REVISIONS = Resource(
    kind="goal_revision",
    path="",
    table=GoalRevision.__table__,  # type: ignore[arg-type]
    entity=GoalRevision,
    ways=_of_goal,
    columns=lambda row, kind: [
        row.c[n] for n in ("id", "number", "wording", "replaced_at", "replaced_by")
    ],
    relations=_none,
    filters={"goal_id": lambda row, bind: row.c.goal_id == bind},
    filter_types={"goal_id": Id},
)
