"""Writes of people and affiliations that more than one action needs, each with its journal row."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from app.access.claims import Claim
from app.access.door import Access
from app.access.homes import learners_came
from app.access.people import AFFILIATIONS, PEOPLE
from app.core.clock import now
from app.core.errors import Invalid
from app.models.people import Affiliation, Person


async def add_person(access: Access, claim: Claim, *, name: str, email: str | None) -> Person:
    """A new person."""
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
    await access.unit.insert(person)
    await access.journal("created", PEOPLE.kind, person, owner_id=person.id)
    return person


async def alter_person(access: Access, person: Person, values: Mapping[str, Any]) -> set[str]:
    """Changes a person whom this unit holds; the names of what did change."""
    changed = {name for name, value in values.items() if getattr(person, name) != value}
    if changed:
        for name in changed:
            setattr(person, name, values[name])
        person.touch()
        await access.journal("changed", PEOPLE.kind, person, changed=changed, owner_id=person.id)
    return changed


async def add_affiliation(
    access: Access, claim: Claim, person_id: UUID, values: Mapping[str, Any], pointer: str = ""
) -> None:
    """Ties a person to an organisation; Invalid names the field below `pointer`."""
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


async def alter_affiliation(
    access: Access, affiliation: Affiliation, values: Mapping[str, Any]
) -> set[str]:
    """Changes an affiliation that this unit holds; the names of what did change."""
    changed = {name for name, value in values.items() if getattr(affiliation, name) != value}
    if changed:
        for name in changed:
            setattr(affiliation, name, values[name])
        _check_dates(affiliation.starts_on, affiliation.ends_on, "")
        affiliation.touch()
        await _journal(access, "changed", affiliation, changed)
        await learners_came(access.unit, affiliation.person_id, affiliation.organisation_id)
    return changed


def _check_dates(starts_on: date, ends_on: date | None, prefix: str) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise Invalid.field(f"{prefix}/ends_on", "must not be before starts_on")


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
