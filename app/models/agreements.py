"""Learning agreements: the row, its versions and signatures, and what the policy reads of them."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now, today
from app.core.errors import Conflict
from app.core.search import Searched
from app.core.tables import Base, Id, Moment, Versioned, one_of, ticked_index
from app.models.agreement_text import AgreementText, canonical, said_in, text_of
from app.models.terms import (
    FormerParties,
    PartyRole,
    Reader,
    RecordKind,
    RecordReader,
    Ticked,
)


class AgreementState(StrEnum):
    """Where an agreement is in its life."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    DECLINED = "declined"
    ACTIVE = "active"
    COMPLETED = "completed"
    ENDED = "ended"


class VersionAct(StrEnum):
    """What made a version: everybody's agreement, or one party's protective act."""

    AGREEMENT = "agreement"
    AMENDMENT = "amendment"
    NARROWING = "narrowing"
    DEPARTURE = "departure"
    DETACHMENT = "detachment"


class VersionState(StrEnum):
    """Where one version of the text is in its life."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    LAPSED = "lapsed"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"


_MOVES: dict[AgreementState, tuple[AgreementState, ...]] = {
    AgreementState.DRAFT: (AgreementState.PROPOSED,),
    AgreementState.PROPOSED: (
        AgreementState.DRAFT,
        AgreementState.DECLINED,
        AgreementState.ACTIVE,
    ),
    AgreementState.ACTIVE: (AgreementState.COMPLETED, AgreementState.ENDED),
    AgreementState.DECLINED: (),
    AgreementState.COMPLETED: (),
    AgreementState.ENDED: (),
}


class LearningAgreement(Versioned, Base):
    """One agreement. `shown_number` is the version that readers get: the draft, then the one in force."""

    __tablename__ = "learning_agreements"

    created_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    state: Mapped[str] = mapped_column(String(20))
    shown_number: Mapped[int]
    home_organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.id"), type_=Id
    )
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    proposed_at: Mapped[datetime | None] = mapped_column(Moment)
    active_at: Mapped[datetime | None] = mapped_column(Moment)
    learner_completed_at: Mapped[datetime | None] = mapped_column(Moment)
    learner_completed_by: Mapped[UUID | None] = mapped_column(Id)
    coach_completed_at: Mapped[datetime | None] = mapped_column(Moment)
    coach_completed_by: Mapped[UUID | None] = mapped_column(Id)
    over_at: Mapped[datetime | None] = mapped_column(Moment)
    former_parties: Mapped[str] = mapped_column(String(20))
    # Whether newcomers at the edge of a named network read what has been shared with it.
    peripheral_members: Mapped[bool] = mapped_column(server_default=false())
    # The amendment that is on the table, and the first day on which it no longer is.
    amendment_number: Mapped[int | None]
    amendment_lapses_on: Mapped[date | None]
    # No learner is, or will be, at the home organisation. Set by the sweep, taken back whenever a
    # learner comes: what it hides from leaders and systems, the dates hide from them as well.
    learners_gone: Mapped[bool] = mapped_column(server_default=false(), default=False)
    # The ticks for the agreement itself, as the terms in force have them; false until it is active.
    existence_to_leaders: Mapped[bool]
    existence_to_systems: Mapped[bool]
    text_to_leaders: Mapped[bool]
    text_to_systems: Mapped[bool]
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("state", AgreementState), name="state"),
        CheckConstraint(one_of("former_parties", FormerParties), name="former_parties"),
        Index(None, "created_by", "id"),
        ticked_index(
            "ix_learning_agreements_leaders",
            "existence_to_leaders",
            "home_organisation_id",
            "id",
            unless="learners_gone",
        ),
        ticked_index(
            "ix_learning_agreements_systems",
            "existence_to_systems",
            "home_organisation_id",
            "id",
            unless="learners_gone",
        ),
        {"info": {"access": "owned:agreement"}},
    )

    def move(self, state: AgreementState) -> None:
        """Goes to `state`, or Conflict."""
        if state not in _MOVES[AgreementState(self.state)]:
            raise Conflict(f"The agreement is {self.state}; it cannot become {state}.")
        self.state = state
        self.touch()

    def complete(self, person_id: UUID, *, as_learner: bool, as_coach: bool) -> bool:
        """Notes that a learner or a coach holds it complete; two people make it so.

        Returns whether it is. Who is both counts as one side, the one that is missing.
        """
        if self.state != AgreementState.ACTIVE:
            raise Conflict(f"The agreement is {self.state}; only an active one can be completed.")
        if as_learner and not self.learner_completed_at and self.coach_completed_by != person_id:
            self.learner_completed_at, self.learner_completed_by = now(), person_id
        elif as_coach and not self.coach_completed_at and self.learner_completed_by != person_id:
            self.coach_completed_at, self.coach_completed_by = now(), person_id
        if self.learner_completed_at and self.coach_completed_at:
            self.move(AgreementState.COMPLETED)
        self.touch()
        return self.state == AgreementState.COMPLETED

    @property
    def on_the_table(self) -> int | None:
        """Number of the version that waits for signatures: a proposal, or an open amendment."""
        if self.state == AgreementState.PROPOSED:
            return self.shown_number
        lapses_on = self.amendment_lapses_on
        if self.state == AgreementState.ACTIVE and lapses_on is not None and lapses_on > today():
            return self.amendment_number
        return None

    def close_amendment(self) -> None:
        """Nothing is on the table any more."""
        self.amendment_number = self.amendment_lapses_on = None

    def enact(self, text: AgreementText, number: int, *, by_all: bool) -> None:
        """Takes the dates and the ticks of the text that now rules. What was closed by other means
        (app/access/joined.py) is opened again by a text that all sign, and not by an act of one hand."""
        self.shown_number = number
        self.close_amendment()
        self.touch()
        self.starts_on, self.ends_on = text.starts_on, text.ends_on
        self.home_organisation_id = text.home_organisation_id
        self.former_parties = text.disclosure.former_parties
        self.peripheral_members = text.disclosure.peripheral_members
        for kind in (RecordKind.EXISTENCE, RecordKind.TEXT):
            for reader in (Reader.LEADERS, Reader.SYSTEMS):
                name = f"{kind}_to_{reader}"
                open_now = by_all or getattr(self, name)
                setattr(self, name, open_now and reader in text.disclosure.ticks(kind))


class AgreementVersion(Searched, Base):
    """One version of the text; kept for ever once proposed."""

    __tablename__ = "learning_agreement_versions"

    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("learning_agreements.id", ondelete="CASCADE"),
        type_=Id,
        primary_key=True,
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    act: Mapped[str] = mapped_column(String(20), server_default=VersionAct.AGREEMENT)
    state: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Moment)
    proposed_at: Mapped[datetime | None] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint(one_of("act", VersionAct), name="act"),
        CheckConstraint(one_of("state", VersionState), name="state"),
        {"info": {"access": "follows:agreement"}},
    )

    @property
    def text(self) -> AgreementText:
        """The text as it can be worked with."""
        return text_of(self.content)

    @text.setter
    def text(self, value: AgreementText) -> None:
        self.content = canonical(value)

    def says(self) -> Iterable[str | None]:
        """The texts by whose words the agreement is found, for who reads this version."""
        return said_in(self.content)

    def settle(self, state: VersionState) -> None:
        """Notes what became of a proposal."""
        self.state = state
        self.settled_at = now()


class AgreementSignature(Base):
    """What one person was asked to sign, and what they answered."""

    __tablename__ = "learning_agreement_signatures"

    agreement_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id, primary_key=True)
    # False: a party to a version that another made alone, whose word was not needed.
    asked: Mapped[bool] = mapped_column(server_default=true())
    signed_at: Mapped[datetime | None] = mapped_column(Moment)
    declined_at: Mapped[datetime | None] = mapped_column(Moment)
    digest: Mapped[str | None] = mapped_column(String(64))
    obligations: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        ForeignKeyConstraint(
            ["agreement_id", "number"],
            [
                "learning_agreement_versions.agreement_id",
                "learning_agreement_versions.number",
            ],
            ondelete="CASCADE",
        ),
        Index(None, "person_id", "agreement_id"),
        {"info": {"access": "follows:agreement"}},
    )


class AgreementParty(Base):
    """A person in one role under the text in force; `until` is when they left."""

    __tablename__ = "learning_agreement_parties"

    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("learning_agreements.id", ondelete="CASCADE"),
        type_=Id,
        primary_key=True,
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id, primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    reader: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime | None] = mapped_column(Moment)
    # Whether a newcomer reads what was written before they joined; founders always do.
    earlier_records: Mapped[bool]
    # Of who has left: the last version that they were a party to, and what they keep reading.
    until_number: Mapped[int | None]
    keeps: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint(one_of("keeps", FormerParties), name="keeps"),
        CheckConstraint(one_of("role", PartyRole), name="role"),
        CheckConstraint(one_of("reader", Reader), name="reader"),
        Index(None, "person_id", "reader", "agreement_id"),
        {"info": {"access": "follows:agreement"}},
    )


class AgreementTerm(Ticked, Base):
    """The terms in force for one kind of record: who may be ticked."""

    __tablename__ = "learning_agreement_terms"

    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("learning_agreements.id", ondelete="CASCADE"),
        type_=Id,
        primary_key=True,
    )
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    to_networks: Mapped[bool]
    # The version that these terms are from: who holds the agreement sees when they are stale.
    number: Mapped[int] = mapped_column(server_default="1")

    __table_args__ = (
        CheckConstraint(one_of("kind", RecordKind), name="kind"),
        {"info": {"access": "follows:agreement"}},
    )


class AgreementNetwork(Base):
    """A network that the text in force names."""

    __tablename__ = "learning_agreement_networks"

    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("learning_agreements.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    network_id: Mapped[UUID] = mapped_column(
        ForeignKey("networks.id"), type_=Id, primary_key=True, index=True
    )

    __table_args__ = ({"info": {"access": "follows:agreement"}},)


def terms_of(agreement_id: UUID, text: AgreementText, number: int) -> list[AgreementTerm]:
    """The rows that hold the disclosure terms of a signed text."""
    rows = []
    for kind in RecordKind:
        ticks = text.disclosure.ticks(kind)
        term = AgreementTerm(agreement_id=agreement_id, kind=kind, number=number)
        term.tick(frozenset(r for r in RecordReader if Reader(r.value) in ticks))
        term.to_networks = Reader.NETWORKS in ticks
        rows.append(term)
    return rows
