"""Invitations: an administrator asks a person to make a way in; only the person sees the link."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.requests import Request

from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.invitations import INVITATIONS
from app.actions import accounts
from app.core import wire
from app.core.negotiation import language_of
from app.core.pages import Page, PageQuery
from app.core.routes import Route
from app.core.text import Mailbox
from app.models.ways_in import Invitation

router = APIRouter(prefix="/v1/invitations", tags=["People"], route_class=Route)


class InvitationOut(wire.Resource):
    """An invitation. It says nothing of whether the address, or the person, has a way in already."""

    person_id: wire.WireId
    organisation_id: wire.WireIdOrNull
    email: wire.Name
    created_by: Annotated[wire.WireIdOrNull, Field(description="Who invited.")]
    expires_at: Annotated[wire.WireMoment, Field(description="Until when its link is good.")]
    agreed_at: Annotated[
        wire.WireMomentOrNull,
        Field(description="When you agreed to it; shown to the person invited alone."),
    ]
    state: Literal["open", "accepted", "withdrawn", "expired"]


class InvitationNew(wire.Shape):
    """Whom to invite, and where."""

    person_id: UUID
    organisation_id: Annotated[
        UUID | None,
        Field(
            description="The organisation that brings the way in; the person is, or will be, there. Only the "
            "operator's administrators leave it out: then it is the person's own."
        ),
    ] = None
    email: Mailbox


class InvitationQuery(PageQuery):
    """Filters of the list."""

    person_id: Annotated[UUID | None, Field(description="Of this person.")] = None
    organisation_id: Annotated[UUID | None, Field(description="Of this organisation.")] = None


@router.get("", summary="List invitations")
async def list_invitations(
    access: Annotated[Access, may(Action.INVITATION_READ)],
    query: Annotated[InvitationQuery, wire.Parameters],
    response: Response,
) -> Page[InvitationOut]:
    """Your own, and those of organisations that you administer, newest first."""
    page = await access.page(INVITATIONS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=202, summary="Invite a person to sign in")
async def invite_person(
    access: Annotated[Access, may(Action.INVITATION_CREATE)], request: Request, body: InvitationNew
) -> InvitationOut:
    """For administrators of the organisation and of the operator. The address is sent a link, good for 7
    days and once, by which the person chooses a password; nobody else sees it. Whoever has a way in
    already must agree to another; an address that the record has not had for 72 hours waits as long, and
    the earlier addresses are told. The answer is the same whoever has the address."""
    invitation_id = await accounts.invite(
        access,
        person_id=body.person_id,
        organisation_id=body.organisation_id,
        email=body.email,
        language=language_of(request),
    )
    answer: Any = await access.answer(INVITATIONS, invitation_id, created=True)
    return answer  # type: ignore[no-any-return]


@router.get("/{invitation_id}", summary="Read an invitation")
async def read_invitation(
    row: Annotated[Row, one(Action.INVITATION_READ, INVITATIONS)],
) -> InvitationOut:
    """One that you sent, were sent, or administer."""
    return row.data  # type: ignore[return-value]


@router.post("/{invitation_id}/withdrawal", summary="Withdraw an invitation")
async def withdraw_invitation(
    owned: Annotated[
        Owned[Invitation], one(Action.INVITATION_WITHDRAW, INVITATIONS, InvitationOut)
    ],
) -> InvitationOut:
    """For administrators, and for the person invited: its link leads nowhere any more."""
    access = owned.access
    await accounts.withdraw_invitation(access.unit, access.caller.actor, owned.entity)
    answer: Any = await access.answer(INVITATIONS, owned.entity.id)
    return answer  # type: ignore[no-any-return]


@router.post("/{invitation_id}/agreement", summary="Agree to another way in")
async def agree_to_invitation(
    owned: Annotated[Owned[Invitation], one(Action.INVITATION_AGREE, INVITATIONS, InvitationOut)],
) -> InvitationOut:
    """For the person invited, who can sign in already: from now on the link sent to the other address lets
    whoever reads mail there sign in as you. Where an affiliation at its organisation waits for your word,
    this gives it."""
    access = owned.access
    await accounts.agree_to_invitation(access.unit, access.caller.actor, owned.entity)
    answer: Any = await access.answer(INVITATIONS, owned.entity.id)
    return answer  # type: ignore[no-any-return]
