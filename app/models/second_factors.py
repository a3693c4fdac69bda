"""Second factors: authenticator apps, and the codes for the day on which the telephone is lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment


class SecondFactor(Base):
    """An authenticator app of a person; it counts once a code has confirmed it."""

    __tablename__ = "second_factors"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    # What the person calls it, to tell two apart.
    name: Mapped[str | None] = mapped_column(String(100))
    # Sealed (app.core.sealing), bound to this row.
    secret: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    # The step of the last code that was taken: it and those before count no longer.
    last_step: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = ({"info": {"access": "account"}},)

    @property
    def about(self) -> str:
        """What its secret is bound to."""
        return f"second_factor:{self.id}:{self.person_id}"


class RecoveryCode(Base):
    """A code that stands in for the app once; shown when it is made, and kept as a hash."""

    __tablename__ = "recovery_codes"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), type_=Id)
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "person_id"), {"info": {"access": "account"}})
