"""Writes of an organisation's directory: its users, as sign-in identities with their affiliations."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, delete, or_

from app.access.affiliating import add_affiliation, add_person, alter_affiliation, alter_person
from app.access.claims import Claim
from app.access.identities import close_way_in, open_way_in
from app.access.scim import Brought, Directory
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.people import AffiliationRole, Person, PersonIdentifier, SignInIdentity
from app.models.scim import DirectoryUser

DIRECTORY_ID = "scim"
"""Source of the identifier by which a directory knows a person (`externalId`)."""
EMPLOYEE_NUMBER = "employee-number"
"""Source of the identifier that is compared with `employeeNumber`."""
SECOND_THOUGHTS = timedelta(days=30)
"""How long an organisation may take back that somebody has left who is elsewhere as well."""

_identifiers: Any = PersonIdentifier.__table__
_FORGET = Query(
    delete(_identifiers).where(
        _identifiers.c.organisation_id == parameter("organisation_id", Id),
        _identifiers.c.source == parameter("source", String),
        or_(
            _identifiers.c.person_id == parameter("person_id", Id),
            _identifiers.c.external_id == parameter("external_id", String),
        ),
    )
)


class Told(NamedTuple):
    """What a directory says of a user."""

    user_name: str
    external_id: str | None
    employee_number: str | None
    display_name: str | None
    formatted_name: str | None
    given_name: str | None
    family_name: str | None
    emails: list[dict[str, Any]] | None
    roles: list[dict[str, Any]] | None
    active: bool | None

    @property
    def name(self) -> str:
        """The person's name."""
        parts = [part for part in (self.given_name, self.family_name) if part]
        whole = self.formatted_name or " ".join(parts) or self.display_name or self.user_name
        return whole[:300]

    @property
    def email(self) -> str | None:
        """The address that the directory puts first."""
        addresses = sorted(self.emails or (), key=lambda email: not email.get("primary"))
        return next((email["value"] for email in addresses if email.get("value")), None)

    @property
    def columns(self) -> dict[str, Any]:
        """The values of the user's row."""
        addresses = [
            f"\n{comparable(email.get('type', ''))}\t{comparable(email['value'])}\n"
            for email in self.emails or ()
            if email.get("value")
        ]
        return {
            **self._asdict(),
            "user_name_key": comparable(self.user_name),
            "email_keys": "".join(addresses),
        }


_CALLS = {"display_name", "formatted_name", "given_name", "family_name", "user_name"}


def comparable(value: str) -> str:
    """A name or an address as it is compared: without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).lower())


def role_of(value: str) -> AffiliationRole | None:
    """The role that a directory means: `Head teacher` is `head_teacher`."""
    word = "_".join(value.casefold().replace("-", " ").replace("_", " ").split())
    return AffiliationRole(word) if word in {str(role) for role in AffiliationRole} else None


async def create_user(directory: Directory, told: Told) -> UUID:
    """A user, with the person, the way in and the affiliations: its id."""
    unit = directory.unit
    await unit.begin()
    await _check_name(directory, told, None)
    moment, identity_id = now(), uuid7()
    person_id = await _person_of(directory, told, identity_id)
    is_open = told.active is not False
    identity = SignInIdentity(
        id=identity_id,
        person_id=person_id,
        organisation_id=directory.organisation_id,
        created_at=moment,
        closed_at=None if is_open else moment,
    )
    await unit.insert(identity)
    affiliations = await _place(directory, person_id, told.roles, {}) if is_open else {}
    user = DirectoryUser(
        id=identity_id,
        version=1,
        created_at=moment,
        updated_at=moment,
        organisation_id=directory.organisation_id,
        affiliations=affiliations,
        **told.columns,
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
    for name in changed:
        setattr(user, name, columns[name])
    was_open = identity.closed_at is None
    if told.active is False and was_open:
        await _leave(directory, identity)
    elif told.active is True and not was_open:
        await _return(directory, brought, told)
    elif was_open and "roles" in changed:
        user.affiliations = await _place(
            directory, identity.person_id, told.roles, user.affiliations
        )
    if told.external_id is not None and "external_id" in changed:
        await _identify(directory, identity.person_id, told.external_id)
    if changed & (_CALLS | {"emails"}):
        await _call(directory, identity, told, changed)
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
        await _leave(directory, identity)
    await directory.unit.session.delete(user)
    await directory.unit.flush()
    await _note(directory, SecurityEvent.IDENTITY_REMOVED, identity, user.version)


def _taken() -> Conflict:
    return Conflict("Another user of this organisation has that userName.", scim_type="uniqueness")


async def _check_name(directory: Directory, told: Told, user_id: UUID | None) -> None:
    holder = await directory.holder_of(comparable(told.user_name))
    if holder not in (None, user_id):
        raise _taken()


async def _person_of(directory: Directory, told: Told, identity_id: UUID) -> UUID:
    """Whose identity it is to be: somebody whom the organisation's own systems know by the same
    number, and who has no other way in and is nowhere else; or somebody new.

    Whoever could be tied to another's record by an address or a name would let themself in.
    """
    person_id = None
    for source, number in (
        (DIRECTORY_ID, told.external_id),
        (EMPLOYEE_NUMBER, told.employee_number),
    ):
        known = await directory.person_named(source, number) if number else None
        if known is None:
            continue
        await directory.person(known)
        if not await directory.elsewhere(known, identity_id):
            person_id = known
            break
    if person_id is None:
        person_id = (await _new_person(directory, told)).id
    if told.external_id is not None:
        await _identify(directory, person_id, told.external_id)
    return person_id


async def _new_person(directory: Directory, told: Told) -> Person:
    claim = Claim(uuid7(), None, repeated=False)
    return await add_person(directory.access, claim, name=told.name, email=told.email)


async def _identify(directory: Directory, person_id: UUID, external_id: str) -> None:
    """From now on the directory's number is this person's."""
    values = {
        "organisation_id": directory.organisation_id,
        "source": DIRECTORY_ID,
        "external_id": external_id,
        "person_id": person_id,
    }
    await directory.unit.rows(_FORGET, values)
    await directory.unit.insert(PersonIdentifier(**values))


async def _call(
    directory: Directory, identity: SignInIdentity, told: Told, changed: Iterable[str]
) -> None:
    """The person's own name and address follow the directory as long as nobody else has brought
    them a way in or a place, and they have none of their own."""
    person = await directory.person(identity.person_id)
    if await directory.elsewhere(person.id, identity.id):
        return
    values: dict[str, Any] = {}
    if not _CALLS.isdisjoint(changed):
        values["name"] = told.name
    if "emails" in changed and told.email is not None:
        values["email"] = told.email
    await alter_person(directory.access, person, values)


async def _leave(directory: Directory, identity: SignInIdentity) -> None:
    """The way in is closed, its sessions end, and what ties the person to the organisation ends today."""
    await close_way_in(directory.unit, identity, actor=directory.access.caller.actor)
    for affiliation in await directory.places(identity.person_id):
        day = max(today(), affiliation.starts_on)
        await alter_affiliation(directory.access, affiliation, {"ends_on": day})


async def _return(directory: Directory, brought: Brought, told: Told) -> None:
    """The way in is open again. It leads to the same person, unless they are somewhere else by now:
    then what they have written since is out of reach for who lets people in here, and the way in
    leads to a new record."""
    user, identity = brought
    assert identity.closed_at is not None
    left, since = identity.closed_at, None
    await directory.person(identity.person_id)
    if elsewhere := await directory.elsewhere(identity.person_id, identity.id):
        since = max(elsewhere)
    if since is not None and (since >= left or now() - left > SECOND_THOUGHTS):
        identity.person_id = (await _new_person(directory, told)).id
        user.affiliations = {}
        if told.external_id is not None:
            await _identify(directory, identity.person_id, told.external_id)
    await open_way_in(directory.unit, identity, actor=directory.access.caller.actor)
    user.affiliations = await _place(directory, identity.person_id, told.roles, {})


async def _place(
    directory: Directory,
    person_id: UUID,
    roles: list[dict[str, Any]] | None,
    brought: Mapping[str, str],
) -> dict[str, str]:
    """Brings the affiliations that the directory has brought about in line with its roles: by role.

    What others have typed stays. Somebody without any role or other tie is there as `other`.
    """
    meant = (role_of(role.get("value", "")) for role in roles or ())
    wanted = {str(role) for role in meant if role is not None}
    current = await directory.places(person_id)
    own = set(brought.values())
    if not wanted and all(str(affiliation.id) in own for affiliation in current):
        wanted = {str(AffiliationRole.OTHER)}
    found: dict[str, str] = {}
    for affiliation in current:
        if affiliation.role in wanted:
            found.setdefault(affiliation.role, str(affiliation.id))
        elif brought.get(affiliation.role) == str(affiliation.id):
            day = max(today(), affiliation.starts_on)
            await alter_affiliation(directory.access, affiliation, {"ends_on": day})
    for role in sorted(wanted - found.keys()):
        claim = Claim(uuid7(), None, repeated=False)
        values = {
            "organisation_id": directory.organisation_id,
            "role": role,
            "starts_on": today(),
        }
        await add_affiliation(directory.access, claim, person_id, values)
        found[role] = str(claim.id)
    return found


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
