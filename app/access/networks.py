"""Who sees a network, and who is in it. There is no open directory of networks either."""

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, ScalarSelect, String, and_, or_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import Relation
from app.access.visibility import Resource, Way, by_words, parameter, register
from app.core.query import Query
from app.core.sql import there_is, wire
from app.core.tables import Id
from app.models.agreements import AgreementNetwork, AgreementState, LearningAgreement
from app.models.networks import MANAGING_ROLES, Network, NetworkRole

_agreement_networks: Any = AgreementNetwork.__table__
_agreements: Any = LearningAgreement.__table__

_mine = r.members.alias("my_membership")
_theirs = r.members.alias("fellow_membership")


def fellow_member() -> Way:
    """Sees the people who are members of an open network with the caller today."""
    return Way(
        "fellow_member",
        r.member_today(_theirs),
        through=_mine,
        mine=and_(r.mine_as_member(_mine), r.network_open(_mine.c.network_id)),
        link=_theirs.c.network_id == _mine.c.network_id,
        along=_theirs,
        key=_theirs.c.person_id,
    )


def client_network() -> ScalarSelect[Any]:
    """The network that the calling client is bound to; none once it is disabled."""
    return (
        select(r.clients.c.network_id)
        .where(r.clients.c.id == r.client, r.clients.c.disabled_at.is_(None))
        .scalar_subquery()
    )


def in_network(network_id: Any, *roles: NetworkRole) -> ColumnElement[bool]:
    """Whether the caller is in the network today; of one that is closed, its last members are."""
    m = r.members.alias("my_place")
    in_role = r.any_of(m.c.role, roles) if roles else true()
    return there_is(m, m.c.network_id == network_id, r.mine_as_member(m), in_role)


def led(network_id: Any, *conditions: Any) -> ColumnElement[bool]:
    """Whether a person leads the network today."""
    m = r.members.alias("some_lead")
    return there_is(
        m,
        m.c.network_id == network_id,
        m.c.person_id.is_not(None),
        m.c.role == NetworkRole.LEAD,
        r.member_today(m),
        *(condition(m) for condition in conditions),
    )


def seen(network_id: Any, kind: CallerKind) -> dict[str, ColumnElement[bool]]:
    """The ways of seeing a network, each the few ids that one index gives; the operator's administrators, who
    see all, beside."""
    ours = r.members.alias("of_organisation")
    if kind is CallerKind.CLIENT:
        of_organisation = select(ours.c.network_id).where(
            ours.c.organisation_id == r.client_organisation(), r.member_today(ours)
        )
        return {
            "bound": network_id == client_network(),
            "system": network_id.in_(of_organisation),
        }
    mine, at = r.members.alias("mine"), r.affiliations.alias("at_a_member")
    named, part, agreement = (
        _agreement_networks.alias("named"),
        r.parties.alias("my_part"),
        _agreements.alias("naming"),
    )
    # Who asks to join keeps sight of what they asked for until they have been answered.
    joined = select(mine.c.network_id).where(
        mine.c.person_id == r.me,
        r.not_past(mine),
        or_(mine.c.confirmed_at.is_(None), mine.c.starts_on <= r.today),
    )
    affiliated = (
        select(ours.c.network_id)
        .select_from(at.join(ours, ours.c.organisation_id == at.c.organisation_id))
        .where(at.c.person_id == r.me, r.current(at), r.member_today(ours))
    )
    agreed = (
        select(named.c.network_id)
        .select_from(
            part.join(named, named.c.agreement_id == part.c.agreement_id).join(
                agreement, agreement.c.id == part.c.agreement_id
            )
        )
        .where(
            part.c.person_id == r.me,
            part.c.until.is_(None),
            agreement.c.state == AgreementState.ACTIVE,
        )
    )
    return {
        "member": network_id.in_(joined),
        "affiliated": network_id.in_(affiliated),
        "party": network_id.in_(agreed),
    }


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    ways = [Way(name, way) for name, way in seen(row.c.id, kind).items()]
    return ways if kind is CallerKind.CLIENT else [*ways, r.as_operator()]


def seen_at_all(network_id: Any, kind: CallerKind) -> ColumnElement[bool]:
    """Whether the caller sees a network."""
    operator = [] if kind is CallerKind.CLIENT else [r.is_operator()]
    return or_(*seen(network_id, kind).values(), *operator)


def _parent(row: Any, kind: CallerKind) -> ScalarSelect[Any]:
    """The parent, for who sees it: to others there is none."""
    above = r.networks.alias("above")
    return (
        select(above.c.id)
        .where(above.c.id == row.c.parent_id, seen_at_all(above.c.id, kind))
        .correlate_except(above)
        .scalar_subquery()
    )


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    names = (
        "id", "version", "created_at", "updated_at", "kind", "name", "name_cy", "remit", "closed_on",
    )  # fmt: skip
    return [*(row.c[name] for name in names), wire(_parent(row, kind)).label("parent_id")]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.FACILITATOR: in_network(row.c.id, NetworkRole.FACILITATOR),
        Relation.LEAD: in_network(row.c.id, NetworkRole.LEAD),
        Relation.OPERATOR: r.is_operator(),
        Relation.READER: true(),
    }


NETWORKS = register(
    Resource(
        kind="network",
        path="/v1/networks",
        table=r.networks,
        entity=Network,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        filters={
            "kind": lambda row, bind: row.c.kind == bind,
            "parent_id": lambda row, bind: row.c.parent_id == bind,
            "led": lambda row, bind: led(row.c.id) == bind,
        },
        filter_types={"kind": String, "parent_id": Id, "led": Boolean},
        search=by_words,
    )
)


_MANAGES = Query(
    select(in_network(parameter("network_id", Id), *MANAGING_ROLES).label("may")), scoped=True
)


async def manages(access: Access, network_id: UUID) -> bool:
    """Whether the caller is a lead or facilitator of the network today."""
    return bool((await access.read(_MANAGES, network_id=network_id))[0]["may"])


def _somewhere() -> ColumnElement[bool]:
    a = r.affiliations.alias("somewhere")
    return there_is(a, a.c.person_id == r.me, r.current(a))


_MAY_FOUND = Query(select(_somewhere().label("may")), scoped=True)


async def may_found(access: Access) -> bool:
    """Whether the caller is at some organisation today, as who founds a network must be."""
    return bool((await access.read(_MAY_FOUND))[0]["may"])
