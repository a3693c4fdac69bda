"""Writes of one organisation."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    String,
    delete,
    insert,
    select,
)

from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, Invalid
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.core.text import fold
from app.models.organisations import Organisation, OrganisationIdentifier, OrganisationSuccessor

KIND = "organisation"

_organisations: Any = Organisation.__table__
_identifiers: Any = OrganisationIdentifier.__table__
_successors: Any = OrganisationSuccessor.__table__

_PARENT = Query(
    select(_organisations.c.parent_id).where(_organisations.c.id == parameter("id", Id))
)
_HOLDER = Query(
    select(_identifiers.c.organisation_id).where(
        _identifiers.c.source == parameter("source", String),
        _identifiers.c.external_id == parameter("external_id", String),
    )
)


class Identifier(NamedTuple):
    """What another system (`source`) calls an organisation."""

    source: str
    external_id: str


async def create_organisation(
    unit: Unit,
    *,
    actor: journal.Actor,
    organisation_id: UUID,
    values: Mapping[str, Any],
    identifiers: Sequence[Identifier] = (),
    successor_ids: Sequence[UUID] = (),
    digest: str | None = None,
) -> Organisation:
    """Creates an organisation; `values` are its columns. Invalid names the field that is wrong."""
    await unit.begin()
    moment = now()
    organisation = Organisation(
        id=organisation_id,
        version=1,
        created_at=moment,
        updated_at=moment,
        creation_digest=digest,
        folded="",
        **{"address": [], **values},
    )
    await _check(unit, organisation, identifiers, successor_ids)
    await unit.insert(organisation)
    await _write_identifiers(unit, organisation_id, identifiers)
    await _write_successors(unit, organisation_id, successor_ids)
    await journal.record(
        unit,
        actor=actor,
        action="created",
        kind=KIND,
        resource_id=organisation_id,
        version=1,
        organisation_id=organisation_id,
    )
    return organisation


async def change_organisation(
    unit: Unit,
    organisation: Organisation,
    *,
    actor: journal.Actor,
    values: Mapping[str, Any],
    identifiers: Sequence[Identifier] | None = None,
    successor_ids: Sequence[UUID] | None = None,
) -> set[str]:
    """Changes an organisation that this unit holds; returns the names of what did change."""
    changed = {name for name, value in values.items() if getattr(organisation, name) != value}
    for name in changed:
        setattr(organisation, name, values[name])
    if "parent_id" in changed and not await unit.try_lock("organisations:tree"):
        # Two moves that each look right on their own could make a circle together.
        raise Conflict("Another organisation is being moved in the tree: send this again.")
    await _check(unit, organisation, identifiers or (), successor_ids or ())
    if identifiers is not None:
        await unit.rows(_FORGET_IDENTIFIERS, {"id": organisation.id})
        await _write_identifiers(unit, organisation.id, identifiers)
        changed.add("identifiers")
    if successor_ids is not None:
        await unit.rows(_FORGET_SUCCESSORS, {"id": organisation.id})
        await _write_successors(unit, organisation.id, successor_ids)
        changed.add("successor_ids")
    if changed:
        organisation.touch()
        await unit.flush()
        await journal.record(
            unit,
            actor=actor,
            action="changed",
            kind=KIND,
            resource_id=organisation.id,
            version=organisation.version,
            organisation_id=organisation.id,
            changed=changed,
        )
    return changed


_FORGET_IDENTIFIERS = Query(
    delete(_identifiers).where(_identifiers.c.organisation_id == parameter("id", Id))
)
_FORGET_SUCCESSORS = Query(
    delete(_successors).where(_successors.c.organisation_id == parameter("id", Id))
)
_ADD_SUCCESSOR = Query(
    insert(_successors).values(
        organisation_id=parameter("organisation_id", Id), successor_id=parameter("successor_id", Id)
    )
)


def folded(name: str, name_cy: str | None) -> str:
    """Both names as the search compares them."""
    return fold(f"{name} {name_cy or ''}")


async def _check(
    unit: Unit,
    organisation: Organisation,
    identifiers: Sequence[Identifier],
    successor_ids: Sequence[UUID],
) -> None:
    organisation.folded = folded(organisation.name, organisation.name_cy)
    opened, closed = organisation.opened_on, organisation.closed_on
    if opened and closed and closed < opened:
        raise Invalid.field("/closed_on", "must not be before opened_on")
    await _check_parent(unit, organisation)
    for index, successor_id in enumerate(successor_ids):
        if successor_id == organisation.id:
            raise Invalid.field(f"/successor_ids/{index}", "must be another organisation")
        if not await unit.rows(_PARENT, {"id": successor_id}):
            raise Invalid.field(f"/successor_ids/{index}", "names no organisation")
    if len(set(successor_ids)) != len(successor_ids):
        raise Invalid.field("/successor_ids", "names an organisation twice")
    if len(set(identifiers)) != len(identifiers):
        raise Invalid.field("/identifiers", "has an identifier twice")
    for index, identifier in enumerate(identifiers):
        holders = await unit.rows(_HOLDER, identifier._asdict())
        if holders and as_uuid(holders[0][0]) != organisation.id:
            raise Conflict(
                f"Another organisation has the identifier {identifier.external_id} of "
                f"{identifier.source} (/identifiers/{index})."
            )


async def _check_parent(unit: Unit, organisation: Organisation) -> None:
    above = organisation.parent_id
    while above is not None:
        if above == organisation.id:
            raise Invalid.field("/parent_id", "must not be the organisation itself or one below it")
        found = await unit.rows(_PARENT, {"id": above})
        if not found:
            raise Invalid.field("/parent_id", "names no organisation")
        above = None if found[0][0] is None else as_uuid(found[0][0])


async def _write_identifiers(
    unit: Unit, organisation_id: UUID, items: Sequence[Identifier]
) -> None:
    for item in items:
        await unit.insert(
            OrganisationIdentifier(
                organisation_id=organisation_id, source=item.source, external_id=item.external_id
            )
        )


async def _write_successors(unit: Unit, organisation_id: UUID, ids: Sequence[UUID]) -> None:
    for successor_id in ids:
        await unit.rows(
            _ADD_SUCCESSOR, {"organisation_id": organisation_id, "successor_id": successor_id}
        )
