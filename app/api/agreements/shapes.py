"""What learning agreements look like on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, Json

from app.access.agreements import AGREEMENTS
from app.access.gates import Owned
from app.core import wire
from app.models.agreement_text import AgreementText
from app.models.agreements import AgreementState, LearningAgreement
from app.models.terms import PartyRole

Digest = Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]


class PartyOut(BaseModel):
    """A party in one role."""

    person_id: wire.WireId
    name: wire.Name
    role: PartyRole


class SignatureOut(BaseModel):
    """Who was asked to sign, and what they answered."""

    person_id: wire.WireId
    name: wire.Name
    signed_at: datetime | None
    declined_at: datetime | None
    digest: Annotated[wire.Digest | None, Field(description="Digest of the text that was signed.")]


class _Both(BaseModel):
    id: wire.WireId
    active: bool
    home_organisation_id: wire.WireIdOrNull
    starts_on: wire.WireDayOrNull
    ends_on: wire.WireDayOrNull
    parties: Annotated[
        Json[list[PartyOut]],
        wire.at_most(60),
        Field(description="The parties in force; none until it is active."),
    ]


class AgreementExistence(_Both):
    """What a reader sees who may know that the agreement exists, and nothing else."""

    view: Literal["existence"]


class AgreementOut(_Both):
    """An agreement with its text: the one in force, or the draft or proposal before there is one."""

    view: Literal["text"]
    version: wire.Number
    created_at: wire.WireMoment
    updated_at: wire.WireMoment
    created_by: wire.WireId
    state: AgreementState
    number: Annotated[wire.Number, Field(description="Number of the version shown.")]
    amendment_number: Annotated[
        wire.Number | None,
        Field(description="Number of the amendment that waits for signatures; see its version."),
    ]
    amendment_lapses_on: Annotated[
        wire.WireDayOrNull, Field(description="The first day on which it can no longer be signed.")
    ]
    digest: Annotated[
        wire.Digest | None,
        Field(description="SHA-256 of the proposed text: what a signature is bound to."),
    ]
    proposed_at: wire.WireMomentOrNull
    active_at: wire.WireMomentOrNull
    learner_completed_at: wire.WireMomentOrNull
    coach_completed_at: wire.WireMomentOrNull
    over_at: wire.WireMomentOrNull
    signatures: Annotated[Json[list[SignatureOut]], wire.at_most(120)]
    text: Annotated[
        Json[dict[str, Any]],
        Field(
            description="The fields of the draft, the limit of confidentiality, the obligations. In two "
            "languages: `unreviewed` names what is our own Welsh, read by no translator yet."
        ),
    ]


class AgreementVersionOut(BaseModel):
    """One version: for who is asked to join by an amendment, and for who has left."""

    id: wire.WireId
    view: Literal["version"]
    number: wire.Number
    digest: Annotated[wire.Digest | None, Field(description="What a signature is bound to.")]
    signatures: Annotated[Json[list[SignatureOut]], wire.at_most(120)]
    text: Json[dict[str, Any]]


Shown = Annotated[
    AgreementOut | AgreementVersionOut | AgreementExistence, Field(discriminator="view")
]


AgreementChange = wire.changes_of(AgreementText, "LearningAgreementChange")


async def shown(owned: Owned[LearningAgreement]) -> Any:
    """The agreement after a write, as the caller sees it now."""
    return await owned.access.answer(AGREEMENTS, owned.entity.id)
