"""How a caller stands to an agreement when something is written under it."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, not_, select

from app.access import relations as r
from app.access.door import OVER, Access, Held
from app.access.visibility import parameter
from app.core.errors import Conflict, Invalid
from app.core.http import as_uuid
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id
from app.models.agreements import AgreementState, AgreementTerm, LearningAgreement
from app.models.terms import PartyRole, Reader, RecordKind, RecordReader

_agreements: Any = LearningAgreement.__table__


def nothing_more(row: Any) -> ColumnElement[bool]:
    """Whether the record's agreement is over, or its owner has left it."""
    a, p = _agreements.alias("ruling"), r.parties.alias("learning")
    goes_on = and_(
        a.c.state == AgreementState.ACTIVE,
        there_is(
            p,
            p.c.agreement_id == a.c.id,
            p.c.person_id == row.c.owner_id,
            p.c.role == PartyRole.LEARNER,
            p.c.until.is_(None),
        ),
    )
    return there_is(a, a.c.id == row.c.agreement_id, not_(goes_on))


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
    learners_gone: bool
    i_learn: bool
    i_coach: bool
    i_support: bool
    owner_learns: bool
    to_networks: bool
    peripheral_members: bool
    ticks: frozenset[RecordReader]


def _standing() -> Query:
    a, t = _agreements, AgreementTerm.__table__
    owner = r.parties.alias("owner")
    ticks = [t.c[f"to_{reader}"] for reader in RecordReader]
    statement = (
        select(
            (t.c.number == a.c.shown_number).label("settled"),
            a.c.state,
            a.c.home_organisation_id,
            a.c.learners_gone,
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
            t.c.to_networks,
            a.c.peripheral_members,
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
    values = {
        **access.parameters, "agreement_id": agreement_id, "owner_id": owner_id, "kind": kind,
    }  # fmt: skip
    found = await access.unit.rows(_STANDING, values)
    if found and not found[0][0]:
        # It waited on PostgreSQL for another's act: the agreement is as that left it, the terms and
        # parties beside it are not. Every act makes a new version, which tells.
        found = await access.unit.rows(_STANDING, values)
    if not found:
        raise Invalid.field("/agreement_id", "names no agreement in force that you are a party to")
    _, state, home, gone, learn, coach, support, owner, networks, peripheral, *ticks = found[0]
    return Standing(
        state,
        None if home is None else as_uuid(home),
        bool(gone),
        bool(learn),
        bool(coach),
        bool(support),
        bool(owner),
        bool(networks),
        bool(peripheral),
        frozenset(reader for reader, tick in zip(RecordReader, ticks, strict=True) if tick),
    )


def allowed_ticks(
    readers: list[RecordReader] | None, standing: Standing | None, kind: RecordKind
) -> frozenset[RecordReader]:
    """The readers to tick: those asked for, which the terms must allow, or all that they allow."""
    allowed = standing.ticks if standing is not None else frozenset()
    if readers is None:
        return allowed
    for index, reader in enumerate(readers):
        if reader not in allowed:
            detail = (
                f"the agreement's terms do not tick {reader} for {kind}"
                if standing is not None
                else "outside an agreement a record is its owner's alone"
            )
            raise Invalid.field(f"/readers/{index}", detail)
    return frozenset(readers)


async def new_ticks(
    access: Access, record: Any, readers: list[RecordReader], kind: RecordKind
) -> frozenset[RecordReader]:
    """Narrowing is always possible; a tick that is added must be one that the terms have."""
    wanted = frozenset(readers)
    if wanted <= record.readers:
        return wanted
    record.check_outside(wanted - record.readers)
    standing = None
    if record.agreement_id is not None:
        standing = await standing_under(access, record.agreement_id, record.owner_id, kind)
        if standing.state != AgreementState.ACTIVE:
            raise Conflict(OVER)
    return allowed_ticks(readers, standing, kind)


def check_may_change(
    held: Held, changes: dict[str, Any], readers: list[RecordReader] | None
) -> None:
    """Conflict when the agreement is over, or its owner has left it, unless readers are only taken
    away; and when the text has been erased."""
    record = held.entity
    if changes:
        record.check_not_erased()
    if held.over and (changes or not frozenset(readers or ()) <= record.readers):
        raise Conflict(f"{OVER} Its owner may still take readers away.")
