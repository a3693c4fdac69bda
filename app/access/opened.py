"""What an opening opens, and to whom: the one way of seeing of an opener.

Two people who have nothing to do with the agreement: asked anew at each read, for both of them.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select, true

from app.access import relations as r
from app.access.visibility import Way, parameter
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id, Moment
from app.models.agreements import AgreementSignature, LearningAgreement
from app.models.openings import Opening
from app.models.terms import PARTY_READERS

_agreements: Any = LearningAgreement.__table__
_signatures: Any = AgreementSignature.__table__
opening: Any = Opening.__table__.alias("opening")


def outside(person_id: Any, agreement_id: Any) -> ColumnElement[bool]:
    """Whether a person is one of the operator's administrators and has no tie to the agreement.

    Nobody who is or was a party of it, or was ever asked to sign it. Nobody who is, was or will be
    at its home organisation, in any role: who administers the organisation can change a leader's
    role and dates, and change them back.
    """
    o, p, s = (
        r.operators.alias("looking_after"),
        r.parties.alias("ever_party"),
        _signatures.alias("ever_asked"),
    )
    home, a = _agreements.alias("its_home"), r.affiliations.alias("ever_there")
    return and_(
        there_is(o, o.c.person_id == person_id),
        not_(there_is(p, p.c.agreement_id == agreement_id, p.c.person_id == person_id)),
        not_(there_is(s, s.c.agreement_id == agreement_id, s.c.person_id == person_id)),
        not_(
            there_is(
                a.join(home, home.c.home_organisation_id == a.c.organisation_id),
                home.c.id == agreement_id,
                a.c.person_id == person_id,
            )
        ),
    )


def is_open(row: Any) -> ColumnElement[bool]:
    """Whether an opening opens its agreement at this moment."""
    return and_(
        row.c.confirmed_by != row.c.asked_by,
        row.c.closed_at.is_(None),
        row.c.ends_at > parameter("now", Moment),
        outside(row.c.asked_by, row.c.agreement_id),
        outside(row.c.confirmed_by, row.c.agreement_id),
    )


def is_shown(row: Any) -> ColumnElement[bool]:
    """Whether the parties see an opening, what was read under it and what the journal says of it."""
    return row.c.shown_on <= r.today  # type: ignore[no-any-return]


_mine = and_(
    opening.c.id == parameter("opening", Id),
    or_(opening.c.asked_by == r.me, opening.c.confirmed_by == r.me),
    is_open(opening),
)

MINE_AND_OPEN = Query(select(opening.c.id).where(_mine), scoped=True)
"""The opening that the request names, while it is open to the caller."""


def by_opening(agreement_id: Any, condition: ColumnElement[bool] | None = None) -> Way:
    """Seen under the opening that the request names, of the agreement with this id."""
    return Way(
        "opening",
        true() if condition is None else condition,
        through=opening,
        mine=_mine,
        link=agreement_id == opening.c.agreement_id,
    )


def opened_record(row: Any, condition: ColumnElement[bool]) -> Way:
    """A record that some class of party may read; what ticks none of them stays its owner's."""
    ticked = or_(*(row.c[f"to_{reader}"] for reader in PARTY_READERS))
    return by_opening(row.c.agreement_id, and_(ticked, condition))
