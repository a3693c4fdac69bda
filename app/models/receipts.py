"""Receipts: who outside the parties has read a record, once a reader, client, record and day."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id

NOBODY = UUID(int=0)
"""Stands for the person in a receipt of a client that reads for itself."""


class Receipt(Base):
    """One reader, through one client, read one record on one day."""

    __tablename__ = "receipts"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    client_id: Mapped[UUID] = mapped_column(Id, primary_key=True)

    __table_args__ = (Index(None, "day"), {"info": {"access": "mechanism"}})
