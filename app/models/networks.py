"""Networks (principles 4, 10 and A2): who learns together, and who leads."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.search import Searched
from app.core.tables import Base, Id, Moment, Versioned, one_of


class NetworkKind(StrEnum):
    """What sort of network it is."""

    CLUSTER = "cluster"
    REGIONAL_CONSORTIUM = "regional_consortium"
    PROFESSIONAL_LEARNING_COMMUNITY = "professional_learning_community"
    TRIAD = "triad"
    WORKING_GROUP = "working_group"
    LEAD_AND_EMERGING_SCHOOL_PARTNERSHIP = "lead_and_emerging_school_partnership"
    VIRTUAL_COMMUNITY = "virtual_community"
    ALLIANCE = "alliance"


class NetworkRole(StrEnum):
    """What a member is in a network; newcomers at the edge are `peripheral`."""

    LEAD = "lead"
    FACILITATOR = "facilitator"
    SPECIALIST = "specialist"
    MEMBER = "member"
    PERIPHERAL = "peripheral"


MANAGING_ROLES = (NetworkRole.LEAD, NetworkRole.FACILITATOR)
"""Roles whose holders manage the network."""


class Network(Searched, Versioned, Base):
    """A network; `closed_on` is the first day on which it is no more."""

    __tablename__ = "networks"

    created_by: Mapped[UUID | None] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(300))
    name_cy: Mapped[str | None] = mapped_column(String(300))
    remit: Mapped[str | None] = mapped_column(Text)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"), type_=Id, index=True)
    closed_on: Mapped[date | None]
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("kind", NetworkKind), name="kind"),
        {"info": {"access": "owned:network"}},
    )

    def says(self) -> Iterable[str | None]:
        """The texts by whose words a network is found."""
        return self.name, self.name_cy, self.remit


class NetworkMember(Versioned, Base):
    """A person or an organisation in a network, from `starts_on` up to, not on, `ends_on`.

    A person who has asked to join is a member when a lead or facilitator has confirmed it.
    """

    __tablename__ = "network_members"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), type_=Id)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), type_=Id)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    role: Mapped[str] = mapped_column(String(20))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(one_of("role", NetworkRole), name="role"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name="who"),
        Index(None, "person_id", "network_id"),
        Index(None, "organisation_id", "network_id"),
        Index(None, "network_id", "person_id"),
        {"info": {"access": "owned:network_member"}},
    )
