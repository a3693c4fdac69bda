"""Who is tied to an agreement by what they drafted, were asked to sign or once signed."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from app.access import relations as r
from app.core.sql import json_list, json_object, there_is
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
)
from app.models.people import Person

_versions: Any = AgreementVersion.__table__
_signatures: Any = AgreementSignature.__table__
_parties: Any = AgreementParty.__table__
_people: Any = Person.__table__

asked = _signatures.alias("invited")
PROPOSED = (AgreementState.PROPOSED, AgreementState.DECLINED)
UNSIGNED = (AgreementState.DRAFT, *PROPOSED)


def drafted(row: Any) -> ColumnElement[bool]:
    """Whether the caller drafted it, and it is not yet in force."""
    return and_(row.c.created_by == r.me, r.any_of(row.c.state, UNSIGNED))


def amendment_open(row: Any) -> ColumnElement[bool]:
    """Whether an amendment is on the table, and has not lapsed."""
    return and_(row.c.state == AgreementState.ACTIVE, row.c.amendment_lapses_on > r.today)


def asked_for_proposal(row: Any, signature: Any) -> ColumnElement[bool]:
    """Whether a signature is asked for of the proposal on the table."""
    return and_(signature.c.number == row.c.shown_number, r.any_of(row.c.state, PROPOSED))


def asked_for_amendment(row: Any, signature: Any) -> ColumnElement[bool]:
    """Whether a signature is asked for of the amendment on the table."""
    return and_(
        signature.c.asked, signature.c.number == row.c.amendment_number, amendment_open(row)
    )


def asked_to_sign(row: Any, signature: Any) -> ColumnElement[bool]:
    """Whether a signature is asked for of what is on the table."""
    return or_(asked_for_proposal(row, signature), asked_for_amendment(row, signature))


def invited(row: Any, to: Any = asked_to_sign) -> ColumnElement[bool]:
    """Whether the caller is asked to sign it: anything on the table, or what `to` says."""
    s = _signatures.alias("asked")
    return there_is(s, s.c.agreement_id == row.c.id, s.c.person_id == r.me, to(row, s))


def former(row: Any, *conditions: Any) -> ColumnElement[bool]:
    """Whether the caller was a party, and is one no longer in that role (with further conditions on
    the party)."""
    p = _parties.alias("was_party")
    return there_is(
        p,
        p.c.agreement_id == row.c.id,
        p.c.person_id == r.me,
        p.c.until.is_not(None),
        *(condition(p) for condition in conditions),
    )


def amends(row: Any) -> ColumnElement[bool]:
    """Whether the caller wrote the amendment on the table, and is a party."""
    v = _versions.alias("amending")
    return there_is(
        v,
        v.c.agreement_id == row.c.id,
        v.c.number == row.c.amendment_number,
        v.c.created_by == r.me,
        r.party_as(row.c.id),
        amendment_open(row),
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
        .where(s.c.agreement_id == agreement_id, s.c.number == number, s.c.asked)
        .order_by(s.c.person_id)
        .correlate_except(s, n)
    )  # fmt: skip
