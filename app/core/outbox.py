"""Messages that wait to be sent: a row is written with the act, and a job sends it (app.jobs.mail).

A row says which template, to which address, and which link; the link's secret is made when the
message is (app.core.links), so that neither the database nor its backups open anything.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.db import Unit
from app.core.ids import uuid7
from app.core.links import LinkKind
from app.core.tables import Base, Id, Moment

USEFUL = timedelta(days=1)
"""How long it is tried, unless the message is of no use before."""

_waits = text("gave_up_at IS NULL")


class OutgoingMail(Base):
    """A message that has not been sent yet; the row goes when it has."""

    __tablename__ = "outgoing_mail"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    template: Mapped[str] = mapped_column(String(60))
    # Of the half that comes first: every message is in English and Welsh.
    language: Mapped[str] = mapped_column(String(2))
    address: Mapped[str] = mapped_column(String(254))
    facts: Mapped[dict[str, str]] = mapped_column(JSON)
    link_kind: Mapped[str | None] = mapped_column(String(40))
    link_id: Mapped[UUID | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Moment)
    useful_until: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    # Set while a process is at it: should that be lost, nobody knows whether it was sent.
    begun_at: Mapped[datetime | None] = mapped_column(Moment)
    doubts: Mapped[int] = mapped_column(default=0)
    gave_up_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    error: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        Index("ix_outgoing_mail_due", "due_at", sqlite_where=_waits, postgresql_where=_waits),
        {"info": {"access": "mechanism"}},
    )


async def queue(
    unit: Unit,
    template: str,
    address: str,
    /,
    *,
    language: str = "en",
    link: tuple[LinkKind, UUID] | None = None,
    useful_until: datetime | None = None,
    **facts: str,
) -> None:
    """Leaves a message to be sent, in the transaction of what it tells."""
    moment = now()
    await unit.insert(
        OutgoingMail(
            id=uuid7(),
            template=template,
            language=language,
            address=address,
            facts=facts,
            link_kind=None if link is None else str(link[0]),
            link_id=None if link is None else link[1],
            created_at=moment,
            useful_until=useful_until or moment + USEFUL,
            due_at=moment,
        )
    )
