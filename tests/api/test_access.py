"""Who could read this, who has read it, and why may I (not)?"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.access.door import OVER
from app.access.grants import GRANTS
from app.core.clock import today
from tests.api.test_shares import TO_NETWORKS, evidence, network_of, share, with_person
from tests.worlds import World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "networks", "systems"]
OPEN = {"goals": ALL, "evidence": ALL}


async def audience(world: World, who: str, resource: str) -> Any:
    return await world.actors[who].get("/v1/access/audience", params={"resource": resource})


async def who_reads(world: World, path: str) -> set[str]:
    """Everybody of the world who can read it, found by trying."""
    found = set()
    for name, actor in world.actors.items():
        if (await actor.get(path)).status_code == 200:
            found.add(str(world.actors[name].id))
    return found


async def named(world: World, who: str, resource: str) -> set[str]:
    answer = await audience(world, who, resource)
    assert answer.status_code == 200, answer.text
    return {reader["id"] for reader in answer.json()["readers"]}


async def test_the_audience_is_exactly_those_who_can_read(world: World) -> None:
    network = await network_of(world, "administrator")
    agreement = await world.agreement(disclosure=OPEN, networks=[network])
    for readers in ([], ["coaches"], ["leaders", "systems"], ["fellows", "advisers"]):
        goal = await world.goal(agreement, readers=readers, shows_pupils="no")
        item = await evidence(world, agreement_id=agreement, readers=readers)
        for kind, record, path in (
            ("goal", goal["id"], f"/v1/goals/{goal['id']}"),
            ("evidence_item", item["id"], f"/v1/evidence-items/{item['id']}"),
        ):
            resource = f"{kind}:{record}"
            assert await named(world, "learner", resource) == await who_reads(world, path)
            body = {"goal_id": record} if kind == "goal" else {"evidence_item_id": record}
            assert (await share(world, network_id=network, **body)).status_code == 201
            await with_person(world, "head", **body)
            assert await named(world, "learner", resource) == await who_reads(world, path)
    path = f"/v1/learning-agreements/{agreement}"
    assert await named(world, "tutor", f"learning_agreement:{agreement}") == await who_reads(
        world, path
    )


async def test_each_reader_is_named_with_the_rules_by_which_they_read(world: World) -> None:
    agreement = await world.agreement(disclosure=OPEN)
    goal = await world.goal(agreement, readers=["coaches", "leaders", "systems"])
    answer = await audience(world, "coach", f"goal:{goal['id']}")
    found = {reader["name"]: reader for reader in answer.json()["readers"]}
    assert {name: reader["rules"] for name, reader in found.items()} == {
        world.learner.name: ["owner"],
        world.coach.name: ["coaches"],
        world.head.name: ["leader"],
        "School system": ["system"],
    }
    assert found["School system"]["kind"] == "client"
    assert all(reader["reasons"] for reader in found.values())


async def test_what_a_goal_is_shared_with_reaches_its_evidence(world: World) -> None:
    goal = await world.goal()
    item = await evidence(world, goal_ids=[goal["id"]])
    await with_person(world, "coach", goal_id=goal["id"], with_evidence=True)
    found = await named(world, "learner", f"evidence_item:{item['id']}")
    assert found == {str(world.learner.id), str(world.coach.id)}


async def test_only_owner_and_parties_ask_and_hidden_is_like_nothing(world: World) -> None:
    agreement = await world.agreement(disclosure=OPEN)
    goal = await world.goal(agreement, readers=["leaders"])
    resource = f"goal:{goal['id']}"
    assert (await audience(world, "head", resource)).status_code == 403
    assert (await audience(world, "client", resource)).status_code == 403
    for who in ("stranger", "coach"):
        hidden = await audience(world, who, resource)
        nothing = await audience(world, who, f"goal:{uuid4()}")
        assert hidden.status_code == nothing.status_code == 404
        for answer in (hidden, nothing):
            answer.json().pop("request_id")
        assert {**hidden.json(), "request_id": "", "instance": ""} == {
            **nothing.json(),
            "request_id": "",
            "instance": "",
        }
    for wrong in ("goal", f"person:{world.learner.id}", "goal:nothing", f"goals:{goal['id']}"):
        answer = await audience(world, "learner", wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "resource"


async def test_who_could_read_is_shown_before_anybody_signs(world: World) -> None:
    network = await network_of(world, "administrator")
    path, _ = await world.propose(
        disclosure={**TO_NETWORKS, "evidence": ["coaches", "leaders", "systems"]},
        networks=[network],
    )
    resource = f"learning_agreement:{path.rpartition('/')[2]}"
    answer = await audience(world, "tutor", resource)
    assert answer.status_code == 200, answer.text
    shown = {
        entry["kind"]: {
            group["reader"]: {who["name"] for who in group["who"]} for group in entry["readers"]
        }
        for entry in answer.json()["under_proposed_terms"]
    }
    assert shown["goals"] == {
        "coaches": {world.coach.name},
        "networks": {world.learner.name, world.administrator.name},
    }
    assert shown["evidence"] == {
        "coaches": {world.coach.name},
        "leaders": {world.head.name},
        "systems": {"School system"},
    }
    assert shown["reflections"] == {}
    agreement = await world.agreement()
    in_force = await audience(world, "tutor", f"learning_agreement:{agreement}")
    assert in_force.json()["under_proposed_terms"] is None
    await world.learner.post(
        f"/v1/learning-agreements/{agreement}/amendments",
        json={"changes": {"disclosure": {"goals": ["leaders"]}}},
    )
    amended = await audience(world, "tutor", f"learning_agreement:{agreement}")
    goals = next(e for e in amended.json()["under_proposed_terms"] if e["kind"] == "goals")
    assert [group["reader"] for group in goals["readers"]] == ["leaders"]


async def test_why_and_why_not_are_explained_on_what_the_caller_sees(world: World) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)

    async def why(who: str, action: str) -> Any:
        return await world.actors[who].get(
            "/v1/access/explanation", params={"resource": f"goal:{goal['id']}", "action": action}
        )

    mine = (await why("learner", "goal:revise")).json()
    assert mine["allowed"]
    assert mine["missing"] == []
    assert [rule["rule"] for rule in mine["rules"] if rule["met"]] == ["owner"]
    theirs = (await why("coach", "goal:revise")).json()
    assert not theirs["allowed"]
    assert theirs["missing"] == ["This is for the record's owner."]
    assert (await why("coach", "goal:accept")).json()["allowed"]
    assert (await why("head", "goal:read")).status_code == 404
    assert (await why("learner", "agreement:sign")).status_code == 422
    assert (await why("learner", "goal:dance")).status_code == 422
    await world.tutor.post(f"/v1/learning-agreements/{agreement}/ending")
    over = (await why("learner", "goal:write")).json()
    assert not over["allowed"]
    assert "over" in over["missing"][0]
    # What is explained is what happens.
    refused = await world.coach.patch(f"/v1/goals/{goal['id']}", json={"statement": "Mine."})
    assert refused.status_code == 403


async def test_an_end_explains_nothing_to_those_who_may_not_know_of_the_agreement(
    world: World,
) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    await with_person(world, "head", goal_id=goal["id"])

    async def missing(who: str) -> list[str]:
        asked = {"resource": f"goal:{goal['id']}", "action": "goal:accept"}
        answer = await world.actors[who].get("/v1/access/explanation", params=asked)
        found: list[str] = answer.json()["missing"]
        return found

    before = await missing("head")
    ended = await world.learner.post(f"/v1/learning-agreements/{agreement}/ending")
    assert ended.status_code == 200, ended.text
    assert await missing("head") == before
    assert await missing("coach") == [OVER]


async def test_a_token_says_what_it_allows(world: World) -> None:
    found = {
        entry["action"]: entry for entry in (await world.learner.get("/v1/me/permissions")).json()
    }
    assert set(found) == {str(action) for action in GRANTS}
    for_systems = {str(action) for action, grant in GRANTS.items() if not grant.people}
    assert {name for name, entry in found.items() if not entry["allowed"]} == for_systems
    client = {
        entry["action"]: entry["allowed"]
        for entry in (await world.client.get("/v1/me/permissions")).json()
    }
    assert client["goal:read"]
    assert not client["goal:create"]


async def test_the_parties_see_who_outside_them_has_read(world: World) -> None:
    agreement = await world.agreement(disclosure=OPEN)
    open_goal = await world.goal(agreement)
    for_head = await world.goal(agreement, readers=["leaders"])
    for goal in (open_goal, for_head):
        assert (await world.head.get(f"/v1/goals/{goal['id']}")).status_code == 200
    assert (await world.client.get(f"/v1/goals/{open_goal['id']}")).status_code == 200
    assert (await world.coach.get(f"/v1/goals/{open_goal['id']}")).status_code == 200
    path = f"/v1/learning-agreements/{agreement}/readers"

    async def shown(who: str, **parameters: Any) -> list[tuple[Any, ...]]:
        answer = await world.actors[who].get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return [
            (entry["day"], entry["name"], entry["person_id"], entry["resource_id"])
            for entry in answer.json()["items"]
        ]

    day, head = today().isoformat(), str(world.head.id)
    mine = await shown("learner")
    assert set(mine) == {
        (day, world.head.name, head, open_goal["id"]),
        (day, world.head.name, head, for_head["id"]),
        (day, "School system", None, open_goal["id"]),
    }
    # A party learns nothing of records that they do not see.
    assert {entry[3] for entry in await shown("coach")} == {open_goal["id"]}
    for who, status in (("head", 403), ("client", 403), ("stranger", 404)):
        assert (await world.actors[who].get(path)).status_code == status
    paged, cursor = [], None
    while True:
        parameters = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await world.learner.get(path, params=parameters)).json()
        paged += [entry["resource_id"] for entry in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(paged) == sorted(entry[3] for entry in mine)


async def test_a_date_that_passes_takes_readers_out_of_the_audience(world: World) -> None:
    agreement = await world.agreement(disclosure=OPEN)
    later = (today() + timedelta(days=1)).isoformat()
    goal = await world.goal(agreement, delete_by=later)
    assert str(world.head.id) in await named(world, "learner", f"goal:{goal['id']}")
    await world.learner.patch(f"/v1/goals/{goal['id']}", json={"pupil_consent": "withdrawn"})
    found = await named(world, "learner", f"goal:{goal['id']}")
    assert str(world.head.id) not in found
    assert str(world.coach.id) in found
