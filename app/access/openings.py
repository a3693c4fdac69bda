"""Openings, as they are seen: by those who may confirm them, by the two, and by the parties."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.opened import is_shown, outside
from app.access.visibility import Resource, Way, register
from app.core.sql import json_object, wire
from app.core.tables import Id
from app.models.openings import Opening, OpeningState, state_of
from app.models.people import Person
from app.models.terms import PartyRole

_people: Any = Person.__table__
_party = r.parties.alias("shown_to")
_left = r.parties.alias("shown_to_left")

_NAMES = (
    "id", "version", "created_at", "updated_at", "agreement_id", "reason", "minutes", "shown_on",
    "hidden_because", "confirmed_at", "ends_at", "closed_at", "closed_by",
)  # fmt: skip


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    if kind is not CallerKind.PERSON:
        return []
    return [
        Way("operator", outside(r.me, row.c.agreement_id)),
        Way("asker", row.c.asked_by == r.me),
        Way("confirmer", row.c.confirmed_by == r.me),
        Way(
            "party",
            is_shown(row),
            through=_party,
            mine=and_(_party.c.person_id == r.me, _party.c.until.is_(None)),
            link=row.c.agreement_id == _party.c.agreement_id,
        ),
        # Records of a learner who has left are opened with the rest: they are told of it, too.
        Way(
            "former_learner",
            is_shown(row),
            through=_left,
            mine=and_(
                _left.c.person_id == r.me,
                _left.c.role == PartyRole.LEARNER,
                _left.c.until.is_not(None),
            ),
            link=row.c.agreement_id == _left.c.agreement_id,
        ),
    ]


def _who(row: Any, column: str) -> ColumnElement[Any]:
    n = _people.alias(f"name_{column}")
    return (
        select(json_object("person_id", wire(n.c.id), "name", n.c.name))
        .where(n.c.id == row.c[column])
        .correlate_except(n)
        .scalar_subquery()
        .label(column)
    )


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    return [
        *(row.c[name] for name in _NAMES),
        *(_who(row, name) for name in ("asked_by", "confirmed_by")),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is not CallerKind.PERSON:
        return {}
    return {
        Relation.SECOND: and_(
            row.c.asked_by != r.me,
            outside(r.me, row.c.agreement_id),
            outside(row.c.asked_by, row.c.agreement_id),
        ),
        Relation.OPENER: or_(row.c.asked_by == r.me, row.c.confirmed_by == r.me),
    }


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _show(row: dict[str, Any]) -> None:
    asked_at = datetime.fromisoformat(row["created_at"])
    state = state_of(asked_at, _moment(row["ends_at"]), _moment(row["closed_at"]))
    row["state"] = state
    # The clock moves it on without a new version: the ETag tells of it, and no stored answer that
    # says otherwise is sent again.
    row["shade"] = f"-{state}"
    row["reduced"] = state in (OpeningState.LAPSED, OpeningState.EXPIRED)


OPENINGS = register(
    Resource(
        kind="opening",
        path="/v1/openings",
        table=Opening.__table__,  # type: ignore[arg-type]
        entity=Opening,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        filters={"agreement_id": lambda row, bind: row.c.agreement_id == bind},
        filter_types={"agreement_id": Id},
        prepare=_show,
    )
)
