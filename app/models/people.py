"""People, their affiliations, their sign-in identities, and integration clients."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.search import Searched
from app.core.tables import Base, Id, Moment, Versioned, one_of

_open = text("closed_at IS NULL")
_gone = text("joined_to IS NOT NULL")


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
    # Nobody signs in as them, and why: it is told them when they try.
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    disabled_because: Mapped[str | None] = mapped_column(String(1000))
    # From then on a name that stands for anybody, and nothing that leads to them.
    anonymised_at: Mapped[datetime | None] = mapped_column(Moment)
    # Another record of the same person, which this one has gone into, and when; it is nobody's then.
    joined_to: Mapped[UUID | None] = mapped_column(Id)
    joined_at: Mapped[datetime | None] = mapped_column(Moment)
    # Ids of the records that have gone into this one: what was signed and kept elsewhere names them.
    joined: Mapped[list[str]] = mapped_column(JSON, server_default="[]", default=())

    __table_args__ = (
        Index(None, "joined_to", sqlite_where=_gone, postgresql_where=_gone),
        CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled"),
        {"info": {"access": "owned:person"}},
    )

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
    """A person's tie to an organisation; it counts from `starts_on` up to, not on, `ends_on`, once it
    is accepted."""

    __tablename__ = "affiliations"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), type_=Id)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    role: Mapped[str] = mapped_column(String(40))
    fraction: Mapped[float | None] = mapped_column(Numeric(4, 3, asdecimal=False))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    # Since when its person agrees to it, or nobody had to ask them. None: it counts for nobody.
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("role", AffiliationRole), name="role"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("fraction > 0 AND fraction <= 1", name="fraction"),
        Index(None, "person_id", "organisation_id"),
        Index(None, "organisation_id", "person_id"),
        Index(None, "organisation_id", "id"),
        {"info": {"access": "owned:affiliation"}},
    )

    def is_over(self, day: date) -> bool:
        """Whether it counts on no day any more, by its dates."""
        return self.ends_on is not None and self.ends_on <= max(day, self.starts_on)


class SignInIdentity(Base):
    """A way in for a person: brought by an organisation, or the person's own."""

    __tablename__ = "sign_in_identities"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    # What its owner types; none where a provider of the organisation asks instead.
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        # An address is free again when its identity is closed.
        Index(None, "email", unique=True, sqlite_where=_open, postgresql_where=_open),
        {"info": {"access": "account"}},
    )


class Operator(Base):
    """People who look after accounts for the operator; they see no coaching content."""

    __tablename__ = "operators"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )

    __table_args__ = ({"info": {"access": "account"}},)


class ClientKind(StrEnum):
    """Whether a client can keep a secret (RFC 6749, section 2.1)."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"


class Client(Versioned, Base):
    """An integration client or an app; an integration is bound to one organisation or one network."""

    __tablename__ = "clients"

    name: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"), type_=Id)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    # Compared letter by letter, never by pattern.
    redirect_uris: Mapped[list[str]] = mapped_column(JSON, default=())
    # Public keys for private_key_jwt, as a JWK Set (RFC 7517).
    keys: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_on: Mapped[date | None]
    # Access tokens that were made before count no longer.
    tokens_since: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint(one_of("kind", ClientKind), name="kind"),
        Index(None, "organisation_id", "id"),
        {"info": {"access": "account"}},
    )


class ClientSecret(Base):
    """A secret of a confidential client; two are valid while one takes over from the other."""

    __tablename__ = "client_secrets"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, index=True
    )
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = ({"info": {"access": "account"}},)


class UsedAssertion(Base):
    """An assertion by which a client has signed in: it does so once (RFC 7523)."""

    __tablename__ = "used_assertions"

    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    jti_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = ({"info": {"access": "account"}},)
