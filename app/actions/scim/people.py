"""Whose way in a user is, and how the person's own name and address follow the directory."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, delete, or_

from app.access.affiliating import add_person, alter_person
from app.access.claims import Claim
from app.access.scim import Directory
from app.access.visibility import parameter
from app.actions.scim.told import Told
from app.core.clock import now
from app.core.ids import uuid7
from app.core.query import Query
from app.core.tables import Id
from app.models.people import PersonIdentifier, SignInIdentity

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


_CALLS = {"display_name", "formatted_name", "given_name", "family_name", "user_name"}


async def person_of(directory: Directory, told: Told, identity_id: UUID) -> UUID:
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
        person_id = await _new_person(directory, told)
    if told.external_id is not None:
        await identify(directory, person_id, told.external_id)
    return person_id


async def person_who_returns(
    directory: Directory, identity: SignInIdentity, told: Told, left: datetime
) -> UUID:
    """Whose identity it is from now on: the same person's, unless they are somewhere else by now. Then
    what they have written since is out of reach for who lets people in here: somebody new's."""
    await directory.person(identity.person_id)
    since = max(await directory.elsewhere(identity.person_id, identity.id), default=None)
    if since is None or (since < left and now() - left <= SECOND_THOUGHTS):
        return identity.person_id
    person_id = await _new_person(directory, told)
    if told.external_id is not None:
        await identify(directory, person_id, told.external_id)
    return person_id


async def _new_person(directory: Directory, told: Told) -> UUID:
    claim = Claim(uuid7(), None, repeated=False)
    await add_person(directory.access, claim, name=told.name, email=told.email)
    return claim.id


async def identify(directory: Directory, person_id: UUID, external_id: str) -> None:
    """From now on the directory's number is this person's."""
    values = {
        "organisation_id": directory.organisation_id,
        "source": DIRECTORY_ID,
        "external_id": external_id,
        "person_id": person_id,
    }
    await directory.unit.rows(_FORGET, values)
    await directory.unit.insert(PersonIdentifier(**values))


async def call(
    directory: Directory, identity: SignInIdentity, told: Told, changed: set[str]
) -> None:
    """The person's own name and address follow the directory as long as nobody else has brought
    them a way in or a place, and they have none of their own."""
    named = not _CALLS.isdisjoint(changed)
    if not named and "emails" not in changed:
        return
    person = await directory.person(identity.person_id)
    if await directory.elsewhere(person.id, identity.id):
        return
    values: dict[str, Any] = {}
    if named:
        values["name"] = told.name
    if "emails" in changed and told.email is not None:
        values["email"] = told.email
    await alter_person(directory.access, person, values)
