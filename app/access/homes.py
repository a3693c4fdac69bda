"""Which agreements' learners have left the home organisation, so that leaders and systems pass over
their records instead of looking at each.

The mark (`learners_gone`, on the agreement and its records) decides nothing by itself: who reads is
decided by the dates, at each request. It is set by the sweep when no learner is or will be at the
home organisation, and must be gone before a learner's return can be seen: whoever writes an
affiliation or changes an agreement's parties calls `learners_came` or `learners_may_be_there`.
"""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, false, not_, select, true, update

from app.access import relations as r
from app.access.records import RECORDS
from app.access.visibility import parameter
from app.core.clock import today
from app.core.db import Database, Unit
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import LearningAgreement
from app.models.terms import PartyRole

_agreements: Any = LearningAgreement.__table__
_id = parameter("agreement_id", Id)


def _learner_to_come_or_there(agreement: Any) -> ColumnElement[bool]:
    p, a = r.parties.alias("its_learner"), r.affiliations.alias("its_place")
    return there_is(
        p,
        p.c.agreement_id == agreement.c.id,
        p.c.role == PartyRole.LEARNER,
        p.c.until.is_(None),
        there_is(
            a,
            a.c.person_id == p.c.person_id,
            a.c.organisation_id == agreement.c.home_organisation_id,
            r.not_over(a),
        ),
    )


def _of_learner(person_id: Any) -> ColumnElement[bool]:
    p = r.parties.alias("learning_in")
    return there_is(
        p,
        p.c.agreement_id == _agreements.c.id,
        p.c.person_id == person_id,
        p.c.role == PartyRole.LEARNER,
        p.c.until.is_(None),
    )


# Written whether or not it is marked: the row lock makes a sweep that looks at it wait, and look
# again.
_UNMARK = Query(
    update(_agreements)
    .values(learners_gone=false())
    .where(
        _agreements.c.home_organisation_id == parameter("organisation_id", Id),
        _of_learner(parameter("person_id", Id)),
    )
    .returning(_agreements.c.id)
)
_UNMARK_ONE = Query(
    update(_agreements).values(learners_gone=false()).where(_agreements.c.id == _id)
)
_MARK = Query(
    update(_agreements)
    .values(learners_gone=true())
    .where(_agreements.c.id == _id, not_(_learner_to_come_or_there(_agreements)))
    .returning(_agreements.c.id)
)
_some = (
    select(_agreements.c.id)
    .where(
        not_(_agreements.c.learners_gone),
        _agreements.c.home_organisation_id.is_not(None),
        not_(_learner_to_come_or_there(_agreements)),
    )
    .order_by(_agreements.c.id)
    .limit(parameter("limit", Integer))
)
_ANY = Query(_some, scoped=True)
_CANDIDATES = Query(_some.with_for_update(), scoped=True)


@cache
def _records(*, gone: bool) -> list[Query]:
    queries = []
    for resource in RECORDS.values():
        table = resource.table
        unlike = not_(table.c.learners_gone) if gone else table.c.learners_gone
        queries.append(
            Query(
                update(table)
                .values(learners_gone=true() if gone else false())
                .where(table.c.agreement_id == _id, unlike)
            )
        )
    return queries


async def learners_came(unit: Unit, person_id: UUID, organisation_id: UUID) -> None:
    """A person has, or may again have, a place at an organisation: their agreements are looked at."""
    await unit.flush()
    found = await unit.rows(_UNMARK, {"person_id": person_id, "organisation_id": organisation_id})
    for (agreement_id,) in found:
        await _change_records(unit, agreement_id, gone=False)


async def learners_may_be_there(unit: Unit, agreement_id: UUID) -> None:
    """Another text of an agreement is in force: its learners or its home may be others."""
    await unit.rows(_UNMARK_ONE, {"agreement_id": agreement_id})
    await _change_records(unit, agreement_id, gone=False)


async def any_gone(database: Database) -> bool:
    """Whether there is an agreement to mark."""
    return bool(await database.rows(_ANY, {"limit": 1, "today": today()}))


async def mark_gone(unit: Unit, limit: int = 100) -> int:
    """Marks up to `limit` agreements that no learner is or will be at home of; says how many."""
    await unit.begin()
    candidates = await unit.rows(_CANDIDATES, {"limit": limit, "today": today()})
    marked = 0
    for (agreement_id,) in candidates:
        # Held now; looked at once more, since somebody may have come while it was waited for.
        values = {"agreement_id": agreement_id, "today": today()}
        if await unit.rows(_MARK, values):
            await _change_records(unit, agreement_id, gone=True)
            marked += 1
    return marked


async def _change_records(unit: Unit, agreement_id: UUID, *, gone: bool) -> None:
    for query in _records(gone=gone):
        await unit.rows(query, {"agreement_id": agreement_id}, long=True)
