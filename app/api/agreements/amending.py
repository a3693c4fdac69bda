"""Amendments, which need every hand; protective acts, which need one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.access.agreements import AGREEMENTS
from app.access.gates import Owned, one
from app.access.grants import Action
from app.actions import agreements
from app.api.agreements.shapes import AgreementChange, AgreementOut, Shown, shown
from app.core import wire
from app.core.routes import Route
from app.models.agreement_text import Disclosure
from app.models.agreements import LearningAgreement

router = APIRouter(
    prefix="/v1/learning-agreements", tags=["Learning agreements"], route_class=Route
)


class AmendmentNew(wire.Shape):
    """What an amendment changes."""

    changes: Annotated[
        AgreementChange,  # type: ignore[valid-type]
        Field(description="A merge patch on the text in force; lists are sent whole."),
    ]


@router.post("/{learning_agreement_id}/amendments", status_code=201, summary="Propose an amendment")
async def propose_amendment(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_AMEND, AGREEMENTS, AgreementOut)
    ],
    body: AmendmentNew,
) -> AgreementOut:
    """By a learner or a coach: a new version, which is in force when everybody whom it or the text in
    force names has signed it, and lapses after 30 days. Who is only removed or replaced, while
    nothing is widened, need not sign. What it widens touches no record that is there."""
    changes = body.changes.model_dump(mode="json")  # type: ignore[attr-defined]
    await agreements.propose_amendment(owned, changes)
    return await shown(owned)  # type: ignore[no-any-return]


DisclosureChange = wire.changes_of(Disclosure, "NarrowingNew")


@router.post("/{learning_agreement_id}/narrowing", summary="Narrow the disclosure terms")
async def narrow_terms(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_NARROW, AGREEMENTS, AgreementOut)
    ],
    body: DisclosureChange,  # type: ignore[valid-type]
) -> AgreementOut:
    """By any party alone, at once and without a reason: the terms as they shall be. Every record
    under the agreement follows in the same moment; an open amendment lapses."""
    await agreements.narrow(owned, body.model_dump(mode="json"))  # type: ignore[attr-defined]
    return await shown(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/departure", summary="Leave an agreement")
async def leave_agreement(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_LEAVE, AGREEMENTS, AgreementOut)
    ],
) -> Shown:
    """By any party, for themself, at once and without a reason. What they keep reading, the terms
    say; without a learner the agreement is ended."""
    await agreements.leave(owned)
    return await shown(owned)  # type: ignore[no-any-return]


class DetachmentNew(wire.Shape):
    """Which network is detached."""

    network_id: UUID


@router.post("/{learning_agreement_id}/detachments", summary="Detach a network")
async def detach_network(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_DETACH, AGREEMENTS, AgreementOut)
    ],
    body: DetachmentNew,
) -> AgreementOut:
    """By any party alone: the text no longer names the network, and what was shared with it comes
    back at once."""
    await agreements.detach(owned, body.network_id)
    return await shown(owned)  # type: ignore[no-any-return]
