"""Changes of sign-in addresses: whose they are, and how one takes effect when its time has come."""

import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, literal, or_, select, update

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.visibility import Resource, Way, parameter, register
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import Conflict
from app.core.http import as_uuid
from app.core.outbox import queue
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Moment, as_moment
from app.core.text import canonical_address
from app.models.people import SignInIdentity
from app.models.ways_in import AddressChange, AddressEnding

_changes: Any = AddressChange.__table__
_identities: Any = SignInIdentity.__table__

_due = and_(
    _changes.c.ended_at.is_(None),
    _changes.c.confirmed_at.is_not(None),
    _changes.c.takes_effect_at <= parameter("now", Moment),
)
_with_identity = _changes.join(_identities, _identities.c.id == _changes.c.identity_id)
_ALL_DUE = Query(select(_changes.c.id).where(_due).limit(100))
_DUE_FOR = Query(
    select(_changes.c.id)
    .select_from(_with_identity)
    .where(
        _due,
        or_(
            _changes.c.email == parameter("email", String),
            _identities.c.email == parameter("email", String),
        ),
    )
)
_HOLDER = Query(
    select(_identities.c.person_id).where(
        _identities.c.email == parameter("email", String), _identities.c.closed_at.is_(None)
    )
)
_EXPIRE = Query(
    update(_changes)
    .where(
        _changes.c.ended_at.is_(None),
        _changes.c.confirmed_at.is_(None),
        _changes.c.expires_at <= parameter("now", Moment),
    )
    .values(ended_at=parameter("now", Moment), ended_because=AddressEnding.EXPIRED)
)


_OF_LINK = {
    refusal: Query(
        select(_changes.c.email, _changes.c.takes_effect_at).where(
            _changes.c["refusal_hash" if refusal else "secret_hash"] == parameter("hash", String),
            _changes.c.ended_at.is_(None),
            or_(
                literal(refusal),
                _changes.c.confirmed_at.is_not(None),
                _changes.c.expires_at > parameter("now", Moment),
            ),
        )
    )
    for refusal in (False, True)
}


def _prepare(row: dict[str, Any]) -> None:
    ended = row.pop("ended_because")
    if ended is None and row["confirmed_at"] is None and as_moment(row["expires_at"]) <= now():
        ended = AddressEnding.EXPIRED
    row["state"] = ended or ("asked" if row["confirmed_at"] is None else "confirmed")


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    return [] if kind is CallerKind.CLIENT else [Way("self", row.c.person_id == r.me)]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    return {} if kind is CallerKind.CLIENT else {Relation.SELF: row.c.person_id == r.me}


ADDRESS_CHANGES = register(
    Resource(
        kind="address_change",
        path="/v1/me/address-changes",
        table=_changes,
        entity=AddressChange,
        ways=_ways,
        columns=lambda row, kind: [
            row.c[name]
            for name in (
                "id", "version", "created_at", "updated_at", "email", "takes_effect_at", "expires_at",
                "confirmed_at", "ended_because",
            )
        ],
        relations=_relations,
        prepare=_prepare,
    )
)  # fmt: skip


async def change_of_link(
    database: Database, token: str, *, refusal: bool
) -> tuple[str, datetime] | None:
    """The new address, and from when it counts, as long as the link is good."""
    values = {"hash": hash_secret(token[:100]), "now": now()}
    rows = await database.rows(_OF_LINK[refusal], values)
    return (rows[0][0], as_moment(rows[0][1])) if rows else None


async def holder_of(unit: Unit, email: str) -> UUID | None:
    """The person who signs in with an address."""
    rows = await unit.rows(_HOLDER, {"email": email})
    return as_uuid(rows[0][0]) if rows else None


async def take_effect(database: Database, email: str | None = None) -> int:
    """Lets the changes take effect whose time has come: those from or to an address, or all."""
    values: dict[str, Any] = {"now": now()}
    if email is None:
        rows = await database.rows(_ALL_DUE, values)
    else:
        values["email"] = canonical_address(email[:1000])[:254]
        rows = await database.rows(_DUE_FOR, values)
    for row in rows:
        # Somebody else may have taken the address in this very moment: the next look ends the change.
        with contextlib.suppress(Conflict):
            await _apply(database, as_uuid(row[0]))
    return len(rows)


async def expire_changes(unit: Unit) -> None:
    """Ends the changes that nobody has confirmed in time."""
    await unit.begin()
    await unit.rows(_EXPIRE, {"now": now()})


async def locked_change(unit: Unit, identity_id: UUID) -> tuple[Any, AddressChange | None]:
    """The open identity and its running change, locked in the order that everybody keeps."""
    await unit.begin()
    identity = await unit.session.get(
        SignInIdentity, identity_id, with_for_update=True, populate_existing=True
    )
    change = await unit.session.scalar(
        select(AddressChange)
        .where(AddressChange.identity_id == identity_id, AddressChange.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (None if identity is None or identity.closed_at else identity), change


def end(change: AddressChange, because: AddressEnding) -> None:
    """Ends a change."""
    change.ended_at, change.ended_because = now(), because
    change.touch()


async def _apply(database: Database, change_id: UUID) -> None:
    async with database.work() as unit:
        await unit.begin()
        found = await unit.session.get(AddressChange, change_id)
        if found is None:
            return
        identity, change = await locked_change(unit, found.identity_id)
        if change is None or change.id != change_id or change.confirmed_at is None:
            return
        holder = await holder_of(unit, change.email)
        if identity is None or holder is not None:
            end(change, AddressEnding.EXPIRED)
            return
        before, identity.email = identity.email, change.email
        end(change, AddressEnding.IN_EFFECT)
        await unit.flush()
        await note(
            unit,
            SecurityEvent.ADDRESS_CHANGED,
            actor=journal.Actor(identity.person_id, None),
            resource_id=identity.id,
            owner_id=identity.person_id,
            organisation_id=identity.organisation_id,
            changed=["email"],
        )
        for address in (before, change.email):
            if address is not None:
                await queue(unit, "address_changed", address, address=change.email)
