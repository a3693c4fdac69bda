"""Writes of people and affiliations."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.acceptance import accept, answered
from app.access.accounts import account_standing
from app.access.affiliating import (
    add_affiliation,
    add_person,
    alter_affiliation,
    alter_person,
)
from app.access.caller import CallerKind
from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.people import PEOPLE, may_administer
from app.access.visibility import parameter
from app.core.clock import today
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.ids import uuid7
from app.core.query import Query
from app.core.security_events import SecurityEvent
from app.core.tables import Id
from app.models.organisations import Organisation
from app.models.people import (
    Affiliation,
    Person,
    PersonIdentifier,
)

_organisations: Any = Organisation.__table__
_EXISTS = Query(select(_organisations.c.id).where(_organisations.c.id == parameter("id", Id)))


async def create_person(
    access: Access,
    claim: Claim,
    *,
    name: str,
    email: str | None,
    affiliation: Mapping[str, Any] | None,
    identifiers: list[tuple[str, str]],
) -> None:
    """A person, with their first affiliation; identifiers are those of that organisation."""
    unit = access.unit
    await unit.begin()
    if affiliation is None:
        if not await may_administer(access, None):
            raise Invalid.field(
                "/affiliation", "is needed: at which of your organisations they are"
            )
        if identifiers:
            raise Invalid.field(
                "/identifiers", "needs an affiliation: they belong to its organisation"
            )
    else:
        await _check_organisation(
            access, affiliation["organisation_id"], "/affiliation/organisation_id"
        )
        ends_on = affiliation["ends_on"]
        if ends_on is not None and ends_on <= today() and not await may_administer(access, None):
            raise Invalid.field(
                "/affiliation/ends_on", "is over: you would not see the person whom you create"
            )
    if len(set(identifiers)) != len(identifiers):
        raise Invalid.field("/identifiers", "has an identifier twice")
    person = await add_person(access, claim, name=name, email=email)
    if affiliation is not None:
        for source, external_id in identifiers:
            await unit.insert(
                PersonIdentifier(
                    organisation_id=affiliation["organisation_id"],
                    source=source,
                    external_id=external_id,
                    person_id=person.id,
                )
            )
        made = Claim(uuid7(), None, repeated=False)
        await add_affiliation(access, made, person.id, affiliation, "/affiliation")


async def change_person(owned: Owned[Person], values: Mapping[str, Any]) -> None:
    """Changes a person's name or address."""
    await alter_person(owned.access, owned.entity, values)


async def create_affiliation(
    access: Access, claim: Claim, *, person_id: UUID, values: Mapping[str, Any]
) -> None:
    """Ties a person whom the caller sees to an organisation that the caller administers."""
    await access.unit.begin()
    await _check_organisation(access, values["organisation_id"], "/organisation_id")
    if person_id == access.caller.person_id:
        raise Forbidden("Nobody gives themself an affiliation: ask another administrator.")
    if await access.find(PEOPLE, person_id) is None:
        raise Invalid.field("/person_id", "names nobody whom you can see")
    if (await account_standing(access.unit, person_id)).gone:
        raise Invalid.field("/person_id", "names somebody who has been anonymised")
    await add_affiliation(access, claim, person_id, values)


async def change_affiliation(owned: Owned[Affiliation], values: Mapping[str, Any]) -> None:
    """Changes role, fraction or dates of an affiliation of somebody else."""
    affiliation, access = owned.entity, owned.access
    changes = any(getattr(affiliation, name) != value for name, value in values.items())
    if changes and affiliation.person_id == access.caller.person_id:
        raise Forbidden("Nobody changes their own affiliation: ask another administrator.")
    await alter_affiliation(access, affiliation, values)


async def accept_affiliation(owned: Owned[Affiliation]) -> None:
    """The person themself agrees to an affiliation that waits: from now on it counts."""
    affiliation, access = owned.entity, owned.access
    _check_waits(affiliation)
    await accept(access.unit, access.caller.actor, affiliation)


async def refuse_affiliation(owned: Owned[Affiliation]) -> None:
    """The person themself ends an affiliation that waits: it never counts."""
    affiliation, access = owned.entity, owned.access
    _check_waits(affiliation)
    affiliation.ends_on = max(today(), affiliation.starts_on)
    event = SecurityEvent.AFFILIATION_REFUSED
    await answered(access.unit, event, access.caller.actor, affiliation, "ends_on")


def _check_waits(affiliation: Affiliation) -> None:
    if affiliation.accepted_at is not None:
        raise Conflict("This affiliation counts already: the organisation's administrators end it.")
    if affiliation.is_over(today()):
        raise Conflict("This is over, and stays as it was.")


async def _check_organisation(access: Access, organisation_id: UUID, pointer: str) -> None:
    if not await access.unit.rows(_EXISTS, {"id": organisation_id}):
        raise Invalid.field(pointer, "names no organisation")
    if not await may_administer(access, organisation_id):
        who = "clients" if access.caller.kind is CallerKind.CLIENT else "administrators"
        raise Forbidden(f"This is for {who} of that organisation.")
