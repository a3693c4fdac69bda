"""Shares: a record shown to a named person until a date, or to a network of its agreement."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool, model_validator

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.shares import SHARES
from app.actions import shares
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import ChangesQuery, Page
from app.core.routes import Route
from app.core.text import Line
from app.models.shares import Share, SharedKind

router = APIRouter(prefix="/v1/shares", tags=["Shares"], route_class=Route)


class ShareOut(wire.Resource):
    """One record shown to one person or one network."""

    owner_id: wire.WireId
    created_by: wire.WireId
    goal_id: wire.WireIdOrNull
    evidence_item_id: wire.WireIdOrNull
    agreement_id: wire.WireIdOrNull
    person_id: wire.WireIdOrNull
    network_id: wire.WireIdOrNull
    with_evidence: Annotated[
        bool, Field(description="A goal together with its owner's evidence that is linked to it.")
    ]
    reason: wire.Name
    ends_on: Annotated[
        wire.WireDayOrNull, Field(description="The first day on which it no longer counts.")
    ]


class ShareNew(wire.Shape):
    """What is shared, and with whom: one record, and one person or network."""

    id: ClientMadeId | None = None
    goal_id: UUID | None = None
    evidence_item_id: UUID | None = None
    person_id: Annotated[
        UUID | None, Field(description="Somebody whom you can see; needs `ends_on` and `reason`.")
    ] = None
    network_id: Annotated[
        UUID | None, Field(description="A network that the agreement names, and ticks.")
    ] = None
    with_evidence: Annotated[
        StrictBool, Field(description="With a named person: also the goal's own evidence.")
    ] = False
    reason: Line | None = None
    ends_on: wire.Day | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.goal_id is None) == (self.evidence_item_id is None):
            raise ValueError("name one record: goal_id or evidence_item_id")
        if (self.person_id is None) == (self.network_id is None):
            raise ValueError("name one reader: person_id or network_id")
        if self.person_id is not None and (self.ends_on is None or self.reason is None):
            raise ValueError("with a person: ends_on and reason are needed")
        if self.with_evidence and (self.goal_id is None or self.person_id is None):
            raise ValueError("with_evidence is for a goal that is shared with a person")
        return self


class ShareQuery(ChangesQuery):
    """Filters of the list."""

    goal_id: Annotated[UUID | None, Field(description="Of this goal.")] = None
    evidence_item_id: Annotated[UUID | None, Field(description="Of this evidence item.")] = None
    person_id: Annotated[UUID | None, Field(description="With this person.")] = None
    network_id: Annotated[UUID | None, Field(description="With this network.")] = None
    agreement_id: Annotated[UUID | None, Field(description="Of this agreement.")] = None
    owner_id: Annotated[UUID | None, Field(description="Of this learner.")] = None


@router.get("", summary="List shares")
async def list_shares(
    access: Annotated[Access, may(Action.SHARE_READ)],
    query: Annotated[ShareQuery, wire.Parameters],
    response: Response,
) -> Page[ShareOut]:
    """Shares of your own records, with you, with your networks, and of records that you read as a
    party; newest first."""
    page = await access.page(SHARES, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Share a record")
async def share_record(
    access: Annotated[Access, may(Action.SHARE_CREATE)], body: ShareNew
) -> ShareOut:
    """By its owner alone: with a named person, or with a network that the agreement names and ticks.
    A network never gets a record that may show pupils without consent."""
    made = await claim(access, SHARES, body)
    if not made.repeated:
        record_id = body.goal_id or body.evidence_item_id
        assert record_id is not None
        await shares.share_record(
            access,
            made,
            kind=SharedKind.GOAL if body.goal_id else SharedKind.EVIDENCE_ITEM,
            record_id=record_id,
            person_id=body.person_id,
            network_id=body.network_id,
            with_evidence=body.with_evidence,
            reason=body.reason or "",
            ends_on=body.ends_on,
        )
    return await access.answer(SHARES, made.id, created=True)  # type: ignore[return-value]


@router.get("/{share_id}", summary="Read a share")
async def read_share(row: Annotated[Row, one(Action.SHARE_READ, SHARES)]) -> ShareOut:
    """One share that the caller may see."""
    return row.data  # type: ignore[return-value]


@router.delete("/{share_id}", status_code=204, summary="Take a shared record back")
async def end_share(
    owned: Annotated[Owned[Share], one(Action.SHARE_DELETE, SHARES, ShareOut)],
) -> None:
    """By its owner, at any time; the next request of those who read it finds nothing."""
    await shares.end_share(owned)
