"""What an act on an agreement does to the records under it: one statement a table, in the act's own
transaction, however many records there are."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    delete,
    false,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.records import RECORDS
from app.access.visibility import Resource, parameter, shown_columns
from app.core.clock import now
from app.core.query import Query
from app.core.sql import json_object, there_is
from app.core.tables import Id, Moment
from app.models.agreement_text import AgreementText
from app.models.shares import KeptRecord, Share
from app.models.terms import PARTY_READERS, FormerParties, Reader, RecordReader

_shares: Any = Share.__table__
_kept: Any = KeptRecord.__table__
_agreement = parameter("agreement_id", Id)


@cache
def _take_away(resource: Resource, readers: frozenset[RecordReader], *, rehome: bool) -> Query:
    table = resource.table
    values: dict[str, Any] = {f"to_{reader}": false() for reader in readers}
    touched = or_(false(), *(table.c[f"to_{reader}"] for reader in readers))
    if rehome:
        values["home_organisation_id"] = parameter("home_organisation_id", Id)
        touched = or_(table.c.id.is_not(None))
    return Query(update(table).values(values).where(table.c.agreement_id == _agreement, touched))


async def narrow(
    access: Access, agreement_id: UUID, old: AgreementText, new: AgreementText
) -> None:
    """Takes away from every record what the new text no longer ticks; no record's version moves.

    Another home organisation has other leaders and systems: what is there stays closed to them
    until its owner opens it.
    """
    rehome = old.home_organisation_id != new.home_organisation_id
    for kind, resource in RECORDS.items():
        gone = old.disclosure.ticks(kind) - new.disclosure.ticks(kind)
        readers = frozenset(RecordReader(reader) for reader in gone - {Reader.NETWORKS})
        if rehome:
            readers |= {RecordReader.LEADERS, RecordReader.SYSTEMS}
        if readers:
            await access.unit.rows(
                _take_away(resource, readers, rehome=rehome),
                {"agreement_id": agreement_id, "home_organisation_id": new.home_organisation_id},
                long=True,
            )
            await access.unit.rows(
                _untick_kept(readers), {"agreement_id": agreement_id, "kind": resource.kind}
            )
        if Reader.NETWORKS in gone:
            await access.unit.rows(
                _END_NETWORK_SHARES,
                {"agreement_id": agreement_id, "kind": resource.kind},
                long=True,
            )
    if old.disclosure.peripheral_members and not new.disclosure.peripheral_members:
        await access.unit.rows(_CLOSE_EDGE, {"agreement_id": agreement_id})
    for network_id in set(old.networks) - set(new.networks):
        values = {"agreement_id": agreement_id, "network_id": network_id}
        await access.unit.rows(_END_SHARES_WITH, values, long=True)


@cache
def _untick_kept(readers: frozenset[RecordReader]) -> Query:
    """What is closed to a class is closed to those who were of it: opening it again is for others."""
    return Query(
        update(_kept)
        .values({f"to_{reader}": false() for reader in readers})
        .where(_kept.c.agreement_id == _agreement, _kept.c.kind == parameter("kind", String))
    )


_CLOSE_EDGE = Query(
    update(_shares).values(to_peripheral=false()).where(_shares.c.agreement_id == _agreement)
)
_END_NETWORK_SHARES = Query(
    delete(_shares).where(
        _shares.c.agreement_id == _agreement,
        _shares.c.kind == parameter("kind", String),
        _shares.c.network_id.is_not(None),
    )
)
_END_SHARES_WITH = Query(
    delete(_shares).where(
        _shares.c.agreement_id == _agreement, _shares.c.network_id == parameter("network_id", Id)
    )
)
_FORGET = Query(delete(_kept).where(_kept.c.agreement_id == _agreement))
_FORGET_OTHERS = Query(delete(_kept).where(_kept.c.agreement_id == _agreement, not_(_kept.c.typed)))
_ONLY_TYPED = Query(
    update(_kept)
    .values({f"to_{reader}": false() for reader in RecordReader})
    .where(_kept.c.agreement_id == _agreement)
)


@cache
def _close_owned(resource: Resource) -> Query:
    table = resource.table
    return Query(
        update(table)
        .values(to_leaders=false(), to_systems=false())
        .where(
            table.c.agreement_id == _agreement,
            table.c.owner_id == parameter("owner_id", Id),
            or_(table.c.to_leaders, table.c.to_systems),
        )
    )


async def close_to_outsiders(access: Access, agreement_id: UUID, owner_id: UUID) -> None:
    """A learner leaves: leaders and systems, who read while a learner is at the home organisation,
    do not read on because another learner is."""
    for resource in RECORDS.values():
        values = {"agreement_id": agreement_id, "owner_id": owner_id}
        await access.unit.rows(_close_owned(resource), values, long=True)


async def keep_less(access: Access, agreement_id: UUID, keeps: FormerParties) -> None:
    """Takes back what those who have left were let keep, also from who has come again since: all of
    it, or all but what they wrote."""
    queries = {
        FormerParties.NOTHING: (_FORGET,),
        FormerParties.OWN: (_FORGET_OTHERS, _ONLY_TYPED),
        FormerParties.THEIR_TIME: (),
    }[keeps]
    for query in queries:
        await access.unit.rows(query, {"agreement_id": agreement_id}, long=True)


async def keep(access: Access, agreement_id: UUID, person_id: UUID, keeps: FormerParties) -> None:
    """Keeps for a party who is about to leave, as they stand, the records that they typed for others,
    and under `their_time` all that they read."""
    if keeps is FormerParties.NOTHING:
        return
    dialect = access.unit.database.dialect.name
    values = {**access.parameters, "me": str(person_id), "agreement_id": agreement_id, "at": now()}
    for resource in RECORDS.values():
        query = _keep(resource, dialect, all_read=keeps is FormerParties.THEIR_TIME)
        if query is not None:
            await access.unit.rows(query, values, long=True)


@cache
def _keep(resource: Resource, dialect: str, *, all_read: bool) -> Query | None:
    row = resource.table.alias("this")
    columns = shown_columns(resource, row, CallerKind.PERSON)
    shown = json_object(*(part for c in columns for part in (literal(c.name, String), c)))
    reads: dict[Reader, ColumnElement[bool]] = {
        reader: _reads_as(row, reader) if all_read else false() for reader in PARTY_READERS
    }
    # Only what a wording has can be typed for another; reworded it is its owner's.
    typed: ColumnElement[bool] = false()
    if "wording_number" in row.c:
        typed = and_(row.c.created_by == r.me, row.c.wording_number == 1)
    elif not all_read:
        return None
    values = {
        "person_id": r.me,
        "kind": literal(resource.kind, String),
        "record_id": row.c.id,
        "agreement_id": row.c.agreement_id,
        "typed": typed,
        "kept_at": parameter("at", Moment),
        "shown": shown,
        "folded": row.c.folded,
        **{f"to_{reader}": condition for reader, condition in reads.items()},
        "to_leaders": false(),
        "to_systems": false(),
    }
    chosen = select(*(value.label(name) for name, value in values.items())).where(
        row.c.agreement_id == _agreement,
        row.c.owner_id != r.me,
        # What is due is being erased, perhaps in this moment.
        row.c.erased_at.is_(None),
        or_(row.c.delete_by.is_(None), row.c.delete_by > r.today),
        or_(typed, *reads.values()),
    )
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(_kept)
    statement = insert.from_select(list(values), chosen)
    again = ("typed", "kept_at", "shown", "folded", *(f"to_{reader}" for reader in PARTY_READERS))
    return Query(
        statement.on_conflict_do_update(
            index_elements=["person_id", "kind", "record_id"],
            set_={name: statement.excluded[name] for name in again},
        )
    )


def _reads_as(row: Any, reader: Reader) -> ColumnElement[bool]:
    p = r.parties.alias(f"as_{reader}")
    return and_(
        row.c[f"to_{reader}"],
        there_is(
            p,
            p.c.agreement_id == row.c.agreement_id,
            p.c.person_id == r.me,
            p.c.reader == reader,
            p.c.until.is_(None),
            r.reached_by(p, row),
        ),
    )
