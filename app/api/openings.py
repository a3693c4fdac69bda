"""Openings (break-glass): one agreement's records opened in an emergency, by two people."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, Json, StringConstraints, model_validator

from app.access.agreements import AGREEMENTS
from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.openings import OPENINGS
from app.actions import openings
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import Page, PageQuery
from app.core.routes import Route
from app.core.text import Prose
from app.models.openings import HIDDEN_DAYS, MOST_MINUTES, Opening, OpeningState

router = APIRouter(prefix="/v1/openings", tags=["Break-glass"], route_class=Route)
agreement_router = APIRouter(
    prefix="/v1/learning-agreements", tags=["Break-glass"], route_class=Route
)

Reason = Annotated[Prose, StringConstraints(max_length=2000)]


class Opener(BaseModel):
    """One of the two."""

    person_id: wire.WireId
    name: wire.Name


class OpeningOut(wire.Resource):
    """Who opened an agreement, why, and from when until when."""

    agreement_id: wire.WireId
    state: Annotated[Any, wire.member_of(OpeningState)]
    asked_by: Json[Opener]
    reason: wire.Text
    minutes: Annotated[int, wire.Says(minimum=1, maximum=MOST_MINUTES)]
    shown_on: Annotated[
        wire.WireDay, Field(description="The first day on which the parties see it.")
    ]
    hidden_because: wire.Text | None
    confirmed_by: Json[Opener] | None
    confirmed_at: Annotated[wire.WireMomentOrNull, Field(description="From when it is open.")]
    ends_at: Annotated[wire.WireMomentOrNull, Field(description="Until when, unless it is closed.")]
    closed_at: wire.WireMomentOrNull
    closed_by: wire.WireIdOrNull


class OpeningNew(wire.Shape):
    """Which agreement, why and for how long."""

    id: ClientMadeId | None = None
    agreement_id: Annotated[
        UUID, Field(description="As the case names it; nothing is said of the agreement.")
    ]
    reason: Reason
    minutes: Annotated[
        int,
        Field(strict=True, ge=1, le=MOST_MINUTES, description="From the confirmation on."),
        wire.WHOLE,
    ]
    shown_on: Annotated[
        wire.Day | None,
        Field(
            description="The first day on which the parties see it, at the latest in "
            f"{HIDDEN_DAYS} days; left out: at once. Needs `hidden_because`."
        ),
    ] = None
    hidden_because: Reason | None = None

    @model_validator(mode="after")
    def _hidden_with_a_reason(self) -> Self:
        if (self.shown_on is None) != (self.hidden_because is None):
            raise ValueError("shown_on and hidden_because are sent together, or neither")
        return self


class OpeningQuery(PageQuery):
    """Filters of the list."""

    agreement_id: Annotated[UUID | None, Field(description="Of this agreement.")] = None


class AgreementOpeningsQuery(PageQuery):
    """Parameters of the list of an agreement's openings."""


@router.get("", summary="List openings")
async def list_openings(
    access: Annotated[Access, may(Action.OPENING_READ)],
    query: Annotated[OpeningQuery, wire.Parameters],
    response: Response,
) -> Page[OpeningOut]:
    """For the operator's administrators: of agreements to which they have no tie. For parties: those
    that are shown to them. Newest first."""
    page = await access.page(OPENINGS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Ask for an opening")
async def ask_for_opening(
    access: Annotated[Access, may(Action.OPENING_ASK)], body: OpeningNew
) -> OpeningOut:
    """By an administrator of the operator who has no tie to the agreement. It opens nothing until a
    second one confirms it, and lapses after 24 hours."""
    made = await claim(access, OPENINGS, body)
    if not made.repeated:
        await openings.ask(
            access,
            made,
            agreement_id=body.agreement_id,
            reason=body.reason,
            minutes=body.minutes,
            shown_on=body.shown_on,
            hidden_because=body.hidden_because,
        )
    return await access.answer(OPENINGS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{opening_id}", summary="Read an opening")
async def read_opening(row: Annotated[Row, one(Action.OPENING_READ, OPENINGS)]) -> OpeningOut:
    """One opening that the caller may see."""
    return row.data  # type: ignore[return-value]


@router.post("/{opening_id}/confirmation", summary="Confirm an opening")
async def confirm_opening(
    owned: Annotated[Owned[Opening], one(Action.OPENING_CONFIRM, OPENINGS, OpeningOut)],
) -> OpeningOut:
    """By another administrator of the operator than the one who asked. From now on, for its minutes,
    both read the agreement and its records with the header `Break-Glass: <id>`."""
    await openings.confirm(owned)
    return await owned.access.answer(OPENINGS, owned.entity.id)  # type: ignore[return-value]


@router.post("/{opening_id}/closing", summary="Close an opening")
async def close_opening(
    owned: Annotated[Owned[Opening], one(Action.OPENING_CLOSE, OPENINGS, OpeningOut)],
) -> OpeningOut:
    """By either of the two, at any time; what was only asked for is taken back."""
    await openings.close(owned)
    return await owned.access.answer(OPENINGS, owned.entity.id)  # type: ignore[return-value]


@agreement_router.get("/{learning_agreement_id}/openings", summary="Read who has opened it")
async def list_agreement_openings(
    row: Annotated[Row, one(Action.AGREEMENT_OPENINGS, AGREEMENTS)],
    query: Annotated[AgreementOpeningsQuery, wire.Parameters],
    response: Response,
) -> Page[OpeningOut]:
    """For the parties, and for learners who have left: who asked, who confirmed, why, from when until
    when; newest first. Also while break-glass is switched off."""
    page = await row.access.page(OPENINGS, query, agreement_id=row.id)
    row.access.link(response, page)
    return page  # type: ignore[return-value]
