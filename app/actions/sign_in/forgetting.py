"""What is over is forgotten: codes, tokens and assertions soon, sessions after a season."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_

from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Unit
from app.core.query import Query
from app.core.tables import Moment
from app.models.identity_providers import FederatedSignIn, IdentityLink
from app.models.people import ClientSecret, UsedAssertion
from app.models.second_factors import SecondFactor
from app.models.sessions import Authorization, Session
from app.models.ways_in import PersonJoin

CODES = timedelta(days=1)
"""How long a code that comes again is told from one that never was."""
SESSIONS = timedelta(days=90)
"""How long a person can see that somebody was signed in; their refresh tokens go with them."""

_before = parameter("before", Moment)


def _over(table: Any, *moments: str) -> Query:
    return Query(delete(table).where(or_(*(table.c[name] < _before for name in moments))))


_factors: Any = SecondFactor.__table__
# An app that nobody has confirmed counts for nothing.
_BEGUN = Query(
    delete(_factors).where(_factors.c.confirmed_at.is_(None), _factors.c.created_at < _before)
)
_FORGET: tuple[tuple[Query, timedelta], ...] = (
    (_over(Authorization.__table__, "expires_at"), CODES),
    (_over(FederatedSignIn.__table__, "expires_at"), timedelta()),
    (_over(IdentityLink.__table__, "expires_at"), timedelta()),
    (_over(PersonJoin.__table__, "expires_at"), timedelta()),
    (_over(UsedAssertion.__table__, "expires_at"), timedelta(hours=1)),
    (_over(ClientSecret.__table__, "expires_at"), timedelta()),
    (_over(Session.__table__, "expires_at", "ended_at"), SESSIONS),
    (_BEGUN, CODES),
)


async def forget_expired(unit: Unit) -> None:
    """Removes what nobody needs any more."""
    await unit.begin()
    for query, kept in _FORGET:
        await unit.rows(query, {"before": now() - kept})
