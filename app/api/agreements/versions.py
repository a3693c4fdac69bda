"""Every version of the text, and the history."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, Json

from app.access.agreements import AGREEMENTS
from app.access.gates import Row, one
from app.access.grants import Action
from app.access.history import HistoryQuery, history_page
from app.access.leaders import LEADERS
from app.access.readers import ReadersQuery, readers_page
from app.access.versions import versions_of
from app.api.agreements.shapes import AgreementTextOut, SignatureOut
from app.core import wire
from app.core.errors import NotFound
from app.core.pages import Page, Whole
from app.core.routes import Route
from app.models.agreements import VersionAct, VersionState
from app.models.people import AffiliationRole

router = APIRouter(
    prefix="/v1/learning-agreements", tags=["Learning agreements"], route_class=Route
)


class VersionOut(BaseModel):
    """One version of the text, with its signatures."""

    number: wire.Number
    act: Annotated[
        VersionAct, Field(description="Everybody's agreement, or one party's protective act.")
    ]
    state: VersionState
    text: Annotated[
        Json[dict[str, Any]], wire.like(AgreementTextOut), Field(validation_alias="content")
    ]
    digest: wire.Digest | None
    created_by: wire.WireId
    created_at: wire.WireMoment
    proposed_at: wire.WireMomentOrNull
    settled_at: wire.WireMomentOrNull
    signatures: Annotated[Json[list[SignatureOut]], wire.at_most(120)]


Number = Annotated[int, Path(ge=1, le=100_000, description="Number of the version.")]
Versions = Annotated[Row, one(Action.AGREEMENT_VERSIONS, AGREEMENTS)]


@router.get("/{learning_agreement_id}/versions", summary="Read every version")
async def list_agreement_versions(row: Versions) -> Whole[VersionOut]:
    """Every version that the caller was asked to sign or was a party to, oldest first."""
    return {"items": await versions_of(row.access, row.id), "next": None}  # type: ignore[return-value]


@router.get("/{learning_agreement_id}/versions/{number}", summary="Read one version")
async def read_agreement_version(row: Versions, number: Number) -> VersionOut:
    """One version by its number."""
    found = await versions_of(row.access, row.id, number)
    if not found:
        raise NotFound()
    return found[0]  # type: ignore[return-value]


class HistoryEntry(BaseModel):
    """One write: who, when, what; never content."""

    sequence: wire.Count
    at: wire.WireMoment
    person_id: wire.WireIdOrNull
    client_id: wire.WireIdOrNull
    action: wire.Word
    kind: wire.Word
    resource_id: wire.WireId
    resource_version: wire.Number
    changed: Annotated[
        Json[list[wire.Word]],
        wire.at_most(100),
        Field(description="Names of the fields that changed."),
    ]


@router.get("/{learning_agreement_id}/history", summary="Read an agreement's history")
async def read_agreement_history(
    row: Annotated[Row, one(Action.AGREEMENT_HISTORY, AGREEMENTS)],
    query: Annotated[HistoryQuery, wire.Parameters],
    response: Response,
) -> Page[HistoryEntry]:
    """Writes of the agreement and of its records that the caller may see, newest first."""
    page = await history_page(row.access, query, row.id)
    row.access.link(response, page)
    return page  # type: ignore[return-value]


class ReadingOut(BaseModel):
    """Somebody outside the parties has read something on a day."""

    day: wire.WireDay
    person_id: Annotated[wire.WireIdOrNull, Field(description="Null for a client by itself.")]
    client_id: wire.WireId
    name: wire.Name | None
    kind: wire.Word
    resource_id: wire.WireId
    opening_id: Annotated[
        wire.WireIdOrNull, Field(description="The opening under which it was read; else null.")
    ]


@router.get("/{learning_agreement_id}/readers", summary="Read who has read it")
async def list_agreement_readers(
    row: Annotated[Row, one(Action.AGREEMENT_READERS, AGREEMENTS)],
    query: Annotated[ReadersQuery, wire.Parameters],
    response: Response,
) -> Page[ReadingOut]:
    """For the parties: who outside them has read the agreement's text, or a record under it that the
    caller sees; one entry a reader, client, record and day, newest first. Under an opening also that
    it exists, and nothing before the opening itself is shown."""
    page = await readers_page(row.access, query, row.id)
    row.access.link(response, page)
    return page  # type: ignore[return-value]


class LeaderOut(BaseModel):
    """Somebody who holds, held or will hold a leader role at the home organisation."""

    person_id: wire.WireId
    name: wire.Name
    role: AffiliationRole
    starts_on: wire.WireDay
    ends_on: wire.WireDayOrNull
    recorded_at: Annotated[
        wire.WireMoment, Field(description="When this was last written: new holders come first.")
    ]


@router.get("/{learning_agreement_id}/leaders", summary="Read who leads its home organisation")
async def list_agreement_leaders(
    row: Annotated[Row, one(Action.AGREEMENT_LEADERS, AGREEMENTS)],
) -> Whole[LeaderOut]:
    """For the parties: head teachers and professional-learning leads of the home organisation, today's,
    those to come and those since the agreement began. What they read is what the terms tick for them."""
    items = await row.access.read(LEADERS, agreement_id=row.id)
    return {"items": items, "next": None}  # type: ignore[return-value]
