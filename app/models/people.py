"""People, their affiliations, their sign-in identities, and integration clients."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.search import Searched
from app.core.tables import Base, Id, Moment, Versioned, one_of


class AffiliationRole(StrEnum):
    """What a person is at an organisation."""

    TEACHER = "teacher"
    SUPPLY_TEACHER = "supply_teacher"
    LEARNING_SUPPORT_ASSISTANT = "learning_support_assistant"
    PROFESSIONAL_LEARNING_LEAD = "professional_learning_lead"
    HEAD_TEACHER = "head_teacher"
    STUDENT = "student"
    TUTOR = "tutor"
    SPECIALIST = "specialist"
    CLUSTER_LEAD = "cluster_lead"
    ADMINISTRATOR = "administrator"
    OTHER = "other"


LEADER_ROLES = (
    AffiliationRole.HEAD_TEACHER,
    AffiliationRole.PROFESSIONAL_LEARNING_LEAD,
)
"""Roles whose holders are `leaders` of their organisation."""


class Person(Searched, Versioned, Base):
    """A person; never an account of a school."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(254))
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = ({"info": {"access": "owned:person"}},)

    def says(self) -> Iterable[str | None]:
        """The texts by whose words a person is found."""
        return (self.name,)


class PersonIdentifier(Base):
    """What an organisation's other system calls a person."""

    __tablename__ = "person_identifiers"

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id"), type_=Id, primary_key=True
    )
    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )

    __table_args__ = ({"info": {"access": "follows:person"}},)


class Affiliation(Versioned, Base):
    """A person's tie to an organisation; it counts from `starts_on` up to, not on, `ends_on`."""

    __tablename__ = "affiliations"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), type_=Id)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    role: Mapped[str] = mapped_column(String(40))
    fraction: Mapped[float | None] = mapped_column(Numeric(4, 3, asdecimal=False))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("role", AffiliationRole), name="role"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("fraction > 0 AND fraction <= 1", name="fraction"),
        Index(None, "person_id", "organisation_id"),
        Index(None, "organisation_id", "person_id"),
        {"info": {"access": "owned:affiliation"}},
    )


class SignInIdentity(Base):
    """A way in for a person: brought by an organisation, or the person's own."""

    __tablename__ = "sign_in_identities"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("email"), {"info": {"access": "account"}})


class Operator(Base):
    """People who look after accounts for the operator; they see no coaching content."""

    __tablename__ = "operators"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )

    __table_args__ = ({"info": {"access": "account"}},)


class Client(Base):
    """An integration client or an app; an integration is bound to one organisation or one network."""

    __tablename__ = "clients"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(300))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"), type_=Id)
    # None: a public client, through which people sign in.
    secret_hash: Mapped[str | None] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = ({"info": {"access": "account"}},)
