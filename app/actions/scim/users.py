"""The users of a directory: each write, with the way in, the person and the affiliations."""

from collections.abc import Iterable
from uuid import UUID

from app.access.identities import close_way_in, open_way_in
from app.access.scim import Brought, Directory
from app.actions.scim.people import call, identify, person_of, person_who_returns
from app.actions.scim.places import leave, place
from app.actions.scim.told import Told, comparable
from app.core.clock import now
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.security_events import SecurityEvent, note
from app.models.people import SignInIdentity
from app.models.scim import DirectoryUser


async def create_user(directory: Directory, told: Told) -> UUID:
    """A user, with the person, the way in and the affiliations: its id."""
    unit = directory.unit
    await unit.begin()
    await _check_name(directory, told, None)
    moment, identity_id = now(), uuid7()
    person_id = await person_of(directory, told, identity_id)
    is_open = told.active is not False
    identity = SignInIdentity(
        id=identity_id,
        person_id=person_id,
        organisation_id=directory.organisation_id,
        created_at=moment,
        closed_at=None if is_open else moment,
    )
    await unit.insert(identity)
    affiliations = await place(directory, person_id, told.roles, {}) if is_open else {}
    user = DirectoryUser(
        id=identity_id,
        version=1,
        created_at=moment,
        updated_at=moment,
        organisation_id=directory.organisation_id,
        affiliations=affiliations,
        # Nothing said is yes, and is shown.
        **{**told.columns, "active": is_open},
    )
    try:
        await unit.insert(user)
    except Conflict:
        raise _taken() from None
    await _note(directory, SecurityEvent.IDENTITY_CREATED, identity, 1)
    return identity_id


async def change_user(directory: Directory, brought: Brought, told: Told) -> None:
    """Changes what the directory says; opens or closes the way in when it says so."""
    user, identity = brought
    columns = told.columns
    changed = {name for name, value in columns.items() if getattr(user, name) != value}
    if "user_name_key" in changed:
        await _check_name(directory, told, user.id)
    affiliations, left = user.affiliations, identity.closed_at
    if told.active is False and left is None:
        await _leave(directory, brought)
    elif told.active is True and left is not None:
        identity.person_id = await person_who_returns(directory, identity, told, left)
        await open_way_in(directory.unit, identity, actor=directory.access.caller.actor)
        affiliations = await place(directory, identity.person_id, told.roles, {})
    elif left is None and "roles" in changed:
        affiliations = await place(directory, identity.person_id, told.roles, affiliations)
    if told.external_id is not None and "external_id" in changed:
        await identify(directory, identity.person_id, told.external_id)
    await call(directory, identity, told, changed)
    # Only now, and at once: what is journaled on the way is sent with what has changed till then.
    for name in changed:
        setattr(user, name, columns[name])
    user.affiliations = affiliations
    user.touch()
    try:
        await directory.unit.flush()
    except Conflict:
        raise _taken() from None
    named = changed - {"user_name_key", "email_keys"}
    await _note(directory, SecurityEvent.IDENTITY_CHANGED, identity, user.version, named)


async def remove_user(directory: Directory, brought: Brought) -> None:
    """Closes the way in for good and forgets what the directory said; the person stays."""
    user, identity = brought
    if identity.closed_at is None:
        await _leave(directory, brought)
    await directory.unit.session.delete(user)
    await directory.unit.flush()
    await _note(directory, SecurityEvent.IDENTITY_REMOVED, identity, user.version)


def _taken() -> Conflict:
    return Conflict("Another user of this organisation has that userName.", scim_type="uniqueness")


async def _check_name(directory: Directory, told: Told, user_id: UUID | None) -> None:
    holder = await directory.holder_of(comparable(told.user_name))
    if holder not in (None, user_id):
        raise _taken()


async def _leave(directory: Directory, brought: Brought) -> None:
    """The way in is closed, its sessions end, and what ties the person to the organisation ends today."""
    user, identity = brought
    await close_way_in(directory.unit, identity, actor=directory.access.caller.actor)
    await leave(directory, identity.person_id, identity.id, user.affiliations)


async def _note(
    directory: Directory,
    event: SecurityEvent,
    identity: SignInIdentity,
    version: int,
    changed: Iterable[str] = (),
) -> None:
    await note(
        directory.unit,
        event,
        actor=directory.access.caller.actor,
        resource_id=identity.id,
        version=version,
        owner_id=identity.person_id,
        organisation_id=directory.organisation_id,
        changed=changed,
    )
