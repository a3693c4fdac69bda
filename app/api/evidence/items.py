"""Evidence items: record, read, revise, delete."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access.claims import claim
from app.access.door import Access
from app.access.evidence import EVIDENCE_ITEMS, evidence_page
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.shapes import said_of_pupils
from app.actions import evidence
from app.api.evidence.shapes import (
    EvidenceChange,
    EvidenceContent,
    EvidenceNew,
    EvidenceOut,
    EvidenceQuery,
)
from app.core import wire
from app.core.pages import Page
from app.core.routes import Route
from app.models.evidence import EvidenceItem
from app.models.pupils import SaidOfPupils

router = APIRouter(prefix="/v1/evidence-items", tags=["Evidence"], route_class=Route)


@router.get("", summary="List evidence items")
async def list_evidence_items(
    access: Annotated[Access, may(Action.EVIDENCE_READ)],
    query: Annotated[EvidenceQuery, wire.Parameters],
    response: Response,
) -> Page[EvidenceOut]:
    """Evidence items that the caller may see, newest first."""
    page = await evidence_page(access, query, query.goal_id)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Record an evidence item")
async def record_evidence_item(
    access: Annotated[Access, may(Action.EVIDENCE_CREATE)], body: EvidenceNew
) -> EvidenceOut:
    """A learner's own evidence: on their own plan, or under an agreement in force."""
    made = await claim(access, EVIDENCE_ITEMS, body)
    if not made.repeated:
        await evidence.record_item(
            access,
            made,
            agreement_id=body.agreement_id,
            controller_organisation_id=body.controller_organisation_id,
            readers=body.readers,
            values={name: getattr(body, name) for name in EvidenceContent.model_fields},
            goal_ids=body.goal_ids,
            pupils=said_of_pupils(body),
        )
    return await access.answer(EVIDENCE_ITEMS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{evidence_item_id}", summary="Read an evidence item")
async def read_evidence_item(
    row: Annotated[Row, one(Action.EVIDENCE_READ, EVIDENCE_ITEMS)],
) -> EvidenceOut:
    """One evidence item that the caller may see."""
    return row.data  # type: ignore[return-value]


@router.patch("/{evidence_item_id}", summary="Revise an evidence item")
async def revise_evidence_item(
    owned: Annotated[Owned[EvidenceItem], one(Action.EVIDENCE_REVISE, EVIDENCE_ITEMS, EvidenceOut)],
    body: EvidenceChange,
) -> EvidenceOut:
    """For its learner. Readers may be taken away at any time, also when the agreement is over."""
    changes = body.model_dump()
    readers, goal_ids = changes.pop("readers", None), changes.pop("goal_ids", None)
    pupils = {name: changes.pop(name) for name in SaidOfPupils.model_fields if name in changes}
    await evidence.revise_item(owned, changes, goal_ids, pupils, readers)
    return await owned.access.answer(EVIDENCE_ITEMS, owned.entity.id)  # type: ignore[return-value]


@router.delete("/{evidence_item_id}", status_code=204, summary="Delete an evidence item")
async def delete_evidence_item(
    owned: Annotated[Owned[EvidenceItem], one(Action.EVIDENCE_DELETE, EVIDENCE_ITEMS, EvidenceOut)],
) -> None:
    """For its learner, also when the agreement is over; its files go with it."""
    await evidence.delete_item(owned)
