"""Shares: a record shown to a named person until a date, or to a network; and what the former keep."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment, Versioned, one_of
from app.models.terms import Ticked


class SharedKind(StrEnum):
    """A kind of record that can be shared, as resources name it."""

    GOAL = "goal"
    EVIDENCE_ITEM = "evidence_item"


class Share(Versioned, Base):
    """One record shown to one person or one network up to, not on, `ends_on`."""

    __tablename__ = "shares"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    kind: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID] = mapped_column(Id)
    agreement_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("learning_agreements.id"), type_=Id
    )
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), type_=Id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"), type_=Id)
    # A goal together with the evidence of the same owner that is linked to it.
    with_evidence: Mapped[bool]
    # Whether the terms welcomed newcomers at the network's edge when it was shared.
    to_peripheral: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(1000))
    ends_on: Mapped[date | None]
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("kind", SharedKind), name="kind"),
        CheckConstraint("(person_id IS NULL) <> (network_id IS NULL)", name="whom"),
        Index(None, "person_id", "kind", "record_id", unique=True),
        Index(None, "network_id", "kind", "record_id", unique=True),
        Index(None, "kind", "record_id"),
        Index(None, "owner_id", "id"),
        Index(None, "agreement_id", "id"),
        Index(None, "ends_on"),
        {"info": {"access": "owned:share"}},
    )


class KeptRecord(Ticked, Base):
    """A record as it stood when somebody left whose agreement lets them keep `own` or `their_time`.

    The ticks are the classes of reader that they belonged to; they read it as long as the record
    itself ticks one of these.
    """

    __tablename__ = "kept_records"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("learning_agreements.id", ondelete="CASCADE"), type_=Id, index=True
    )
    # They typed it for its learner: what they wrote they keep, whatever the ticks.
    typed: Mapped[bool]
    kept_at: Mapped[datetime] = mapped_column(Moment)
    shown: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The words of what it said then, as the record had them.
    folded: Mapped[str] = mapped_column(Text, server_default="")

    __table_args__ = (
        Index(None, "kind", "record_id"),
        {"info": {"access": "follows:goal"}},
    )
