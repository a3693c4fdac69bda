"""Writes of people's accounts: sign-in identities, and the operator's administrators."""

from uuid import UUID

from app.access.accounts import account_standing
from app.access.identities import close_way_in, open_way_in
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.errors import Conflict, NotFound
from app.core.ids import uuid7
from app.core.passwords import hash_password
from app.core.security_events import SecurityEvent, note
from app.core.text import canonical_address, clean
from app.models.people import Operator, Person, SignInIdentity


async def close_identity(unit: Unit, *, actor: journal.Actor, identity_id: UUID) -> None:
    """Closes one way in of a person, and ends its sessions and nobody else's."""
    await unit.begin()
    identity = await unit.session.get(SignInIdentity, identity_id, with_for_update=True)
    if identity is None:
        raise NotFound()
    if identity.closed_at is not None:
        raise Conflict("This way in is closed already.")
    await close_way_in(unit, identity, actor=actor)


async def reopen_identity(unit: Unit, *, actor: journal.Actor, identity_id: UUID) -> None:
    """Opens a way in again; Conflict when its address has got another owner, or its account is over."""
    await unit.begin()
    identity = await unit.session.get(SignInIdentity, identity_id, with_for_update=True)
    if identity is None:
        raise NotFound()
    if identity.closed_at is None:
        raise Conflict("This way in is open already.")
    if (await account_standing(unit, identity.person_id)).gone:
        raise Conflict("The person has been anonymised: there is nothing to open.")
    await open_way_in(unit, identity, actor=actor)


async def create_identity(
    unit: Unit,
    *,
    actor: journal.Actor,
    person_id: UUID,
    email: str,
    password: str,
    organisation_id: UUID | None = None,
) -> UUID:
    """A way in for a person, by address and password: its id; Conflict when the address is in use."""
    hashed = await hash_password(password)
    identity = SignInIdentity(
        id=uuid7(),
        person_id=person_id,
        organisation_id=organisation_id,
        email=canonical_address(email),
        password_hash=hashed,
        created_at=now(),
    )
    await unit.insert(identity)
    await note(
        unit,
        SecurityEvent.IDENTITY_CREATED,
        actor=actor,
        resource_id=identity.id,
        owner_id=person_id,
        organisation_id=organisation_id,
    )
    return identity.id


async def create_operator(unit: Unit, *, name: str, email: str, password: str) -> UUID:
    """An administrator of the operator, made on the command line, with a way in of their own."""
    person_id, moment = uuid7(), now()
    await unit.insert(
        Person(
            id=person_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            name=clean(name),
            email=email,
        )
    )
    await journal.record(
        unit,
        actor=journal.COMMAND_LINE,
        action="created",
        kind="person",
        resource_id=person_id,
        version=1,
        owner_id=person_id,
    )
    await create_identity(
        unit, actor=journal.COMMAND_LINE, person_id=person_id, email=email, password=password
    )
    await make_operator(unit, actor=journal.COMMAND_LINE, person_id=person_id)
    return person_id


async def make_operator(unit: Unit, *, actor: journal.Actor, person_id: UUID) -> None:
    """Makes a person one of the operator's administrators."""
    await unit.insert(Operator(person_id=person_id))
    await note(
        unit,
        SecurityEvent.OPERATOR_CREATED,
        actor=actor,
        resource_id=person_id,
        owner_id=person_id,
    )
