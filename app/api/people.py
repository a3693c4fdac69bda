"""People and their affiliations. There is no open directory."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import MISSING, AfterValidator, BaseModel, Field, Json

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.people import AFFILIATIONS, CALLING_CLIENT, MY_AFFILIATIONS, PEOPLE
from app.actions import people
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import ChangesQuery, Page
from app.core.routes import Route
from app.core.search import Question
from app.core.text import Email, Line
from app.models.people import Affiliation, AffiliationRole, Person

router = APIRouter(prefix="/v1/people", tags=["People"], route_class=Route)
me_router = APIRouter(prefix="/v1/me", tags=["People"], route_class=Route)
affiliations_router = APIRouter(prefix="/v1/affiliations", tags=["People"], route_class=Route)

Fraction = Annotated[
    float,
    Field(
        strict=True,
        ge=0.001,
        le=1,
        description="Part of a full post, 0.2 for a day a week; kept to three decimals.",
    ),
    AfterValidator(lambda value: round(value, 3)),
]


class PresentOrganisation(wire.Shape):
    """An organisation where a person is today."""

    id: wire.WireId
    name: wire.Name


class PersonOut(wire.Resource):
    """A person, as far as the caller may know them."""

    name: wire.Name
    email: Annotated[
        wire.Name | None,
        Field(description="Shown to the person and their organisations' administrators."),
    ]
    organisations: Annotated[
        Json[list[PresentOrganisation]],
        wire.at_most(200),
        Field(description="Where the person is today."),
    ]
    identifiers: Annotated[
        Json[list[wire.ExternalIdentifier]],
        wire.at_most(200),
        Field(description="What the caller's own organisation's systems call the person."),
    ]
    joined: Annotated[
        Json[list[wire.WireId]],
        wire.at_most(200),
        Field(
            description="Ids of former records of the same person, which have gone into this one: what was "
            "signed or kept elsewhere may name them."
        ),
    ]


class AffiliationTerms(wire.Shape):
    """Where a person is, as what, and when."""

    organisation_id: UUID
    role: AffiliationRole
    fraction: Fraction | None = None
    starts_on: wire.Day
    ends_on: Annotated[
        wire.Day | None, Field(description="The first day on which it no longer counts.")
    ] = None


class PersonNew(wire.Shape):
    """A person to be created, with their first affiliation."""

    id: ClientMadeId | None = None
    name: Line
    email: Email | None = None
    affiliation: AffiliationTerms | None = None
    identifiers: Annotated[list[wire.ExternalIdentifier], Field(max_length=20)] = []


class PersonChange(wire.Shape):
    """What to change (JSON Merge Patch)."""

    name: Line | MISSING = MISSING
    email: Email | MISSING | None = MISSING


class PersonQuery(ChangesQuery):
    """Filters of the list."""

    q: Question | None = None


@router.get("", summary="List the people whom you may see")
async def list_people(
    access: Annotated[Access, may(Action.PERSON_READ)],
    query: Annotated[PersonQuery, wire.Parameters],
    response: Response,
) -> Page[PersonOut]:
    """Yourself, colleagues, fellow parties, and people of organisations that you administer."""
    page = await access.page(PEOPLE, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Create a person")
async def create_person(
    access: Annotated[Access, may(Action.PERSON_CREATE)], body: PersonNew
) -> PersonOut:
    """For administrators and clients of the organisation that the affiliation names."""
    made = await claim(access, PEOPLE, body)
    if not made.repeated:
        await people.create_person(
            access,
            made,
            name=body.name,
            email=body.email,
            affiliation=body.affiliation.model_dump() if body.affiliation else None,
            identifiers=[(i.source, i.external_id) for i in body.identifiers],
        )
    return await access.answer(PEOPLE, made.id, created=True)  # type: ignore[return-value]


@router.get("/{person_id}", summary="Read a person")
async def read_person(row: Annotated[Row, one(Action.PERSON_READ, PEOPLE)]) -> PersonOut:
    """A person whom you may see."""
    return row.data  # type: ignore[return-value]


@router.patch("/{person_id}", summary="Change a person")
async def change_person(
    owned: Annotated[Owned[Person], one(Action.PERSON_WRITE, PEOPLE, PersonOut)], body: PersonChange
) -> PersonOut:
    """For the person themself and their organisations' administrators and clients."""
    await people.change_person(owned, body.model_dump())
    return await owned.access.answer(PEOPLE, owned.entity.id)  # type: ignore[return-value]


class AffiliationOut(wire.Resource):
    """A person's tie to an organisation."""

    person_id: wire.WireId
    organisation_id: wire.WireId
    role: AffiliationRole
    fraction: Annotated[float, wire.Says(minimum=0.001, maximum=1)] | None
    starts_on: wire.WireDay
    ends_on: Annotated[
        wire.WireDayOrNull, Field(description="The first day on which it no longer counts.")
    ]
    accepted_at: Annotated[
        wire.WireMomentOrNull,
        Field(
            description="Since when its person agrees to it. Null while it waits for their word: then it counts "
            "for nobody. Whom no other organisation has a say in is not asked."
        ),
    ]


class AffiliationNew(AffiliationTerms):
    """An affiliation to be created."""

    id: ClientMadeId | None = None
    person_id: UUID


class AffiliationChange(wire.Shape):
    """What to change (JSON Merge Patch)."""

    role: AffiliationRole | MISSING = MISSING
    fraction: Fraction | MISSING | None = MISSING
    starts_on: wire.Day | MISSING = MISSING
    ends_on: wire.Day | MISSING | None = MISSING


class AffiliationQuery(ChangesQuery):
    """Filters of the list."""

    person_id: Annotated[UUID | None, Field(description="Of this person.")] = None
    organisation_id: Annotated[UUID | None, Field(description="Of this organisation.")] = None
    role: Annotated[AffiliationRole | None, Field(description="In this role.")] = None


@affiliations_router.get("", summary="List affiliations")
async def list_affiliations(
    access: Annotated[Access, may(Action.AFFILIATION_READ)],
    query: Annotated[AffiliationQuery, wire.Parameters],
    response: Response,
) -> Page[AffiliationOut]:
    """Your own, and those at organisations that you administer; past ones among them."""
    page = await access.page(AFFILIATIONS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@affiliations_router.post("", status_code=201, summary="Affiliate a person")
async def create_affiliation(
    access: Annotated[Access, may(Action.AFFILIATION_CREATE)], body: AffiliationNew
) -> AffiliationOut:
    """For administrators and clients of the organisation; nobody gives themself an affiliation. Whoever
    is at another organisation, or signs in by a way in that yours has not brought, is told by mail, and
    has to accept it: until then it counts for nobody."""
    made = await claim(access, AFFILIATIONS, body)
    if not made.repeated:
        values: dict[str, Any] = body.model_dump(exclude={"id", "person_id"})
        await people.create_affiliation(access, made, person_id=body.person_id, values=values)
    return await access.answer(AFFILIATIONS, made.id, created=True)  # type: ignore[return-value]


@affiliations_router.get("/{affiliation_id}", summary="Read an affiliation")
async def read_affiliation(
    row: Annotated[Row, one(Action.AFFILIATION_READ, AFFILIATIONS)],
) -> AffiliationOut:
    """One affiliation."""
    return row.data  # type: ignore[return-value]


@affiliations_router.patch("/{affiliation_id}", summary="Change or end an affiliation")
async def change_affiliation(
    owned: Annotated[
        Owned[Affiliation], one(Action.AFFILIATION_WRITE, AFFILIATIONS, AffiliationOut)
    ],
    body: AffiliationChange,
) -> AffiliationOut:
    """To end one, set `ends_on` to the first day on which it no longer counts."""
    await people.change_affiliation(owned, body.model_dump())
    return await owned.access.answer(AFFILIATIONS, owned.entity.id)  # type: ignore[return-value]


@affiliations_router.post("/{affiliation_id}/acceptance", summary="Accept an affiliation")
async def accept_affiliation(
    owned: Annotated[
        Owned[Affiliation], one(Action.AFFILIATION_ANSWER, AFFILIATIONS, AffiliationOut)
    ],
) -> AffiliationOut:
    """For the person themself, of one that waits: from now on the organisation's administrators read and
    change your name and address, its people are your colleagues, and what agreements at home there open
    to its leaders and systems is open to them."""
    await people.accept_affiliation(owned)
    return await owned.access.answer(AFFILIATIONS, owned.entity.id)  # type: ignore[return-value]


@affiliations_router.post("/{affiliation_id}/refusal", summary="Refuse an affiliation")
async def refuse_affiliation(
    owned: Annotated[
        Owned[Affiliation], one(Action.AFFILIATION_ANSWER, AFFILIATIONS, AffiliationOut)
    ],
) -> AffiliationOut:
    """For the person themself, of one that waits: it is over, and never counts."""
    await people.refuse_affiliation(owned)
    return await owned.access.answer(AFFILIATIONS, owned.entity.id)  # type: ignore[return-value]


class ClientOut(BaseModel):
    """An integration client."""

    id: wire.WireId
    name: wire.Name
    organisation_id: wire.WireIdOrNull
    network_id: wire.WireIdOrNull


class MeOut(BaseModel):
    """Who the caller is, and what their token allows."""

    person: Annotated[PersonOut | None, Field(description="Null for an integration client.")]
    client: Annotated[
        ClientOut | None, Field(description="The client that the token was issued to.")
    ]
    affiliations: Annotated[
        list[AffiliationOut],
        wire.at_most(10_000),
        Field(description="The person's own, newest first."),
    ]
    scopes: Annotated[list[wire.Word], wire.at_most(100)]


@me_router.get("", summary="Read who you are")
async def read_me(access: Annotated[Access, may(Action.ME_READ)]) -> MeOut:
    """The person or integration client behind the token."""
    caller = access.caller
    me = caller.person_id
    clients = await access.read(CALLING_CLIENT)
    person = await access.find(PEOPLE, me) if me else None
    return {  # type: ignore[return-value]
        "person": person,
        "client": clients[0] if clients else None,
        "affiliations": await access.read(MY_AFFILIATIONS) if me else [],
        "scopes": sorted(caller.scopes),
    }
