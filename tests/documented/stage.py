"""Who and what is there when the story begins: what cannot be made over HTTP."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts, identity_providers, organisations
from app.core import journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.passwords import hash_password, hash_secret
from app.core.sealing import Seals
from app.core.settings import settings
from app.models.identity_providers import FederatedSubject, IdentityLink
from app.models.organisations import OrganisationKind
from app.models.people import (
    Affiliation,
    AffiliationRole,
    Client,
    ClientKind,
    ClientSecret,
    Person,
    SignInIdentity,
)
from app.models.second_factors import RecoveryCode, SecondFactor
from app.models.sessions import Consent, Session
from app.openapi.examples import read

SECRET_OF_THE_APP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""Of RFC 6238; its code at the story's beginning stands in the chapter on accounts."""
RECOVERY_CODES = ("abcd-efgh-ijkm-npqr", "stuv-wxyz-2345-6789", "bcde-fghi-jkmn-pqrs")

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
            accepted_at=moment,
        )
    )


async def _organisation(unit: Unit, key: str, **values: Any) -> None:
    await organisations.create_organisation(
        unit, actor=journal.COMMAND_LINE, organisation_id=id_of(key), values=values
    )


async def _account_of_nia(unit: Unit) -> None:
    """A way in, a session, a consent; an app that counts and one that is begun; recovery codes."""
    nia, moment = id_of("nia"), now()
    await unit.insert(
        SignInIdentity(
            id=id_of("nia_identity"),
            person_id=nia,
            organisation_id=id_of("school"),
            email="nia@school.example",
            password_hash=await hash_password(NAMES["password"]),
            created_at=moment,
        )
    )
    for name in ("nia_session", "nia_other_session"):
        await unit.insert(
            Session(
                id=id_of(name),
                person_id=nia,
                identity_id=id_of("nia_identity"),
                client_id=PUBLIC_CLIENT,
                scopes=["account:read", "account:write", "people:read"],
                method="password otp",
                created_at=moment,
                last_used_at=moment,
                expires_at=moment + timedelta(days=30),
            )
        )
    await unit.insert(
        Consent(
            person_id=nia,
            client_id=PUBLIC_CLIENT,
            scopes=["account:read", "account:write", "people:read"],
            given_at=moment,
        )
    )
    seals = Seals(settings().var / "keys")
    for name, shown, confirmed in (("telephone", "Ffôn", moment), ("tablet", "Tablet", None)):
        factor = SecondFactor(
            id=id_of(f"nia_{name}"),
            person_id=nia,
            name=shown,
            created_at=moment,
            confirmed_at=confirmed,
        )
        factor.secret = seals.seal(SECRET_OF_THE_APP, factor.about)
        await unit.insert(factor)
    for code in RECOVERY_CODES:
        bare = code.replace("-", "")
        await unit.insert(
            RecoveryCode(hash=hash_secret(f"{nia}:{bare}"), person_id=nia, created_at=moment)
        )


async def _accounts_of_sian(unit: Unit) -> None:
    """Hwb, as the operator has added it; her account there; another that she has just shown."""
    sian, moment = id_of("sian"), now()
    await identity_providers.create_provider(
        unit,
        Seals(settings().var / "keys"),
        actor=journal.COMMAND_LINE,
        provider_id=id_of("hwb"),
        values={
            "organisation_id": None,
            "name": "Hwb",
            "name_cy": "Hwb",
            "issuer": "https://hwb.example",
            "client_id": "tandem",
            "client_secret": NAMES["secret"],
            "trusted_domains": [],
            "required_claims": [{"claim": "staff", "value": "true"}],
            "vouches_for_addresses": False,
            "creates_people": False,
            "enabled": True,
        },
    )
    await unit.insert(SignInIdentity(id=id_of("sian_at_hwb"), person_id=sian, created_at=moment))
    await unit.insert(
        FederatedSubject(
            provider_id=id_of("hwb"),
            subject="1",
            identity_id=id_of("sian_at_hwb"),
            linked_at=moment,
        )
    )
    await unit.insert(
        IdentityLink(
            id=id_of("link"),
            secret_hash=hash_secret(NAMES["link_code"]),
            person_id=sian,
            client_id=PUBLIC_CLIENT,
            provider_id=id_of("hwb"),
            redirect_uri="https://tandem.example/docs/oauth2-redirect",
            subject="2",
            expires_at=moment + timedelta(days=1),
        )
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
    await _account_of_nia(unit)
    await _accounts_of_sian(unit)
    for who, name in (
        ("elin", "Elin Puw"),
        ("huw", "Huw Tudur"),
        ("elin_on_supply", "E. Puw"),
    ):
        await _person(unit, who, name, f"{who}@home.example")
    moment = now()
    await unit.insert(
        Session(
            id=id_of("sian_signed_in"),
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
