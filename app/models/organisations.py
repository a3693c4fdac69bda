"""Organisations: schools, authorities, consortia and the rest."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Versioned, one_of


class OrganisationKind(StrEnum):
    """What an organisation is."""

    SCHOOL = "school"
    COLLEGE = "college"
    HIGHER_EDUCATION_INSTITUTION = "higher_education_institution"
    LOCAL_AUTHORITY = "local_authority"
    REGIONAL_CONSORTIUM = "regional_consortium"
    TRUST = "trust"
    FEDERATION = "federation"
    NATIONAL_BODY = "national_body"
    AGENCY = "agency"


class Organisation(Versioned, Base):
    """One organisation, with its place in the tree and its dates."""

    __tablename__ = "organisations"

    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(300))
    name_cy: Mapped[str | None] = mapped_column(String(300))
    # Both names folded, for search: made in Python so that both databases agree.
    folded: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    sector: Mapped[str | None] = mapped_column(String(300))
    address: Mapped[list[str]] = mapped_column(JSON)
    postcode: Mapped[str | None] = mapped_column(String(20))
    phone: Mapped[str | None] = mapped_column(String(40))
    safeguarding_contact: Mapped[str | None] = mapped_column(String(300))
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("kind", OrganisationKind), name="kind"),
        CheckConstraint("closed_on >= opened_on", name="dates"),
        Index(None, "parent_id", "id"),
        Index(None, "kind", "id"),
        {"info": {"access": "reference"}},
    )


class OrganisationIdentifier(Base):
    """What another system calls an organisation; one organisation for each name of a source."""

    __tablename__ = "organisation_identifiers"

    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), type_=Id, index=True
    )

    __table_args__ = ({"info": {"access": "reference"}},)


class OrganisationSuccessor(Base):
    """Who carries on an organisation's work after it has closed."""

    __tablename__ = "organisation_successors"

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    successor_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"),
        type_=Id,
        primary_key=True,
        index=True,
    )

    __table_args__ = (
        CheckConstraint("organisation_id <> successor_id", name="another"),
        {"info": {"access": "reference"}},
    )
