"""Who it is that comes back from an identity provider."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import String, delete

from app.access.federation import find_linked, linked_subject, vouched_address
from app.access.identity_holders import tell
from app.access.identity_providers import KnownProvider
from app.access.sign_in import KnownIdentity, identities_by_address
from app.access.visibility import parameter
from app.actions.sign_in.federated import Refusal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.journal import Actor, record
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.core.text import clean
from app.models.identity_providers import FederatedSubject
from app.models.people import Person, SignInIdentity

_subjects: Any = FederatedSubject.__table__
_UNLINK = Query(
    delete(_subjects).where(
        _subjects.c.provider_id == parameter("provider_id", Id),
        _subjects.c.subject == parameter("subject", String),
    )
)


async def recognise(
    database: Database, provider: KnownProvider, claims: Mapping[str, Any], *, client_id: UUID
) -> KnownIdentity:
    """The way in that an account opens, linked now if need be; or Refusal.

    First by the account itself, then by an address for which the provider is trusted.
    """
    try:
        async with database.work() as unit:
            return await _recognise(unit, provider, claims, client_id)
    except Conflict:
        # Linked by the same account's other browser in this moment.
        async with database.work() as unit:
            return await _recognise(unit, provider, claims, client_id)


async def _recognise(
    unit: Unit, provider: KnownProvider, claims: Mapping[str, Any], client_id: UUID
) -> KnownIdentity:
    await unit.begin()
    subject: str = claims["sub"]
    linked = await find_linked(unit, provider.id, subject)
    if linked is not None and linked.open:
        return KnownIdentity(linked.id, linked.person_id, linked.password_hash)
    address = vouched_address(provider, claims)
    found: list[KnownIdentity] = []
    if address is not None:
        found = await identities_by_address(unit, provider.organisation_id, address)
    if linked is not None:
        # It came back to school: the account is known, and stays its person's.
        found = [identity for identity in found if identity.person_id == linked.person_id]
        if len(found) != 1:
            raise Refusal("is_closed", "closed")
        await unit.rows(_UNLINK, {"provider_id": provider.id, "subject": subject})
    if len(found) == 1:
        return await _link_by_address(unit, provider, found[0], subject, client_id)
    if found or not provider.creates_people:
        raise Refusal("not_known", "unknown" if not found else "several")
    return await _bring_in(unit, provider, claims, address, client_id)


async def _link_by_address(
    unit: Unit, provider: KnownProvider, identity: KnownIdentity, subject: str, client_id: UUID
) -> KnownIdentity:
    held = await unit.session.get(SignInIdentity, identity.id, with_for_update=True)
    if held is None or held.closed_at is not None:
        raise Refusal("is_closed", "closed")
    before = await linked_subject(unit, provider.id, identity.id)
    if before == subject:
        # By the same account's other browser, while this one waited.
        return identity
    if before is not None:
        # The address has come to somebody else: the first account keeps what is its person's.
        raise Refusal("not_known", "another_account")
    await link(unit, provider, identity.id, subject)
    await note(
        unit,
        SecurityEvent.IDENTITY_LINKED,
        actor=Actor(None, client_id),
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=held.organisation_id,
    )
    await tell(unit, identity.person_id, "way_in_linked", provider=provider.name)
    return identity


async def link(unit: Unit, provider: KnownProvider, identity_id: UUID, subject: str) -> None:
    """From now on the account opens this way in; Conflict when it opens another already."""
    await unit.insert(
        FederatedSubject(
            provider_id=provider.id, subject=subject, identity_id=identity_id, linked_at=now()
        )
    )


async def _bring_in(
    unit: Unit,
    provider: KnownProvider,
    claims: Mapping[str, Any],
    address: str | None,
    client_id: UUID,
) -> KnownIdentity:
    """A person without any affiliation: nothing is theirs but what they write themselves."""
    person_id, moment, actor = uuid7(), now(), Actor(None, client_id)
    await unit.insert(
        Person(
            id=person_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            name=_name_of(claims, address),
            email=address,
        )
    )
    await record(
        unit,
        actor=actor,
        action="created",
        kind="person",
        resource_id=person_id,
        version=1,
        owner_id=person_id,
    )
    identity = SignInIdentity(
        id=uuid7(),
        person_id=person_id,
        organisation_id=provider.organisation_id,
        created_at=moment,
    )
    await unit.insert(identity)
    await link(unit, provider, identity.id, claims["sub"])
    for event in (SecurityEvent.IDENTITY_CREATED, SecurityEvent.IDENTITY_LINKED):
        await note(
            unit,
            event,
            actor=actor,
            resource_id=identity.id,
            owner_id=person_id,
            organisation_id=provider.organisation_id,
        )
    return KnownIdentity(identity.id, person_id, None)


def _name_of(claims: Mapping[str, Any], address: str | None) -> str:
    given = claims.get("name")
    try:
        name = " ".join(clean(given).split())[:300] if isinstance(given, str) else ""
    except ValueError:
        name = ""
    return name or (address or "").partition("@")[0] or "?"
