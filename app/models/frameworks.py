"""Reference frameworks: versioned trees of items, immutable once published."""

from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment, one_of

PRINCIPLES = "coaching-principles"
"""Code of the framework of the 10+2 coaching principles."""


class ItemKind(StrEnum):
    """What an item of a framework is."""

    PRINCIPLE = "principle"
    PRACTICE = "practice"
    SKILL = "skill"
    STAGE = "stage"
    ELEMENT = "element"
    SECTOR = "sector"
    SEGMENT = "segment"
    KIND_OF_LEARNING = "kind_of_learning"
    STEP = "step"
    MARK = "mark"
    QUALITY = "quality"


def reference_id(*parts: str) -> UUID:
    """The id of a seeded framework or item: the same in every installation."""
    return uuid5(NAMESPACE_URL, "urn:tandem:framework:" + ":".join(parts))


class Framework(Base):
    """One published version of a framework."""

    __tablename__ = "frameworks"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(100))
    version: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    title_cy: Mapped[str | None] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("code", "version"),
        {"info": {"access": "reference"}},
    )


class FrameworkItem(Base):
    """One item of a framework, in its tree and in order."""

    __tablename__ = "framework_items"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"), type_=Id)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("framework_items.id"), type_=Id)
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    title_cy: Mapped[str | None] = mapped_column(String(300))
    statement: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(one_of("kind", ItemKind), name="kind"),
        UniqueConstraint("framework_id", "code"),
        Index(None, "framework_id", "position"),
        {"info": {"access": "reference"}},
    )
