"""Evidence items (principles 1 and 9): what was captured, what it shows, what else could explain it."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.search import Searched
from app.core.tables import Base, Id, Moment, one_of
from app.models.records import Record


class EvidenceKind(StrEnum):
    """What sort of thing the evidence is."""

    OBSERVATION = "observation"
    VIDEO = "video"
    PUPIL_VOICE = "pupil_voice"
    PUPIL_WORK = "pupil_work"
    ASSESSMENT_DATA = "assessment_data"
    LESSON_PLAN = "lesson_plan"
    READING = "reading"
    FEEDBACK = "feedback"
    ATTITUDE_QUESTIONNAIRE = "attitude_questionnaire"
    SESSION_EVALUATION = "session_evaluation"
    REFLECTION = "reflection"
    ARTEFACT = "artefact"
    OTHER = "other"


class EvidenceItem(Searched, Record, Base):
    """One piece of evidence of one learner."""

    __tablename__ = "evidence_items"
    resource_kind = "evidence_item"

    kind: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str | None] = mapped_column(Text)
    captured_on: Mapped[date | None]
    context: Mapped[str | None] = mapped_column(Text)
    whose_practice: Mapped[str | None] = mapped_column(String(300))
    what_it_shows: Mapped[str | None] = mapped_column(Text)
    other_explanations: Mapped[str | None] = mapped_column(Text)
    # Codes and ids as the wire shows them; evidence_framework_items holds the same for filters.
    principles: Mapped[list[str]] = mapped_column(JSON)
    framework_items: Mapped[list[str]] = mapped_column(JSON)
    # Where it was captured: what shows children stays there when the learner moves on.
    controller_organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.id"), type_=Id
    )

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """Constraints and indexes of this kind alone."""
        return (
            CheckConstraint(one_of("kind", EvidenceKind), name="kind"),
            {"info": {"access": "owned:evidence_item"}},
        )

    def says(self) -> Iterable[str | None]:
        """The texts by whose words an item is found, the names of its files beside."""
        return (
            self.title,
            self.description,
            self.context,
            self.whose_practice,
            self.what_it_shows,
            self.other_explanations,
        )

    def erase(self) -> None:
        """Blanks what the item says; its kind and its date stay."""
        self.title = ""
        self.description = self.context = self.whose_practice = None
        self.what_it_shows = self.other_explanations = None
        super().erase()


class EvidenceGoal(Base):
    """A link to a goal; it grants nothing and is shown only to who sees both ends."""

    __tablename__ = "evidence_goals"

    goal_id: Mapped[UUID] = mapped_column(
        ForeignKey("goals.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    evidence_item_id: Mapped[UUID] = mapped_column(
        ForeignKey("evidence_items.id", ondelete="CASCADE"),
        type_=Id,
        primary_key=True,
        index=True,
    )

    __table_args__ = ({"info": {"access": "follows:evidence_item"}},)


class EvidenceFrameworkItem(Base):
    """A link to an item of a framework, principles and practices among them."""

    __tablename__ = "evidence_framework_items"

    evidence_item_id: Mapped[UUID] = mapped_column(
        ForeignKey("evidence_items.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    item_id: Mapped[UUID] = mapped_column(
        ForeignKey("framework_items.id"), type_=Id, primary_key=True, index=True
    )

    __table_args__ = ({"info": {"access": "follows:evidence_item"}},)


class EvidenceFile(Searched, Base):
    """A file of an evidence item; its bytes are in the store under `key`."""

    __tablename__ = "evidence_files"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    evidence_item_id: Mapped[UUID] = mapped_column(
        ForeignKey("evidence_items.id", ondelete="CASCADE"), type_=Id, index=True
    )
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[UUID] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(100), unique=True)

    __table_args__ = ({"info": {"access": "follows:evidence_item"}},)

    def says(self) -> Iterable[str | None]:
        """The texts by whose words the item of a file is found."""
        return (self.name,)
