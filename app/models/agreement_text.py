"""What the parties of a learning agreement sign: its text, and the digest that binds a signature."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from app.core.text import Line, Prose
from app.core.wire import WHOLE, Day
from app.models.bilingual import (
    FIXED_CY,
    InWelsh,
    WelshProse,
    problems_in_welsh,
    said_in_welsh,
    without_absent_welsh,
)
from app.models.terms import (
    DEFAULT_TERMS,
    PARTY_READERS,
    READER_OF_ROLE,
    FormerParties,
    PartyRole,
    Reader,
    RecordKind,
)

CONFIDENTIALITY_LIMIT = (
    "What is said and written under this agreement is confidential to those it names. There is one "
    "limit: a concern that a child or an adult may be at risk goes at once to the safeguarding lead "
    "of the organisation, outside this service, which does not record the concern."
)
"""The same in every agreement; it is part of the text that is signed."""

OBLIGATIONS = (
    "beneficence",
    "nonmaleficence",
    "autonomy",
    "confidentiality",
    "fairness",
    "loyalty",
    "concern",
)
"""The seven obligations of a mentor (Moberg and Velasquez 2004), acknowledged by every coach."""

COACH_ROLES = (PartyRole.COACH, PartyRole.CO_COACH, PartyRole.MENTOR)


class CoachingModel(StrEnum):
    """The coaching model in use."""

    GROW = "GROW"
    CLEAR = "CLEAR"
    ACHIEVE = "ACHIEVE"
    FIVE_CS = "5Cs"
    INSTRUCTIONAL = "instructional"
    OTHER = "other"
    NONE = "none"


class DualRelation(StrEnum):
    """What a supporting party also is to a learner."""

    LEADS = "leads"
    LINE_MANAGES = "line_manages"
    ASSESSES = "assesses"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Party(_Part):
    """A person in one role; a person with two roles stands twice and signs once."""

    person_id: UUID
    role: PartyRole
    earlier_records: Annotated[
        StrictBool,
        Field(
            description="For who joins by an amendment: whether they read what was written before."
        ),
    ] = False


class DualRole(_Part):
    """A coach, mentor or tutor who also leads, line-manages or assesses a learner, said openly."""

    person_id: UUID
    learner_id: UUID
    relation: DualRelation
    safeguards: Annotated[Prose, Field(description="How the learner is protected from it.")]
    safeguards_cy: WelshProse = None


class Rhythm(_Part):
    """How often the parties talk, and for how long."""

    every_weeks: Annotated[int, Field(strict=True, ge=1, le=52), WHOLE]
    minutes: Annotated[int, Field(strict=True, ge=5, le=480), WHOLE]
    minimum_conversations: Annotated[int, Field(strict=True, ge=1, le=200), WHOLE]


class Supporter(_Part):
    """Someone in the school's leadership who supports the agreement."""

    name: Line
    support: Annotated[Prose, Field(description="What they provide, time above all.")]
    support_cy: WelshProse = None


Ticks = Annotated[list[Reader], Field(max_length=len(Reader))]


class Disclosure(_Part):
    """For each kind of record, which classes of reader are ticked."""

    existence: Ticks = list(DEFAULT_TERMS[RecordKind.EXISTENCE])
    text: Ticks = list(DEFAULT_TERMS[RecordKind.TEXT])
    goals: Ticks = list(DEFAULT_TERMS[RecordKind.GOALS])
    conversations: Ticks = list(DEFAULT_TERMS[RecordKind.CONVERSATIONS])
    experiments: Ticks = list(DEFAULT_TERMS[RecordKind.EXPERIMENTS])
    evidence: Ticks = list(DEFAULT_TERMS[RecordKind.EVIDENCE])
    reflections: Ticks = list(DEFAULT_TERMS[RecordKind.REFLECTIONS])
    counts_in_statistics: Annotated[
        StrictBool, Field(description="Whether records are counted.")
    ] = False
    former_parties: Annotated[
        FormerParties, Field(description="What someone who has left keeps reading.")
    ] = FormerParties.OWN
    peripheral_members: Annotated[
        StrictBool,
        Field(description="Whether newcomers at the edge of a network read what it reads."),
    ] = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for kind in RecordKind:
            ticks = getattr(self, kind)
            setattr(self, kind, [reader for reader in Reader if reader in ticks])
        for kind in (RecordKind.EXISTENCE, RecordKind.TEXT):
            if Reader.NETWORKS in getattr(self, kind):
                raise ValueError(
                    f"{kind}: a network reads what is shared with it, and an agreement is not; "
                    "untick networks"
                )
            if not set(PARTY_READERS) <= set(getattr(self, kind)):
                raise ValueError(
                    f"{kind}: the parties always read what they sign; tick coaches, fellows and advisers"
                )
        if beyond := set(self.text) - set(self.existence):
            raise ValueError(
                f"text: whoever reads the text knows that it exists; tick {', '.join(sorted(beyond))} "
                "for existence too"
            )
        return self

    def ticks(self, kind: RecordKind) -> frozenset[Reader]:
        """The classes of reader ticked for `kind`."""
        return frozenset(getattr(self, kind))


class AgreementText(InWelsh, _Part):
    """The contents of a learning agreement. A draft may be incomplete; a proposal may not."""

    parties: Annotated[list[Party], Field(max_length=60)] = []
    home_organisation_id: UUID | None = None
    networks: Annotated[
        list[UUID],
        Field(max_length=20, description="Networks with which records may be shared."),
    ] = []
    purpose: Prose | None = None
    beneficiaries: Annotated[Prose | None, Field(description="For whom it is.")] = None
    working_definition: Annotated[
        Prose | None,
        Field(description="The definition of coaching or mentoring that the parties use."),
    ] = None
    performance_management_boundary: Prose | None = None
    professional_standards: Annotated[
        Prose | None,
        Field(description="The professional standards that it connects to."),
    ] = None
    development_plan: Annotated[
        Prose | None,
        Field(description="The school development plan that it connects to."),
    ] = None
    ground_rules: Annotated[
        list[Prose],
        Field(
            max_length=40,
            description="Rules that deal with imbalances of power and accountability.",
        ),
    ] = []
    disclosure: Disclosure = Disclosure()
    data_controller: Line | None = None
    lawful_basis: Line | None = None
    retention: Annotated[Line | None, Field(description="How long the records are kept.")] = None
    records_afterwards: Annotated[
        Prose | None, Field(description="What happens to the records when it is over.")
    ] = None
    rhythm: Rhythm | None = None
    coaching_model: CoachingModel | None = None
    coaching_model_reason: Prose | None = None
    supporters: Annotated[list[Supporter], Field(max_length=20)] = []
    adverse_effects: Annotated[Prose | None, Field(description="Adverse effects considered.")] = (
        None
    )
    dual_roles: Annotated[list[DualRole], Field(max_length=60)] = []
    starts_on: Day | None = None
    review_on: Annotated[list[Day], Field(max_length=60)] = []
    ends_on: Day | None = None

    def people(self, *roles: PartyRole) -> list[UUID]:
        """Each person who is a party (in one of `roles`, when given) once, in order."""
        return list(
            dict.fromkeys(p.person_id for p in self.parties if not roles or p.role in roles)
        )

    def readers_of(self, person_id: UUID) -> frozenset[Reader]:
        """The classes of reader that a party belongs to."""
        return frozenset(READER_OF_ROLE[p.role] for p in self.parties if p.person_id == person_id)

    def problems(self, *, without_coach: bool = False) -> list[dict[str, str]]:
        """What keeps the text from being proposed, each place with what to do.

        `without_coach`: somebody leaves, and nobody takes their place yet.
        """
        found = problems_in_welsh(self.model_dump(mode="json"))

        def say(pointer: str, detail: str) -> None:
            found.append({"pointer": pointer, "detail": detail})

        for name in _NEEDED:
            if not getattr(self, name):
                say(f"/{name}", "is needed before the agreement is proposed")
        learners, coaches = self.people(PartyRole.LEARNER), self.people(*COACH_ROLES)
        if not learners:
            say("/parties", "a learner is needed")
        if not coaches and not without_coach:
            say("/parties", "a coach, co-coach or mentor is needed")
        alone = any(not set(coaches) - {learner} for learner in learners)
        if alone and coaches and not without_coach:
            say("/parties", "each learner needs a coach other than themself")
        if len({(p.person_id, p.role) for p in self.parties}) != len(self.parties):
            say("/parties", "names a person twice in the same role")
        if len(set(self.networks)) != len(self.networks):
            say("/networks", "names a network twice")
        if len(self.people()) < 2 and not without_coach:
            say("/parties", "an agreement is between at least two people")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            say("/ends_on", "must not be before starts_on")
        for index, day in enumerate(self.review_on):
            if (self.starts_on and day < self.starts_on) or (self.ends_on and day > self.ends_on):
                say(f"/review_on/{index}", "must lie between starts_on and ends_on")
        supporting = {p.person_id for p in self.parties if p.role is not PartyRole.LEARNER}
        for index, dual in enumerate(self.dual_roles):
            if dual.person_id not in supporting:
                say(
                    f"/dual_roles/{index}/person_id",
                    "must be a supporting party of the agreement",
                )
            if dual.learner_id not in learners:
                say(
                    f"/dual_roles/{index}/learner_id",
                    "must be a learner of the agreement",
                )
        return found


_NEEDED = (
    "purpose",
    "beneficiaries",
    "working_definition",
    "performance_management_boundary",
    "ground_rules",
    "data_controller",
    "lawful_basis",
    "retention",
    "records_afterwards",
    "rhythm",
    "coaching_model",
    "starts_on",
)


def canonical(text: AgreementText) -> dict[str, Any]:
    """The text as plain JSON values, with what is the same in every agreement.

    Every field is present; those in Welsh only where the agreement is in two languages.
    """
    content = without_absent_welsh(text.model_dump(mode="json"))
    return {
        **content,
        "confidentiality_limit": CONFIDENTIALITY_LIMIT,
        "obligations": list(OBLIGATIONS),
        **(FIXED_CY if said_in_welsh(content) else {}),
    }


def text_of(content: str | dict[str, Any]) -> AgreementText:
    """The text of a version's content, without what is the same in every agreement."""
    fields = json.loads(content) if isinstance(content, str) else content
    fixed = ("confidentiality_limit", "obligations", *FIXED_CY)
    return AgreementText.model_validate(
        {name: value for name, value in fields.items() if name not in fixed}
    )


_SAID = (
    "purpose",
    "beneficiaries",
    "working_definition",
    "performance_management_boundary",
    "professional_standards",
    "development_plan",
    "data_controller",
    "lawful_basis",
    "retention",
    "records_afterwards",
    "coaching_model_reason",
    "adverse_effects",
)


def said_in(content: dict[str, Any]) -> list[str | None]:
    """What the parties wrote in a version's content: its free texts, and who supports it."""
    return [
        *(content[name] for name in _SAID),
        *content["ground_rules"],
        *(dual["safeguards"] for dual in content["dual_roles"]),
        *(said for who in content["supporters"] for said in (who["name"], who["support"])),
        *said_in_welsh(content),
    ]


def digest_of(agreement_id: UUID, number: int, content: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, of one version of one agreement: what a signature is bound to.

    Input: JSON of {"agreement", "number", "text"} with sorted keys, no white space, in UTF-8.
    """
    document = {"agreement": str(agreement_id), "number": number, "text": content}
    encoded = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()
