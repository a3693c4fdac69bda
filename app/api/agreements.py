"""Learning agreements: the text that the parties sign is the access policy."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, Json

from app.access.agreements import AGREEMENTS, VERSIONS
from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.history import HistoryQuery, history_page
from app.actions import agreements
from app.core import wire
from app.core.errors import NotFound
from app.core.ids import ClientMadeId
from app.core.pages import Page, PageQuery
from app.core.routes import Route
from app.models.agreement_text import OBLIGATIONS, AgreementText
from app.models.agreements import AgreementState, LearningAgreement, VersionState
from app.models.terms import PartyRole

router = APIRouter(
    prefix="/v1/learning-agreements", tags=["Learning agreements"], route_class=Route
)

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PartyOut(BaseModel):
    """A party in one role."""

    person_id: wire.WireId
    name: str
    role: PartyRole


class SignatureOut(BaseModel):
    """Who was asked to sign, and what they answered."""

    person_id: wire.WireId
    name: str
    signed_at: datetime | None
    declined_at: datetime | None
    digest: Annotated[str | None, Field(description="Digest of the text that was signed.")]


class _Both(BaseModel):
    id: wire.WireId
    active: bool
    home_organisation_id: wire.WireIdOrNull
    starts_on: wire.WireDayOrNull
    ends_on: wire.WireDayOrNull
    parties: Annotated[
        Json[list[PartyOut]], Field(description="The parties in force; none until it is active.")
    ]


class AgreementExistence(_Both):
    """What a reader sees who may know that the agreement exists, and nothing else."""

    view: Literal["existence"]


class AgreementOut(_Both):
    """An agreement with its text: the one in force, or the draft or proposal before there is one."""

    view: Literal["text"]
    version: int
    created_at: wire.WireMoment
    updated_at: wire.WireMoment
    created_by: wire.WireId
    state: AgreementState
    number: Annotated[
        int, Field(validation_alias="shown_number", description="Number of the version shown.")
    ]
    digest: Annotated[
        str | None, Field(description="SHA-256 of the proposed text: what a signature is bound to.")
    ]
    proposed_at: wire.WireMomentOrNull
    active_at: wire.WireMomentOrNull
    learner_completed_at: wire.WireMomentOrNull
    coach_completed_at: wire.WireMomentOrNull
    over_at: wire.WireMomentOrNull
    signatures: Json[list[SignatureOut]]
    text: Annotated[
        Json[dict[str, Any]],
        Field(
            description="The fields of the draft, the limit of confidentiality, the obligations."
        ),
    ]


Shown = Annotated[AgreementOut | AgreementExistence, Field(discriminator="view")]


class AgreementNew(AgreementText):
    """A draft; what is missing can be added until it is proposed."""

    id: ClientMadeId | None = None


AgreementChange = wire.changes_of(AgreementText, "LearningAgreementChange")


class AgreementQuery(PageQuery):
    """Filters of the list."""

    home_organisation_id: UUID | None = None


Drafted = Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_DRAFT, AGREEMENTS, AgreementOut)]


async def _answer(owned: Owned[LearningAgreement]) -> Any:
    return await owned.access.answer(AGREEMENTS, owned.entity.id)


@router.get("", summary="List learning agreements")
async def list_agreements(
    access: Annotated[Access, may(Action.AGREEMENT_READ)],
    query: Annotated[AgreementQuery, wire.Parameters],
    response: Response,
) -> Page[Shown]:
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
async def redraft(owned: Drafted, body: AgreementChange) -> AgreementOut:  # type: ignore[valid-type]
    """By its drafter. A text that has been proposed is withdrawn first."""
    await agreements.redraft(owned, body.model_dump(mode="json"))  # type: ignore[attr-defined]
    return await _answer(owned)  # type: ignore[no-any-return]


@router.delete("/{learning_agreement_id}", status_code=204, summary="Delete a draft")
async def discard(owned: Drafted) -> None:
    """By its drafter, as long as it was never proposed."""
    await agreements.discard(owned)


@router.post("/{learning_agreement_id}/proposal", summary="Propose a draft")
async def propose(owned: Drafted) -> AgreementOut:
    """Puts the text before everybody whom it names, fixed by its digest. 422 says what is missing."""
    await agreements.propose_agreement(owned)
    return await _answer(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/withdrawal", summary="Withdraw a proposal")
async def withdraw(owned: Drafted) -> AgreementOut:
    """By its drafter: a new draft begins with its text; the proposal and its signatures are kept."""
    await agreements.withdraw(owned)
    return await _answer(owned)  # type: ignore[no-any-return]


class SignatureNew(wire.Shape):
    """A signature under one exact text."""

    digest: Annotated[Digest, Field(description="`digest` of the proposal, as you read it.")]
    obligations: Annotated[
        list[Literal[OBLIGATIONS]],  # type: ignore[valid-type]
        Field(max_length=7, description="A coach, co-coach or mentor acknowledges all seven."),
    ] = []


@router.post("/{learning_agreement_id}/signatures", status_code=201, summary="Sign a proposal")
async def sign(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_SIGN, AGREEMENTS, AgreementOut)
    ],
    body: SignatureNew,
) -> AgreementOut:
    """By each person whom it names, for themself; the last signature makes it active."""
    await agreements.sign(owned, digest=body.digest, obligations=body.obligations)
    return await _answer(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/declination", summary="Decline a proposal")
async def decline(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_DECLINE, AGREEMENTS, AgreementOut)
    ],
) -> AgreementOut:
    """By any person whom it names. A declined proposal is never shown to anyone else."""
    await agreements.decline(owned)
    return await _answer(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/completion", summary="Complete an agreement")
async def complete(
    owned: Annotated[
        Owned[LearningAgreement], one(Action.AGREEMENT_COMPLETE, AGREEMENTS, AgreementOut)
    ],
) -> AgreementOut:
    """By a learner and by a coach, when it has run its course: with both it is completed, and nothing
    more is written under it."""
    await agreements.complete(owned)
    return await _answer(owned)  # type: ignore[no-any-return]


@router.post("/{learning_agreement_id}/ending", summary="End an agreement early")
async def end(
    owned: Annotated[Owned[LearningAgreement], one(Action.AGREEMENT_END, AGREEMENTS, AgreementOut)],
) -> AgreementOut:
    """By any party alone, at once and without a reason."""
    await agreements.end(owned)
    return await _answer(owned)  # type: ignore[no-any-return]


class VersionOut(BaseModel):
    """One version of the text, with its signatures."""

    number: int
    state: VersionState
    text: Annotated[Json[dict[str, Any]], Field(validation_alias="content")]
    digest: str | None
    created_by: wire.WireId
    created_at: wire.WireMoment
    proposed_at: wire.WireMomentOrNull
    settled_at: wire.WireMomentOrNull
    signatures: Json[list[SignatureOut]]


Versions = Annotated[Row, one(Action.AGREEMENT_VERSIONS, AGREEMENTS)]


async def _versions(row: Row, number: int | None = None) -> list[dict[str, Any]]:
    return await row.access.read(VERSIONS, agreement_id=row.id, number=number)


@router.get("/{learning_agreement_id}/versions", summary="Read every version")
async def list_versions(row: Versions) -> Page[VersionOut]:
    """Every version that the caller was asked to sign, oldest first, with its signatures."""
    return {"items": await _versions(row), "next": None}  # type: ignore[return-value]


@router.get("/{learning_agreement_id}/versions/{number}", summary="Read one version")
async def read_version(row: Versions, number: Annotated[int, Path(ge=1, le=100_000)]) -> VersionOut:
    """One version by its number."""
    found = await _versions(row, number)
    if not found:
        raise NotFound()
    return found[0]  # type: ignore[return-value]


class HistoryEntry(BaseModel):
    """One write: who, when, what; never content."""

    sequence: int
    at: wire.WireMoment
    person_id: wire.WireIdOrNull
    client_id: wire.WireIdOrNull
    action: str
    kind: str
    resource_id: wire.WireId
    resource_version: int
    changed: Annotated[Json[list[str]], Field(description="Names of the fields that changed.")]


@router.get("/{learning_agreement_id}/history", summary="Read an agreement's history")
async def read_history(
    row: Annotated[Row, one(Action.AGREEMENT_HISTORY, AGREEMENTS)],
    query: Annotated[HistoryQuery, wire.Parameters],
    response: Response,
) -> Page[HistoryEntry]:
    """Writes of the agreement and of its records that the caller may see, newest first."""
    page = await history_page(row.access, query, row.id)
    row.access.link(response, page)
    return page  # type: ignore[return-value]
