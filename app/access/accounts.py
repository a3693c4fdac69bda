"""How an account stands: whether it may sign in at all, and whether it takes a second factor."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select

from app.access import relations as r
from app.access.door import Access
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.db import Unit
from app.core.errors import Unauthenticated
from app.core.query import Query
from app.core.settings import settings
from app.core.sql import there_is
from app.core.tables import Id
from app.models.people import Affiliation, AffiliationRole, Operator, Person
from app.models.second_factors import SecondFactor

_people: Any = Person.__table__
_affiliations: Any = Affiliation.__table__
_operators: Any = Operator.__table__
_factors: Any = SecondFactor.__table__

_STANDING = Query(
    select(
        _people.c.disabled_because,
        or_(_people.c.anonymised_at.is_not(None), _people.c.joined_to.is_not(None)).label("gone"),
        there_is(
            _factors, _factors.c.person_id == _people.c.id, _factors.c.confirmed_at.is_not(None)
        ).label("has_factor"),
        there_is(_operators, _operators.c.person_id == _people.c.id).label("operator"),
        there_is(
            _affiliations,
            _affiliations.c.person_id == _people.c.id,
            _affiliations.c.role == AffiliationRole.ADMINISTRATOR,
            r.current(_affiliations),
        ).label("administrator"),
    ).where(_people.c.id == parameter("person_id", Id)),
    unscoped="whether somebody may sign in is asked before they have",
)
_HOLD = Query(
    select(_people.c.id)
    .where(_people.c.id == parameter("person_id", Id))
    .with_for_update(key_share=True),
    unscoped="a lock, and nothing else",
)


class AccountStanding(NamedTuple):
    """What signing in asks of a person."""

    disabled_because: str | None
    """Why nobody signs in as them; None: they may."""
    gone: bool
    """Anonymised, or gone into another record of the same person: nobody is there any more."""
    has_factor: bool
    must_have_factor: bool

    @property
    def is_open(self) -> bool:
        """Whether anybody may sign in to it."""
        return self.disabled_because is None and not self.gone

    @property
    def asks_factor(self) -> bool:
        """Whether a password alone, or a provider's word, is not enough."""
        return self.has_factor or self.must_have_factor


async def account_standing(unit: Unit, person_id: UUID) -> AccountStanding:
    """How the person's account stands now."""
    rows = await unit.rows(_STANDING, {"person_id": person_id, "today": today()})
    because, gone, has_factor, operator, administrator = rows[0]
    wanted = settings().second_factor
    must = wanted == "everyone" or (wanted == "administrators" and (operator or administrator))
    return AccountStanding(because, bool(gone), bool(has_factor), bool(must))


async def hold_account(unit: Unit, person_id: UUID) -> None:
    """Lets nobody else change the account's factors or state until the transaction ends.

    Taken before the rows of its ways in, its sign-ins and its sessions, in this order.
    """
    await unit.begin()
    await unit.rows(_HOLD, {"person_id": person_id})


FRESH_MINUTES = 30
"""How long ago a person may have signed in who changes what protects or opens their account."""


def check_fresh(access: Access) -> None:
    """Unauthenticated unless the caller has signed in lately (RFC 9470): a token that somebody else got
    hold of is not enough."""
    if now().timestamp() - access.caller.signed_in > FRESH_MINUTES * 60:
        raise Unauthenticated(
            f"Sign in again: this needs a sign-in of the last {FRESH_MINUTES} minutes.",
            error="insufficient_user_authentication",
        )
