"""The one place where a password is compared, and where wrong ones are counted."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, select, update

from app.access.addresses import take_effect
from app.access.attempts import Key, attempt, for_account, for_device, for_network, forgive
from app.access.sign_in import PUBLIC_CLIENT, KnownIdentity, find_identity
from app.access.visibility import parameter
from app.core.db import Database, Unit
from app.core.devices import is_mark
from app.core.journal import Actor
from app.core.passwords import verify_password
from app.core.query import Query
from app.core.security_events import NOBODY, SecurityEvent, note
from app.core.tables import Id
from app.core.text import canonical_address
from app.models.people import SignInIdentity

_identities: Any = SignInIdentity.__table__
# Unless another has been set meanwhile.
_REHASH = Query(
    update(_identities)
    .where(
        _identities.c.id == parameter("id", Id),
        _identities.c.password_hash == parameter("before", String),
    )
    .values(password_hash=parameter("after", String))
)


_STILL = Query(
    select(_identities.c.password_hash)
    .where(_identities.c.id == parameter("id", Id), _identities.c.closed_at.is_(None))
    .with_for_update(read=True)
)


class Origin(NamedTuple):
    """Where an attempt comes from: its network (app.core.rates), and what its browser keeps."""

    network: str
    devices: tuple[str, ...] = ()


NOWHERE = Origin("none")


def keys_of(email: str, identity_id: UUID, origin: Origin) -> tuple[Key, ...]:
    """What a failure counts for. A browser in which the account has been used is counted by itself:
    who guesses from elsewhere, or from the same school, keeps nobody out."""
    known = [device for device in origin.devices if is_mark(device, identity_id)]
    if known:
        return (for_device(known[0]),)
    return (for_account(canonical_address(email[:1000])), for_network(origin.network))


async def check_password(
    database: Database,
    email: str,
    password: str,
    *,
    origin: Origin,
    client_id: UUID = PUBLIC_CLIENT,
    key: Key | None = None,
) -> KnownIdentity | None:
    """The identity that address and password open; TooManyRequests after too many wrong ones.

    A failure is journaled, and takes as long for an address that nobody has. `key`: what it counts
    for, where that is not the account and where it comes from.
    """
    await take_effect(database, email)
    identity = await find_identity(database, email)
    keys = (key,) if key else keys_of(email, identity.id if identity else NOBODY, origin)
    async with attempt(database, keys) as tried:
        stored = identity.password_hash if identity else None
        found = await verify_password(password[:10_000], stored)
        if found.matches and identity is not None:
            await _welcome(database, identity, found.rehashed, tried.counted(keys[0]))
            return identity._replace(password_hash=found.rehashed or stored)
        async with database.work() as unit:
            await tried.failed(unit)
            await note(
                unit,
                SecurityEvent.SIGN_IN_FAILED,
                actor=Actor(None, client_id),
                resource_id=identity.id if identity else NOBODY,
                owner_id=identity.person_id if identity else None,
            )
    return None


async def _welcome(
    database: Database, identity: KnownIdentity, rehashed: str | None, mistyped: list[Key]
) -> None:
    if rehashed is None and not mistyped:
        return
    async with database.work() as unit:
        await forgive(unit, mistyped)
        if rehashed is not None:
            values = {"id": identity.id, "before": identity.password_hash, "after": rehashed}
            await unit.rows(_REHASH, values)


async def still_opens(unit: Unit, identity: KnownIdentity) -> bool:
    """Whether the way in is open with the password that was shown, and stays so until the commit: who
    closes it or sets another waits, and then finds what is to end."""
    await unit.begin()
    rows = await unit.rows(_STILL, {"id": identity.id})
    return bool(rows) and rows[0][0] == identity.password_hash
