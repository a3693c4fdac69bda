"""What every owned record has: its owner, its agreement, its ticks, and what it says of pupils."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.clock import now, today
from app.core.errors import Conflict, Invalid
from app.core.tables import Id, Moment, Versioned, one_of, ticked_index
from app.models.pupils import Consent, PupilsShown
from app.models.terms import PARTY_READERS, Reader, RecordReader, Ticked

OUTSIDE = frozenset((RecordReader.LEADERS, RecordReader.SYSTEMS))
"""Readers outside the parties; without consent they read no pupils."""


class Record(Ticked, Versioned):
    """A record of one owner, under an agreement or on their own plan."""

    # The agreement's home organisation, kept on the record for the indexes of leaders and systems.
    home_organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.id"), type_=Id
    )
    # As on the agreement: leaders and systems pass over what they could not see in any case.
    learners_gone: Mapped[bool] = mapped_column(server_default=false(), default=False)
    agreement_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("learning_agreements.id"), type_=Id
    )
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"), type_=Id)
    shows_pupils: Mapped[str] = mapped_column(
        String(10), server_default=PupilsShown.UNKNOWN.value, default=PupilsShown.UNKNOWN.value
    )
    pupil_basis: Mapped[str | None] = mapped_column(String(300))
    pupil_consent: Mapped[str | None] = mapped_column(String(10))
    delete_by: Mapped[date | None]
    erased_at: Mapped[datetime | None] = mapped_column(Moment)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> Any:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            CheckConstraint(one_of("shows_pupils", PupilsShown), name="shows_pupils"),
            CheckConstraint(one_of("pupil_consent", Consent), name="pupil_consent"),
            Index(None, "owner_id", "id"),
            Index(None, "agreement_id"),
            Index(None, "delete_by"),
            # One index for each class of reader, of the rows that are ticked for it: a page never
            # walks over rows that its reader may not see.
            *(
                ticked_index(f"ix_{name}_{r}", f"to_{r}", "agreement_id", "id")
                for r in PARTY_READERS
            ),
            # With the agreement, whose learners must be at home, and its date: the branch needs no
            # more than the index.
            *(
                ticked_index(
                    f"ix_{name}_{r}",
                    f"to_{r}",
                    "home_organisation_id",
                    "id",
                    "agreement_id",
                    "delete_by",
                    unless="learners_gone",
                )
                for r in (Reader.LEADERS, Reader.SYSTEMS)
            ),
            *cls.more_table_args(),
        )

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """What the table of a kind has beside."""
        return ()

    @property
    def shareable_with_networks(self) -> bool:
        """Whether no pupil is shown, or those who decide for them have consented."""
        return self.shows_pupils == PupilsShown.NO or self.pupil_consent == Consent.GIVEN

    def say_of_pupils(self, values: dict[str, Any]) -> set[str]:
        """Takes the fields of SaidOfPupils that `values` holds; returns the names of those changed.

        Invalid when pupils are shown without a basis or a date. Withdrawn consent takes the readers
        outside the parties away.
        """
        names = ("shows_pupils", "pupil_basis", "pupil_consent", "delete_by")
        changed = {n for n in names if n in values and getattr(self, n) != values[n]}
        for name in changed:
            setattr(self, name, values[name])
        if "delete_by" in changed and self.delete_by is not None and self.delete_by <= today():
            raise Invalid.field("/delete_by", "must be a day to come; to erase it now, delete it")
        if self.shows_pupils == PupilsShown.YES:
            if not self.pupil_basis and self.pupil_consent is None:
                raise Invalid.field(
                    "/pupil_basis", "is needed (or pupil_consent): pupils are shown"
                )
            if self.delete_by is None:
                raise Invalid.field("/delete_by", "is needed: pupils are shown")
        if self.pupil_consent == Consent.WITHDRAWN:
            self.tick(self.readers - OUTSIDE)
        return changed

    def check_outside(self, readers: frozenset[RecordReader]) -> None:
        """Conflict when a reader outside the parties is among `readers` and consent was withdrawn."""
        if self.pupil_consent == Consent.WITHDRAWN and readers & OUTSIDE:
            raise Conflict("Consent was withdrawn: leaders and systems cannot be ticked.")

    @property
    def due(self) -> bool:
        """Whether the day has come on which its text is erased."""
        return self.erased_at is not None or (
            self.delete_by is not None and self.delete_by <= today()
        )

    def check_not_erased(self) -> None:
        """Conflict once the text is erased: then it can only be deleted."""
        if self.due:
            raise Conflict("Its text was erased at its date; it can only be deleted.")

    def erase(self) -> None:
        """Blanks what it says; that it was there, whose it was and when stays."""
        self.erased_at = now()
        self.pupil_basis = None
        self.touch()
