"""From draft to signature, completion and end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.access.agreements import AGREEMENTS
from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.actions import agreements
from app.api.agreements.shapes import (
    AgreementChange,
    AgreementOut,
    Digest,
    Obligation,
    Shown,
    shown,
)
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import ChangesQuery, Page
from app.core.routes import Route
from app.core.search import Question
from app.models.agreement_text import AgreementText
from app.models.agreements import LearningAgreement

router = APIRouter(
    prefix="/v1/learning-agreements", tags=["Learning agreements"], route_class=Route
)


class AgreementNew(AgreementText):
    """A draft; what is missing can be added until it is proposed."""

    id: ClientMadeId | None = None


class AgreementQuery(ChangesQuery):
    """Filters of the list."""

    q: Question | None = None
    home_organisation_id: Annotated[
        UUID | None, Field(description="With this home organisation.")
    ] = None
    network_id: Annotated[
        UUID | None, Field(description="Whose text names this network, as far as you read it.")
    ] = None


class AgreementPage(Page[Shown]):
    """One page of learning agreements."""


Drafted = Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_DRAFT, AGREEMENTS, AgreementOut)]


@router.get("", summary="List learning agreements")
async def list_agreements(
    access: Annotated[Access, may(Action.AGREEMENT_READ)],
    query: Annotated[AgreementQuery, wire.Parameters],
    response: Response,
) -> AgreementPage:
    """Agreements that the caller may see, newest first; of some only the existence."""
    page = await access.page(AGREEMENTS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Draft a learning agreement")
async def draft_agreement(
    access: Annotated[Access, may(Action.AGREEMENT_CREATE)], body: AgreementNew
) -> AgreementOut:
    """By a learner or a coach who is a party of it; nobody else sees it until it is proposed."""
    made = await claim(access, AGREEMENTS, body)
    if not made.repeated:
        fields = {name: getattr(body, name) for name in AgreementText.model_fields}
        await agreements.draft_agreement(access, made, AgreementText.model_construct(**fields))
    return await access.answer(AGREEMENTS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{learning_agreement_id}", summary="Read a learning agreement")
async def read_agreement(row: Annotated[Row, one(Action.AGREEMENT_READ, AGREEMENTS)]) -> Shown:
    """Its text, or for some readers only its existence (`view` says which)."""
    return row.data  # type: ignore[return-value]


@router.patch("/{learning_agreement_id}", summary="Change a draft")
async def redraft_agreement(owned: Drafted, body: AgreementChange) -> AgreementOut:  # type: ignore[valid-type]
    """By its drafter. A text that has been proposed is withdrawn first."""
    await agreements.redraft(owned, body.model_dump(mode="json"))  # type: ignore[attr-defined]
    return await shown(owned)  # type: ignore[no-any-return]


@router.delete("/{learning_agreement_id}", status_code=204, summary="Delete a draft")
async def discard_draft(owned: Drafted) -> None:
    """By its drafter, as long as it was never proposed."""
    await agreements.discard(owned)


@router.post("/{learning_agreement_id}/proposal", summary="Propose a draft")
async def propose_agreement(owned: Drafted) -> AgreementOut:
    """Puts the text before everybody whom it names, fixed by its digest. 422 says what is missing."""
    await agreements.propose_agreement(owned)
    return await shown(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/withdrawal", summary="Withdraw a proposal or an amendment")
async def withdraw_proposal(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_WITHDRAW, AGREEMENTS, AgreementOut)
    ],
) -> AgreementOut:
    """By its drafter: a new draft begins with a proposal's text; of an active agreement, by who
    proposed the amendment. What was on the table is kept with its signatures."""
    await agreements.withdraw(owned)
    return await shown(owned)  # type: ignore[no-any-return]


class SignatureNew(wire.Shape):
    """A signature under one exact text."""

    digest: Annotated[Digest, Field(description="`digest` of the proposal, as you read it.")]
    obligations: Annotated[
        list[Obligation],
        Field(max_length=7, description="A coach, co-coach or mentor acknowledges all seven."),
    ] = []


@router.post(
    "/{learning_agreement_id}/signatures", status_code=201, summary="Sign what is on the table"
)
async def sign_agreement(
    owned: Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_SIGN, AGREEMENTS, Shown)],
    body: SignatureNew,
) -> Shown:
    """By each person whom the proposal or the amendment names, for themself; with the last signature
    it is in force."""
    await agreements.sign(owned, digest=body.digest, obligations=body.obligations)
    return await shown(owned)  # type: ignore[no-any-return]


@router.post(
    "/{learning_agreement_id}/declination",
    summary="Decline what is on the table",
    responses={204: {"description": "Done; the agreement is hidden from the caller now."}},
)
async def decline_agreement(
    owned: Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_DECLINE, AGREEMENTS, Shown)],
) -> Shown:
    """By any person whom a proposal or an amendment asks to sign. What was declined is never shown
    to anyone else; who was only asked to join then sees nothing of the agreement (204, and 404 from now on)."""
    await agreements.decline(owned)
    await owned.access.unit.flush()
    if await owned.access.find(AGREEMENTS, owned.entity.id) is None:
        return Response(status_code=204)  # type: ignore[return-value]
    return await shown(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/completion", summary="Complete an agreement")
async def complete_agreement(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_COMPLETE, AGREEMENTS, AgreementOut)
    ],
) -> AgreementOut:
    """By a learner and by a coach, when it has run its course: with both it is completed, and nothing
    more is written under it."""
    await agreements.complete(owned)
    return await shown(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/ending", summary="End an agreement early")
async def end_agreement(
    owned: Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_END, AGREEMENTS, AgreementOut)],
) -> AgreementOut:
    """By any party alone, at once and without a reason."""
    await agreements.end(owned)
    return await shown(owned)  # type: ignore[no-any-return]
