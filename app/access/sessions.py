"""Sessions that have ended: who ends them, and how every process comes to know."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, delete, select, union_all, update

from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id, Moment
from app.models.people import Client
from app.models.sessions import Authorization, Ending, Session, Stage

TOKENS_LIVE = timedelta(minutes=20)
"""Longer than any access token lives: what ended before has none left."""

_NONE = UUID(int=0)
_sessions: Any = Session.__table__
_underway: Any = Authorization.__table__
_clients: Any = Client.__table__

_ENDED = Query(
    union_all(
        select(_sessions.c.id).where(_sessions.c.ended_at > parameter("since", Moment)),
        select(_clients.c.id).where(_clients.c.disabled_at > parameter("since", Moment)),
    )
)


async def ended_lately(database: Database) -> list[UUID]:
    """Sessions and clients whose access tokens may still look alive and are not."""
    rows = await database.rows(_ENDED, {"since": now() - TOKENS_LIVE})
    return [as_uuid(row[0]) for row in rows]


def _end_where(condition: ColumnElement[bool]) -> Query:
    return Query(
        update(_sessions)
        .where(condition, _sessions.c.ended_at.is_(None), _sessions.c.id != parameter("but", Id))
        .values(ended_at=parameter("now", Moment), ended_because=parameter("because", String))
        .returning(_sessions.c.id, _sessions.c.person_id)
    )


_COLUMNS = {
    "session_id": "id", "identity_id": "identity_id", "person_id": "person_id", "client_id": "client_id",
}  # fmt: skip
_END = {
    name: _end_where(_sessions.c[column] == parameter(name, Id))
    for name, column in _COLUMNS.items()
}
# A code that has been used stays: should it come again, that is told.
_STOP = {
    name: Query(
        delete(_underway).where(
            _underway.c[name] == parameter(name, Id), _underway.c.stage != Stage.USED
        )
    )
    for name in _COLUMNS
}


async def end_sessions(
    unit: Unit,
    *,
    actor: journal.Actor,
    because: Ending,
    session_id: UUID | None = None,
    identity_id: UUID | None = None,
    person_id: UUID | None = None,
    client_id: UUID | None = None,
    but: UUID | None = None,
) -> list[UUID]:
    """Ends one session, or all of an identity, a person or a client (`but` one), and stops who is on
    the way to one; those that it ended.

    Their refresh tokens stop at once; their access tokens in this process with the commit, in every
    other within seconds.
    """
    named = {
        "session_id": session_id,
        "identity_id": identity_id,
        "person_id": person_id,
        "client_id": client_id,
    }
    ((name, value),) = ((name, value) for name, value in named.items() if value is not None)
    await unit.begin()
    values = {name: value, "now": now(), "because": str(because), "but": but or _NONE}
    rows = await unit.rows(_END[name], values)
    await unit.rows(_STOP[name], {name: value})
    ended = [(as_uuid(row[0]), as_uuid(row[1])) for row in rows]
    for ended_id, owner_id in ended:
        await journal.record(
            unit,
            actor=actor,
            action="ended",
            kind="session",
            resource_id=ended_id,
            version=1,
            owner_id=owner_id,
        )
    forget(unit, (ended_id for ended_id, _ in ended))
    return [ended_id for ended_id, _ in ended]


def forget(unit: Unit, ended: Iterable[UUID]) -> None:
    """From the commit on, this process takes no token of these sessions and clients."""
    if ids := list(ended):
        unit.after_commit.append(lambda: unit.database.on_ended(ids))
