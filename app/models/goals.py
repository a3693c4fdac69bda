"""Goals (principle 6): negotiated, revised without losing the old wording, free to go back."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.errors import Conflict
from app.core.search import Searched
from app.core.tables import Base, Id, Moment, one_of
from app.models.records import Record


class GoalState(StrEnum):
    """Where a goal is; it may go back."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"
    IN_PROGRESS = "in_progress"
    ACHIEVED = "achieved"
    PARTLY_ACHIEVED = "partly_achieved"
    SET_ASIDE = "set_aside"


class Stage(StrEnum):
    """The learner's stage with this goal (Dreyfus)."""

    NOVICE = "novice"
    ADVANCED_BEGINNER = "advanced_beginner"
    COMPETENT = "competent"
    PROFICIENT = "proficient"
    EXPERT = "expert"


_RANK = {
    GoalState.DRAFT: 0,
    GoalState.PROPOSED: 1,
    GoalState.AGREED: 2,
    GoalState.IN_PROGRESS: 3,
    GoalState.ACHIEVED: 4,
    GoalState.PARTLY_ACHIEVED: 4,
    GoalState.SET_ASIDE: 4,
}

WORDING = (
    "statement",
    "baseline",
    "stage",
    "pupil_gain",
    "success_indicators",
    "development_plan_priorities",
    "personal_priority",
    "principles",
    "framework_items",
    "target_date",
)
"""The fields whose old values a revision keeps."""


class Goal(Searched, Record, Base):
    """One goal of one learner, under an agreement or on their own plan."""

    __tablename__ = "goals"
    resource_kind = "goal"

    state: Mapped[str] = mapped_column(String(20))
    wording_number: Mapped[int]
    statement: Mapped[str] = mapped_column(Text)
    baseline: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(String(20))
    pupil_gain: Mapped[str | None] = mapped_column(Text)
    success_indicators: Mapped[list[str]] = mapped_column(JSON)
    development_plan_priorities: Mapped[list[str]] = mapped_column(JSON)
    personal_priority: Mapped[str | None] = mapped_column(Text)
    # Codes and ids as the wire shows them; goal_framework_items holds the same for filters.
    principles: Mapped[list[str]] = mapped_column(JSON)
    framework_items: Mapped[list[str]] = mapped_column(JSON)
    target_date: Mapped[date | None]
    learner_accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    coach_accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    coach_accepted_by: Mapped[UUID | None] = mapped_column(Id)

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """Constraints and indexes of this kind alone."""
        return (
            CheckConstraint(one_of("state", GoalState), name="state"),
            CheckConstraint(one_of("stage", Stage), name="stage"),
            Index(
                "ix_goals_created_by_id",
                "created_by",
                "id",
                sqlite_where=text("created_by <> owner_id AND wording_number = 1"),
                postgresql_where=text("created_by <> owner_id AND wording_number = 1"),
            ),
            {"info": {"access": "owned:goal"}},
        )

    def says(self) -> Iterable[str | None]:
        """The texts by whose words a goal is found: its wording."""
        return (
            self.statement,
            self.baseline,
            self.pupil_gain,
            *self.success_indicators,
            *self.development_plan_priorities,
            self.personal_priority,
        )

    def erase(self) -> None:
        """Blanks what the goal says."""
        self.statement = ""
        self.baseline = self.pupil_gain = self.personal_priority = None
        self.success_indicators = []
        self.development_plan_priorities = []
        super().erase()

    def wording(self) -> dict[str, Any]:
        """The fields that a revision keeps, as plain JSON values."""
        values = {name: getattr(self, name) for name in WORDING}
        day = values["target_date"]
        return {**values, "target_date": day.isoformat() if day else None}

    def reword(self, changes: dict[str, Any]) -> set[str]:
        """Changes the wording; what was agreed of the old wording is open again.

        Returns the names of the fields that did change.
        """
        changed = {name for name, value in changes.items() if getattr(self, name) != value}
        for name in changed:
            setattr(self, name, changes[name])
        if changed:
            self.wording_number += 1
            self._reopen()
        return changed

    def _reopen(self) -> None:
        self.learner_accepted_at = self.coach_accepted_at = self.coach_accepted_by = None
        if _RANK[GoalState(self.state)] > 1 and self.state != GoalState.SET_ASIDE:
            self.state = GoalState.PROPOSED

    def accept(self, person_id: UUID, *, as_learner: bool, as_coach: bool) -> None:
        """Notes that the learner or a coach accepts the wording; both make it agreed."""
        if self.state != GoalState.PROPOSED:
            raise Conflict(f"The goal is {self.state}; only a proposed goal can be accepted.")
        moment = now()
        if as_learner:
            self.learner_accepted_at = self.learner_accepted_at or moment
        if as_coach:
            self.coach_accepted_at = self.coach_accepted_at or moment
            self.coach_accepted_by = self.coach_accepted_by or person_id
        if self.learner_accepted_at and (self.coach_accepted_at or self.agreement_id is None):
            self.state = GoalState.AGREED

    def move(self, state: GoalState) -> None:
        """Goes to `state`: back freely, forward only on a wording that has been agreed."""
        here = GoalState(self.state)
        if state is GoalState.AGREED and _RANK[here] <= 2:
            raise Conflict("A goal becomes agreed when the learner and a coach accept its wording.")
        agreed = (_RANK[here] >= 2 and here is not GoalState.SET_ASIDE) or self._was_agreed()
        if _RANK[state] > 2 and state is not GoalState.SET_ASIDE and not agreed:
            raise Conflict(f"The goal's wording has not been agreed; it cannot become {state}.")
        if state is GoalState.AGREED and not self._was_agreed():
            raise Conflict("The goal's wording has not been agreed.")
        if _RANK[state] < 2:
            self.learner_accepted_at = self.coach_accepted_at = self.coach_accepted_by = None
        self.state = state

    def _was_agreed(self) -> bool:
        return self.learner_accepted_at is not None and (
            self.agreement_id is None or self.coach_accepted_at is not None
        )


class GoalRevision(Base):
    """A wording that was replaced."""

    __tablename__ = "goal_revisions"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goals.id", ondelete="CASCADE"), type_=Id)
    number: Mapped[int]
    wording: Mapped[dict[str, Any]] = mapped_column(JSON)
    replaced_at: Mapped[datetime] = mapped_column(Moment)
    replaced_by: Mapped[UUID] = mapped_column(Id)

    __table_args__ = (
        Index(None, "goal_id", "number", unique=True),
        {"info": {"access": "follows:goal"}},
    )


class GoalProgress(Base):
    """One entry of a goal's history: what happened, and the move that came with it."""

    __tablename__ = "goal_progress"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goals.id", ondelete="CASCADE"), type_=Id)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[UUID] = mapped_column(Id)
    note: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str] = mapped_column(String(20))
    to_state: Mapped[str] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint(one_of("from_state", GoalState), name="from_state"),
        CheckConstraint(one_of("to_state", GoalState), name="to_state"),
        Index(None, "goal_id", "id"),
        {"info": {"access": "follows:goal"}},
    )


class GoalFrameworkItem(Base):
    """A goal's link to an item of a framework, principles among them."""

    __tablename__ = "goal_framework_items"

    goal_id: Mapped[UUID] = mapped_column(
        ForeignKey("goals.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    item_id: Mapped[UUID] = mapped_column(
        ForeignKey("framework_items.id"), type_=Id, primary_key=True, index=True
    )

    __table_args__ = ({"info": {"access": "follows:goal"}},)
