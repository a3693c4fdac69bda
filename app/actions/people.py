"""Writes of people and affiliations."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.caller import CallerKind
from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.homes import learners_came
from app.access.people import AFFILIATIONS, PEOPLE, may_administer
from app.access.visibility import parameter
from app.core.clock import now
from app.core.errors import Forbidden, Invalid
from app.core.ids import uuid7
from app.core.outbox import queue
from app.core.query import Query
from app.core.tables import Id
from app.core.text import canonical_address
from app.models.organisations import Organisation
from app.models.people import Affiliation, Person, PersonIdentifier

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
    if len(set(identifiers)) != len(identifiers):
        raise Invalid.field("/identifiers", "has an identifier twice")
    moment = now()
    person = Person(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        name=name,
        email=email,
        created_by=access.caller.person_id,
        creation_digest=claim.digest,
    )
    await unit.insert(person)
    await access.journal("created", PEOPLE.kind, person, owner_id=person.id)
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
        await _affiliate(access, made, person.id, affiliation, "/affiliation")


async def change_person(owned: Owned[Person], values: Mapping[str, Any]) -> None:
    """Changes a person's name or address."""
    person = owned.entity
    changed = {name for name, value in values.items() if getattr(person, name) != value}
    if not changed:
        return
    before = person.email
    for name in changed:
        setattr(person, name, values[name])
    person.touch()
    if "email" in changed and before and owned.access.caller.person_id != person.id:
        # Invitations go where the record says: whoever reads the old address learns of it.
        await queue(owned.access.unit, "record_address_changed", canonical_address(before))
    await owned.access.journal("changed", PEOPLE.kind, person, changed=changed, owner_id=person.id)


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
    await _affiliate(access, claim, person_id, values)


async def change_affiliation(owned: Owned[Affiliation], values: Mapping[str, Any]) -> None:
    """Changes role, fraction or dates of an affiliation of somebody else."""
    affiliation, access = owned.entity, owned.access
    changed = {name for name, value in values.items() if getattr(affiliation, name) != value}
    if not changed:
        return
    if affiliation.person_id == access.caller.person_id:
        raise Forbidden("Nobody changes their own affiliation: ask another administrator.")
    for name in changed:
        setattr(affiliation, name, values[name])
    _check_dates(affiliation.starts_on, affiliation.ends_on, "")
    affiliation.touch()
    await _journal(access, "changed", affiliation, changed)
    await learners_came(access.unit, affiliation.person_id, affiliation.organisation_id)


async def _affiliate(
    access: Access, claim: Claim, person_id: UUID, values: Mapping[str, Any], pointer: str = ""
) -> None:
    _check_dates(values["starts_on"], values.get("ends_on"), pointer)
    moment = now()
    affiliation = Affiliation(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        person_id=person_id,
        created_by=access.caller.person_id,
        creation_digest=claim.digest,
        **values,
    )
    await access.unit.insert(affiliation)
    await _journal(access, "created", affiliation)
    await learners_came(access.unit, person_id, affiliation.organisation_id)


def _check_dates(starts_on: date, ends_on: date | None, prefix: str) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise Invalid.field(f"{prefix}/ends_on", "must not be before starts_on")


async def _check_organisation(access: Access, organisation_id: UUID, pointer: str) -> None:
    if not await access.unit.rows(_EXISTS, {"id": organisation_id}):
        raise Invalid.field(pointer, "names no organisation")
    if not await may_administer(access, organisation_id):
        who = "clients" if access.caller.kind is CallerKind.CLIENT else "administrators"
        raise Forbidden(f"This is for {who} of that organisation.")


async def _journal(
    access: Access, action: str, affiliation: Affiliation, changed: set[str] | None = None
) -> None:
    await access.journal(
        action,
        AFFILIATIONS.kind,
        affiliation,
        changed=changed or (),
        owner_id=affiliation.person_id,
        organisation_id=affiliation.organisation_id,
    )
