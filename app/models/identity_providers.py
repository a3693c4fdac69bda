"""Identity providers (OpenID Connect), whom they know, and the ways that lead through them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, Id, Moment, Versioned


class IdentityProvider(Versioned, Base):
    """Where people sign in with an account of their school, authority or country."""

    __tablename__ = "identity_providers"

    # Whose accounts they are; none: of many organisations, as with Hwb.
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.id"), type_=Id, index=True
    )
    name: Mapped[str] = mapped_column(String(300))
    name_cy: Mapped[str | None] = mapped_column(String(300))
    # Never changed: the subjects are this issuer's, and often this client's alone.
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(300))
    sealed_secret: Mapped[str] = mapped_column(String(2000))
    # Mail domains whose addresses it may speak for.
    trusted_domains: Mapped[list[str]] = mapped_column(JSON)
    # What an ID token must say: `claim` and the one `value` of each.
    required_claims: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    # Its directory holds no address that was not given by it: none needs to be marked as verified.
    vouches_for_addresses: Mapped[bool]
    creates_people: Mapped[bool]
    enabled: Mapped[bool]
    created_by: Mapped[UUID | None] = mapped_column(Id)
    creation_digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = ({"info": {"access": "owned:identity_provider"}},)


class FederatedSubject(Base):
    """An account at a provider that opens a sign-in identity: one account for each of the two."""

    __tablename__ = "federated_subjects"

    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), type_=Id, primary_key=True
    )
    # Compared letter by letter; unique within its issuer, and never given to another (OIDC Core, 2).
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    identity_id: Mapped[UUID] = mapped_column(
        ForeignKey("sign_in_identities.id", ondelete="CASCADE"), type_=Id, index=True
    )
    linked_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        # Also when an address is given to somebody else: the second account finds the place taken.
        Index(None, "provider_id", "identity_id", unique=True),
        {"info": {"access": "account"}},
    )


class IdentityLink(Base):
    """A signed-in person on the way to one more way in: asked for with their token, done with it."""

    __tablename__ = "identity_links"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    # Of the ticket in the address, then of the code that the app is given.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), type_=Id, index=True
    )
    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), type_=Id, index=True
    )
    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), type_=Id, index=True
    )
    redirect_uri: Mapped[str] = mapped_column(String(2000))
    # The account that has been shown there; none before.
    subject: Mapped[str | None] = mapped_column(String(255))
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = ({"info": {"access": "account"}},)


class FederatedSignIn(Base):
    """A browser that was sent to a provider: bound to it, used once, over in minutes."""

    __tablename__ = "federated_sign_ins"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Of the cookie of the browser in which it began; nonce and PKCE verifier follow from the cookie.
    browser_hash: Mapped[str] = mapped_column(String(64))
    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), type_=Id, index=True
    )
    # The authorization request of our own client that it serves, or the link.
    parameters: Mapped[dict[str, str]] = mapped_column(JSON)
    link_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("identity_links.id", ondelete="CASCADE"), type_=Id, index=True
    )
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = ({"info": {"access": "account"}},)
