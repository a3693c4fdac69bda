"""Questions whose answers would tell, by yes or no, what may not be read."""

import pytest
from sqlalchemy import update

from app.core.clock import today
from app.models.people import Affiliation
from tests.worlds import World

pytestmark = pytest.mark.anyio


async def items(world: World, who: str, path: str, **query: str) -> set[str]:
    answer = await world.actors[who].get(path, params=query)
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["items"]}


async def test_no_filter_tells_who_has_left_what_has_become_of_what_they_keep(
    world: World,
) -> None:
    ticks = {"goals": ["coaches"], "evidence": ["coaches"], "former_parties": "their_time"}
    agreement = await world.agreement(disclosure=ticks)
    goal = (await world.goal(agreement))["id"]
    item = (await world.evidence(agreement))["id"]
    left = await world.coach.post(f"/v1/learning-agreements/{agreement}/departure")
    assert left.status_code == 200, left.text
    principles = (await world.learner.get("/v1/principles")).json()["items"]
    principle = next(p["id"] for p in principles if p["code"] == "3")
    # The learner goes on with them; nothing of that is for who has left.
    assert (await world.learner.post(f"/v1/goals/{goal}/proposal")).status_code == 200
    for path in (f"/v1/goals/{goal}", f"/v1/evidence-items/{item}"):
        linked = await world.learner.patch(path, json={"principles": ["3"]})
        assert linked.status_code == 200, linked.text
    await world.learner.patch(f"/v1/evidence-items/{item}", json={"kind": "video"})
    for path, query, record in (
        ("/v1/goals", {"state": "proposed"}, goal),
        ("/v1/goals", {"framework_item": principle}, goal),
        ("/v1/evidence-items", {"kind": "video"}, item),
        ("/v1/evidence-items", {"framework_item": principle}, item),
    ):
        assert record in await items(world, "learner", path, **query)
        assert record not in await items(world, "coach", path, **query)
        assert record in await items(world, "coach", path)
        assert record in await items(world, "coach", path, agreement_id=agreement)


async def test_a_draft_is_no_directory_of_the_leaders_and_systems_of_a_school(
    world: World,
) -> None:
    """Whoever names any school in a draft of their own learns of nobody there."""
    ticks = {"goals": ["coaches", "leaders", "systems"]}
    head, system = str(world.head.id), str(world.client.id)
    for who in ("stranger", "operator"):
        actor = world.actors[who]
        text = {
            "parties": [{"person_id": str(actor.id), "role": "learner"}],
            "home_organisation_id": str(world.school),
            "disclosure": ticks,
        }
        drafted = await actor.post("/v1/learning-agreements", json=text)
        assert drafted.status_code == 201, drafted.text
        resource = {"resource": f"learning_agreement:{drafted.json()['id']}"}
        told = await actor.get("/v1/access/audience", params=resource)
        assert told.status_code == 200, told.text
        assert head not in told.text
        assert system not in told.text
    path, _ = await world.propose(disclosure=ticks)
    resource = {"resource": f"learning_agreement:{path.rpartition('/')[2]}"}
    told = await world.tutor.get("/v1/access/audience", params=resource)
    assert head in told.text, "those who are asked to sign are told"
    assert system in told.text


async def test_who_has_left_is_followed_nowhere(world: World) -> None:
    agreement = await world.agreement()
    assert (
        await world.tutor.post(f"/v1/learning-agreements/{agreement}/departure")
    ).status_code == 200
    path = f"/v1/people/{world.tutor.id}"
    assert (await world.coach.get(path)).status_code == 200, "a colleague, still"
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Affiliation)
            .where(Affiliation.id == world.affiliations["tutor"])
            .values(ends_on=today())
        )
    for who in ("learner", "coach"):
        assert (await world.actors[who].get(path)).status_code == 404
