"""What evidence items and their files look like on the wire."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import MISSING, BaseModel, Field, Json, RootModel

from app.access.shapes import ReaderName, Readers, RecordOut, RecordQuery
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.text import Line, Prose
from app.models.evidence import EvidenceKind
from app.models.pupils import Consent, PupilsShown, SaidOfPupils

PrincipleCode = Annotated[str, Field(max_length=3, pattern=r"^A?[0-9]{1,2}$", examples=["3", "A1"])]
Principles = Annotated[list[PrincipleCode], Field(max_length=12)]
FrameworkItems = Annotated[list[UUID], Field(max_length=50)]
GoalIds = Annotated[
    list[UUID], Field(max_length=50, description="Goals of yours that it is evidence for.")
]

KindName = Annotated[Any, wire.member_of(EvidenceKind)]
Controller = Annotated[
    wire.WireIdOrNull,
    Field(description="Where it was captured: what may show pupils stays there."),
]


class EvidenceFileOut(BaseModel):
    """A file of an evidence item; its bytes are at `content` below it."""

    id: wire.WireId
    name: wire.Name
    media_type: wire.Word
    size: Annotated[wire.Count, Field(description="In bytes, as it is stored.")]
    sha256: Annotated[wire.Digest, Field(description="Hexadecimal, of the file as it is stored.")]
    created_at: wire.WireMoment


class EvidenceWhole(RecordOut):
    """An evidence item; `kept`: as it stood when the reader left its agreement."""

    view: Literal["full", "kept"]
    kind: KindName
    title: wire.Name
    description: Annotated[wire.Text | None, Field(description="What it is.")]
    captured_on: wire.WireDayOrNull
    context: Annotated[wire.Text | None, Field(description="In what context it was captured.")]
    whose_practice: wire.Name | None
    what_it_shows: wire.Text | None
    other_explanations: Annotated[
        wire.Text | None, Field(description="What else could explain it.")
    ]
    principles: Annotated[
        Json[list[wire.Word]], wire.at_most(12), Field(description="Codes of coaching principles.")
    ]
    framework_items: Annotated[
        Json[list[wire.WireId]], wire.at_most(50), Field(description="Ids of framework items.")
    ]
    goal_ids: Annotated[
        Json[list[wire.WireId]],
        wire.at_most(50),
        Field(description="Those of its goals that you may read too."),
    ]
    files: Annotated[Json[list[EvidenceFileOut]], wire.at_most(20)]
    controller_organisation_id: Controller


class EvidenceWithheld(BaseModel):
    """What an owner sees of an item that may show pupils, once they are no longer where it was
    captured: they may take its readers away, and delete it."""

    view: Literal["withheld"]
    id: wire.WireId
    created_at: wire.WireMoment
    owner_id: wire.WireId
    agreement_id: wire.WireIdOrNull
    kind: KindName
    captured_on: wire.WireDayOrNull
    controller_organisation_id: Controller
    delete_by: wire.WireDayOrNull
    readers: Annotated[
        list[ReaderName], wire.at_most(5), Field(description="Who may read it beside its owner.")
    ]


class EvidenceOut(
    RootModel[Annotated[EvidenceWhole | EvidenceWithheld, Field(discriminator="view")]]
):
    """An evidence item of one learner, as much of it as the reader may see."""


class EvidenceContent(wire.Shape):
    """What an item says, and what it is linked to."""

    kind: EvidenceKind
    title: Line
    description: Prose | None = None
    captured_on: wire.Day | None = None
    context: Prose | None = None
    whose_practice: Line | None = None
    what_it_shows: Prose | None = None
    other_explanations: Prose | None = None
    principles: Principles = []
    framework_items: FrameworkItems = []


class EvidenceNew(EvidenceContent, SaidOfPupils):
    """Evidence to be recorded. Its files are sent when it is there."""

    id: ClientMadeId | None = None
    agreement_id: UUID | None = None
    controller_organisation_id: Annotated[
        UUID | None,
        Field(
            description="Where it was captured: the agreement's home organisation or one where you "
            "are today. Left out: that home, else where you are, if it is one place."
        ),
    ] = None
    goal_ids: GoalIds = []
    readers: Annotated[
        Readers | None,
        Field(description="Whom to tick; left out: everyone whom the agreement's terms tick."),
    ] = None


class EvidenceChange(wire.Shape):
    """What to change (JSON Merge Patch)."""

    kind: EvidenceKind | MISSING = MISSING
    title: Line | MISSING = MISSING
    description: Prose | MISSING | None = MISSING
    captured_on: wire.Day | MISSING | None = MISSING
    context: Prose | MISSING | None = MISSING
    whose_practice: Line | MISSING | None = MISSING
    what_it_shows: Prose | MISSING | None = MISSING
    other_explanations: Prose | MISSING | None = MISSING
    principles: Principles | MISSING = MISSING
    framework_items: FrameworkItems | MISSING = MISSING
    goal_ids: GoalIds | MISSING = MISSING
    shows_pupils: PupilsShown | MISSING = MISSING
    pupil_basis: Line | MISSING | None = MISSING
    pupil_consent: Consent | MISSING | None = MISSING
    delete_by: wire.Day | MISSING | None = MISSING
    readers: Readers | MISSING = MISSING


class EvidenceQuery(RecordQuery):
    """Filters of the list."""

    kind: Annotated[EvidenceKind | None, Field(description="Of this kind.")] = None
    framework_item: Annotated[
        UUID | None, Field(description="Linked to this item, a principle or practice among them.")
    ] = None
    goal_id: Annotated[
        UUID | None, Field(description="Linked to this goal, as far as you may read the goal.")
    ] = None
