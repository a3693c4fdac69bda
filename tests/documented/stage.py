"""Who and what is there when the story begins: what cannot be made over HTTP."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts, organisations
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.passwords import hash_secret
from app.core.settings import settings
from app.models.organisations import OrganisationKind
from app.models.people import (
    Affiliation,
    AffiliationRole,
    Client,
    ClientKind,
    ClientSecret,
    Person,
)
from app.models.sessions import Session
from app.openapi.examples import read

NAMES: dict[str, str] = read("names.yaml")


def id_of(name: str) -> UUID:
    return UUID(NAMES[name])


async def _person(unit: Unit, who: str, name: str, email: str) -> None:
    moment = now()
    await unit.insert(
        Person(
            id=id_of(who), version=1, created_at=moment, updated_at=moment, name=name, email=email
        )
    )


async def _teacher(unit: Unit, who: str, role: AffiliationRole) -> None:
    moment = now()
    await unit.insert(
        Affiliation(
            id=id_of(f"{who}_at_school"),
            version=1,
            created_at=moment,
            updated_at=moment,
            person_id=id_of(who),
            organisation_id=id_of("school"),
            role=role,
            starts_on=date(2024, 9, 1),
        )
    )


async def _organisation(unit: Unit, key: str, **values: Any) -> None:
    await organisations.create_organisation(
        unit, actor=journal.COMMAND_LINE, organisation_id=id_of(key), values=values
    )


async def prepare(unit: Unit) -> None:
    """An authority and its school; a teacher there, its administrator and its system; two
    administrators of the operator."""
    await _organisation(
        unit,
        "authority",
        kind=OrganisationKind.LOCAL_AUTHORITY,
        name="Imagined County Council",
        name_cy="Cyngor Sir Ddychmygol",
    )
    await _organisation(
        unit,
        "school",
        kind=OrganisationKind.SCHOOL,
        name="White House School",
        name_cy="Ysgol Tŷ Gwyn",
        parent_id=id_of("authority"),
        address=["Ffordd y Môr", "Tŷ Gwyn"],
        postcode="LL99 1AA",
    )
    for who, name in (("megan", "Megan Lloyd"), ("ifan", "Ifan Rees")):
        await _person(unit, who, name, f"{who}@council.example")
        await accounts.make_operator(unit, actor=journal.COMMAND_LINE, person_id=id_of(who))
    await _person(unit, "sian", "Siân Wŷn Morgan", "sian@school.example")
    await _teacher(unit, "sian", AffiliationRole.TEACHER)
    await _person(unit, "nia", "Nia Roberts", "nia@school.example")
    await _teacher(unit, "nia", AffiliationRole.ADMINISTRATOR)
    identity = await accounts.create_identity(
        unit,
        actor=journal.COMMAND_LINE,
        person_id=id_of("sian"),
        email="sian@school.example",
        password=NAMES["password"],
        organisation_id=id_of("school"),
    )
    moment = now()
    await unit.insert(
        Session(
            id=id_of("sian_session"),
            person_id=id_of("sian"),
            identity_id=identity,
            client_id=PUBLIC_CLIENT,
            scopes=sorted(SCOPES),
            method="password",
            created_at=moment,
            last_used_at=moment,
            expires_at=moment + timedelta(days=30),
        )
    )
    await unit.insert(
        Client(
            id=id_of("system"),
            version=1,
            created_at=moment,
            updated_at=moment,
            name="School system",
            kind=ClientKind.CONFIDENTIAL,
            organisation_id=id_of("school"),
            scopes=sorted(SCOPES),
        )
    )
    secret = hash_secret(NAMES["secret"])
    await unit.insert(ClientSecret(hash=secret, client_id=id_of("system"), created_at=moment))


async def _prepare() -> None:
    database = Database(settings().database_url)
    await database.open()
    async with database.work() as unit:
        await prepare(unit)
    await database.close()


def main() -> None:
    """Prepares the configured database, which is migrated and empty."""
    asyncio.run(_prepare())
