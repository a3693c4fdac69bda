"""The versions of an agreement's text: who reads which."""

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, case, or_, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.signers import amendment_open, signature_rows
from app.access.visibility import parameter
from app.core.query import Query
from app.core.sql import there_is, wire
from app.core.tables import Id
from app.models.agreements import (
    AgreementSignature,
    AgreementVersion,
    LearningAgreement,
    VersionAct,
    VersionState,
)

_versions: Any = AgreementVersion.__table__
_signatures: Any = AgreementSignature.__table__
_agreements: Any = LearningAgreement.__table__

_NAMES = ("number", "act", "content", "digest", "created_by")
_MOMENTS = ("created_at", "proposed_at", "settled_at")


def _versions_query(*, opened: bool) -> Query:
    v, a, s = _versions.alias("this"), _agreements.alias("its"), _signatures.alias("mine")
    open_amendment = and_(v.c.act == VersionAct.AMENDMENT, v.c.state == VersionState.PROPOSED)
    # The agreement has been seen first. A draft is its drafter's; what was withdrawn or declined is
    # for those who were asked to sign it; the rest for who was a party to it, or is a party now.
    read = or_(
        v.c.created_by == r.me,
        there_is(
            s, s.c.agreement_id == v.c.agreement_id, s.c.number == v.c.number, s.c.person_id == r.me
        ),
        and_(
            or_(v.c.state == VersionState.IN_FORCE, and_(open_amendment, amendment_open(a))),
            r.party_as(v.c.agreement_id),
        ),
    )
    if opened:
        # What has ruled, and nothing that was only on the table.
        read = r.any_of(v.c.state, (VersionState.IN_FORCE, VersionState.SUPERSEDED))
    number = parameter("number", Integer)
    lapsed = and_(open_amendment, or_(v.c.number != a.c.amendment_number, ~amendment_open(a)))
    return Query(
        select(
            *(v.c[name] for name in _NAMES),
            *(wire(v.c[name]).label(name) for name in _MOMENTS),
            case((lapsed, VersionState.LAPSED), else_=v.c.state).label("state"),
            signature_rows(v.c.agreement_id, v.c.number).label("signatures"),
        )
        .select_from(v.join(a, a.c.id == v.c.agreement_id))
        .where(
            v.c.agreement_id == parameter("agreement_id", Id),
            read,
            or_(number.is_(None), v.c.number == number),
        )
        .order_by(v.c.number),
        scoped=True,
    )


_BY_KIND = {
    CallerKind.PERSON: _versions_query(opened=False),
    CallerKind.OPENER: _versions_query(opened=True),
}


async def versions_of(
    access: Access, agreement_id: UUID, number: int | None = None
) -> list[dict[str, Any]]:
    """Versions of an agreement that the caller has seen, as far as they may read them, oldest first;
    `number` narrows to one."""
    query = _BY_KIND[access.caller.kind]
    return await access.read(query, agreement_id=agreement_id, number=number)
