"""What learning agreements look like on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, Json
from typing_extensions import TypeAliasType

from app.access.agreements import AGREEMENTS
from app.access.gates import Owned
from app.core import wire
from app.models.agreement_text import OBLIGATIONS, AgreementText
from app.models.agreements import AgreementState, LearningAgreement
from app.models.terms import PartyRole

Obligation = TypeAliasType("Obligation", Literal[OBLIGATIONS])  # type: ignore[valid-type]
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


class AgreementTextOut(AgreementText):
    """What was drafted, with what is the same in every agreement. The Welsh only where there is any."""

    model_config = ConfigDict(extra="ignore")

    confidentiality_limit: Annotated[
        wire.Text, Field(description="The one limit of what is confidential.")
    ]
    confidentiality_limit_cy: wire.Text | MISSING = MISSING
    obligations: Annotated[
        list[Obligation], wire.at_most(len(OBLIGATIONS)), Field(description="Of every coach.")
    ]
    unreviewed: Annotated[
        list[wire.Word] | MISSING,
        Field(max_length=20, description="What is our own Welsh, read by no translator yet."),
    ] = MISSING


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
        wire.like(AgreementTextOut),
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
    text: Annotated[Json[dict[str, Any]], wire.like(AgreementTextOut)]


Shown = Annotated[
    AgreementOut | AgreementVersionOut | AgreementExistence, Field(discriminator="view")
]


AgreementChange = wire.changes_of(AgreementText, "AgreementChange")


async def shown(owned: Owned[LearningAgreement]) -> Any:
    """The agreement after a write, as the caller sees it now."""
    return await owned.access.answer(AGREEMENTS, owned.entity.id)
