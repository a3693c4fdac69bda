"""A person of whom there are two records, and what is needed to make them one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from app.models.organisations import OrganisationKind
from app.models.people import AffiliationRole
from tests.worlds import Actor, World, add_organisation, add_person, affiliate, token

PATH = "/v1/me/joins"


@dataclass
class Two:
    """`stays` teaches at the world's school; `goes` at another one, as a supply teacher."""

    world: World
    stays: Actor
    goes: Actor
    other_school: UUID
    place: UUID
    """The affiliation of `goes`."""

    async def asked(self) -> str:
        answer = await self.stays.post(PATH, json={})
        assert answer.status_code == 201, answer.text
        code: str = answer.json()["join_code"]
        return code

    async def completed(self, join_code: str, **more: Any) -> httpx.Response:
        body = {"join_code": join_code, **more}
        return await self.goes.post(f"{PATH}/completion", json=body)

    async def joined(self) -> None:
        answer = await self.completed(await self.asked())
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"person_id": str(self.stays.id)}


async def make_two(world: World) -> Two:
    """The learner of the world, and somebody who is the same person."""
    async with world.database.work() as unit:
        school = await add_organisation(unit, OrganisationKind.SCHOOL, "Ysgol y Bont")
        person = await add_person(unit, "Mair Supply")
        place = await affiliate(unit, person, school, AffiliationRole.SUPPLY_TEACHER)
    goes = Actor(world.http, person, token(world.app, person), "Mair Supply")
    world.actors["goes"] = goes
    return Two(world, world.learner, goes, school, place)
