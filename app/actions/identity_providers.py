"""Writes of identity providers. The operator says whom one may speak for: whoever names a provider and a
domain of its own could let themselves in as anybody who has an address there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.identity_providers import secret_of
from app.access.visibility import parameter
from app.core import journal, openid
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import uuid7
from app.core.query import Query
from app.core.sealing import Seals
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.identity_providers import IdentityProvider
from app.models.organisations import Organisation

OF_ITS_ADMINISTRATORS = frozenset(("client_secret", "enabled", "name", "name_cy"))
"""What administrators of the provider's own organisation may change; the rest is the operator's."""
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_MANY_TENANTS = re.compile(r"login\.microsoftonline\.com/(common|organizations|consumers)(/|$)")

_organisations: Any = Organisation.__table__
_EXISTS = Query(select(_organisations.c.id).where(_organisations.c.id == parameter("id", Id)))


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept; Invalid names the field."""
    found = dict(values)
    if (issuer := found.get("issuer")) is not None:
        reason = openid.wrong_address(issuer)
        if reason is None and ("?" in issuer or "#" in issuer):
            reason = "must be an address without a query"
        if reason is None and _MANY_TENANTS.search(issuer):
            reason = "must name your own tenant's id in place of common or organizations"
        if reason is not None:
            raise Invalid.field("/issuer", reason)
    if "trusted_domains" in found:
        domains = [domain.lower() for domain in found["trusted_domains"]]
        for number, domain in enumerate(domains):
            if not _DOMAIN.fullmatch(domain):
                raise Invalid.field(
                    f"/trusted_domains/{number}", "must be a mail domain like school.example"
                )
        found["trusted_domains"] = sorted(set(domains))
    claims = [required["claim"] for required in found.get("required_claims", ())]
    if len(set(claims)) != len(claims):
        raise Invalid.field("/required_claims", "names a claim twice")
    return found


async def create_provider(
    unit: Unit,
    seals: Seals,
    *,
    actor: journal.Actor,
    values: Mapping[str, Any],
    provider_id: UUID | None = None,
    digest: str | None = None,
) -> UUID:
    """A provider, by the operator; its id."""
    await unit.begin()
    found, moment = _checked(values), now()
    place = found.get("organisation_id")
    if place is not None and not await unit.rows(_EXISTS, {"id": place}):
        raise Invalid.field("/organisation_id", "names no organisation")
    made = provider_id or uuid7()
    provider = IdentityProvider(
        id=made,
        version=1,
        created_at=moment,
        updated_at=moment,
        created_by=actor.person_id,
        creation_digest=digest,
        sealed_secret=seals.seal(found.pop("client_secret"), secret_of(made)),
        **found,
    )
    await unit.insert(provider)
    await note(
        unit,
        SecurityEvent.PROVIDER_CREATED,
        actor=actor,
        resource_id=provider.id,
        organisation_id=place,
    )
    return provider.id


async def change_provider(
    unit: Unit,
    seals: Seals,
    provider: IdentityProvider,
    *,
    actor: journal.Actor,
    values: Mapping[str, Any],
    by_operator: bool,
) -> None:
    """Changes a provider that this unit holds; its organisation's administrators not all of it.

    The accounts that are linked stay linked, and count while it is enabled.
    """
    if not by_operator and (beyond := sorted(values.keys() - OF_ITS_ADMINISTRATORS)):
        raise Forbidden(f"Only the operator's administrators set {', '.join(beyond)}.")
    found = _checked(values)
    if "client_secret" in found:
        found["sealed_secret"] = seals.seal(found.pop("client_secret"), secret_of(provider.id))
    changed = {name for name, value in found.items() if getattr(provider, name) != value}
    if not changed:
        return
    for name in changed:
        setattr(provider, name, found[name])
    provider.touch()
    await unit.flush()
    await note(
        unit,
        SecurityEvent.PROVIDER_CHANGED,
        actor=actor,
        resource_id=provider.id,
        version=provider.version,
        organisation_id=provider.organisation_id,
        changed=["client_secret" if name == "sealed_secret" else name for name in changed],
    )


async def disable_provider(
    unit: Unit, seals: Seals, *, actor: journal.Actor, provider_id: UUID
) -> None:
    """Nobody signs in through it any more; who has signed in stays so until their session ends."""
    await unit.begin()
    provider = await unit.session.get(
        IdentityProvider,
        provider_id,
        with_for_update=True,
        execution_options={"unscoped": "the operator's command line"},
    )
    if provider is None:
        raise NotFound()
    if not provider.enabled:
        raise Conflict("The provider is disabled already.")
    await change_provider(
        unit, seals, provider, actor=actor, values={"enabled": False}, by_operator=True
    )


async def list_providers(unit: Unit) -> Sequence[IdentityProvider]:
    """All providers, the oldest first."""
    await unit.begin()
    found = await unit.session.scalars(
        select(IdentityProvider)
        .order_by(IdentityProvider.id)
        .execution_options(unscoped="the operator's command line")
    )
    return list(found)
