"""Users as the directory of an organisation tells of them by SCIM (RFC 7643)."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Versioned


class DirectoryUser(Versioned, Base):
    """A sign-in identity in the words of the organisation that brought it; gone when its directory
    deletes it. What it says of a person is that organisation's alone: another one never sees it."""

    __tablename__ = "directory_users"

    id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), type_=Id)
    user_name: Mapped[str] = mapped_column(String(254))
    # In the form in which names are compared; lower case may be longer.
    user_name_key: Mapped[str] = mapped_column(String(1000))
    external_id: Mapped[str | None] = mapped_column(String(100))
    employee_number: Mapped[str | None] = mapped_column(String(100))
    display_name: Mapped[str | None] = mapped_column(String(300))
    formatted_name: Mapped[str | None] = mapped_column(String(300))
    given_name: Mapped[str | None] = mapped_column(String(300))
    family_name: Mapped[str | None] = mapped_column(String(300))
    # As they were sent.
    emails: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    roles: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    # Each address as it is compared: a line end, its type, a tab, the address, a line end.
    email_keys: Mapped[str] = mapped_column(Text)
    # Whether the directory has said so; whether the identity is open, only `closed_at` says.
    active: Mapped[bool | None]
    # Which affiliation it brought about for each role.
    affiliations: Mapped[dict[str, str]] = mapped_column(JSON)

    __table_args__ = (
        Index(None, "organisation_id", "user_name_key", unique=True),
        Index(None, "organisation_id", "external_id"),
        Index(None, "organisation_id", "id"),
        {"info": {"access": "account"}},
    )
