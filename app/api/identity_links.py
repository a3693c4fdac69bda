"""Accounts at identity providers that open one's own ways in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, Json, StringConstraints

from app.access.door import Access
from app.access.gates import may
from app.access.grants import Action
from app.access.identity_links import MY_LINKS
from app.actions import identity_links
from app.core import wire
from app.core.routes import Route

VISIBLE = "^[!-~]+$"
"""What addresses and codes are written with (RFC 6749, appendix A)."""

router = APIRouter(prefix="/v1/me/identity-links", tags=["Account"], route_class=Route)


class ProviderNamed(BaseModel):
    """A provider by name."""

    id: wire.WireId
    name: wire.Name


class IdentityLinkOut(BaseModel):
    """An account at a provider that opens a way in."""

    identity_id: wire.WireId
    provider: Json[ProviderNamed]
    linked_at: wire.WireMoment


class IdentityLinkNew(wire.Shape):
    """With which provider, and where the browser comes back to."""

    provider_id: UUID
    redirect_uri: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2000, pattern=VISIBLE),
        Field(description="One of the client's own, letter by letter."),
    ]


class IdentityLinkAsked(BaseModel):
    """What the person opens in a browser."""

    id: wire.WireId
    browser_address: Annotated[
        str,
        wire.Says(maxLength=2000, format="uri"),
        Field(description="Opened once, and by nobody else. Shown only here."),
    ]
    expires_at: wire.WireMoment


class IdentityLinkCode(wire.Shape):
    """What came back to `redirect_uri`."""

    link_id: UUID
    code: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=VISIBLE)]


class IdentityLinkDone(BaseModel):
    """The new way in."""

    identity_id: wire.WireId


class IdentityLinkRemoval(wire.Shape):
    """Which account opens nothing any more."""

    identity_id: UUID
    provider_id: UUID


@router.get("", summary="List the accounts with which you sign in")
async def list_identity_links(
    access: Annotated[Access, may(Action.ME_WAYS_IN)],
) -> Annotated[list[IdentityLinkOut], wire.at_most(200)]:
    """Accounts of your school, authority or country that open a way in of yours."""
    return await access.read(MY_LINKS)  # type: ignore[return-value]


@router.post("", status_code=201, summary="Ask to sign in with one more account")
async def ask_for_identity_link(
    access: Annotated[Access, may(Action.ME_LINK, takes_key=False)], body: IdentityLinkNew
) -> IdentityLinkAsked:
    """Open `browser_address` in a browser: you sign in at the provider, and come back to `redirect_uri` with
    `link_id` and `code`, or with `error`. Then complete it with your token. It needs a sign-in of the
    last 30 minutes."""
    asked = await identity_links.ask_to_link(
        access, provider_id=body.provider_id, redirect_uri=body.redirect_uri
    )
    return IdentityLinkAsked(
        id=asked.id, browser_address=asked.address, expires_at=asked.expires_at
    )


@router.post("/completion", summary="Complete it: the account opens a way in")
async def complete_identity_link(
    access: Annotated[Access, may(Action.ME_LINK, takes_key=False)], body: IdentityLinkCode
) -> IdentityLinkDone:
    """By the same person and client that asked, within ten minutes. When the provider is one
    organisation's, the new way in is brought by it: leaving it closes that one."""
    made = await identity_links.complete_link(access, link_id=body.link_id, code=body.code)
    return IdentityLinkDone(identity_id=made)


@router.post("/removal", status_code=204, summary="Sign in with an account no more")
async def remove_identity_link(
    access: Annotated[Access, may(Action.ME_LINK, takes_key=False)], body: IdentityLinkRemoval
) -> None:
    """Takes the account away, and closes its way in when nothing else opens that one. Never the last:
    409. An organisation's provider may recognise you by your address again."""
    await identity_links.unlink(access, identity_id=body.identity_id, provider_id=body.provider_id)
