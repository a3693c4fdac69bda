"""Writes of accounts: sign-in identities, operators, integration clients."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.sign_in import PUBLIC_CLIENT
from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.ids import uuid7
from app.core.passwords import hash_password, hash_secret, new_secret
from app.core.query import Query
from app.core.tables import Id
from app.core.text import clean
from app.models.people import Client, Operator, Person, SignInIdentity

_clients: Any = Client.__table__
_CLIENT = Query(select(_clients.c.id).where(_clients.c.id == parameter("id", Id)))


async def ensure_public_client(unit: Unit) -> None:
    """The client through which people sign in on the documentation page."""
    if not await unit.rows(_CLIENT, {"id": PUBLIC_CLIENT}):
        await unit.insert(
            Client(id=PUBLIC_CLIENT, name="Documentation page", scopes=[], created_at=now())
        )


async def create_client(
    unit: Unit,
    *,
    actor: journal.Actor,
    name: str,
    organisation_id: UUID | None,
    scopes: list[str],
    network_id: UUID | None = None,
) -> tuple[UUID, str]:
    """An integration client bound to an organisation or to a network: its id, and its secret, shown
    only here."""
    assert (organisation_id is None) != (network_id is None), "bound to one of them"
    client_id, secret = uuid7(), new_secret()
    await unit.insert(
        Client(
            id=client_id,
            name=name,
            organisation_id=organisation_id,
            network_id=network_id,
            secret_hash=hash_secret(secret),
            scopes=sorted(scopes),
            created_at=now(),
        )
    )
    await journal.record(
        unit,
        actor=actor,
        action="created",
        kind="client",
        resource_id=client_id,
        version=1,
        organisation_id=organisation_id,
    )
    return client_id, secret


async def create_identity(
    unit: Unit,
    *,
    actor: journal.Actor,
    person_id: UUID,
    email: str,
    password: str,
    organisation_id: UUID | None = None,
) -> None:
    """A way in for a person, by address and password; Conflict when the address is in use."""
    hashed = await hash_password(password)
    identity = SignInIdentity(
        id=uuid7(),
        person_id=person_id,
        organisation_id=organisation_id,
        email=email.casefold(),
        password_hash=hashed,
        created_at=now(),
    )
    await unit.insert(identity)
    await journal.record(
        unit,
        actor=actor,
        action="created",
        kind="sign_in_identity",
        resource_id=identity.id,
        version=1,
        owner_id=person_id,
        organisation_id=organisation_id,
    )


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
    await journal.record(
        unit,
        actor=actor,
        action="created",
        kind="operator",
        resource_id=person_id,
        version=1,
        owner_id=person_id,
    )
