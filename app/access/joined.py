"""What joining two records of one person must not open to anybody else.

Leaders and systems read while a learner of an agreement is at its home organisation; a share of what
may show pupils counts while its owner is where it was captured. A record that has left a place may
become one with a record that is there: what was closed by that stays closed, until its owner opens it.
"""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, false, not_, or_, select, update

from app.access import relations as r
from app.access.records import RECORDS
from app.access.visibility import Resource, parameter
from app.core.clock import now, today
from app.core.db import Unit
from app.core.http import as_uuid
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id, Moment
from app.models.agreements import AgreementParty, AgreementSignature, LearningAgreement
from app.models.evidence import EvidenceGoal, EvidenceItem
from app.models.pupils import PupilsShown
from app.models.shares import Share, SharedKind
from app.models.terms import PartyRole

_agreements: Any = LearningAgreement.__table__
_items: Any = EvidenceItem.__table__
_links: Any = EvidenceGoal.__table__
_shares: Any = Share.__table__
_gone, _stays = parameter("gone", Id), parameter("stays", Id)
_agreement = parameter("agreement_id", Id)


def _one_of_both(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(column == _gone, column == _stays)


def _other_is_at(person_id: ColumnElement[Any], organisation_id: Any) -> ColumnElement[bool]:
    """Whether the other record of the two is, or will be, at the organisation."""
    a = r.affiliations.alias("the_other_at")
    return there_is(
        a,
        _one_of_both(a.c.person_id),
        a.c.person_id != person_id,
        a.c.organisation_id == organisation_id,
        r.not_over(a),
    )


_learning = r.parties.alias("learning_there")
_COMES_HOME = Query(
    select(_agreements.c.id)
    .where(
        _agreements.c.home_organisation_id.is_not(None),
        there_is(
            _learning,
            _learning.c.agreement_id == _agreements.c.id,
            _one_of_both(_learning.c.person_id),
            _learning.c.role == PartyRole.LEARNER,
            _learning.c.until.is_(None),
            _other_is_at(_learning.c.person_id, _agreements.c.home_organisation_id),
        ),
        not_(r.learner_at_home(_agreements.c.id, _agreements.c.home_organisation_id)),
    )
    .order_by(_agreements.c.id)
    .with_for_update(),
    scoped=True,
)
_TICKS = tuple(
    f"{what}_to_{who}" for what in ("existence", "text") for who in ("leaders", "systems")
)
_CLOSE = Query(
    update(_agreements)
    .values(
        {name: false() for name in _TICKS}
        | {"version": _agreements.c.version + 1, "updated_at": parameter("now", Moment)}
    )
    .where(_agreements.c.id == _agreement)
)


@cache
def _close_records(resource: Resource) -> Query:
    table = resource.table
    return Query(
        update(table)
        .values(to_leaders=false(), to_systems=false())
        .where(table.c.agreement_id == _agreement, or_(table.c.to_leaders, table.c.to_systems))
    )


_there = r.affiliations.alias("owner_there")
_would_wake = and_(
    _one_of_both(_items.c.owner_id),
    _items.c.shows_pupils != PupilsShown.NO,
    _items.c.controller_organisation_id.is_not(None),
    not_(
        there_is(
            _there,
            _there.c.person_id == _items.c.owner_id,
            _there.c.organisation_id == _items.c.controller_organisation_id,
            r.current(_there),
        )
    ),
    _other_is_at(_items.c.owner_id, _items.c.controller_organisation_id),
)
_END_SHARES = Query(
    delete(_shares).where(
        _shares.c.kind == SharedKind.EVIDENCE_ITEM,
        there_is(_items, _items.c.id == _shares.c.record_id, _would_wake),
    )
)
_linked = _links.join(_items, _items.c.id == _links.c.evidence_item_id)
_GOAL_ALONE = Query(
    update(_shares)
    .values(
        with_evidence=false(),
        version=_shares.c.version + 1,
        updated_at=parameter("now", Moment),
    )
    .where(
        _shares.c.kind == SharedKind.GOAL,
        _shares.c.with_evidence,
        there_is(_linked, _links.c.goal_id == _shares.c.record_id, _would_wake),
    )
)


async def keep_closed(unit: Unit, *, gone: UUID, stays: UUID) -> None:
    """Before everything of one record becomes the other's: closes what would be opened by that alone."""
    values = {"gone": gone, "stays": stays, "today": today(), "now": now()}
    for row in await unit.rows(_COMES_HOME, values):
        named = {**values, "agreement_id": as_uuid(row[0])}
        await unit.rows(_CLOSE, named)
        for resource in RECORDS.values():
            await unit.rows(_close_records(resource), named, long=True)
    for query in (_END_SHARES, _GOAL_ALONE):
        await unit.rows(query, values, long=True)


def _names(table: Any, person_id: Any) -> ColumnElement[bool]:
    place = table.alias()
    return there_is(place, place.c.agreement_id == _agreements.c.id, place.c.person_id == person_id)


_named = [AgreementParty.__table__, AgreementSignature.__table__]
_BOTH = Query(
    select(_agreements.c.id)
    .where(*(or_(*(_names(table, who) for table in _named)) for who in (_gone, _stays)))
    .limit(1),
    unscoped="whether one agreement keeps two people apart; only that is told, to both",
)


async def share_an_agreement(unit: Unit, *, gone: UUID, stays: UUID) -> bool:
    """Whether one agreement names both, or has named them."""
    return bool(await unit.rows(_BOTH, {"gone": gone, "stays": stays}))
