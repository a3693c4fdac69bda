"""Sessions: a person signed in through a client, what led there, and what keeps it going."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment, one_of

_ended = text("ended_at IS NOT NULL")


class Ending(StrEnum):
    """Why a session has ended before its time."""

    REVOKED = "revoked"
    REFRESH_REUSED = "refresh_reused"
    CODE_REUSED = "code_reused"
    IDENTITY_CLOSED = "identity_closed"
    CLIENT_DISABLED = "client_disabled"
    SIGNED_OUT = "signed_out"
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 the name of a reason


class Session(Base):
    """A person signed in by one of their identities, through one client; every token names it."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    identity_id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id, index=True
    )
    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, index=True
    )
    scopes: Mapped[list[str]] = mapped_column(JSON)
    # How the person showed who they are.
    method: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime] = mapped_column(Moment)
    # However often it is refreshed.
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_because: Mapped[str | None] = mapped_column(String(40))

    __table_args__ = (
        CheckConstraint(one_of("ended_because", Ending), name="ended_because"),
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
        Index("ix_sessions_ended", "ended_at", sqlite_where=_ended, postgresql_where=_ended),
        {"info": {"access": "account"}},
    )


class RefreshToken(Base):
    """One link of a session's chain of refresh tokens: used once, then its successor counts."""

    __tablename__ = "refresh_tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), type_=Id, index=True
    )
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    # What makes the successor from the token itself, so that a lost answer can be given again; gone
    # when the successor is used.
    salt: Mapped[str | None] = mapped_column(String(64))
    successor_hash: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = ({"info": {"access": "account"}},)


class Stage(StrEnum):
    """What is next on the way from a password to a session."""

    SECOND_FACTOR = "second_factor"
    CONSENT = "consent"
    CODE = "code"
    USED = "used"


class Authorization(Base):
    """One person's way through the sign-in pages: from the password to the code that is redeemed."""

    __tablename__ = "authorizations"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    stage: Mapped[str] = mapped_column(String(20))
    # Of the ticket between two pages, then of the code.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Of the cookie of the browser in which it began.
    browser_hash: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, index=True
    )
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    identity_id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id, index=True
    )
    method: Mapped[str] = mapped_column(String(40))
    # Id that the session will have: a code that comes twice ends it.
    session_id: Mapped[UUID] = mapped_column(Id)
    redirect_uri: Mapped[str] = mapped_column(String(2000))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str | None] = mapped_column(String(2000))
    # PKCE, always S256.
    code_challenge: Mapped[str] = mapped_column(String(43))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = (
        CheckConstraint(one_of("stage", Stage), name="stage"),
        {"info": {"access": "account"}},
    )


class Consent(Base):
    """What a person has allowed a client; asked for again when the client wants more."""

    __tablename__ = "consents"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, primary_key=True, index=True
    )
    scopes: Mapped[list[str]] = mapped_column(JSON)
    given_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = ({"info": {"access": "account"}},)
