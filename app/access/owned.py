"""The rules for every record with an owner and ticks: the agreement is the access policy.

A kind of record joins by having the columns of models.terms.Ticked, `owner_id`,
`created_by`, `agreement_id`, `home_organisation_id` and `created_at`.
"""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    literal,
    or_,
    select,
    true,
)

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import Relation
from app.access.visibility import Way, parameter
from app.core.errors import Invalid
from app.core.http import as_uuid
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import AgreementState, AgreementTerm, LearningAgreement
from app.models.terms import PARTY_READERS, PartyRole, Reader, RecordKind, RecordReader

_agreements: Any = LearningAgreement.__table__
# One alias each, shared by both compilations of a way: the window of a branch refers to it.
party = r.parties.alias("party")
leading = r.affiliations.alias("lead")


def _by_class(row: Any, reader: Reader) -> Way:
    """Seen by a class of party; each has an index of the rows that are ticked for it."""
    return Way(
        str(reader),
        and_(
            row.c[f"to_{reader}"], or_(party.c.earlier_records, row.c.created_at >= party.c.since)
        ),
        through=party,
        mine=and_(party.c.person_id == r.me, party.c.reader == reader, party.c.until.is_(None)),
        link=row.c.agreement_id == party.c.agreement_id,
    )


def owned_ways(row: Any, kind: CallerKind) -> list[Way]:
    """The ways of seeing a record with an owner and ticks."""
    if kind is CallerKind.CLIENT:
        return [
            Way(
                "system",
                and_(
                    row.c.home_organisation_id == r.client_organisation(),
                    row.c.to_systems,
                    r.learner_at_home(row.c.agreement_id, row.c.home_organisation_id),
                ),
            )
        ]
    return [
        Way("owner", row.c.owner_id == r.me),
        Way(
            "author",
            and_(
                row.c.created_by == r.me,
                row.c.created_by != row.c.owner_id,
                # What they wrote, not what its owner has made of it since.
                row.c.wording_number == 1,
                r.party_as(row.c.agreement_id),
            ),
        ),
        *(_by_class(row, reader) for reader in PARTY_READERS),
        Way(
            "leader",
            and_(
                row.c.to_leaders,
                r.learner_at_home(row.c.agreement_id, row.c.home_organisation_id),
            ),
            through=leading,
            mine=r.mine_as_leader(leading),
            link=row.c.home_organisation_id == leading.c.organisation_id,
        ),
    ]


def owed_receipt(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    """Whether this read is receipted: by neither owner nor party, or by a party who also leads."""
    if kind is CallerKind.CLIENT:
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
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.OWNER: row.c.owner_id == r.me,
        Relation.LEARNER: r.party_as(row.c.agreement_id, lambda p: p.c.role == PartyRole.LEARNER),
        Relation.COACH: r.party_as(row.c.agreement_id, lambda p: p.c.reader == Reader.COACHES),
        Relation.ADVISER: r.party_as(row.c.agreement_id, lambda p: p.c.reader == Reader.ADVISERS),
        Relation.PARTY: r.party_as(row.c.agreement_id),
    }


_READERS = [
    [str(reader) for i, reader in enumerate(RecordReader) if bits >> i & 1]
    for bits in range(2 ** len(RecordReader))
]


def ticks(row: Any) -> ColumnElement[Any]:
    """The ticks of a record as one number: a bit for each class of reader, in their order."""
    number: ColumnElement[Any] = literal(0)
    for i, reader in enumerate(RecordReader):
        number = number + cast(row.c[f"to_{reader}"], Integer) * 2**i
    return number.label("ticks")


def show_readers(row: dict[str, Any]) -> None:
    """Adds `readers`, the ticks of a record as a list."""
    row["readers"] = _READERS[row["ticks"]]


def agreement_over(row: Any) -> ColumnElement[bool]:
    """Whether the record's agreement has been completed or ended."""
    a = _agreements.alias("ruling")
    return there_is(a, a.c.id == row.c.agreement_id, a.c.state != AgreementState.ACTIVE)


def hold_agreement(table: Any) -> Query:
    """Keeps the agreement of the record `id` as it is until the commit."""
    return Query(
        select(_agreements.c.state)
        .join_from(table, _agreements, _agreements.c.id == table.c.agreement_id)
        .where(table.c.id == parameter("id", Id))
        .with_for_update(read=True, of=_agreements),
        scoped=True,
    )


class Standing(NamedTuple):
    """How the caller and an owner stand to an agreement, and what its terms tick for a kind."""

    state: str
    home_organisation_id: UUID | None
    i_learn: bool
    i_coach: bool
    i_support: bool
    owner_learns: bool
    ticks: frozenset[RecordReader]


def _standing() -> Query:
    a, t = _agreements, AgreementTerm.__table__
    owner = r.parties.alias("owner")
    ticks = [t.c[f"to_{reader}"] for reader in RecordReader]
    statement = (
        select(
            a.c.state,
            a.c.home_organisation_id,
            r.party_as(a.c.id, lambda p: p.c.role == PartyRole.LEARNER).label("i_learn"),
            r.party_as(a.c.id, lambda p: p.c.reader == Reader.COACHES).label("i_coach"),
            r.party_as(a.c.id, lambda p: p.c.reader != Reader.FELLOWS).label("i_support"),
            there_is(
                owner,
                owner.c.agreement_id == a.c.id,
                owner.c.person_id == parameter("owner_id", Id),
                owner.c.role == PartyRole.LEARNER,
                owner.c.until.is_(None),
            ).label("owner_learns"),
            *ticks,
        )
        .select_from(a.join(t, t.c.agreement_id == a.c.id))
        .where(
            a.c.id == parameter("agreement_id", Id),
            t.c.kind == parameter("kind", String),
            r.party_as(a.c.id),
        )
        # Nobody narrows the terms between this reading and the record that is written under them.
        .with_for_update(read=True, of=a)
    )
    return Query(statement, scoped=True)


_STANDING = _standing()


async def standing_under(
    access: Access, agreement_id: UUID, owner_id: UUID, kind: RecordKind
) -> Standing:
    """The standing under an agreement of which the caller is a party, held until the commit."""
    await access.unit.begin()
    found = await access.unit.rows(
        _STANDING,
        {**access.parameters, "agreement_id": agreement_id, "owner_id": owner_id, "kind": kind},
    )
    if not found:
        raise Invalid.field("/agreement_id", "names no agreement in force that you are a party to")
    state, home, learn, coach, support, owner, *ticks = found[0]
    return Standing(
        state,
        None if home is None else as_uuid(home),
        bool(learn),
        bool(coach),
        bool(support),
        bool(owner),
        frozenset(reader for reader, tick in zip(RecordReader, ticks, strict=True) if tick),
    )
