"""Identity providers: where people sign in with an account that their school or country gave them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import MISSING, Field, Json, StringConstraints
from starlette.requests import Request

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action, Relation
from app.access.identity_providers import IS_OPERATOR, PROVIDERS
from app.actions import identity_providers
from app.core import wire
from app.core.errors import Forbidden
from app.core.ids import ClientMadeId
from app.core.pages import Page, PageQuery
from app.core.routes import Route
from app.core.text import Code, Line
from app.models.identity_providers import IdentityProvider

router = APIRouter(prefix="/v1/identity-providers", tags=["Identity providers"], route_class=Route)

Issuer = Annotated[
    Line,
    Field(description="As the provider's discovery document names it, letter by letter."),
]
Secret = Annotated[
    str,
    StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$"),
    Field(description="As the provider gave it to you. It is sealed, and never shown again."),
]
Domains = Annotated[
    list[Annotated[Line, StringConstraints(max_length=253)]],
    Field(
        max_length=100,
        description="Mail domains for whose addresses the provider may speak: a person who has a verified "
        "one is recognised by it the first time. Empty: nobody is.",
    ),
]


class RequiredClaim(wire.Shape):
    """A claim that an ID token must have with exactly this value, as `hd` of Google."""

    claim: Code
    value: Line


Claims = Annotated[
    list[RequiredClaim],
    Field(max_length=10, description="What an account must have; another is turned away."),
]
Vouches = Annotated[
    bool,
    Field(
        strict=True,
        description="Nobody chooses their own address in its directory, so that none needs to be marked as "
        "verified. Read docs/federated-sign-in.md before you say so.",
    ),
]
Creates = Annotated[
    bool,
    Field(
        strict=True,
        description="An unknown account becomes a person without any affiliation, who sees nothing but "
        "their own; else it is turned away.",
    ),
]


class IdentityProviderOut(wire.Resource):
    """An identity provider. Its client secret is never shown."""

    organisation_id: Annotated[
        wire.WireIdOrNull, Field(description="Whose accounts they are; null: of many.")
    ]
    name: wire.Name
    name_cy: Annotated[wire.Name | None, Field(description="The name in Welsh.")]
    issuer: Annotated[str, wire.Says(maxLength=500)]
    client_id: wire.Name
    trusted_domains: Annotated[Json[list[wire.Name]], wire.at_most(100)]
    required_claims: Annotated[Json[list[RequiredClaim]], wire.at_most(10)]
    vouches_for_addresses: bool
    creates_people: bool
    enabled: bool


class IdentityProviderNew(wire.Shape):
    """A provider as it knows this service, and how far it is trusted."""

    id: ClientMadeId | None = None
    organisation_id: UUID | None = None
    name: Line
    name_cy: Line | None = None
    issuer: Issuer
    client_id: Annotated[Line, Field(description="As the provider knows this service.")]
    client_secret: Secret
    trusted_domains: Domains = []
    required_claims: Claims = []
    vouches_for_addresses: Vouches = False
    creates_people: Creates = False
    enabled: Annotated[bool, Field(strict=True)] = True


class IdentityProviderChange(wire.Shape):
    """What to change (JSON Merge Patch). Issuer and client stay: the accounts are known by them."""

    name: Line | MISSING = MISSING
    name_cy: Line | MISSING | None = MISSING
    client_secret: Secret | MISSING = MISSING
    trusted_domains: Domains | MISSING = MISSING
    required_claims: Claims | MISSING = MISSING
    vouches_for_addresses: Vouches | MISSING = MISSING
    creates_people: Creates | MISSING = MISSING
    enabled: Annotated[bool, Field(strict=True)] | MISSING = MISSING


class IdentityProviderQuery(PageQuery):
    """Filters of the list."""

    organisation_id: Annotated[UUID | None, Field(description="Of this organisation.")] = None


@router.get("", summary="List identity providers")
async def list_identity_providers(
    access: Annotated[Access, may(Action.PROVIDER_READ)],
    query: Annotated[IdentityProviderQuery, wire.Parameters],
    response: Response,
) -> Page[IdentityProviderOut]:
    """For administrators: those of organisations that you administer; the operator's see all."""
    page = await access.page(PROVIDERS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Create an identity provider")
async def create_identity_provider(
    access: Annotated[Access, may(Action.PROVIDER_CREATE)],
    body: IdentityProviderNew,
    request: Request,
) -> IdentityProviderOut:
    """For the operator's administrators: whoever is trusted for a domain decides who is let in as
    whom. At the provider, register the address `<this service>/oauth/callback`."""
    if not (await access.read(IS_OPERATOR))[0]["may"]:
        raise Forbidden(f"This is for {Relation.OPERATOR}.")
    made = await claim(access, PROVIDERS, body)
    if not made.repeated:
        await identity_providers.create_provider(
            access.unit,
            request.app.state.seals,
            actor=access.caller.actor,
            values=body.model_dump(exclude={"id"}),
            provider_id=made.id,
            digest=made.digest,
        )
    return await access.answer(PROVIDERS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{identity_provider_id}", summary="Read an identity provider")
async def read_identity_provider(
    row: Annotated[Row, one(Action.PROVIDER_READ, PROVIDERS)],
) -> IdentityProviderOut:
    """One provider, without its secret."""
    return row.data  # type: ignore[return-value]


@router.patch("/{identity_provider_id}", summary="Change an identity provider")
async def change_identity_provider(
    owned: Annotated[
        Owned[IdentityProvider], one(Action.PROVIDER_WRITE, PROVIDERS, IdentityProviderOut)
    ],
    body: IdentityProviderChange,
    request: Request,
) -> IdentityProviderOut:
    """Its organisation's administrators rename it, give it a new secret, and switch it off and on; the
    operator's set the rest, above all whom it may speak for."""
    values: dict[str, Any] = body.model_dump()
    await identity_providers.change_provider(
        owned.access.unit,
        request.app.state.seals,
        owned.entity,
        actor=owned.access.caller.actor,
        values=values,
        by_operator=owned.held.is_any(Relation.OPERATOR),
    )
    return await owned.access.answer(PROVIDERS, owned.entity.id)  # type: ignore[return-value]
