"""Writes of passwords: forgotten and set anew by a link, or changed by who is signed in."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select

from app.access.addresses import take_effect
from app.access.attempts import Key, attempt, for_device, for_network, is_used_up
from app.access.credentials import Origin, check_password
from app.access.sessions import end_sessions
from app.access.sign_in import PUBLIC_CLIENT, find_identity
from app.access.ways_in import WayIn, of_reset, of_session
from app.actions.accounts.addresses import stop_changes
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import Conflict, Invalid
from app.core.ids import uuid7
from app.core.links import LinkKind, hash_of
from app.core.outbox import OutgoingMail, queue
from app.core.passwords import Weakness, hash_password, hash_secret, weakness
from app.core.security_events import NOBODY, SecurityEvent, note
from app.core.text import canonical_address
from app.models.people import SignInIdentity
from app.models.sessions import Ending
from app.models.ways_in import PasswordReset

LINK_LIVES = timedelta(hours=1)
_MOST_MAILS = 3
_MAILS_WINDOW = timedelta(minutes=30)

FORGOTTEN = "forgotten"
"""Template of a request that has not been looked at: whether the address is known is found out by the
job that sends, so that the answer takes the same either way."""


class Chosen(NamedTuple):
    """What came of choosing a password: whose it is now, or why it was not taken."""

    identity_id: UUID | None
    reason: Weakness | None


async def forget_password(database: Database, email: str, *, origin: Origin, language: str) -> None:
    """Has a link sent to the address, if it is somebody's; TooManyRequests."""
    address = canonical_address(email[:1000])[:254]
    await take_effect(database, address)
    identity = await find_identity(database, address)
    for_mails = Key(f"reset:{address}", _MOST_MAILS, _MAILS_WINDOW)
    async with attempt(database, [for_network(origin.network, "reset")]) as tried:
        quiet = await is_used_up(database, for_mails)
        async with database.work() as unit:
            await tried.failed(unit)
            if quiet:
                return  # whoever asks again and again fills nobody's mailbox
            await tried.failed(unit, for_mails)
            await queue(unit, FORGOTTEN, address, language=language)
            await note(
                unit,
                SecurityEvent.RESET_REQUESTED,
                actor=journal.Actor(None, PUBLIC_CLIENT),
                resource_id=identity.id if identity else NOBODY,
                owner_id=identity.person_id if identity else None,
            )


async def answer_forgotten(unit: Unit, mail: OutgoingMail) -> bool:
    """Makes the link that a request asked for, or lets go of the request; whether there is a message."""
    identity = await find_identity(unit.database, mail.address)
    if identity is None:
        return False
    if identity.password_hash is None:
        mail.template = "password_elsewhere"
        return True
    reset_id = await add_reset(unit, identity.id)
    mail.template = "password_link"
    mail.link_kind, mail.link_id = LinkKind.PASSWORD, reset_id
    mail.useful_until = now() + LINK_LIVES
    return True


async def add_reset(unit: Unit, identity_id: UUID) -> UUID:
    """A link with which the identity's password is set: its id."""
    reset_id, moment = uuid7(), now()
    await unit.insert(
        PasswordReset(
            id=reset_id,
            secret_hash=hash_of(LinkKind.PASSWORD, reset_id),
            identity_id=identity_id,
            created_at=moment,
            expires_at=moment + LINK_LIVES,
        )
    )
    return reset_id


async def reset_password(
    database: Database, token: str, password: str, *, origin: Origin, language: str
) -> Chosen | None:
    """Sets the password that was chosen by a link; None when the link is not good (any longer)."""
    async with attempt(database, [for_network(origin.network, "link")]) as tried:
        found = await of_reset(database, token)
        if found is None:
            async with database.work() as unit:
                await tried.failed(unit)
            return None
    if reason := await weakness(password, [found.name, found.email or ""]):
        return Chosen(None, reason)
    hashed = await hash_password(password)
    async with database.work() as unit:
        await unit.begin()
        # First the identity, as everybody else: two posts of one link take turns, and one wins.
        identity = await unit.session.get(SignInIdentity, found.id, with_for_update=True)
        used = await unit.session.scalar(
            select(PasswordReset).where(PasswordReset.secret_hash == hash_secret(token[:100]))
        )
        if identity is None or identity.closed_at is not None:
            return None
        if used is None or used.expires_at <= now():
            return None
        actor = journal.Actor(found.person_id, PUBLIC_CLIENT)
        # Whoever began a change with the old password: it is over.
        await stop_changes(unit, actor=actor, identity_id=found.id)
        identity.password_hash = hashed
        await _note(unit, SecurityEvent.PASSWORD_RESET, actor, found)
        await _forget_links(unit, found.id)
        await end_sessions(
            unit, actor=actor, because=Ending.PASSWORD_CHANGED, person_id=found.person_id
        )
        await _tell(unit, found, language)
    return Chosen(found.id, None)


async def change_password(
    database: Database,
    unit: Unit,
    *,
    actor: journal.Actor,
    session_id: UUID | None,
    current: str,
    new: str,
    network: str,
    language: str,
) -> None:
    """Sets another password for the way in by which the caller is signed in, and ends their other
    sessions. `unit` must not have begun."""
    found = await confirm_password(
        database, session_id, current, network=network, pointer="/current_password"
    )
    if reason := await weakness(new, [found.name, found.email or ""]):
        raise Invalid.field("/new_password", str(reason))
    if new == current:
        raise Invalid.field("/new_password", "is the one that you have")
    hashed = await hash_password(new)
    await unit.begin()
    identity = await unit.session.get(SignInIdentity, found.id, with_for_update=True)
    if identity is None or identity.password_hash != found.password_hash:
        raise Conflict("The password has been set anew in this very moment.")
    identity.password_hash = hashed
    await _note(unit, SecurityEvent.PASSWORD_CHANGED, actor, found)
    await _forget_links(unit, found.id)
    await end_sessions(
        unit,
        actor=actor,
        because=Ending.PASSWORD_CHANGED,
        person_id=found.person_id,
        but=session_id,
    )
    await _tell(unit, found, language)


async def confirm_password(
    database: Database, session_id: UUID | None, password: str, *, network: str, pointer: str
) -> WayIn:
    """The way in by which the caller is signed in, when `password` is its own; Invalid at `pointer`,
    TooManyRequests, or Conflict where there is none."""
    found = await of_session(database, session_id)
    if found is None or found.email is None or found.password_hash is None:
        raise Conflict("You are not signed in by an address and a password of your own here.")
    # By session: whoever guesses at the sign-in page keeps nobody from this.
    key = for_device(f"session:{session_id}")
    checked = await check_password(database, found.email, password, origin=Origin(network), key=key)
    if checked is None:
        raise Invalid.field(pointer, "is not your password")
    return found._replace(password_hash=checked.password_hash)


async def _note(unit: Unit, event: SecurityEvent, actor: journal.Actor, found: WayIn) -> None:
    await note(
        unit,
        event,
        actor=actor,
        resource_id=found.id,
        owner_id=found.person_id,
        organisation_id=found.organisation_id,
        changed=["password"],
    )


async def _forget_links(unit: Unit, identity_id: UUID) -> None:
    await unit.session.execute(
        delete(PasswordReset).where(PasswordReset.identity_id == identity_id)
    )


async def _tell(unit: Unit, found: WayIn, language: str) -> None:
    if found.email is not None:
        await queue(unit, "password_changed", found.email, language=language)
