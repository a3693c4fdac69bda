"""What a directory's search costs: other schools' users cost it nothing, however many there are."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app.access.scim import Term, _search
from app.core.clock import now, today
from app.core.ids import uuid7
from app.models.organisations import OrganisationKind
from app.models.people import SignInIdentity
from app.models.scim import DirectoryUser
from tests.counting import Read, tidy, visited
from tests.scim import School, directory_of
from tests.worlds import World, add_organisation

pytestmark = pytest.mark.anyio

OWN = 30
NAME = "user-7@school.example"


async def bring(world: World, organisation: UUID, count: int) -> list[UUID]:
    """Users of an organisation, all with the same few names and numbers."""
    ids, moment = [uuid7() for _ in range(count)], now()
    async with world.database.work() as unit:
        await unit.begin()
        identities = [
            {
                "id": id_,
                "person_id": world.learner.id,
                "organisation_id": organisation,
                "created_at": moment,
            }
            for id_ in ids
        ]
        users: list[dict[str, Any]] = [
            {
                "id": id_,
                "organisation_id": organisation,
                "user_name": "x",
                "user_name_key": f"user-{number}@school.example",
                "external_id": str(number % 50),
                "email_keys": f"\nwork\tuser-{number}@school.example\n",
                "affiliations": {},
                "version": 1,
                "created_at": moment,
                "updated_at": moment,
            }
            for number, id_ in enumerate(ids)
        ]
        await unit.session.execute(insert(SignInIdentity), identities)
        await unit.session.execute(insert(DirectoryUser), users)
    return ids


async def costs(school: School, known: UUID) -> dict[str, int]:
    database = school.world.database
    tidy(database)
    found = {}
    for what, terms, rows in (
        ("page", [], 20),
        ("by id", [Term("id", "eq", known)], 1),
        ("by name", [Term("user_name", "eq", NAME)], 1),
        ("by number", [Term("external_id", "eq", "7")], 1),
        ("by address", [Term("email", "eq", f"%\t{NAME}\n%")], 1),
        ("since", [Term("updated_at", "gt", now())], 0),
        ("closed", [Term("active", "eq", False)], 0),
    ):
        count, page = _search(tuple((term.attribute, term.operator) for term in terms))
        values = {
            "client": str(school.client),
            "today": today(),
            "limit": 20,
            "offset": 0,
            **{f"value_{n}": term.value for n, term in enumerate(terms)},
        }
        found[f"{what}, page"] = await visited(database, Read("", what, page, values, rows))
        found[f"{what}, count"] = await visited(database, Read("", what, count, values, 1))
    return found


async def test_users_of_other_schools_cost_a_search_nothing(world: World) -> None:
    school = await directory_of(world, world.school)
    async with world.database.work() as unit:
        other = await add_organisation(unit, OrganisationKind.SCHOOL, "Large")
        larger = await add_organisation(unit, OrganisationKind.SCHOOL, "Larger")
    known = (await bring(world, world.school, OWN))[7]
    await bring(world, other, 300)
    before = await costs(school, known)
    await bring(world, larger, 3000)
    after = await costs(school, known)
    grown = [f"{r}: {before[r]} -> {after[r]}" for r in before if after[r] > before[r] * 1.5 + 30]
    assert grown == []
