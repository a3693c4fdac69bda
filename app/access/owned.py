"""The ways of seeing a record with an owner and ticks: the agreement is the access policy."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    false,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
)

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.visibility import KEPT, WRITTEN, Way
from app.core.sql import json_object, there_is, wire
from app.models.agreements import AgreementNetwork, AgreementTerm, LearningAgreement
from app.models.evidence import EvidenceGoal
from app.models.goals import Goal
from app.models.networks import NetworkRole
from app.models.pupils import Consent, PupilsShown
from app.models.shares import KeptRecord, Share, SharedKind
from app.models.terms import (
    PARTY_READERS,
    PartyRole,
    Reader,
    RecordKind,
)

_agreements: Any = LearningAgreement.__table__
_named: Any = AgreementNetwork.__table__
_terms: Any = AgreementTerm.__table__
_kept: Any = KeptRecord.__table__
_shares: Any = Share.__table__
_goals: Any = Goal.__table__
# One alias each, shared by both compilations of a way: the window of a branch refers to it.
party = r.parties.alias("party")
leading = r.affiliations.alias("lead")
membership = r.members.alias("membership")
calling = r.clients.alias("calling")
share = _shares.alias("share")
goal_share = _shares.alias("goal_share")
evidence_of = EvidenceGoal.__table__.alias("evidence_of")
kept = _kept.alias("kept")


OWNER = "owner"
"""Name of the way of seeing of those whose record it is."""


def open_to_others(row: Any) -> ColumnElement[bool]:
    """Whether the record's date has not passed: then only its owner and the parties see that it was."""
    return or_(row.c.delete_by.is_(None), row.c.delete_by > r.today)


def shareable(row: Any) -> ColumnElement[bool]:
    """Whether a share of the record counts: its date has not passed, consent was not withdrawn, and
    what may show pupils has not been left behind by its owner where it was captured."""
    consented = or_(row.c.pupil_consent.is_(None), row.c.pupil_consent != Consent.WITHDRAWN)
    if "controller_organisation_id" not in row.c:
        return and_(open_to_others(row), consented)
    a = r.affiliations.alias("owner_at_controller")
    owner_there = there_is(
        a,
        a.c.person_id == row.c.owner_id,
        a.c.organisation_id == row.c.controller_organisation_id,
        r.current(a),
    )
    stays = or_(
        row.c.shows_pupils == PupilsShown.NO,
        row.c.controller_organisation_id.is_(None),
        owner_there,
    )
    return and_(open_to_others(row), consented, stays)


def at_home(row: Any) -> ColumnElement[bool]:
    """Whether a learner of the record's agreement is at its home organisation today."""
    # The mark keeps a page from walking over what is left behind; the dates decide.
    at_home = r.learner_at_home(row.c.agreement_id, row.c.home_organisation_id)
    return and_(not_(row.c.learners_gone), at_home)


def _by_class(row: Any, reader: Reader) -> Way:
    """Seen by a class of party; each has an index of the rows that are ticked for it."""
    return Way(
        str(reader),
        and_(row.c[f"to_{reader}"], r.reached_by(party, row)),
        through=party,
        mine=and_(party.c.person_id == r.me, party.c.reader == reader, party.c.until.is_(None)),
        link=row.c.agreement_id == party.c.agreement_id,
    )


def _still_ticked(copy: Any, row: Any) -> ColumnElement[bool]:
    return or_(*(and_(copy.c[f"to_{c}"], row.c[f"to_{c}"]) for c in PARTY_READERS))


def _kept_by_me(row: Any, kind: str) -> Way:
    """What somebody who has left keeps: as long as the record ticks a class that they were of."""
    return Way(
        KEPT,
        and_(open_to_others(row), or_(kept.c.typed, _still_ticked(kept, row))),
        link=and_(kept.c.person_id == r.me, kept.c.kind == kind),
        along=kept,
        key=kept.c.record_id,
    )


def network_reads(row: Any, kind: RecordKind, network_id: Any) -> ColumnElement[bool]:
    """Whether no child stands against it, and the text in force names the network and ticks it."""
    t, n = _terms.alias("ticking"), _named.alias("naming")
    return and_(
        shareable(row),
        or_(row.c.shows_pupils == PupilsShown.NO, row.c.pupil_consent == Consent.GIVEN),
        there_is(t, t.c.agreement_id == row.c.agreement_id, t.c.kind == kind, t.c.to_networks),
        there_is(n, n.c.agreement_id == row.c.agreement_id, n.c.network_id == network_id),
        r.network_open(network_id),
    )


def member_reads(row: Any, kind: RecordKind, member: Any, shared: Any) -> ColumnElement[bool]:
    """As `network_reads`, for one of its members: newcomers at the edge only if the text says so,
    today and when it was shared."""
    a = _agreements.alias("welcoming")
    return and_(
        network_reads(row, kind, member.c.network_id),
        or_(
            member.c.role != NetworkRole.PERIPHERAL,
            and_(
                shared.c.to_peripheral,
                there_is(a, a.c.id == row.c.agreement_id, a.c.peripheral_members),
            ),
        ),
    )


def _shared(kind: str) -> ColumnElement[bool]:
    return and_(share.c.kind == kind, r.share_counts(share))


def _network_share(row: Any, kind: str, disclosed: RecordKind) -> Way:
    return Way(
        "network",
        member_reads(row, disclosed, membership, share),
        through=membership,
        mine=r.mine_as_member(membership),
        link=and_(share.c.network_id == membership.c.network_id, _shared(kind)),
        along=share,
        key=share.c.record_id,
    )


def _client_ways(row: Any, kind: str, disclosed: RecordKind) -> list[Way]:
    ticked = and_(row.c.to_systems, at_home(row), open_to_others(row))
    return [
        Way("system", and_(row.c.home_organisation_id == r.client_organisation(), ticked)),
        Way(
            "network_system",
            and_(ticked, network_reads(row, disclosed, calling.c.network_id)),
            through=calling,
            mine=and_(calling.c.id == r.client, calling.c.disabled_at.is_(None)),
            link=and_(share.c.network_id == calling.c.network_id, _shared(kind)),
            along=share,
            key=share.c.record_id,
        ),
    ]


def _author(row: Any) -> Way:
    """Who typed a goal for its learner: what they wrote, as long as they are a party."""
    return Way(
        WRITTEN,
        and_(
            row.c.created_by == r.me,
            row.c.created_by != row.c.owner_id,
            # In words, not as a value: a partial index serves only a condition that says the same,
            # and SQLite plans a statement anew for each value that might lead to such an index.
            row.c.wording_number == literal_column("1"),
            r.party_as(row.c.agreement_id),
        ),
    )


def _goal_shared_with_evidence(row: Any) -> Way:
    """Evidence of the same owner, linked to a goal that was shared together with its evidence; it ends
    with what was shared."""
    goal = _goals.alias("shared_goal")
    return Way(
        "goal_share",
        and_(row.c.owner_id == goal_share.c.owner_id, shareable(row)),
        through=goal_share,
        mine=and_(
            goal_share.c.person_id == r.me,
            goal_share.c.kind == SharedKind.GOAL,
            goal_share.c.with_evidence,
            r.share_counts(goal_share),
            there_is(goal, goal.c.id == goal_share.c.record_id, shareable(goal)),
        ),
        link=evidence_of.c.goal_id == goal_share.c.record_id,
        along=evidence_of,
        key=evidence_of.c.evidence_item_id,
    )


def owned_ways(kind: str, disclosed: RecordKind) -> Callable[[Any, CallerKind], list[Way]]:
    """The ways of seeing a record of this kind, for which the terms speak of `disclosed`."""

    def ways(row: Any, caller: CallerKind) -> list[Way]:
        if caller is CallerKind.CLIENT:
            return _client_ways(row, kind, disclosed)
        return [
            Way(OWNER, row.c.owner_id == r.me),
            *([_author(row)] if disclosed is RecordKind.GOALS else ()),
            *(_by_class(row, reader) for reader in PARTY_READERS),
            Way(
                "leader",
                and_(row.c.to_leaders, at_home(row), open_to_others(row)),
                through=leading,
                mine=r.mine_as_leader(leading),
                link=row.c.home_organisation_id == leading.c.organisation_id,
            ),
            Way(
                "share",
                shareable(row),
                link=and_(share.c.person_id == r.me, _shared(kind)),
                along=share,
                key=share.c.record_id,
            ),
            _network_share(row, kind, disclosed),
            *([_goal_shared_with_evidence(row)] if disclosed is RecordKind.EVIDENCE else ()),
            _kept_by_me(row, kind),
        ]

    return ways


def as_it_stood(kind: str) -> Callable[[Any, ColumnElement[bool]], ColumnElement[Any]]:
    """What a reader who has left keeps of a row, unless they see it as it is."""

    def column(row: Any, as_it_is: ColumnElement[bool]) -> ColumnElement[Any]:
        k = _kept.alias("as_it_stood")
        # CASE, so that the other ways are asked only about rows that are kept at all.
        shown = json_object(
            "kept_at", wire(k.c.kept_at), "shown", k.c.shown, "ticked", _still_ticked(k, row)
        )
        return (
            select(case((as_it_is, null()), else_=shown))
            .where(k.c.person_id == r.me, k.c.kind == kind, k.c.record_id == row.c.id)
            .correlate_except(k)
            .scalar_subquery()
        )

    return column


def owed_receipt(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    """Whether this read is receipted: by neither owner nor party, by a party who also leads, and
    whatever is read under an opening."""
    if kind is not CallerKind.PERSON:
        return true()
    # Asked once a page, not once a row: most callers lead no school.
    leads = and_(r.leads_somewhere(), r.leads(row.c.home_organisation_id))
    return case(
        (row.c.owner_id == r.me, false()),
        (leads, true()),
        (r.party_as(row.c.agreement_id), false()),
        else_=true(),
    )


def owned_relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    """How the caller stands to an owned record, through its agreement."""
    if kind is not CallerKind.PERSON:
        return {}
    return {
        Relation.OWNER: row.c.owner_id == r.me,
        Relation.LEARNER: r.party_as(row.c.agreement_id, lambda p: p.c.role == PartyRole.LEARNER),
        Relation.COACH: r.party_as(row.c.agreement_id, lambda p: p.c.reader == Reader.COACHES),
        Relation.ADVISER: r.party_as(row.c.agreement_id, lambda p: p.c.reader == Reader.ADVISERS),
        Relation.PARTY: r.party_as(row.c.agreement_id),
    }


def shared_with(kind: str, disclosed: RecordKind) -> Callable[[Any, Any], ColumnElement[bool]]:
    """A filter: what is shared with a network, for those who may know that it is."""

    def condition(row: Any, network_id: Any) -> ColumnElement[bool]:
        s, m, c = _shares.alias("shared_with"), r.members.alias("m"), r.clients.alias("c")
        knows = or_(
            row.c.owner_id == r.me,
            r.party_as(row.c.agreement_id),
            there_is(
                m,
                m.c.network_id == network_id,
                r.mine_as_member(m),
                member_reads(row, disclosed, m, s),
            ),
            and_(
                there_is(c, c.c.id == r.client, c.c.network_id == network_id),
                network_reads(row, disclosed, network_id),
            ),
        )
        return there_is(
            s,
            s.c.record_id == row.c.id,
            s.c.kind == kind,
            s.c.network_id == network_id,
            r.share_counts(s),
            knows,
        )

    return condition
