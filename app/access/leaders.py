"""Who leads an agreement's home organisation, for its parties: leaders may be ticked as readers."""

from typing import Any

from sqlalchemy import func, or_, select

from app.access import relations as r
from app.access.visibility import parameter
from app.core.query import Query
from app.core.sql import wire
from app.core.tables import Id
from app.models.agreements import LearningAgreement
from app.models.people import LEADER_ROLES, Person

_agreements: Any = LearningAgreement.__table__
_people: Any = Person.__table__
_holding: Any = r.affiliations.alias("holding")

LEADERS = Query(
    select(
        wire(_holding.c.person_id).label("person_id"),
        _people.c.name,
        _holding.c.role,
        wire(_holding.c.starts_on).label("starts_on"),
        wire(_holding.c.ends_on).label("ends_on"),
        wire(_holding.c.updated_at).label("recorded_at"),
    )
    .select_from(
        _agreements.join(
            _holding, _holding.c.organisation_id == _agreements.c.home_organisation_id
        ).join(_people, _people.c.id == _holding.c.person_id)
    )
    .where(
        _agreements.c.id == parameter("agreement_id", Id),
        r.any_of(_holding.c.role, LEADER_ROLES),
        _holding.c.accepted_at.is_not(None),
        # Whoever held the role for a day while the agreement was there is shown, too.
        or_(
            r.not_past(_holding),
            _holding.c.ends_on > func.coalesce(_agreements.c.starts_on, _holding.c.starts_on),
        ),
    )
    .order_by(_holding.c.updated_at.desc(), _holding.c.id.desc()),
    scoped=True,
)
"""Leaders of the home organisation of `agreement_id`, which the caller has been seen to be a party
of: today's, those to come, and those since it began; what was written last comes first."""
