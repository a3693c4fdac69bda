"""Sign-in identities as those who set a password or an address need them."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, select

from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.http import as_uuid
from app.core.outbox import queue
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.tables import Id, Moment
from app.models.people import Person, SignInIdentity
from app.models.sessions import Session
from app.models.ways_in import PasswordReset

_people: Any = Person.__table__
_identities: Any = SignInIdentity.__table__
_sessions: Any = Session.__table__
_resets: Any = PasswordReset.__table__

_ABOUT = "the person's own name and address, for whoever holds their session or their link"


class WayIn(NamedTuple):
    """An open sign-in identity, with the name of whose it is."""

    id: UUID
    person_id: UUID
    email: str | None
    password_hash: str | None
    name: str
    organisation_id: UUID | None


def _way_in(*joins: Any, where: Any) -> Query:
    i = _identities.c
    source = _identities.join(_people, _people.c.id == i.person_id)
    for table, condition in joins:
        source = source.join(table, condition)
    return Query(
        select(i.id, i.person_id, i.email, i.password_hash, _people.c.name, i.organisation_id)
        .select_from(source)
        .where(where, i.closed_at.is_(None)),
        unscoped=_ABOUT,
    )


_OF_SESSION = _way_in(
    (_sessions, _sessions.c.identity_id == _identities.c.id),
    where=_sessions.c.id == parameter("session_id", Id),
)
_OF_RESET = _way_in(
    (_resets, _resets.c.identity_id == _identities.c.id),
    where=(_resets.c.secret_hash == parameter("hash", String))
    & (_resets.c.expires_at > parameter("now", Moment)),
)
_OF_PERSON = _way_in(where=_identities.c.person_id == parameter("person_id", Id))


def _made(row: Any) -> WayIn:
    place = None if row[5] is None else as_uuid(row[5])
    return WayIn(as_uuid(row[0]), as_uuid(row[1]), row[2], row[3], row[4], place)


async def of_session(database: Database, session_id: UUID | None) -> WayIn | None:
    """The way in by which a session was begun."""
    rows = await database.rows(_OF_SESSION, {"session_id": session_id})
    return _made(rows[0]) if rows else None


async def of_reset(database: Database, token: str) -> WayIn | None:
    """The way in whose password a link sets, as long as the link is good."""
    values = {"hash": hash_secret(token[:100]), "now": now()}
    rows = await database.rows(_OF_RESET, values)
    return _made(rows[0]) if rows else None


async def of_person(unit: Unit, person_id: UUID) -> list[WayIn]:
    """The open ways in of a person."""
    return [_made(row) for row in await unit.rows(_OF_PERSON, {"person_id": person_id})]


async def tell(unit: Unit, person_id: UUID, template: str, *, provider: str = "") -> None:
    """Leaves a message for every address with which the person signs in."""
    for way_in in await of_person(unit, person_id):
        if way_in.email is not None:
            await queue(unit, template, way_in.email, provider=provider)
