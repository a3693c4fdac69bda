"""Organisations: schools, colleges, authorities, consortia and the rest."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import MISSING, Field, Json, StringConstraints

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.organisations import NAMED, ORGANISATIONS, check_may_create, check_may_hang_below
from app.actions import organisations
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import ChangesQuery, Page
from app.core.routes import Route
from app.core.text import Code, Line, fold, like
from app.models.organisations import Organisation, OrganisationKind

router = APIRouter(prefix="/v1/organisations", tags=["Organisations"], route_class=Route)

Address = Annotated[list[Line], Field(max_length=10)]
Phone = Annotated[Line, StringConstraints(max_length=40)]
Postcode = Annotated[Line, StringConstraints(max_length=20)]
Identifiers = Annotated[list[wire.ExternalIdentifier], Field(max_length=20)]
Successors = Annotated[list[UUID], Field(max_length=20)]


class OrganisationOut(wire.Resource):
    """An organisation."""

    kind: OrganisationKind
    name: wire.Name
    name_cy: Annotated[wire.Name | None, Field(description="The name in Welsh, where it differs.")]
    parent_id: wire.WireIdOrNull
    opened_on: wire.WireDayOrNull
    closed_on: wire.WireDayOrNull
    sector: wire.Name | None
    address: Annotated[Json[list[wire.Name]], wire.at_most(10)]
    postcode: wire.Word | None
    phone: wire.Word | None
    safeguarding_contact: Annotated[
        wire.Name | None, Field(description="To whom a concern goes, outside this service.")
    ]
    identifiers: Annotated[Json[list[wire.ExternalIdentifier]], wire.at_most(20)]
    successor_ids: Annotated[Json[list[wire.WireId]], wire.at_most(20)]


class OrganisationNew(wire.Shape):
    """An organisation to be created."""

    id: ClientMadeId | None = None
    kind: OrganisationKind
    name: Line
    name_cy: Line | None = None
    parent_id: UUID | None = None
    opened_on: wire.Day | None = None
    closed_on: wire.Day | None = None
    sector: Line | None = None
    address: Address = []
    postcode: Postcode | None = None
    phone: Phone | None = None
    safeguarding_contact: Line | None = None
    identifiers: Identifiers = []
    successor_ids: Successors = []


class OrganisationChange(wire.Shape):
    """What to change (JSON Merge Patch): fields left out stay, null clears."""

    kind: OrganisationKind | MISSING = MISSING
    name: Line | MISSING = MISSING
    name_cy: Line | MISSING | None = MISSING
    parent_id: UUID | MISSING | None = MISSING
    opened_on: wire.Day | MISSING | None = MISSING
    closed_on: wire.Day | MISSING | None = MISSING
    sector: Line | MISSING | None = MISSING
    address: Address | MISSING = MISSING
    postcode: Postcode | MISSING | None = MISSING
    phone: Phone | MISSING | None = MISSING
    safeguarding_contact: Line | MISSING | None = MISSING
    identifiers: Identifiers | MISSING = MISSING
    successor_ids: Successors | MISSING = MISSING


class OrganisationQuery(ChangesQuery):
    """Filters of the list."""

    kind: Annotated[OrganisationKind | None, Field(description="Of this kind.")] = None
    parent_id: Annotated[UUID | None, Field(description="Directly below this one.")] = None
    q: (
        Annotated[Line, Field(description="Part of a name; accents and case do not matter.")] | None
    ) = None
    source: Annotated[Code | None, Field(description="Whose external identifier it is.")] = None
    external_id: Annotated[
        Annotated[Line, Field(max_length=100)] | None,
        Field(description="What that source calls it."),
    ] = None


def _identifiers(found: list[wire.ExternalIdentifier]) -> list[organisations.Identifier]:
    return [organisations.Identifier(i.source, i.external_id) for i in found]


@router.get("", summary="List organisations")
async def list_organisations(
    access: Annotated[Access, may(Action.ORGANISATION_READ)],
    query: Annotated[OrganisationQuery, wire.Parameters],
    response: Response,
) -> Page[OrganisationOut]:
    """Organisations, newest first; narrow by kind, parent, part of a name or external identifier."""
    if query.q is not None:
        query.q = like(fold(query.q))
    named = {}
    if query.source is not None and query.external_id is not None:
        named, query.external_id = {NAMED: query.external_id}, None
    page = await access.page(ORGANISATIONS, query, **named)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Create an organisation")
async def create_organisation(
    access: Annotated[Access, may(Action.ORGANISATION_CREATE)], body: OrganisationNew
) -> OrganisationOut:
    """For the operator's administrators, and for those who administer its parent."""
    await check_may_create(access, body.parent_id)
    made = await claim(access, ORGANISATIONS, body)
    if not made.repeated:
        values = body.model_dump(exclude={"id", "identifiers", "successor_ids"})
        await organisations.create_organisation(
            access.unit,
            actor=access.caller.actor,
            organisation_id=made.id,
            values=values,
            identifiers=_identifiers(body.identifiers),
            successor_ids=body.successor_ids,
            digest=made.digest,
        )
    return await access.answer(ORGANISATIONS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{organisation_id}", summary="Read an organisation")
async def read_organisation(
    row: Annotated[Row, one(Action.ORGANISATION_READ, ORGANISATIONS)],
) -> OrganisationOut:
    """One organisation, with its identifiers and successors."""
    return row.data  # type: ignore[return-value]


@router.patch("/{organisation_id}", summary="Change an organisation")
async def change_organisation(
    owned: Annotated[
        Owned[Organisation], one(Action.ORGANISATION_WRITE, ORGANISATIONS, OrganisationOut)
    ],
    body: OrganisationChange,
) -> OrganisationOut:
    """For its administrators and clients, those of its parent, and the operator's."""
    values: dict[str, Any] = body.model_dump(exclude={"identifiers", "successor_ids"})
    if values.get("parent_id") not in (None, owned.entity.parent_id):
        await check_may_hang_below(owned.access, values["parent_id"])
    sent = body.model_fields_set
    await organisations.change_organisation(
        owned.access.unit,
        owned.entity,
        actor=owned.access.caller.actor,
        values=values,
        identifiers=_identifiers(body.identifiers) if "identifiers" in sent else None,  # type: ignore[arg-type]
        successor_ids=body.successor_ids if "successor_ids" in sent else None,  # type: ignore[arg-type]
    )
    return await owned.access.answer(ORGANISATIONS, owned.entity.id)  # type: ignore[return-value]
