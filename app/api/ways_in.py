"""Where a person is signed in, what they have allowed, and by which ways they come in."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, Json

from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.oauth import methods_of
from app.access.organisations import ORGANISATIONS
from app.access.ways_in import (
    IDENTITIES_BROUGHT,
    MY_CONSENTS,
    MY_IDENTITIES,
    MY_SESSIONS,
    SESSIONS,
    SIGN_IN_IDENTITIES,
)
from app.actions import accounts
from app.core import wire
from app.core.clock import now
from app.core.http import as_uuid
from app.core.routes import Route
from app.models.people import SignInIdentity
from app.models.sessions import Session

router = APIRouter(prefix="/v1/me", tags=["Account"], route_class=Route)
identities_router = APIRouter(prefix="/v1/sign-in-identities", tags=["Account"], route_class=Route)
organisation_router = APIRouter(prefix="/v1/organisations", tags=["Account"], route_class=Route)


Scopes = Annotated[Json[list[wire.Word]], wire.at_most(100)]


class SessionOut(BaseModel):
    """Where you are signed in."""

    id: wire.WireId
    client: Json[wire.Named]
    scopes: Scopes
    methods: Annotated[
        list[wire.Word],
        wire.at_most(5),
        Field(description="How you signed in (RFC 8176): `pwd`, `otp`, `mfa`."),
    ]
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]
    created_at: wire.WireMoment
    last_used_at: Annotated[
        wire.WireMoment, Field(description="When the app last fetched a new token.")
    ]
    expires_at: wire.WireMoment


class SignedOut(BaseModel):
    """You are signed in nowhere any more."""

    ended: Annotated[wire.Count, Field(description="How many sessions there were.")]


class ConsentOut(BaseModel):
    """What you have allowed a client."""

    client: Json[wire.Named]
    scopes: Scopes
    given_at: wire.WireMoment


class Withdrawal(wire.Shape):
    """Which client is allowed nothing any more."""

    client_id: UUID


class IdentityOut(BaseModel):
    """A way in: your own, or brought by an organisation."""

    id: wire.WireId
    email: Annotated[wire.Name | None, Field(description="What is typed; null with a provider.")]
    organisation: Annotated[
        Json[wire.Named] | None, Field(description="Who brought it; null: your own.")
    ]
    created_at: wire.WireMoment
    closed_at: wire.WireMomentOrNull


class BroughtOut(BaseModel):
    """A way in that an organisation has brought."""

    id: wire.WireId
    person: Json[wire.Named]
    email: Annotated[wire.Name | None, Field(description="What is typed; null with a provider.")]
    created_at: wire.WireMoment
    closed_at: wire.WireMomentOrNull


class IdentityStateOut(BaseModel):
    """Whether a way in is open."""

    id: wire.WireId
    closed_at: wire.WireMomentOrNull


@router.get("/sessions", summary="List where you are signed in")
async def list_sessions(
    access: Annotated[Access, may(Action.ME_WAYS_IN)],
) -> Annotated[list[SessionOut], wire.at_most(200)]:
    """By which app, since when, how, and until when; the last used first."""
    rows = await access.read(MY_SESSIONS, now=now())
    return [_shown(row, access) for row in rows]  # type: ignore[misc]


def _shown(row: dict[str, Any], access: Access) -> dict[str, Any]:
    current = as_uuid(row["id"]) == access.caller.session_id
    return {**row, "methods": methods_of(row["method"]), "current": current}


@router.post("/sessions/{session_id}/ending", status_code=204, summary="Sign out somewhere")
async def end_session(
    owned: Annotated[
        Owned[Session], one(Action.SESSION_END, SESSIONS, SessionOut, takes_key=False)
    ],
) -> None:
    """Its refresh token counts no longer at once, its access tokens within ten seconds."""
    await accounts.end_session(owned.access, owned.entity)


@router.post("/sign-out", summary="Sign out everywhere")
async def sign_out_everywhere(
    access: Annotated[Access, may(Action.ME_SIGN_OUT, takes_key=False)],
) -> SignedOut:
    """Ends all your sessions, this one among them, in every app and within ten seconds."""
    return SignedOut(ended=await accounts.sign_out_everywhere(access))


@router.get("/consents", summary="List what you have allowed")
async def list_consents(
    access: Annotated[Access, may(Action.ME_WAYS_IN)],
) -> Annotated[list[ConsentOut], wire.at_most(200)]:
    """The apps that may act for you, and with what."""
    return await access.read(MY_CONSENTS)  # type: ignore[return-value]


@router.post("/consents/withdrawal", status_code=204, summary="Allow an app nothing any more")
async def withdraw_consent(
    access: Annotated[Access, may(Action.ME_SIGN_OUT, takes_key=False)], body: Withdrawal
) -> None:
    """Takes back what you have allowed it, and ends your sessions there. It may ask again."""
    await accounts.withdraw_consent(access, body.client_id)


@router.get("/identities", summary="List your ways in")
async def list_identities(
    access: Annotated[Access, may(Action.ME_WAYS_IN)],
) -> Annotated[list[IdentityOut], wire.at_most(200)]:
    """Your own, and those that organisations have brought; closed ones among them."""
    return await access.read(MY_IDENTITIES)  # type: ignore[return-value]


@organisation_router.get(
    "/{organisation_id}/sign-in-identities", summary="List the ways in that an organisation brought"
)
async def list_organisation_identities(
    row: Annotated[Row, one(Action.ORGANISATION_IDENTITIES, ORGANISATIONS)],
) -> Annotated[list[BroughtOut], wire.at_most(10_000)]:
    """For its administrators: whose they are, and which are closed."""
    return await row.access.read(IDENTITIES_BROUGHT, organisation_id=row.id)  # type: ignore[return-value]


Closing = Annotated[
    Owned[SignInIdentity],
    one(Action.SIGN_IN_IDENTITY_CLOSE, SIGN_IN_IDENTITIES, IdentityStateOut, takes_key=False),
]


@identities_router.post("/{sign_in_identity_id}/closing", summary="Close a way in")
async def close_identity(owned: Closing) -> IdentityStateOut:
    """For administrators of the organisation that brought it: nobody signs in by it any more, and what
    was begun by it ends. The person's other ways in, and what they have written, stay."""
    return await _settled(owned, accounts.close_identity)


@identities_router.post("/{sign_in_identity_id}/reopening", summary="Open a way in again")
async def reopen_identity(owned: Closing) -> IdentityStateOut:
    """For administrators of the organisation that brought it. 409 when its address has another by now."""
    return await _settled(owned, accounts.reopen_identity)


async def _settled(owned: Owned[SignInIdentity], act: Any) -> IdentityStateOut:
    access, identity = owned.access, owned.entity
    await act(access.unit, actor=access.caller.actor, identity_id=identity.id)
    return IdentityStateOut(id=identity.id, closed_at=identity.closed_at)
