"""One more way in for a person who has signed in: asked for by their token, shown at the provider, and
done by their token again. Whoever only opens the address links nothing to anybody."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from app.access.accounts import check_fresh, hold_account
from app.access.door import Access
from app.access.federation import find_linked
from app.access.identity_holders import tell
from app.access.identity_links import has_another_way
from app.access.identity_providers import find_provider
from app.access.sessions import end_sessions
from app.access.sign_in import find_client
from app.core.clock import now
from app.core.errors import Conflict, Invalid
from app.core.ids import uuid7
from app.core.passwords import hash_secret, new_secret
from app.core.security_events import SecurityEvent, note
from app.core.settings import settings
from app.models.identity_providers import FederatedSubject, IdentityLink
from app.models.people import SignInIdentity
from app.models.sessions import Ending

MINUTES = 10
"""How long there is between asking and having it done."""


class Asked(NamedTuple):
    """A link on its way."""

    id: UUID
    address: str
    expires_at: datetime


def _me(access: Access) -> UUID:
    assert access.caller.person_id is not None, "the grant is for people"
    return access.caller.person_id


async def ask_to_link(access: Access, *, provider_id: UUID, redirect_uri: str) -> Asked:
    """Begins: the address that the person opens in a browser, once, within minutes."""
    check_fresh(access)
    unit = access.unit
    client = await find_client(unit.database, access.caller.client_id)
    if client is None or redirect_uri not in client.redirect_uris:
        raise Invalid.field("/redirect_uri", "is none of this client's, letter by letter")
    if await find_provider(unit.database, provider_id) is None:
        raise Invalid.field("/provider_id", "names no provider through which people sign in")
    ticket, expires_at = new_secret(), now() + timedelta(minutes=MINUTES)
    link = IdentityLink(
        id=uuid7(),
        secret_hash=hash_secret(ticket),
        person_id=_me(access),
        client_id=client.id,
        provider_id=provider_id,
        redirect_uri=redirect_uri,
        expires_at=expires_at,
    )
    await unit.insert(link)
    return Asked(link.id, f"{settings().base_url}/oauth/link?ticket={ticket}", expires_at)


async def complete_link(access: Access, *, link_id: UUID, code: str) -> UUID:
    """Opens a way in for the account that was shown; the new identity's id.

    Invalid for a link that is over, or not the caller's; Conflict when the account opens a way in.
    """
    check_fresh(access)
    unit, me = access.unit, _me(access)
    await hold_account(unit, me)
    link = await unit.session.scalar(
        select(IdentityLink)
        .where(
            IdentityLink.id == link_id,
            IdentityLink.person_id == me,
            IdentityLink.client_id == access.caller.client_id,
        )
        .with_for_update()
    )
    known = link is not None and link.subject is not None and link.expires_at > now()
    if link is None or not known or link.secret_hash != hash_secret(code):
        raise Invalid.field("/code", "is none that waits for you: ask to link the account again")
    provider = await find_provider(unit.database, link.provider_id)
    if provider is None:
        raise Conflict("Nobody signs in through this provider any more.")
    assert link.subject is not None
    linked = await find_linked(unit, provider.id, link.subject)
    if linked is not None:
        whose = "you" if linked.person_id == me else "somebody"
        raise Conflict(f"That account opens a way in already: {whose} can sign in with it.")
    moment = now()
    identity = SignInIdentity(
        id=uuid7(), person_id=me, organisation_id=provider.organisation_id, created_at=moment
    )
    await unit.insert(identity)
    await unit.insert(
        FederatedSubject(
            provider_id=provider.id,
            subject=link.subject,
            identity_id=identity.id,
            linked_at=moment,
        )
    )
    await unit.session.delete(link)
    await unit.flush()
    for event in (SecurityEvent.IDENTITY_CREATED, SecurityEvent.IDENTITY_LINKED):
        await _note(access, event, identity)
    await tell(unit, me, "way_in_linked", provider=provider.name)
    return identity.id


async def unlink(access: Access, *, identity_id: UUID, provider_id: UUID) -> None:
    """Takes an account's way in away, and closes the identity that nothing else opens. Invalid when
    there is none; Conflict when it is the last way in."""
    check_fresh(access)
    unit, me = access.unit, _me(access)
    await hold_account(unit, me)
    identity = await unit.session.scalar(
        select(SignInIdentity)
        .where(SignInIdentity.id == identity_id, SignInIdentity.person_id == me)
        .with_for_update()
    )
    subjects: Any = (
        await unit.session.scalars(
            select(FederatedSubject).where(FederatedSubject.identity_id == identity_id)
        )
    ).all()
    found = next((subject for subject in subjects if subject.provider_id == provider_id), None)
    if identity is None or identity.closed_at is not None or found is None:
        raise Invalid.field("/identity_id", "names no way in of yours that the provider opens")
    if not await has_another_way(
        unit, person_id=me, identity_id=identity_id, provider_id=provider_id
    ):
        raise Conflict("It is your last way in: add another before you take it away.")
    await unit.session.delete(found)
    await unit.flush()
    await _note(access, SecurityEvent.IDENTITY_UNLINKED, identity)
    if identity.password_hash is None and len(subjects) == 1:
        identity.closed_at = now()
        await unit.flush()
        await _note(access, SecurityEvent.IDENTITY_CLOSED, identity)
        await end_sessions(
            unit,
            actor=access.caller.actor,
            because=Ending.IDENTITY_CLOSED,
            identity_id=identity_id,
        )


async def _note(access: Access, event: SecurityEvent, identity: SignInIdentity) -> None:
    await note(
        access.unit,
        event,
        actor=access.caller.actor,
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=identity.organisation_id,
    )
