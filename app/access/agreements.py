"""Who sees a learning agreement: its existence, or its text."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, null, or_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.opened import by_opening
from app.access.owned import leading, party
from app.access.searching import party_words
from app.access.signers import (
    amendment_open,
    amends,
    asked,
    asked_for_amendment,
    asked_for_proposal,
    asked_to_sign,
    drafted,
    former,
    invited,
    signature_rows,
)  # fmt: skip
from app.access.visibility import Resource, Way, parameter, register
from app.core.query import Query
from app.core.search import has_words
from app.core.sql import json_list, json_object, there_is
from app.core.tables import Id
from app.models.agreements import (
    AgreementNetwork,
    AgreementParty,
    AgreementState,
    AgreementVersion,
    LearningAgreement,
)
from app.models.people import Person
from app.models.terms import PartyRole, Reader

_versions: Any = AgreementVersion.__table__
_parties: Any = AgreementParty.__table__
_networks: Any = AgreementNetwork.__table__
_people: Any = Person.__table__

left = _parties.alias("left")


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    here = r.learner_at_home(row.c.id, row.c.home_organisation_id)
    at_home = and_(not_(row.c.learners_gone), here)
    if kind is CallerKind.CLIENT:
        home = row.c.home_organisation_id == r.client_organisation()
        return [Way("system", and_(home, row.c.existence_to_systems, at_home))]
    return [
        Way("drafter", drafted(row)),
        Way(
            "invited",
            asked_to_sign(row, asked),
            through=asked,
            mine=asked.c.person_id == r.me,
            link=row.c.id == asked.c.agreement_id,
        ),
        Way(
            "party",
            true(),
            through=party,
            mine=and_(party.c.person_id == r.me, party.c.until.is_(None)),
            link=row.c.id == party.c.agreement_id,
        ),
        Way(
            "former",
            true(),
            through=left,
            mine=and_(left.c.person_id == r.me, left.c.until.is_not(None)),
            link=row.c.id == left.c.agreement_id,
        ),
        Way(
            "leader",
            and_(row.c.existence_to_leaders, at_home),
            through=leading,
            mine=r.mine_as_leader(leading),
            link=row.c.home_organisation_id == leading.c.organisation_id,
        ),
    ]


def _view(row: Any, kind: CallerKind) -> ColumnElement[Any]:
    """`text` for who may read what was agreed, `version` for who may read one version of it (asked
    to join by an amendment, or gone), `existence` for who may only know that it is there."""
    text = (_reads_text(row, kind), "text")
    if kind is not CallerKind.PERSON:
        return case(text, else_="existence")
    one = or_(invited(row, asked_for_amendment), former(row))
    return case(text, (one, "version"), else_="existence")


def _reads_text(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    if kind is CallerKind.CLIENT:
        return row.c.text_to_systems  # type: ignore[no-any-return]
    if kind is CallerKind.OPENER:
        return true()
    return or_(
        r.party_as(row.c.id),
        drafted(row),
        invited(row, asked_for_proposal),
        _leads_with_text(row),
    )


def _leads_with_text(row: Any) -> ColumnElement[bool]:
    at_home = r.learner_at_home(row.c.id, row.c.home_organisation_id)
    return and_(row.c.text_to_leaders, r.leads(row.c.home_organisation_id), at_home)


def _number(row: Any, kind: CallerKind) -> ColumnElement[Any]:
    """The number of the version that the caller reads."""
    if kind is not CallerKind.PERSON:
        return row.c.shown_number  # type: ignore[no-any-return]
    return case((_view(row, kind) != "version", row.c.shown_number), else_=_one_number(row))


def _one_number(row: Any) -> ColumnElement[Any]:
    """The one version of who is asked to join, or has left; null for everybody else."""
    p = _parties.alias("p_number")
    last = (
        select(func.max(p.c.until_number))
        .where(p.c.agreement_id == row.c.id, p.c.person_id == r.me)
        .correlate_except(p)
        .scalar_subquery()
    )
    return case((invited(row, asked_for_amendment), row.c.amendment_number), else_=last)


def _owes_receipt(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    if kind is not CallerKind.PERSON:
        return _reads_text(row, kind)
    return or_(
        _leads_with_text(row),
        and_(r.party_as(row.c.id), r.leads(row.c.home_organisation_id)),
        and_(former(row), not_(r.party_as(row.c.id))),
    )


def _party_rows(row: Any) -> ColumnElement[Any]:
    """The parties in force, as {person_id, name, role}."""
    p, n = _parties.alias("p"), _people.alias("n")
    return json_list(
        select(json_object("person_id", p.c.person_id, "name", n.c.name, "role", p.c.role))
        .select_from(p.join(n, n.c.id == p.c.person_id))
        .where(p.c.agreement_id == row.c.id, p.c.until.is_(None))
        .order_by(p.c.role, p.c.person_id)
        .correlate(row)
    )


def _text(row: Any, number: ColumnElement[Any], column: str) -> ColumnElement[Any]:
    v = _versions.alias("shown")
    return (
        select(v.c[column])
        .where(v.c.agreement_id == row.c.id, v.c.number == number)
        .correlate_except(v)
        .scalar_subquery()
    )


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    number = _number(row, kind)
    # Until it is signed an amendment is the parties': who only reads the text learns nothing of it.
    person = kind is CallerKind.PERSON
    mine = and_(amendment_open(row), r.party_as(row.c.id)) if person else null()
    names = (
        "id", "version", "created_at", "updated_at", "created_by", "state",
        "home_organisation_id", "starts_on", "ends_on", "proposed_at", "active_at", "learner_completed_at",
        "coach_completed_at", "over_at",
    )  # fmt: skip
    return [
        *(row.c[name] for name in names),
        _view(row, kind).label("view"),
        number.label("number"),
        *(
            case((mine, row.c[name]), else_=null()).label(name)
            for name in ("amendment_number", "amendment_lapses_on")
        ),
        _party_rows(row).label("parties"),
        signature_rows(row.c.id, number).label("signatures"),
        _text(row, number, "content").label("text"),
        _text(row, number, "digest").label("digest"),
    ]


def _search(row: Any, kind: CallerKind, way: Way, asked: Any) -> ColumnElement[bool]:
    """Found by the version that the caller is shown, and by the names for who reads what was agreed;
    who may only know that it is there finds it by no word."""
    v = _versions.alias("said")
    this, names = v.c.agreement_id == row.c.id, party_words(row.c.id, row.c.shown_number)
    in_text = there_is(
        v, this, v.c.number == row.c.shown_number, has_words(v.c.folded.concat(names), asked)
    )
    found = and_(_reads_text(row, kind), in_text)
    if kind is not CallerKind.PERSON:
        return found
    in_one = there_is(v, this, v.c.number == _one_number(row), has_words(v.c.folded, asked))
    return or_(found, and_(not_(_reads_text(row, kind)), in_one))


def _changed(row: Any, kind: CallerKind, way: Way, since: Any) -> ColumnElement[bool]:
    """Who reads what was agreed is shown when it was last written. Existence, and one version of it,
    show no moment: they are always found, so that neither finding nor missing them tells one."""
    return or_(row.c.updated_at >= since, not_(_reads_text(row, kind)))


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    if kind is CallerKind.OPENER:
        return {Relation.OPENER: true()}
    return {
        Relation.DRAFTER: drafted(row),
        Relation.ASKED: invited(row, asked_for_proposal),
        Relation.INVITED: invited(row),
        Relation.AMENDER: amends(row),
        Relation.FORMER: former(row),
        Relation.FORMER_LEARNER: former(row, lambda p: p.c.role == PartyRole.LEARNER),
        Relation.PARTY: r.party_as(row.c.id),
        Relation.LEARNER: r.party_as(row.c.id, lambda p: p.c.role == PartyRole.LEARNER),
        Relation.COACH: r.party_as(row.c.id, lambda p: p.c.reader == Reader.COACHES),
        Relation.ADVISER: r.party_as(row.c.id, lambda p: p.c.reader == Reader.ADVISERS),
    }


def _at_home_to_who_may_know(row: Any, organisation_id: Any) -> ColumnElement[bool]:
    """Its home, for who sees where it is today: one version tells of another day or of none yet."""
    home = row.c.home_organisation_id
    return and_(
        home == organisation_id,
        or_(
            r.party_as(row.c.id),
            drafted(row),
            invited(row, asked_for_proposal),
            and_(row.c.existence_to_leaders, r.leads(home), r.learner_at_home(row.c.id, home)),
            home == r.client_organisation(),
        ),
    )


def _named_to_who_may_know(row: Any, network_id: Any) -> ColumnElement[bool]:
    """Names the network, and the caller reads its text: existence tells nothing of networks."""
    n = _networks.alias("names")
    return and_(
        there_is(n, n.c.agreement_id == row.c.id, n.c.network_id == network_id),
        or_(
            r.party_as(row.c.id),
            _leads_with_text(row),
            and_(row.c.text_to_systems, row.c.home_organisation_id == r.client_organisation()),
        ),
    )


def _show(row: dict[str, Any]) -> None:
    """Cuts a row down to its view: existence tells neither reason, version, counts nor changes."""
    row["active"] = row["state"] == AgreementState.ACTIVE
    shown = _CUT.get(row["view"])
    if shown is not None:
        for name in set(row) - shown - {"version", "owes_receipt"}:
            del row[name]
        digest = "|".join(str(row[name]) for name in sorted(shown))
        row["view_digest"] = hashlib.sha256(digest.encode()).hexdigest()[:20]
    elif row["amendment_number"] is not None:
        # An amendment lapses by its date, without a write: the ETag tells of it.
        row["shade"] = row["amendment_number"]


_CUT = {
    "existence": frozenset(
        ("id", "view", "active", "parties", "starts_on", "ends_on", "home_organisation_id")
    ),
    "version": frozenset(("id", "view", "number", "text", "digest", "signatures")),
}
"""What the views that show less are cut down to."""

_agreements: Any = LearningAgreement.__table__
# Two statements, so that who stands how to it is asked when nobody else changes it any more.
_HOLD = Query(
    select(_agreements.c.id).where(_agreements.c.id == parameter("id", Id)).with_for_update(),
    scoped=True,
)

AGREEMENTS = register(
    Resource(
        kind="learning_agreement",
        path="/v1/learning-agreements",
        table=LearningAgreement.__table__,  # type: ignore[arg-type]
        entity=LearningAgreement,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        filters={
            "home_organisation_id": _at_home_to_who_may_know,
            "network_id": _named_to_who_may_know,
        },
        filter_types={"home_organisation_id": Id, "network_id": Id},
        search=_search,
        changed=_changed,
        prepare=_show,
        owes_receipt=_owes_receipt,
        holds=_HOLD,
        opened=lambda row: by_opening(row.c.id),
    )
)
