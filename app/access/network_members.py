"""Who sees the members of a network, and what is asked of them before a write."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Date, String, and_, func, or_, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import Relation
from app.access.networks import in_network, led, seen_at_all
from app.access.visibility import Resource, Way, parameter, register, visible
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.networks import MANAGING_ROLES, NetworkMember, NetworkRole
from app.models.organisations import Organisation
from app.models.people import Person

_people: Any = Person.__table__
_organisations: Any = Organisation.__table__


def _member_ways(row: Any, kind: CallerKind) -> list[Way]:
    organisation = Way(
        "organisation",
        and_(
            row.c.organisation_id.is_not(None),
            r.member_today(row),
            seen_at_all(row.c.network_id, kind),
        ),
    )
    if kind is CallerKind.CLIENT:
        return [organisation]
    return [
        organisation,
        Way("self", row.c.person_id == r.me),
        Way("member", and_(r.member_today(row), in_network(row.c.network_id))),
        Way("manager", in_network(row.c.network_id, *MANAGING_ROLES)),
        Way("administrator", r.administers(row.c.organisation_id)),
        # Of people the operator's administrators see the leads whom they themselves appointed.
        Way(
            "appointed",
            and_(row.c.created_by == r.me, row.c.role == NetworkRole.LEAD, r.is_operator()),
        ),
    ]


def _member_columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    names = (
        "id", "version", "created_at", "updated_at", "network_id", "person_id", "organisation_id",
        "role", "starts_on", "ends_on", "confirmed_at",
    )  # fmt: skip
    p, o = _people.alias("p"), _organisations.alias("o")
    person = select(p.c.name).where(p.c.id == row.c.person_id).scalar_subquery()
    organisation = select(o.c.name).where(o.c.id == row.c.organisation_id).scalar_subquery()
    return [
        *(row.c[name] for name in names),
        func.coalesce(person, organisation).label("name"),
    ]


def _member_relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.FACILITATOR: in_network(row.c.network_id, NetworkRole.FACILITATOR),
        Relation.LEAD: in_network(row.c.network_id, NetworkRole.LEAD),
        Relation.SELF: row.c.person_id == r.me,
    }


NETWORK_MEMBERS = register(
    Resource(
        kind="network_member",
        path="/v1/networks",
        table=r.members,
        entity=NetworkMember,
        ways=_member_ways,
        columns=_member_columns,
        relations=_member_relations,
        filters={
            "network_id": lambda row, bind: row.c.network_id == bind,
            "role": lambda row, bind: row.c.role == bind,
            "current": lambda row, bind: r.member_today(row) == bind,
            "confirmed": lambda row, bind: row.c.confirmed_at.is_not(None) == bind,
        },
        filter_types={
            "network_id": Id, "role": String, "current": Boolean, "confirmed": Boolean,
        },
        # Two leads who leave at once must not each count on the other: first the network.
        holds=Query(
            select(r.networks.c.id)
            .join_from(r.members, r.networks, r.networks.c.id == r.members.c.network_id)
            .where(r.members.c.id == parameter("id", Id))
            .with_for_update(of=r.networks),
            scoped=True,
        ),
    )
)  # fmt: skip


_network_id = parameter("network_id", Id)
_STATE = Query(
    select(
        r.network_open(_network_id).label("open"),
        led(_network_id, lambda m: m.c.id != parameter("without", Id)).label("led"),
    ),
    scoped=True,
)


class NetworkState(NamedTuple):
    """Whether a network has not been closed, and whether a person leads it today."""

    open: bool
    led: bool


async def network_state(access: Access, network_id: UUID, *, without: UUID) -> NetworkState:
    """The state of a network, were it not for the membership `without`."""
    (found,) = await access.read(_STATE, network_id=network_id, without=without)
    return NetworkState(bool(found["open"]), bool(found["led"]))


_PLACE = {
    kind: Query(
        select(r.members.c.id).where(
            r.members.c.id == parameter("id", Id),
            r.members.c.network_id == _network_id,
            visible(NETWORK_MEMBERS, r.members, kind),
        ),
        scoped=True,
    )
    for kind in CallerKind
}


async def is_in_network(access: Access, network_id: UUID, member_id: UUID) -> bool:
    """Whether the membership is one of the network that the caller sees."""
    return bool(await access.read(_PLACE[access.caller.kind], network_id=network_id, id=member_id))


def _overlapping() -> Query:
    m = r.members.alias("other")
    statement = select(m.c.id).where(
        m.c.network_id == _network_id,
        or_(
            m.c.person_id == parameter("person_id", Id),
            m.c.organisation_id == parameter("organisation_id", Id),
        ),
        m.c.id != parameter("without", Id),
        m.c.starts_on < parameter("ends_on", Date),
        or_(
            m.c.ends_on.is_(None),
            and_(m.c.ends_on > parameter("starts_on", Date), m.c.ends_on > m.c.starts_on),
        ),
    )
    return Query(statement, scoped=True)


_OVERLAPPING = _overlapping()


async def overlapping(access: Access, network_id: UUID, member: NetworkMember) -> list[UUID]:
    """The other memberships of the same person or organisation on days of `member`."""
    if member.ends_on == member.starts_on:
        return []
    found = await access.read(
        _OVERLAPPING,
        network_id=network_id,
        person_id=member.person_id,
        organisation_id=member.organisation_id,
        without=member.id,
        starts_on=member.starts_on,
        ends_on=member.ends_on or date.max,
    )
    return [as_uuid(row["id"]) for row in found]
