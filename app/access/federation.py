"""Which account at a provider opens which way in, and which addresses a provider may speak for."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, select

from app.access.identity_providers import KnownProvider
from app.access.visibility import parameter
from app.core.db import Unit
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.identity_providers import FederatedSubject
from app.models.people import SignInIdentity

GOOGLE = "https://accounts.google.com"
_GOOGLE_MAIL = "gmail.com"
_LONGEST_ADDRESS = 254

_subjects: Any = FederatedSubject.__table__
_identities: Any = SignInIdentity.__table__

_LINKED = Query(
    select(
        _identities.c.id,
        _identities.c.person_id,
        _identities.c.password_hash,
        _identities.c.closed_at,
    )
    .join_from(_subjects, _identities, _identities.c.id == _subjects.c.identity_id)
    .where(
        _subjects.c.provider_id == parameter("provider_id", Id),
        _subjects.c.subject == parameter("subject", String),
    )
)
_SUBJECT = Query(
    select(_subjects.c.subject).where(
        _subjects.c.provider_id == parameter("provider_id", Id),
        _subjects.c.identity_id == parameter("identity_id", Id),
    )
)


class Linked(NamedTuple):
    """The way in that an account at a provider opens."""

    id: UUID
    person_id: UUID
    password_hash: str | None
    open: bool


async def find_linked(unit: Unit, provider_id: UUID, subject: str) -> Linked | None:
    """The way in that is linked to this account, open or closed."""
    rows = await unit.rows(_LINKED, {"provider_id": provider_id, "subject": subject})
    if not rows:
        return None
    id_, person_id, password_hash, closed_at = rows[0]
    return Linked(as_uuid(id_), as_uuid(person_id), password_hash, closed_at is None)


async def linked_subject(unit: Unit, provider_id: UUID, identity_id: UUID) -> str | None:
    """The account at the provider that is linked to a way in."""
    rows = await unit.rows(_SUBJECT, {"provider_id": provider_id, "identity_id": identity_id})
    return rows[0][0] if rows else None


def has_required(provider: KnownProvider, claims: Mapping[str, Any]) -> bool:
    """Whether the account is one of those for whom the provider was set up."""
    return all(claims.get(name) == value for name, value in provider.required_claims.items())


def vouched_address(provider: KnownProvider, claims: Mapping[str, Any]) -> str | None:
    """The account's address, when the provider may speak for its domain and has verified it.

    Entra sends no `email_verified`: `xms_edov` says there that the domain's owner has verified the
    address. Google verifies an address once, and speaks for those of its own and of a customer's domain
    alone, which `hd` names; an address of another's may have changed hands since.
    """
    address = claims.get("email")
    if not isinstance(address, str) or not address.isprintable() or address.count("@") != 1:
        return None
    local, _, domain = address.casefold().partition("@")
    if not local or len(address) > _LONGEST_ADDRESS or domain not in provider.trusted_domains:
        return None
    if claims.get("email_verified") is False:
        return None
    verified = claims.get("email_verified") is True or _owner_verified(claims.get("xms_edov"))
    if not verified and not provider.vouches_for_addresses:
        return None
    if provider.issuer == GOOGLE and domain != _GOOGLE_MAIL and claims.get("hd") != domain:
        return None
    return f"{local}@{domain}"


def _owner_verified(claim: Any) -> bool:
    # Entra sends it as a number, a boolean or a text, after the kind of application.
    return claim is True or (type(claim) is int and claim == 1) or claim in ("1", "true", "True")
