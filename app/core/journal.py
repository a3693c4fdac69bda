"""The journal: one row for every write of a resource, in the same transaction, never content.

Reading order: on PostgreSQL sequences are drawn before commits finish, so a reader who follows the
sequence alone can skip a row that commits late. Rows carry their transaction's id, and only those
below the oldest running transaction are served, ordered by (transaction_id, sequence): whatever
appears later sorts after everything served. SQLite writes one at a time: the sequence is the order.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    FetchedValue,
    Index,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    text,
)

from app.core.clock import now
from app.core.db import Database, Unit
from app.core.query import Query
from app.core.tables import Id, Moment, metadata

ACCOUNTS = (
    "affiliation", "client", "consent", "framework", "identity_provider", "invitation",
    "network_member", "opening", "operator", "organisation", "person", "second_factor", "session",
    "sign_in_identity", "signing_key",
)  # fmt: skip
"""Kinds whose rows are about accounts and rights, and never about coaching."""

# Words, not parameters: a planner uses an index only when it can see that the index has the row.
_of_accounts = text("kind IN (" + ", ".join(f"'{kind}'" for kind in ACCOUNTS) + ")")


def _account_index(name: str, *columns: str) -> Index:
    """Only of rows about accounts: what is written every day has nothing to do with it."""
    return Index(
        name, *columns, "sequence", sqlite_where=_of_accounts, postgresql_where=_of_accounts
    )


journal = Table(
    "journal",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # PostgreSQL: the writing transaction, drawn by the database; SQLite: 0.
    Column("transaction_id", BigInteger, FetchedValue(), nullable=False),
    Column("at", Moment, nullable=False),
    Column("person_id", Id),
    Column("client_id", Id),
    Column("action", String(60), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("resource_id", Id, nullable=False),
    Column("resource_version", Integer, nullable=False),
    Column("owner_id", Id),
    Column("agreement_id", Id),
    Column("organisation_id", Id),
    Column("changed", JSON, nullable=False),
    Index(None, "transaction_id", "sequence"),
    Index(None, "agreement_id", "sequence"),
    Index(None, "kind", "resource_id", "sequence"),
    _account_index("ix_journal_accounts"),
    _account_index("ix_journal_accounts_of_owner", "owner_id"),
    _account_index("ix_journal_accounts_of_organisation", "organisation_id"),
    info={"access": "mechanism"},
    sqlite_autoincrement=True,
)

_WRITTEN = [c for c in journal.columns if c.name not in ("sequence", "transaction_id")]
_INSERT = Query(
    insert(journal).values(
        {c.name: bindparam(c.name, type_=c.type, required=True) for c in _WRITTEN}
    )
)


def about_accounts(*kinds: str) -> ColumnElement[bool]:
    """Whether a row is about accounts (of these kinds); as the indexes have it, so that they are used."""
    return and_(
        _of_accounts, *([or_(*(journal.c.kind == kind for kind in kinds))] if kinds else [])
    )


class Actor(NamedTuple):
    """Who writes: a person through a client, a client alone, or the command line (neither)."""

    person_id: UUID | None
    client_id: UUID | None


COMMAND_LINE = Actor(None, None)


async def record(
    unit: Unit,
    *,
    actor: Actor,
    action: str,
    kind: str,
    resource_id: UUID,
    version: int,
    changed: Iterable[str] = (),
    owner_id: UUID | None = None,
    agreement_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> None:
    """Appends one row. `changed` names fields, never their values."""
    await unit.begin()
    await unit.rows(
        _INSERT,
        {
            "at": now(),
            "person_id": actor.person_id,
            "client_id": actor.client_id,
            "action": action,
            "kind": kind,
            "resource_id": resource_id,
            "resource_version": version,
            "owner_id": owner_id,
            "agreement_id": agreement_id,
            "organisation_id": organisation_id,
            "changed": sorted(changed),
        },
    )
    unit.journaled.append((kind, resource_id))


class Position(NamedTuple):
    """A place in the reading order."""

    transaction_id: int
    sequence: int


START = Position(-1, -1)

# Rows of transactions that might still be running, or have yet to begin, are not served.
_settled: dict[str, ColumnElement[bool]] = {
    "sqlite": literal_column("1 = 1"),
    "postgresql": literal_column(
        "journal.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    ),
}

_FOLLOWING = {
    name: Query(
        select(
            journal.c.transaction_id,
            journal.c.sequence,
            journal.c.kind,
            journal.c.resource_id,
        )
        .where(
            condition,
            (
                journal.c.transaction_id
                > bindparam("transaction_id", type_=BigInteger, required=True)
            )
            | (
                (
                    journal.c.transaction_id
                    == bindparam("transaction_id", type_=BigInteger, required=True)
                )
                & (journal.c.sequence > bindparam("sequence", type_=BigInteger, required=True))
            ),
        )
        .order_by(journal.c.transaction_id, journal.c.sequence)
        .limit(bindparam("limit", type_=Integer, required=True))
    )
    for name, condition in _settled.items()
}


async def following(
    database: Database, position: Position, limit: int = 200
) -> list[tuple[Any, ...]]:
    """Up to `limit` rows after `position`, as (transaction_id, sequence, kind, resource_id).

    A reader who always continues from the last row served misses none.
    """
    query = _FOLLOWING[database.dialect.name]
    return [
        tuple(row) for row in await database.rows(query, {**position._asdict(), "limit": limit})
    ]
