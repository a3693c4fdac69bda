"""Clients: integrations and apps, registered by those who administer them."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    StringConstraints,
    model_validator,
)
from typing_extensions import TypeAliasType

from app.access.claims import claim
from app.access.clients import CLIENTS
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import SCOPES, Action
from app.actions import accounts
from app.core import wire
from app.core.assertions import PRIVATE_MEMBERS
from app.core.ids import ClientMadeId
from app.core.pages import Page, PageQuery
from app.core.redirects import LONGEST, MOST, RedirectUri
from app.core.routes import Route
from app.core.text import Line
from app.models.people import Client, ClientKind

router = APIRouter(prefix="/v1/clients", tags=["Clients"], route_class=Route)


def _known(value: str) -> str:
    if value not in SCOPES:
        raise ValueError(f"is no scope; there are {', '.join(sorted(SCOPES))}")
    return value


Scope = TypeAliasType(
    "Scope",
    Annotated[
        str,
        StringConstraints(max_length=100),
        AfterValidator(_known),
        wire.Says(enum=sorted(SCOPES)),
    ],
)
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=len(SCOPES), description="What it may ask for, at most."),
]
RedirectUris = Annotated[
    list[RedirectUri],
    Field(
        max_length=MOST,
        description="Where people come back to who sign in through it, letter by letter: https, http "
        "on their own machine, or an app's own scheme with a dot in it. Empty: nobody signs in "
        "through it.",
    ),
]


KeyAlgorithm = TypeAliasType("KeyAlgorithm", Literal["ES256", "RS256"])


class ClientKey(BaseModel):
    """A public key of a client (RFC 7517); other members belong to its kind."""

    model_config = ConfigDict(extra="allow")

    kty: Literal["EC", "RSA"]
    kid: Annotated[str, wire.Says(maxLength=200)]
    alg: KeyAlgorithm


class ClientKeys(BaseModel):
    """Public keys of a client (RFC 7517)."""

    keys: Annotated[list[ClientKey], wire.at_most(8)]


Number = Annotated[str, StringConstraints(max_length=2000, pattern="^[A-Za-z0-9_-]+$")]


class ClientKeyNew(wire.Shape):
    """A public key (RFC 7517): EC on P-256 for ES256, or RSA of at least 2048 bits for RS256."""

    kty: Literal["EC", "RSA"]
    kid: Annotated[Line, StringConstraints(max_length=200)]
    alg: KeyAlgorithm | None = None
    use: Literal["sig"] | None = None
    key_ops: Annotated[list[Literal["verify"]], Field(max_length=1)] | None = None
    ext: Annotated[bool, Field(strict=True)] | None = None
    crv: Literal["P-256"] | None = None
    x: Number | None = None
    y: Number | None = None
    n: Number | None = None
    e: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _public(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and PRIVATE_MEMBERS & sent.keys():
            raise ValueError("is not public: make another key, and send its public half alone")
        return sent


class ClientKeysNew(wire.Shape):
    """Public keys, to sign in by `private_key_jwt` instead of a secret."""

    keys: Annotated[list[ClientKeyNew], Field(min_length=1, max_length=8)]


class ClientSecretShown(BaseModel):
    """A secret that counts now; never the secret itself."""

    fingerprint: Annotated[
        str,
        wire.Says(maxLength=12, pattern="^[0-9a-f]{12}$"),
        Field(description="The first 12 digits of its SHA-256: tells which of two it is."),
    ]
    created_at: wire.WireMoment
    expires_at: Annotated[
        wire.WireMomentOrNull, Field(description="Another takes over: until then both count.")
    ]


class ClientDetails(wire.Resource):
    """An integration or an app, without any secret."""

    kind: Annotated[Any, wire.member_of(ClientKind)]
    name: wire.Name
    organisation_id: wire.WireIdOrNull
    network_id: wire.WireIdOrNull
    scopes: Annotated[Json[list[wire.Word]], wire.at_most(100)]
    redirect_uris: Annotated[
        Json[list[Annotated[str, wire.Says(maxLength=LONGEST)]]], wire.at_most(MOST)
    ]
    keys: Json[ClientKeys | None] | None
    secrets: Annotated[
        Json[list[ClientSecretShown]], wire.at_most(2), Field(description="The oldest first.")
    ]
    last_used_on: Annotated[
        wire.WireDayOrNull, Field(description="The last day on which it was given a token.")
    ]
    disabled_at: wire.WireMomentOrNull


class ClientWithSecret(ClientDetails):
    """A client, and the secret that this request made."""

    secret: Annotated[
        Annotated[str, wire.Says(maxLength=100)] | None,
        Field(
            description="Shown only here. Null where none was made: for a public client, for one "
            "with keys, and when the same request comes again."
        ),
    ]


class ClientNew(wire.Shape):
    """A client to be registered."""

    id: ClientMadeId | None = None
    kind: Annotated[
        ClientKind,
        Field(
            description="`public`: an app that can keep no secret, through which people sign in."
        ),
    ] = ClientKind.CONFIDENTIAL
    name: Annotated[Line, Field(description="People are asked by this name whether it may.")]
    organisation_id: Annotated[UUID | None, Field(description="To which it is bound.")] = None
    network_id: Annotated[UUID | None, Field(description="Or the network.")] = None
    scopes: Scopes
    redirect_uris: RedirectUris = []
    keys: ClientKeysNew | None = None

    @model_validator(mode="after")
    def _bound(self) -> Self:
        places = [p for p in (self.organisation_id, self.network_id) if p is not None]
        if self.kind is ClientKind.PUBLIC:
            if places or self.keys is not None:
                raise ValueError("a public client is bound to no place and has no keys")
        elif len(places) != 1:
            raise ValueError("name the organisation or the network to which it is bound")
        return self


class ClientChange(wire.Shape):
    """What to change (JSON Merge Patch)."""

    name: Line | MISSING = MISSING
    scopes: Scopes | MISSING = MISSING
    redirect_uris: RedirectUris | MISSING = MISSING
    keys: ClientKeysNew | MISSING | None = MISSING


class ClientQuery(PageQuery):
    """Filters of the list."""

    organisation_id: Annotated[UUID | None, Field(description="Bound to this one.")] = None
    network_id: Annotated[UUID | None, Field(description="Bound to this one.")] = None


def _values(body: BaseModel) -> dict[str, Any]:
    values = body.model_dump(exclude={"id", "keys"})
    keys = getattr(body, "keys", MISSING)
    if keys is not MISSING:
        values["keys"] = None if keys is None else keys.model_dump(exclude_none=True)
    return values


@router.get("", summary="List clients")
async def list_clients(
    access: Annotated[Access, may(Action.CLIENT_READ)],
    query: Annotated[ClientQuery, wire.Parameters],
    response: Response,
) -> Page[ClientDetails]:
    """Those of organisations that you administer; for the operator's administrators all. Newest
    first, disabled ones among them."""
    page = await access.page(CLIENTS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Register a client")
async def register_client(
    access: Annotated[Access, may(Action.CLIENT_CREATE, takes_key=False)], body: ClientNew
) -> ClientWithSecret:
    """An organisation's administrators register its integrations; the operator's administrators those
    of networks too, and everything through which people sign in. With scopes that your token has.

    The answer holds the secret, so it is not kept: an `Idempotency-Key` is not looked at. Send an `id`
    of your own. If the answer is lost, the same request again shows the client without its secret:
    add another, and remove the lost one.
    """
    made = await claim(access, CLIENTS, body)
    secret = None
    if not made.repeated:
        secret = await accounts.register_client(access, made, _values(body))
    row = await access.answer(CLIENTS, made.id, created=True)
    return {**row, "secret": secret}  # type: ignore[return-value]


@router.get("/{client_id}", summary="Read a client")
async def read_client(row: Annotated[Row, one(Action.CLIENT_READ, CLIENTS)]) -> ClientDetails:
    """One client that you administer; never a secret of it."""
    return row.data  # type: ignore[return-value]


@router.patch("/{client_id}", summary="Change a client")
async def change_client(
    owned: Annotated[Owned[Client], one(Action.CLIENT_WRITE, CLIENTS, ClientDetails)],
    body: ClientChange,
) -> ClientDetails:
    """Scopes that are taken away end its access tokens within a minute, and refreshed ones lack them.
    Of a client with `redirect_uris` the operator's administrators alone change more than its keys."""
    await accounts.change_client(owned, _values(body))
    return await owned.access.answer(CLIENTS, owned.entity.id)  # type: ignore[return-value]


@router.post("/{client_id}/secrets", status_code=201, summary="Add a secret")
async def add_client_secret(
    owned: Annotated[
        Owned[Client], one(Action.CLIENT_WRITE, CLIENTS, ClientDetails, takes_key=False)
    ],
) -> ClientWithSecret:
    """A new secret, shown only here; the one before it counts for seven days. 409 when two count
    already: so nothing that works stops when an answer was lost and this is sent again. Remove the
    lost one, by its fingerprint, and add another."""
    secret = await accounts.give_secret(owned)
    row = await owned.access.answer(CLIENTS, owned.entity.id)
    return {**row, "secret": secret}  # type: ignore[return-value]


@router.delete("/{client_id}/secrets/{fingerprint}", status_code=204, summary="Remove a secret")
async def remove_client_secret(
    owned: Annotated[Owned[Client], one(Action.CLIENT_WRITE, CLIENTS, ClientDetails)],
    fingerprint: Annotated[
        str,
        Path(max_length=12, pattern="^[0-9a-f]{12}$", description="As the client shows it."),
    ],
) -> None:
    """At once, and with it every access token that the client was given before: for a secret that is
    in wrong hands. `If-Match` is that of the client."""
    await accounts.take_secret(owned, fingerprint)


@router.post("/{client_id}/disabling", summary="Disable a client")
async def disable_client(
    owned: Annotated[Owned[Client], one(Action.CLIENT_WRITE, CLIENTS, ClientDetails)],
) -> ClientDetails:
    """For good: it gets no more tokens, and within a minute those that it has end, with the sessions of
    everybody who signed in through it. It stays on the list, and its acts in the audit."""
    await accounts.disable(owned)
    return await owned.access.answer(CLIENTS, owned.entity.id)  # type: ignore[return-value]
