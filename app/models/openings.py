"""Openings (break-glass): one agreement's records opened in an emergency, by two people, for minutes."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.errors import Conflict
from app.core.tables import Base, Id, Moment, Versioned

MOST_MINUTES = 60
HIDDEN_DAYS = 30
"""The parties are shown an opening at the latest this many days after it was asked for."""
LAPSES_AFTER = timedelta(hours=24)
"""What nobody has confirmed by then is asked for anew."""


class OpeningState(StrEnum):
    """Where an opening is in its life; only `open` opens anything."""

    ASKED = "asked"
    LAPSED = "lapsed"
    OPEN = "open"
    EXPIRED = "expired"
    CLOSED = "closed"


def state_of(
    asked_at: datetime, ends_at: datetime | None, closed_at: datetime | None
) -> OpeningState:
    """The state at this moment: it lapses and expires by the clock, without a write."""
    if closed_at is not None:
        return OpeningState.CLOSED
    if ends_at is not None:
        return OpeningState.OPEN if now() < ends_at else OpeningState.EXPIRED
    return OpeningState.ASKED if now() < asked_at + LAPSES_AFTER else OpeningState.LAPSED


class Opening(Versioned, Base):
    """Asked for by one person; from another's confirmation on open until `ends_at`."""

    __tablename__ = "openings"

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("learning_agreements.id"), type_=Id)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    reason: Mapped[str] = mapped_column(Text)
    minutes: Mapped[int]
    # The first day on which the parties see it.
    shown_on: Mapped[date]
    hidden_because: Mapped[str | None] = mapped_column(Text)
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), type_=Id)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), type_=Id)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(f"minutes BETWEEN 1 AND {MOST_MINUTES}", name="minutes"),
        # Whatever the program does: one person alone opens nothing.
        CheckConstraint("confirmed_by <> asked_by", name="two_people"),
        CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)"
            " AND (confirmed_by IS NULL) = (ends_at IS NULL)",
            name="confirmed",
        ),
        Index(None, "agreement_id", "id"),
        Index(None, "asked_by", "id"),
        Index(None, "confirmed_by", "id"),
        {"info": {"access": "owned:opening"}},
    )

    @property
    def state(self) -> OpeningState:
        """Where it is now."""
        return state_of(self.created_at, self.ends_at, self.closed_at)

    def confirm(self, person_id: UUID) -> None:
        """Opens it for its minutes, or Conflict."""
        if self.state is not OpeningState.ASKED:
            raise Conflict(f"The opening is {self.state}; only one that is asked for is confirmed.")
        moment = now()
        self.confirmed_by, self.confirmed_at = person_id, moment
        self.ends_at = moment + timedelta(minutes=self.minutes)
        self.touch()

    def close(self, person_id: UUID) -> None:
        """Closes it before its time, or takes back what nobody has confirmed; Conflict when over."""
        if self.state not in (OpeningState.ASKED, OpeningState.OPEN):
            raise Conflict(f"The opening is {self.state} already.")
        self.closed_by, self.closed_at = person_id, now()
        self.touch()


class OpeningReceipt(Base):
    """One reader read one record under one opening on one day.

    A table beside `receipts`: it is shown when its opening is, and ordinary reads know nothing of it.
    """

    __tablename__ = "opening_receipts"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    client_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    opening_id: Mapped[UUID] = mapped_column(ForeignKey("openings.id"), type_=Id, primary_key=True)

    __table_args__ = (Index(None, "opening_id"), {"info": {"access": "mechanism"}})
