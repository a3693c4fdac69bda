"""Who sees a learning agreement: its existence, or its text."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, or_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.owned import leading, party
from app.access.visibility import Resource, Way, parameter, register
from app.core.query import Query
from app.core.sql import json_list, json_object, there_is
from app.core.tables import Id
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    LearningAgreement,
)
from app.models.people import Person
from app.models.terms import PartyRole, Reader

_versions: Any = AgreementVersion.__table__
_signatures: Any = AgreementSignature.__table__
_parties: Any = AgreementParty.__table__
_people: Any = Person.__table__

asked = _signatures.alias("invited")
PROPOSED = (AgreementState.PROPOSED, AgreementState.DECLINED)
UNSIGNED = (AgreementState.DRAFT, *PROPOSED)


def _drafted(row: Any) -> ColumnElement[bool]:
    return and_(row.c.created_by == r.me, r.any_of(row.c.state, UNSIGNED))


def _asked(row: Any, signature: Any) -> ColumnElement[bool]:
    return and_(signature.c.number == row.c.shown_number, r.any_of(row.c.state, PROPOSED))


def _invited(row: Any) -> ColumnElement[bool]:
    s = _signatures.alias("asked")
    return there_is(s, s.c.agreement_id == row.c.id, s.c.person_id == r.me, _asked(row, s))


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    at_home = r.learner_at_home(row.c.id, row.c.home_organisation_id)
    if kind is CallerKind.CLIENT:
        home = row.c.home_organisation_id == r.client_organisation()
        return [Way("system", and_(home, row.c.existence_to_systems, at_home))]
    return [
        Way("drafter", _drafted(row)),
        Way(
            "invited",
            _asked(row, asked),
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
            "leader",
            and_(row.c.existence_to_leaders, at_home),
            through=leading,
            mine=r.mine_as_leader(leading),
            link=row.c.home_organisation_id == leading.c.organisation_id,
        ),
    ]


def _view(row: Any, kind: CallerKind) -> ColumnElement[Any]:
    """`text` for who may read what was agreed, `existence` for who may only know that it was."""
    if kind is CallerKind.CLIENT:
        return case((row.c.text_to_systems, "text"), else_="existence")
    return case(
        (or_(r.party_as(row.c.id), _drafted(row), _invited(row)), "text"),
        (and_(row.c.text_to_leaders, r.leads(row.c.home_organisation_id)), "text"),
        else_="existence",
    )


def _owes_receipt(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    if kind is CallerKind.CLIENT:
        return row.c.text_to_systems  # type: ignore[no-any-return]
    reads_as_leader = and_(row.c.text_to_leaders, r.leads(row.c.home_organisation_id))
    return or_(reads_as_leader, and_(r.party_as(row.c.id), r.leads(row.c.home_organisation_id)))


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


def _text(row: Any, column: str) -> ColumnElement[Any]:
    v = _versions.alias("shown")
    return (
        select(v.c[column])
        .where(v.c.agreement_id == row.c.id, v.c.number == row.c.shown_number)
        .scalar_subquery()
    )


def signature_rows(agreement_id: Any, number: Any) -> ColumnElement[Any]:
    """Who was asked to sign a version, and what they answered."""
    s, n = _signatures.alias("s"), _people.alias("signer")
    return json_list(
        select(
            json_object(
                "person_id", s.c.person_id, "name", n.c.name, "signed_at", s.c.signed_at,
                "declined_at", s.c.declined_at, "digest", s.c.digest,
            )
        )
        .select_from(s.join(n, n.c.id == s.c.person_id))
        .where(s.c.agreement_id == agreement_id, s.c.number == number)
        .order_by(s.c.person_id)
        .correlate(agreement_id.table)
    )  # fmt: skip


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    names = (
        "id", "version", "created_at", "updated_at", "created_by", "state", "shown_number",
        "home_organisation_id", "starts_on", "ends_on", "proposed_at", "active_at", "learner_completed_at",
        "coach_completed_at", "over_at",
    )  # fmt: skip
    return [
        *(row.c[name] for name in names),
        _view(row, kind).label("view"),
        _party_rows(row).label("parties"),
        signature_rows(row.c.id, row.c.shown_number).label("signatures"),
        _text(row, "content").label("text"),
        _text(row, "digest").label("digest"),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.DRAFTER: _drafted(row),
        Relation.INVITED: _invited(row),
        Relation.PARTY: r.party_as(row.c.id),
        Relation.LEARNER: r.party_as(row.c.id, lambda p: p.c.role == PartyRole.LEARNER),
        Relation.COACH: r.party_as(row.c.id, lambda p: p.c.reader == Reader.COACHES),
        Relation.ADVISER: r.party_as(row.c.id, lambda p: p.c.reader == Reader.ADVISERS),
    }


def _show(row: dict[str, Any]) -> None:
    """Cuts a row down to its view: existence tells neither reason, version, counts nor changes."""
    row["active"] = row["state"] == AgreementState.ACTIVE
    if row["view"] == "existence":
        for name in set(row) - EXISTENCE - {"version", "owes_receipt"}:
            del row[name]
        shown = [str(row[name]) for name in sorted(EXISTENCE)]
        row["existence_digest"] = hashlib.sha256("|".join(shown).encode()).hexdigest()[:20]


EXISTENCE = frozenset(
    ("id", "view", "active", "parties", "starts_on", "ends_on", "home_organisation_id")
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
        filters={"home_organisation_id": lambda row, bind: row.c.home_organisation_id == bind},
        filter_types={"home_organisation_id": Id},
        prepare=_show,
        owes_receipt=_owes_receipt,
    )
)


def _version_ways(row: Any, kind: CallerKind) -> list[Way]:
    # The agreement has been seen as a party first. A draft is its drafter's; what was withdrawn or
    # declined is for those who were asked to sign it; the rest for who signed it or is a party now.
    s = _signatures.alias("mine")
    return [
        Way(
            "agreement",
            and_(
                row.c.agreement_id == parameter("agreement_id", Id),
                or_(
                    row.c.created_by == r.me,
                    there_is(
                        s,
                        s.c.agreement_id == row.c.agreement_id,
                        s.c.number == row.c.number,
                        s.c.person_id == r.me,
                    ),
                    and_(row.c.state == "in_force", r.party_as(row.c.agreement_id)),
                ),
            ),
        )
    ]


def _versions_query() -> Query:
    row = _versions.alias("this")
    (way,) = _version_ways(row, CallerKind.PERSON)
    names = (
        "number",
        "state",
        "content",
        "digest",
        "created_by",
        "created_at",
        "proposed_at",
        "settled_at",
    )
    statement = (
        select(
            *(row.c[name] for name in names),
            signature_rows(row.c.agreement_id, row.c.number).label("signatures"),
        )
        .where(
            way.predicate(),
            or_(
                parameter("number", Integer).is_(None),
                row.c.number == parameter("number", Integer),
            ),
        )
        .order_by(row.c.number)
    )
    return Query(statement, scoped=True)


VERSIONS = _versions_query()
"""Versions of `agreement_id` that the caller may read, oldest first; `number` narrows to one."""
