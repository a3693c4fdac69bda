"""What must be done before an account goes: what others wait for, or what they would be left without."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from app.access import relations as r
from app.access.visibility import parameter
from app.core.clock import today
from app.core.db import Unit
from app.core.errors import Conflict
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    LearningAgreement,
)
from app.models.networks import Network, NetworkMember, NetworkRole
from app.models.people import Affiliation, AffiliationRole

_agreements: Any = LearningAgreement.__table__
_parties: Any = AgreementParty.__table__
_signatures: Any = AgreementSignature.__table__
_affiliations: Any = Affiliation.__table__
_members: Any = NetworkMember.__table__
_networks: Any = Network.__table__

_person = parameter("person_id", Id)


def _only(mine: Any, other: Any, place: str, *alike: Any) -> Any:
    """Whether nobody else is, at the place of `mine`, what `alike` says of both."""
    return ~there_is(
        other,
        other.c[place] == mine.c[place],
        other.c.person_id != _person,
        other.c.person_id.is_not(None),
        *(condition(other) for condition in alike),
    )


def _is_administrator(a: Any) -> Any:
    return (a.c.role == AffiliationRole.ADMINISTRATOR) & r.current(a)


def _is_lead(m: Any) -> Any:
    return (m.c.role == NetworkRole.LEAD) & r.member_today(m)


def _count(table: Any, *conditions: Any) -> Query:
    return Query(
        select(func.count()).select_from(table).where(*conditions),
        unscoped="what stands in the way of ending an account, as a number",
    )


_mine_here, _other_here = _affiliations.alias("mine_here"), _affiliations.alias("other_here")
_my_lead, _other_lead = _members.alias("my_lead"), _members.alias("other_lead")
UNFINISHED: dict[str, Query] = {
    "leave or end {} agreements in force": _count(
        _agreements.join(_parties, _parties.c.agreement_id == _agreements.c.id),
        _parties.c.person_id == _person,
        _parties.c.until.is_(None),
        _agreements.c.state == AgreementState.ACTIVE,
    ),
    "decline or withdraw {} proposals that wait for signatures": _count(
        _agreements,
        or_(
            (_agreements.c.state == AgreementState.PROPOSED)
            & (_agreements.c.created_by == _person),
            there_is(
                _signatures,
                _signatures.c.agreement_id == _agreements.c.id,
                _signatures.c.person_id == _person,
                or_(
                    (_agreements.c.state == AgreementState.PROPOSED)
                    & (_signatures.c.number == _agreements.c.shown_number),
                    (_agreements.c.state == AgreementState.ACTIVE)
                    & (_signatures.c.number == _agreements.c.amendment_number)
                    & (_agreements.c.amendment_lapses_on > r.today),
                ),
            ),
        ),
    ),
}
"""Agreements that wait for the person, or bind them today."""

ALONE: dict[str, Query] = {
    "find another administrator for {} organisations": _count(
        _mine_here,
        _mine_here.c.person_id == _person,
        _is_administrator(_mine_here),
        _only(_mine_here, _other_here, "organisation_id", _is_administrator),
    ),
    "find another lead for {} networks, or close them": _count(
        _my_lead.join(_networks, _networks.c.id == _my_lead.c.network_id),
        _my_lead.c.person_id == _person,
        _is_lead(_my_lead),
        or_(_networks.c.closed_on.is_(None), _networks.c.closed_on > r.today),
        _only(_my_lead, _other_lead, "network_id", _is_lead),
    ),
}
"""What nobody else looks after."""

DRAFTS: dict[str, Query] = {
    "delete {} drafts of agreements (one that was proposed before: propose and decline it)": _count(
        _agreements,
        _agreements.c.created_by == _person,
        _agreements.c.state == AgreementState.DRAFT,
    ),
}
"""Texts that nobody has signed yet, and that name the person."""

_STILL_HERE = _count(_affiliations, _affiliations.c.person_id == _person, r.current(_affiliations))


async def check_nothing_in_the_way(unit: Unit, person_id: UUID, *queries: dict[str, Query]) -> None:
    """Conflict, which names what is to be done first."""
    values = {"person_id": person_id, "today": today()}
    before = []
    for what, query in _all(queries):
        if number := int((await unit.rows(query, values))[0][0]):
            before.append(what.format(number))
    if before:
        raise Conflict(f"First: {'; '.join(before)}.")


def _all(queries: Iterable[dict[str, Query]]) -> Iterable[tuple[str, Query]]:
    return (pair for each in queries for pair in each.items())


async def check_has_left(unit: Unit, person_id: UUID) -> None:
    """Conflict while the person is at an organisation."""
    if int((await unit.rows(_STILL_HERE, {"person_id": person_id, "today": today()}))[0][0]):
        raise Conflict("The person is still at an organisation: end their affiliations first.")
