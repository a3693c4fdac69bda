"""Amendments and protective acts, as the parties of a test's agreement do them over HTTP."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import update

from app.core.db import Database
from app.models.agreement_text import OBLIGATIONS
from app.models.agreements import LearningAgreement
from app.models.people import AffiliationRole
from tests.worlds import Actor, World, add_person, affiliate, token

ROLES = {
    "learner": ("learner",),
    "fellow": ("learner",),
    "coach": ("coach",),
    "tutor": ("tutor",),
}
"""The parties of `World.agreement()`."""


def parties(
    world: World, *, earlier: tuple[str, ...] = (), **changed: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The parties of `World.agreement()` with other roles; nobody without any. `earlier`: who is to
    read what was written before they joined."""
    return [
        {
            "person_id": str(world.actors[who].id),
            "role": role,
            **({"earlier_records": True} if who in earlier else {}),
        }
        for who, roles in {**ROLES, **changed}.items()
        for role in roles
    ]


async def in_force(world: World, **changes: Any) -> str:
    """The path of an agreement in force."""
    return f"/v1/learning-agreements/{await world.agreement(**changes)}"


def agreement_of(path: str) -> str:
    return path.rpartition("/")[2]


async def arrive(world: World, *names: str) -> None:
    """Further teachers at the school, as actors of the world."""
    async with world.database.work() as unit:
        for name in names:
            person_id = await add_person(unit, name.title())
            world.affiliations[name] = await affiliate(
                unit, person_id, world.school, AffiliationRole.TEACHER
            )
            world.actors[name] = Actor(world.http, person_id, token(world.app, person_id), name)


async def propose(
    world: World, path: str, *, by: str = "learner", **changes: Any
) -> dict[str, Any]:
    """The version that an amendment puts on the table."""
    made = await world.actors[by].post(f"{path}/amendments", json={"changes": changes})
    assert made.status_code == 201, made.text
    number = made.json()["amendment_number"]
    version: dict[str, Any] = (await world.actors[by].get(f"{path}/versions/{number}")).json()
    return version


async def answer(world: World, path: str, version: dict[str, Any], who: str) -> httpx.Response:
    """The answer to one person's signature."""
    return await world.actors[who].post(
        f"{path}/signatures", json={"digest": version["digest"], "obligations": list(OBLIGATIONS)}
    )


async def sign(world: World, path: str, version: dict[str, Any], *who: str) -> httpx.Response:
    """Signs for each of `who`; the last answer."""
    for name in who:
        last = await answer(world, path, version, name)
        assert last.status_code == 201, last.text
    return last


def asked(world: World, version: dict[str, Any]) -> set[str]:
    """Whose signatures a version asks for, by their names in the world."""
    names = {str(actor.id): who for who, actor in world.actors.items()}
    return {names[s["person_id"]] for s in version["signatures"]}


async def amend(world: World, path: str, *, by: str = "learner", **changes: Any) -> dict[str, Any]:
    """An amendment that everybody whom it asks has signed; its version as it stands then."""
    version = await propose(world, path, by=by, **changes)
    await sign(world, path, version, *asked(world, version))
    found: dict[str, Any] = (
        await world.actors[by].get(f"{path}/versions/{version['number']}")
    ).json()
    assert found["state"] == "in_force", found
    return found


async def narrow(world: World, path: str, who: str = "learner", **terms: Any) -> dict[str, Any]:
    """The agreement after one party has narrowed its terms."""
    done = await world.actors[who].post(f"{path}/narrowing", json=terms)
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def leave(world: World, path: str, who: str) -> dict[str, Any]:
    """What somebody who leaves sees of the agreement."""
    done = await world.actors[who].post(f"{path}/departure")
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def change_agreement(world: World, path: str, **values: Any) -> None:
    """Writes into the row, as only time or another process could."""
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(LearningAgreement)
            .where(LearningAgreement.id == UUID(agreement_of(path)))
            .values(**values)
        )


async def readers_of(world: World, record: str) -> dict[str, bytes]:
    """The bytes of a record for each who reads it; item and list agree."""
    found = {}
    collection, _, record_id = record.rpartition("/")
    for who, actor in world.actors.items():
        one = await actor.get(record)
        listed = (await actor.get(collection)).json()["items"]
        in_list = [item for item in listed if item["id"] == record_id]
        assert in_list == ([one.json()] if one.status_code == 200 else []), who
        if one.status_code == 200:
            found[who] = one.content
        else:
            assert one.status_code == 404, one.text
    return found


async def waiting(database: Database, count: int) -> None:
    """Returns when `count` writers stand in line behind the transaction that the test holds."""
    async with asyncio.timeout(10):
        while True:
            if _waiting(database) >= count:
                return
            await asyncio.sleep(0)


def _waiting(database: Database) -> int:
    if database.is_sqlite:
        return len(database._turns._waiters or ())
    with psycopg.connect(database._dsn, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    assert row is not None
    return int(row[0])


async def school_of(world: World, who: str) -> UUID:
    """The organisation that somebody is affiliated to."""
    own = (await world.actors[who].get("/v1/affiliations")).json()["items"]
    return UUID(own[0]["organisation_id"])
