"""The conditions from which the ways of seeing are made; dates are compared when reading."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Date, ScalarSelect, and_, or_, select, true

from app.access.visibility import Way, parameter
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import AgreementParty
from app.models.networks import Network, NetworkMember
from app.models.people import (
    LEADER_ROLES,
    Affiliation,
    AffiliationRole,
    Client,
    Operator,
)
from app.models.terms import PartyRole

me = parameter("me", Id)
client = parameter("client", Id)
today = parameter("today", Date)

parties: Any = AgreementParty.__table__
affiliations: Any = Affiliation.__table__
clients: Any = Client.__table__
members: Any = NetworkMember.__table__
networks: Any = Network.__table__
operators: Any = Operator.__table__


def any_of(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """`column IN values`, in a form that is compiled once."""
    return or_(*(column == value for value in values))


def not_past(tie: Any) -> ColumnElement[bool]:
    """Whether the last day of an affiliation or a membership has not come, by its dates alone."""
    return or_(tie.c.ends_on.is_(None), tie.c.ends_on > today)


def on_its_days(tie: Any) -> ColumnElement[bool]:
    """Whether today is one of the days of an affiliation or a membership, by its dates alone."""
    return and_(tie.c.starts_on <= today, not_past(tie))


def current(affiliation: Any) -> ColumnElement[bool]:
    """Whether an affiliation counts today: one that waits for its person's word counts for nobody."""
    return and_(affiliation.c.accepted_at.is_not(None), on_its_days(affiliation))


def not_over(affiliation: Any) -> ColumnElement[bool]:
    """Whether an affiliation counts today or is yet to begin."""
    return and_(affiliation.c.accepted_at.is_not(None), not_past(affiliation))


def mine_as_leader(affiliation: Any) -> ColumnElement[bool]:
    """Whether an affiliation makes the caller a leader of its organisation today."""
    return and_(
        affiliation.c.person_id == me,
        any_of(affiliation.c.role, LEADER_ROLES),
        current(affiliation),
    )


def leads(organisation_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the caller is a leader of the organisation."""
    a = affiliations.alias("leading")
    return there_is(a, a.c.organisation_id == organisation_id, mine_as_leader(a))


def leads_somewhere() -> ColumnElement[bool]:
    """Whether the caller is a leader of any organisation."""
    a = affiliations.alias("leading_somewhere")
    return there_is(a, mine_as_leader(a))


def administers(organisation_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the caller is an administrator of the organisation."""
    a = affiliations.alias("administering")
    return there_is(
        a,
        a.c.organisation_id == organisation_id,
        a.c.person_id == me,
        a.c.role == AffiliationRole.ADMINISTRATOR,
        current(a),
    )


def is_operator() -> ColumnElement[bool]:
    """Whether the caller looks after accounts for the operator."""
    return there_is(operators, operators.c.person_id == me)


def as_administrator(
    organisation_id: ColumnElement[Any], condition: ColumnElement[bool] | None = None
) -> Way:
    """The way in which administrators see what is their organisation's. It begins with the few
    organisations that the caller administers: a list would else walk what is everybody's."""
    a = affiliations.alias("administering_here")
    return Way(
        "administrator",
        true() if condition is None else condition,
        through=a,
        mine=and_(a.c.person_id == me, a.c.role == AffiliationRole.ADMINISTRATOR, current(a)),
        link=organisation_id == a.c.organisation_id,
    )


def as_operator(condition: ColumnElement[bool] | None = None) -> Way:
    """The way in which the operator's administrators see what they look after; nobody else walks it."""
    o = operators.alias("operating")
    return Way(
        "operator",
        true() if condition is None else condition,
        through=o,
        mine=o.c.person_id == me,
    )


def client_organisation() -> ScalarSelect[Any]:
    """The organisation that the calling client is bound to; none once it is disabled."""
    return (
        select(clients.c.organisation_id)
        .where(clients.c.id == client, clients.c.disabled_at.is_(None))
        .scalar_subquery()
    )


def learner_at_home(
    agreement_id: ColumnElement[Any], home_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether a learner of the agreement is affiliated to its home organisation today."""
    p, a = parties.alias("learners"), affiliations.alias("at_home")
    # One EXISTS in the other, not a join: from the agreement's few learners to their few
    # affiliations. A planner without statistics would begin with everybody at the school.
    at_home = there_is(
        a, a.c.person_id == p.c.person_id, a.c.organisation_id == home_id, current(a)
    )
    return there_is(
        p,
        p.c.agreement_id == agreement_id,
        p.c.role == PartyRole.LEARNER,
        p.c.until.is_(None),
        at_home,
    )


def party_as(agreement_id: ColumnElement[Any], *conditions: Any) -> ColumnElement[bool]:
    """Whether the caller is a party of the agreement (with further conditions on the party)."""
    p = parties.alias("as_party")
    return there_is(
        p,
        p.c.agreement_id == agreement_id,
        p.c.person_id == me,
        p.c.until.is_(None),
        *(condition(p) for condition in conditions),
    )


def reached_by(party: Any, record: Any) -> ColumnElement[bool]:
    """Whether a record is one of a party's time, or an earlier one that the amendment opened to them.

    What a learner who has left wrote before is opened to nobody: those who stayed sign without them.
    """
    p = parties.alias("owner_still")
    owner_is_party = there_is(
        p,
        p.c.agreement_id == record.c.agreement_id,
        p.c.person_id == record.c.owner_id,
        p.c.role == PartyRole.LEARNER,
        p.c.until.is_(None),
    )
    return or_(record.c.created_at >= party.c.since, and_(party.c.earlier_records, owner_is_party))


def member_today(membership: Any) -> ColumnElement[bool]:
    """Whether a membership counts today."""
    return and_(membership.c.confirmed_at.is_not(None), on_its_days(membership))


def mine_as_member(membership: Any) -> ColumnElement[bool]:
    """Whether a membership makes the caller a member today, in their own right."""
    return and_(membership.c.person_id == me, member_today(membership))


def network_open(network_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the network has not been closed."""
    n = networks.alias("open_network")
    return there_is(n, n.c.id == network_id, or_(n.c.closed_on.is_(None), n.c.closed_on > today))


def share_counts(share: Any) -> ColumnElement[bool]:
    """Whether the last day of a share has not passed."""
    return or_(share.c.ends_on.is_(None), share.c.ends_on > today)
