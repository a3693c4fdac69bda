"""Writes of openings: asked for by one, confirmed by another, closed by either."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access import relations as r
from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.opened import outside
from app.access.openings import OPENINGS
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.errors import Forbidden, Invalid
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import LearningAgreement
from app.models.openings import HIDDEN_DAYS, Opening

_agreements: Any = LearningAgreement.__table__

# One that has been in force: what nobody has signed yet is nobody's record.
_MAY_ASK = Query(
    select(
        r.is_operator().label("looks_after"),
        there_is(
            _agreements,
            _agreements.c.id == parameter("agreement_id", Id),
            _agreements.c.active_at.is_not(None),
            outside(r.me, _agreements.c.id),
        ).label("may"),
    ),
    scoped=True,
)


async def ask(
    access: Access,
    claim: Claim,
    *,
    agreement_id: UUID,
    reason: str,
    minutes: int,
    shown_on: date | None,
    hidden_because: str | None,
) -> None:
    """Asks for an opening; until another person confirms it, it opens nothing.

    The agreement's parties see it at once, or from `shown_on` on. An agreement that is not there
    and one that the caller may not ask to open are refused alike.
    """
    me = _person(access)
    (found,) = await access.read(_MAY_ASK, agreement_id=agreement_id)
    if not found["looks_after"]:
        raise Forbidden("This is for an administrator of the operator.")
    if shown_on is not None:
        _check_shown_on(shown_on)
    if not found["may"]:
        raise Invalid.field("/agreement_id", "names no agreement that you may ask to open")
    moment = now()
    opening = Opening(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        agreement_id=agreement_id,
        asked_by=me,
        reason=reason,
        minutes=minutes,
        shown_on=shown_on or today(),
        hidden_because=hidden_because,
        creation_digest=claim.digest,
    )
    await access.unit.insert(opening)
    await _journal(access, opening, "asked")


async def confirm(owned: Owned[Opening]) -> None:
    """Opens what another person has asked for, for its minutes."""
    owned.entity.confirm(_person(owned.access))
    await _journal(owned.access, owned.entity, "confirmed")


async def close(owned: Owned[Opening]) -> None:
    """Ends an opening before its time; the next request under it is refused."""
    owned.entity.close(_person(owned.access))
    await _journal(owned.access, owned.entity, "closed")


def _check_shown_on(shown_on: date) -> None:
    if not today() < shown_on <= today() + timedelta(days=HIDDEN_DAYS):
        raise Invalid.field(
            "/shown_on", f"must be a day to come, within {HIDDEN_DAYS} days; left out: at once"
        )


def _person(access: Access) -> UUID:
    person_id = access.caller.person_id
    assert person_id is not None, "the grants let only people do this"
    return person_id


async def _journal(access: Access, opening: Opening, action: str) -> None:
    await access.journal(action, OPENINGS.kind, opening, agreement_id=opening.agreement_id)
