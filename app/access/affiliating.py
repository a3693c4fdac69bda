"""Writes of people and affiliations that more than one action needs, each with its journal row."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from app.access.acceptance import counts_at_once, tell_that_it_waits
from app.access.accounts import hold_account
from app.access.claims import Claim
from app.access.door import Access
from app.access.homes import learners_came
from app.access.people import AFFILIATIONS, PEOPLE, holds_calling_client
from app.core.clock import now, today
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.outbox import queue
from app.core.text import canonical_address
from app.models.people import LEADER_ROLES, Affiliation, AffiliationRole, Person

_WITH_RIGHTS = (*LEADER_ROLES, AffiliationRole.ADMINISTRATOR)


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
    """Changes a person whom this unit holds; the names of what did change.

    Conflict when they have been anonymised.
    """
    if person.anonymised_at is not None:
        raise Conflict("The person has been anonymised: that is not taken back.")
    before = person.email
    changed = {name for name, value in values.items() if getattr(person, name) != value}
    if changed:
        for name in changed:
            setattr(person, name, values[name])
        person.touch()
        if "email" in changed and before and access.caller.person_id != person.id:
            # Invitations go where the record says: whoever reads the old address learns of it.
            await queue(access.unit, "record_address_changed", canonical_address(before))
        await access.journal("changed", PEOPLE.kind, person, changed=changed, owner_id=person.id)
    return changed


async def add_affiliation(
    access: Access, claim: Claim, person_id: UUID, values: Mapping[str, Any], pointer: str = ""
) -> None:
    """Ties a person to an organisation; Invalid names the field below `pointer`. Whoever has a life
    elsewhere is asked first: until they accept it, it counts for nobody."""
    await _check_not_for_oneself(access, person_id, values["role"])
    _check_dates(values["starts_on"], values.get("ends_on"), pointer)
    # Two organisations that come at once must not each find the person nowhere.
    await hold_account(access.unit, person_id)
    organisation_id = values["organisation_id"]
    at_once = await counts_at_once(access, person_id, organisation_id)
    moment = now()
    affiliation = Affiliation(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        person_id=person_id,
        created_by=access.caller.person_id,
        creation_digest=claim.digest,
        accepted_at=moment if at_once else None,
        **values,
    )
    if not at_once:
        # Whatever waits has been told: a first one that nobody is told of must not hush the next.
        if affiliation.is_over(today()):
            raise Invalid.field(
                f"{pointer}/ends_on",
                "is over: the person has a life elsewhere, and would have to accept it",
            )
        await tell_that_it_waits(access.unit, person_id, organisation_id)
    await access.unit.insert(affiliation)
    await _journal(access, "created", affiliation)
    await learners_came(access.unit, person_id, organisation_id)


async def alter_affiliation(
    access: Access, affiliation: Affiliation, values: Mapping[str, Any]
) -> set[str]:
    """Changes an affiliation that this unit holds; the names of what did change. Conflict when it was
    over, and its person would have to be asked whether it counts again."""
    was_over = affiliation.is_over(today())
    changed = {name for name, value in values.items() if getattr(affiliation, name) != value}
    if changed:
        for name in changed:
            setattr(affiliation, name, values[name])
        await _check_not_for_oneself(access, affiliation.person_id, affiliation.role)
        _check_dates(affiliation.starts_on, affiliation.ends_on, "")
        if was_over and not affiliation.is_over(today()):
            await _begin_again(access, affiliation)
        affiliation.touch()
        await _journal(access, "changed", affiliation, changed)
        await learners_came(access.unit, affiliation.person_id, affiliation.organisation_id)
    return changed


async def _begin_again(access: Access, affiliation: Affiliation) -> None:
    if not await counts_at_once(access, affiliation.person_id, affiliation.organisation_id):
        raise Conflict(
            "This is over, and the person would have to accept that it counts again: affiliate them anew."
        )
    affiliation.accepted_at = affiliation.accepted_at or now()


async def _check_not_for_oneself(access: Access, person_id: UUID, role: str) -> None:
    """Nobody makes themself a leader or an administrator through a client that they administer."""
    if role in _WITH_RIGHTS and await holds_calling_client(access, person_id):
        raise Forbidden(
            "An integration gives nobody who administers it a role with rights: ask another administrator."
        )


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
