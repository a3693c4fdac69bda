"""Two records of one person become one, by a sign-in as each; nobody else reads more by it."""

import pytest

from tests.joining import PATH, Two, make_two
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def two(world: World) -> Two:
    return await make_two(world)


async def test_two_records_become_one(two: Two) -> None:
    await two.joined()
    me = (await two.stays.get("/v1/me")).json()
    assert me["person"]["joined"] == [str(two.goes.id)]
    assert {a["id"] for a in me["affiliations"]} == {
        str(two.place),
        str(two.world.affiliations["learner"]),
    }
    assert {o["id"] for o in me["person"]["organisations"]} == {
        str(two.other_school),
        str(two.world.school),
    }
    for who in (two.stays, two.world.operator, two.world.administrator):
        assert (await who.get(f"/v1/people/{two.goes.id}")).status_code == 404
    seen = (await two.world.operator.get(f"/v1/people/{two.stays.id}")).json()
    assert seen["joined"] == [str(two.goes.id)]
