"""What lists of people and of their ties cost: everybody elsewhere costs them nothing, however many there are."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from app.access.caller import CallerKind
from app.access.networks import NETWORKS
from app.access.people import AFFILIATIONS, PEOPLE
from app.access.visibility import SINCE, item_query, page_query
from app.core.clock import now, today
from app.core.ids import uuid7
from app.models.networks import Network, NetworkMember
from app.models.organisations import OrganisationKind
from app.models.people import Affiliation, Person
from tests.counting import Read, tidy, visited
from tests.crowds import add
from tests.worlds import World, add_organisation

pytestmark = pytest.mark.anyio

ACTORS = ("learner", "head", "administrator", "stranger", "client")


async def elsewhere(world: World, schools: list[UUID], count: int) -> UUID:
    """People of other schools, who meet in networks; one of them."""
    since = today() - timedelta(days=9)
    async with world.database.work() as unit:
        people = await add(unit, Person, [{}] * count)
        ties = [
            {"person_id": p, "organisation_id": schools[n % len(schools)], "starts_on": since}
            for n, p in enumerate(people)
        ]
        await add(unit, Affiliation, ties)
        networks = await add(unit, Network, [{}] * (count // 20))
        members = [
            {"person_id": p, "network_id": networks[n % len(networks)], "confirmed_at": now()}
            for n, p in enumerate(people)
        ]
        await add(unit, NetworkMember, members)
    return people[0]


def reads(world: World, hidden: UUID) -> Iterator[Read]:
    for resource in (PEOPLE, AFFILIATIONS, NETWORKS):
        for who in ACTORS:
            kind = CallerKind.CLIENT if who == "client" else CallerKind.PERSON
            caller = str(world.actors[who].id)
            values = {"me": caller, "client": caller, "today": today(), "cursor": uuid7()}
            what = f"{resource.kind}, page"
            page = page_query(resource, kind, frozenset(), continued=True)
            yield Read(who, what, page, {**values, "limit": 200}, -1)
            changed = page_query(resource, kind, frozenset((SINCE,)), continued=True)
            since = {SINCE: now() + timedelta(days=1), "limit": 200}
            yield Read(who, f"{resource.kind}, since", changed, {**values, **since}, 0)
            if resource is PEOPLE:
                one = item_query(resource, kind)
                yield Read(who, f"{resource.kind}, one", one, {**values, "id": hidden}, 0)


async def costs(world: World, hidden: UUID) -> dict[str, int]:
    tidy(world.database)
    return {f"{r.who}: {r.what}": await visited(world.database, r) for r in reads(world, hidden)}


async def test_people_elsewhere_cost_a_list_nothing(world: World) -> None:
    async with world.database.work() as unit:
        schools = [
            await add_organisation(unit, OrganisationKind.SCHOOL, f"School {number}")
            for number in range(40)
        ]
    hidden = await elsewhere(world, schools, 600)
    before = await costs(world, hidden)
    await elsewhere(world, schools, 6000)
    after = await costs(world, hidden)
    grown = [f"{r}: {before[r]} -> {after[r]}" for r in before if after[r] > before[r] * 1.5 + 30]
    assert grown == []
