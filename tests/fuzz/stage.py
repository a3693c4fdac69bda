"""A world for the fuzzing, made in a process of its own: `python -m tests.fuzz.stage` prints its ids.

The database is migrated, and nobody else uses it. Of what requests delete, end or sign there are several.
"""

import asyncio
import json
import sys
from typing import Any

from app.actions import accounts
from app.core import journal
from app.main import create_app
from app.models.people import AffiliationRole
from tests.fuzz.reaching import OF_ITS_STATE
from tests.scene import Scene, made, make_scene, until_later
from tests.worlds import World, affiliate

SEVERAL = 6
CALLERS = ("learner", "coach", "administrator", "operator", "second", "stranger", "client")


async def _records(world: World, agreement: str) -> dict[str, list[str]]:
    """More of the learner's records of each kind."""
    found: dict[str, list[str]] = {"goal_id": [], "evidence_item_id": [], "share_id": []}
    for number in range(SEVERAL):
        within = agreement if number % 2 else None
        goal = (await world.goal(within, statement=f"Goal {number}."))["id"]
        item = await world.evidence(within, title=f"Lesson {number}")
        shown = until_later(str(world.head.id))
        found["goal_id"].append(goal)
        found["evidence_item_id"].append(item["id"])
        found["share_id"].append(await made(world, "/v1/shares", goal_id=goal, **shown))
    return found


async def _agreements(world: World) -> list[str]:
    """Some in each state that a request can move them from."""
    drafts = [(await world.draft()).rpartition("/")[2] for _ in range(2)]
    proposals = [(await world.propose())[0].rpartition("/")[2] for _ in range(2)]
    return [*drafts, *proposals, *[await world.agreement() for _ in range(4)]]


async def _client(world: World) -> str:
    async with world.database.work() as unit:
        client_id, _ = await accounts.create_client(
            unit,
            actor=journal.COMMAND_LINE,
            name="Another school system",
            organisation_id=world.school,
            scopes=["people:read"],
        )
    return str(client_id)


async def _asked(world: World) -> str:
    """An affiliation that waits for the learner's word."""
    async with world.database.work() as unit:
        found = await affiliate(
            unit, world.learner.id, world.authority, AffiliationRole.TEACHER, accepted_at=None
        )
    return str(found)


async def _pools(scene: Scene) -> dict[str, list[str]]:
    """Ids by the name of the parameter or member that takes them."""
    world, places = scene.world, scene.places
    more = await _records(world, places["active"])
    pools = {name: [value, *more.get(name, [])] for name, value in places.items()}
    pools["file_id"] += [
        (await world.file({"id": places["evidence_item_id"]}, name=f"{number}.txt"))["id"]
        for number in range(2)
    ]
    pools["evidence_item_id"] = pools["evidence_item_id"][:4]
    agreements = [*pools.pop("learning_agreement_id"), *pools.pop("active")]
    pools["learning_agreement_id"] = [*agreements, *await _agreements(world)]
    for operation in OF_ITS_STATE:
        pools[f"agreement_for_{operation}"] = await _agreements(world)
    pools["person_id"] = [str(actor.id) for name, actor in world.actors.items() if name != "client"]
    # Who drafts is one of the parties, and the learner does.
    pools["party"] = [str(world.learner.id), str(world.actors["coach"].id)]
    pools["affiliation_id"] = [str(found) for found in world.affiliations.values()]
    for what in ("accept", "refuse"):
        pools[f"affiliation_to_{what}"] = [await _asked(world) for _ in range(2)]
    pools["organisation_id"] = [str(world.school), str(world.authority)]
    # What a disabled client is asked for is refused, all of it.
    pools["client_to_disable"] = [await _client(world) for _ in range(2)]
    for _ in range(2):
        pools["network_id"].append(await made(world, "/v1/networks", kind="cluster", name="Môn"))
        pools["opening_id"].append(await world.opening(pools["learning_agreement_id"][-1]))
    for who in ("fellow", "coach", "head"):
        body = {"person_id": str(world.actors[who].id)}
        path = f"/v1/networks/{places['network_id']}/members"
        pools["network_member_id"].append(await made(world, path, **body))
    pools["code"] = ["coaching-principles", "1", "9"]
    pools["slug"] = ["not-found", "invalid-request"]
    return pools


async def _make() -> dict[str, Any]:
    app = create_app()
    async with app.router.lifespan_context(app), make_scene(app) as scene:
        pools = await _pools(scene)
        people = {name: str(scene.world.actors[name].id) for name in CALLERS}
    return {"pools": pools, "callers": people}


if __name__ == "__main__":
    json.dump(asyncio.run(_make()), sys.stdout)
