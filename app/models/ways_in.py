"""What leads to a sign-in identity or changes one: invitations, new passwords, new addresses, joins."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment, Versioned, one_of

_runs = text("ended_at IS NULL")


class Invitation(Versioned, Base):
    """An administrator's wish that a person get a way in at an address; its holder answers."""

    __tablename__ = "invitations"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), type_=Id)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    email: Mapped[str] = mapped_column(String(254))
    created_by: Mapped[UUID | None] = mapped_column(Id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Of the link with which whoever reads the person's earlier addresses stops it.
    refusal_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    # A person who has a way in already has agreed to another.
    agreed_at: Mapped[datetime | None] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        Index(None, "person_id", "id"),
        Index(None, "organisation_id", "id"),
        {"info": {"access": "account"}},
    )


class PasswordReset(Base):
    """A link with which a person sets a new password; the row goes when it is used."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    identity_id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id, index=True
    )
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = ({"info": {"access": "account"}},)


class AddressEnding(StrEnum):
    """How a change of address has ended."""

    IN_EFFECT = "in_effect"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"


class AddressChange(Versioned, Base):
    """A person's wish to sign in with another address; it waits, and the old address may refuse."""

    __tablename__ = "address_changes"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), type_=Id)
    identity_id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id
    )
    email: Mapped[str] = mapped_column(String(254), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    refusal_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # From when it counts, once it is confirmed.
    takes_effect_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_because: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint(one_of("ended_because", AddressEnding), name="ended_because"),
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
        Index(None, "person_id", "id"),
        # One at a time.
        Index(
            "ix_address_changes_running",
            "identity_id",
            unique=True,
            sqlite_where=_runs,
            postgresql_where=_runs,
        ),
        {"info": {"access": "account"}},
    )


class PersonJoin(Base):
    """A person's wish that another record of theirs go into this one; the row goes with the join."""

    __tablename__ = "person_joins"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # The record that remains.
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = ({"info": {"access": "account"}},)


class FailedAttempt(Base):
    """A wrong password, link or secret, for as long as it is counted; names nobody in clear."""

    __tablename__ = "failed_attempts"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = (
        Index(None, "key_hash", "at"),
        {"info": {"access": "account"}},
    )
