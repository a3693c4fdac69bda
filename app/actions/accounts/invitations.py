"""Writes of invitations: an administrator asks, the person answers. docs/decisions/ways-in.md says
why no administrator can come in by one."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from app.access.acceptance import accept_waiting
from app.access.accounts import account_standing, hold_account
from app.access.addresses import holder_of, take_effect
from app.access.attempts import Attempt, Key, attempt, check_number, for_network
from app.access.credentials import Origin
from app.access.door import Access
from app.access.invitations import (
    Hindrance,
    hindrance,
    invitation_of,
    is_here,
    situation_of,
)
from app.access.organisations import name_of
from app.access.people import PEOPLE, may_administer
from app.access.sign_in import PUBLIC_CLIENT
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.ids import uuid7
from app.core.links import LinkKind, hash_of
from app.core.outbox import queue
from app.core.passwords import Weakness, hash_password, weakness
from app.core.security_events import SecurityEvent, note
from app.models.people import SignInIdentity
from app.models.ways_in import Invitation

LINK_LIVES = timedelta(days=7)
_MOST_MAILS = 5
_MAILS_WINDOW = timedelta(minutes=30)


class Answered(NamedTuple):
    """What came of answering an invitation: the new way in, or what stands against it."""

    identity_id: UUID | None = None
    reason: Weakness | None = None
    hindrance: Hindrance | None = None


class Shown(NamedTuple):
    """What the page of an invitation shows."""

    organisation: str
    email: str
    hindrance: Hindrance | None


async def invite(
    access: Access, *, person_id: UUID, organisation_id: UUID | None, email: str, language: str
) -> UUID:
    """Asks a person to make a way in at an address: the invitation's id. What is done and answered is
    the same whoever has the address; only the message differs."""
    unit, for_mails = access.unit, Key(f"invitation:{email}", _MOST_MAILS, _MAILS_WINDOW)
    await unit.begin()
    if not await may_administer(access, organisation_id):
        if organisation_id is None:
            raise Invalid.field("/organisation_id", "is needed: for which of your organisations")
        raise Forbidden("This is for administrators of that organisation.")
    if person_id == access.caller.person_id:
        raise Forbidden("Nobody invites themself: ask another administrator.")
    if await access.find(PEOPLE, person_id) is None:
        raise Invalid.field("/person_id", "names nobody whom you can see")
    await hold_account(unit, person_id)
    if (await account_standing(unit, person_id)).gone:
        raise Invalid.field("/person_id", "names somebody who has been anonymised")
    if organisation_id is not None and not await is_here(unit, person_id, organisation_id):
        raise Invalid.field("/organisation_id", "is not where that person is")
    await check_number(unit.database, for_mails, "That address has been sent invitations enough.")
    await Attempt((for_mails,)).failed(unit)
    await _replace_earlier(unit, access.caller.actor, person_id, email)
    invitation_id, moment = uuid7(), now()
    await unit.insert(
        Invitation(
            id=invitation_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            person_id=person_id,
            organisation_id=organisation_id,
            email=email,
            created_by=access.caller.person_id,
            secret_hash=hash_of(LinkKind.INVITATION, invitation_id),
            refusal_hash=hash_of(LinkKind.INVITATION_REFUSAL, invitation_id),
            expires_at=moment + LINK_LIVES,
        )
    )
    await note(
        unit,
        SecurityEvent.INVITED,
        actor=access.caller.actor,
        resource_id=invitation_id,
        owner_id=person_id,
        organisation_id=organisation_id,
    )
    await _send(unit, invitation_id, person_id, organisation_id, email, language)
    return invitation_id


async def _send(
    unit: Unit,
    invitation_id: UUID,
    person_id: UUID,
    organisation_id: UUID | None,
    email: str,
    language: str,
) -> None:
    place = await name_of(unit, organisation_id)
    holder = await holder_of(unit, email)
    if holder is not None:
        template = "invitation_known" if holder == person_id else "address_in_use"
        await queue(unit, template, email, language=language, organisation=place)
        return
    until = now() + LINK_LIVES
    link, refusal = LinkKind.INVITATION, LinkKind.INVITATION_REFUSAL
    await queue(
        unit,
        "invitation",
        email,
        language=language,
        link=(link, invitation_id),
        useful_until=until,
        organisation=place,
    )
    situation = await situation_of(unit, person_id)
    if situation.is_settled(email):
        return
    for address in situation.others(email):
        await queue(
            unit,
            "invitation_announced",
            address,
            language=language,
            link=(refusal, invitation_id),
            useful_until=until,
            organisation=place,
            address=email,
        )


async def _replace_earlier(unit: Unit, actor: journal.Actor, person_id: UUID, email: str) -> None:
    """One link to one address for one person: the newest."""
    earlier = await unit.session.scalars(
        select(Invitation)
        .where(
            Invitation.person_id == person_id,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .with_for_update()
    )
    for invitation in earlier.all():
        await _withdraw(unit, actor, invitation)


async def _withdraw(unit: Unit, actor: journal.Actor, invitation: Invitation) -> None:
    invitation.withdrawn_at = now()
    await _written(unit, SecurityEvent.INVITATION_WITHDRAWN, actor, invitation)


async def _written(
    unit: Unit, event: SecurityEvent, actor: journal.Actor, invitation: Invitation
) -> None:
    invitation.touch()
    await unit.flush()
    await note(
        unit,
        event,
        actor=actor,
        resource_id=invitation.id,
        version=invitation.version,
        owner_id=invitation.person_id,
        organisation_id=invitation.organisation_id,
    )


def _check_open(invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise Conflict("The invitation has been accepted.")
    if invitation.withdrawn_at is not None:
        raise Conflict("The invitation has been withdrawn.")


async def withdraw_invitation(unit: Unit, actor: journal.Actor, invitation: Invitation) -> None:
    """Makes an invitation's link lead nowhere."""
    _check_open(invitation)
    await _withdraw(unit, actor, invitation)


async def agree_to_invitation(unit: Unit, actor: journal.Actor, invitation: Invitation) -> None:
    """The person, signed in by another way in, agrees to this one, and with it to being at the
    organisation that brings it; again changes nothing."""
    _check_open(invitation)
    if invitation.expires_at <= now():
        raise Conflict("The invitation has expired: ask for another.")
    if invitation.organisation_id is not None:
        await accept_waiting(unit, actor, invitation.person_id, invitation.organisation_id)
    if invitation.agreed_at is None:
        invitation.agreed_at = now()
        await _written(unit, SecurityEvent.INVITATION_AGREED, actor, invitation)


async def look_at_invitation(database: Database, token: str, *, refusal: bool) -> Shown | None:
    """What an invitation's page shows; None when the link is not good (any longer)."""
    unit = database.unit()
    found = await invitation_of(unit, token, refusal=refusal)
    if found is None:
        return None
    against = hindrance(found, await situation_of(unit, found.person_id))
    return Shown(found.organisation or "Tandem", found.email, against)


async def accept_invitation(
    database: Database, token: str, password: str, *, origin: Origin
) -> Answered | None:
    """Makes the way in that an invitation is for; None when the link is not good (any longer)."""
    async with attempt(database, [for_network(origin.network, "link")]) as tried:
        unit = database.unit()
        found = await invitation_of(unit, token, refusal=False)
        if found is None:
            async with database.work() as unit:
                await tried.failed(unit)
            return None
    situation = await situation_of(unit, found.person_id)
    if against := hindrance(found, situation):
        return Answered(hindrance=against)
    if reason := await weakness(password, [situation.name, found.email]):
        return Answered(reason=reason)
    hashed = await hash_password(password)
    await take_effect(database, found.email)
    async with database.work() as unit:
        await hold_account(unit, found.person_id)
        if not (await account_standing(unit, found.person_id)).is_open:
            return None
        invitation = await unit.session.get(Invitation, found.id, with_for_update=True)
        # Judged again: somebody may have been quicker, by this link or another.
        found = await invitation_of(unit, token, refusal=False)
        if invitation is None or found is None:
            return None
        if against := hindrance(found, await situation_of(unit, found.person_id)):
            return Answered(hindrance=against)
        place = found.organisation_id
        if place is not None and not await is_here(unit, found.person_id, place):
            return None
        if await holder_of(unit, found.email) is not None:
            return None
        actor = journal.Actor(found.person_id, PUBLIC_CLIENT)
        identity = SignInIdentity(
            id=uuid7(),
            person_id=found.person_id,
            organisation_id=place,
            email=found.email,
            password_hash=hashed,
            created_at=now(),
        )
        await unit.insert(identity)
        await note(
            unit,
            SecurityEvent.IDENTITY_CREATED,
            actor=actor,
            resource_id=identity.id,
            owner_id=found.person_id,
            organisation_id=place,
        )
        if place is not None:
            await accept_waiting(unit, actor, found.person_id, place)
        invitation.accepted_at = now()
        await _written(unit, SecurityEvent.INVITATION_ACCEPTED, actor, invitation)
    return Answered(identity_id=identity.id)


async def refuse_invitation(database: Database, token: str, *, origin: Origin) -> bool:
    """Stops an invitation from one of the person's earlier addresses; False when the link is not good
    (any longer)."""
    async with (
        attempt(database, [for_network(origin.network, "link")]) as tried,
        database.work() as unit,
    ):
        await unit.begin()
        found = await invitation_of(unit, token, refusal=True)
        if found is None:
            await tried.failed(unit)
            return False
        invitation = await unit.session.get(Invitation, found.id, with_for_update=True)
        if invitation is None or invitation.accepted_at or invitation.withdrawn_at:
            return False
        actor = journal.Actor(found.person_id, PUBLIC_CLIENT)
        await _withdraw(unit, actor, invitation)
    return True
