"""Goals over HTTP: who may do what, and what is kept."""

from typing import Any

import pytest

from tests.worlds import World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
OPEN: dict[str, Any] = {"disclosure": {"goals": ALL, "existence": ALL}}


async def test_a_goal_is_read_by_those_whom_the_terms_tick_and_nobody_else(world: World) -> None:
    goal = await world.goal(await world.agreement())
    assert goal["readers"] == ["coaches", "advisers"]
    seen = {
        who: (await actor.get(f"/v1/goals/{goal['id']}")).status_code
        for who, actor in world.actors.items()
    }
    assert seen == {
        "learner": 200, "coach": 200, "tutor": 200,
        "fellow": 404, "head": 404, "administrator": 404, "operator": 404, "stranger": 404,
        "client": 404,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "readers"),
    [
        ("coaches", {"coach"}),
        ("fellows", {"fellow"}),
        ("advisers", {"tutor"}),
        ("leaders", {"head"}),
        ("systems", {"client"}),
    ],
)
async def test_each_tick_opens_a_goal_to_its_class_of_reader_alone(
    world: World, reader: str, readers: set[str]
) -> None:
    agreement = await world.agreement(**OPEN)
    goal = await world.goal(agreement, readers=[reader])
    one, listed = set(), set()
    for who, actor in world.actors.items():
        if (await actor.get(f"/v1/goals/{goal['id']}")).status_code == 200:
            one.add(who)
        page = (await actor.get("/v1/goals")).json()
        if goal["id"] in [item["id"] for item in page["items"]]:
            listed.add(who)
    assert one == listed == {"learner", *readers}


async def test_a_tick_that_the_terms_lack_is_refused(world: World) -> None:
    agreement = await world.agreement()
    refused = await world.learner.post(
        "/v1/goals", json={"statement": "x", "agreement_id": agreement, "readers": ["leaders"]}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/readers/0"


async def test_an_unsigned_agreement_takes_no_goals_and_a_stranger_learns_nothing(
    world: World,
) -> None:
    path, _ = await world.propose()
    agreement = path.rpartition("/")[2]
    for actor in (world.learner, world.stranger):
        refused = await actor.post("/v1/goals", json={"statement": "x", "agreement_id": agreement})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/agreement_id"


async def test_a_revision_keeps_the_old_wording_and_reopens_what_was_agreed(world: World) -> None:
    goal = await world.goal(await world.agreement(), principles=["1"])
    path = f"/v1/goals/{goal['id']}"
    assert (await world.learner.post(f"{path}/proposal")).json()["state"] == "proposed"
    assert (await world.learner.post(f"{path}/acceptances", json={"wording_number": 1})).json()[
        "state"
    ] == "proposed"
    agreed = await world.coach.post(f"{path}/acceptances", json={"wording_number": 1})
    assert agreed.json()["state"] == "agreed"
    revised = await world.learner.patch(
        path, etag=agreed.headers["ETag"], json={"statement": "Better.", "principles": ["2", "A1"]}
    )
    assert revised.status_code == 200
    assert revised.json()["state"] == "proposed"
    assert revised.json()["learner_accepted_at"] is None
    old = (await world.coach.get(f"{path}/revisions")).json()["items"]
    assert [o["wording"]["statement"] for o in old] == ["Pupils give reasons."]
    assert old[0]["wording"]["principles"] == ["1"]


async def test_only_the_learner_moves_a_goal_and_it_may_go_back(world: World) -> None:
    goal = await world.goal(await world.agreement())
    path = f"/v1/goals/{goal['id']}"
    await world.learner.post(f"{path}/proposal")
    early = await world.learner.post(f"{path}/progress", json={"note": "!", "state": "achieved"})
    assert early.status_code == 409
    await world.learner.post(f"{path}/acceptances", json={"wording_number": 1})
    await world.coach.post(f"{path}/acceptances", json={"wording_number": 1})
    refused = await world.coach.post(f"{path}/progress", json={"note": "!", "state": "achieved"})
    assert refused.status_code == 403
    noted = await world.tutor.post(f"{path}/progress", json={"note": "I saw it."})
    assert noted.status_code == 201
    for state in ("in_progress", "achieved", "in_progress", "agreed", "draft"):
        moved = await world.learner.post(f"{path}/progress", json={"note": "on", "state": state})
        assert moved.json()["to_state"] == state
    history = (await world.learner.get(f"{path}/progress")).json()["items"]
    assert [entry["to_state"] for entry in history][:2] == ["draft", "agreed"]


async def test_a_coach_proposes_a_goal_which_belongs_to_the_learner(world: World) -> None:
    agreement = await world.agreement()
    body = {"statement": "Wait.", "agreement_id": agreement, "owner_id": str(world.learner.id)}
    made = (await world.coach.post("/v1/goals", json=body)).json()
    assert (made["owner_id"], made["state"]) == (str(world.learner.id), "proposed")
    path = f"/v1/goals/{made['id']}"
    assert (await world.coach.patch(path, json={"statement": "Mine"})).status_code == 403
    assert (await world.learner.post(f"{path}/acceptances", json={"wording_number": 1})).json()[
        "state"
    ] == "agreed"
    assert (await world.learner.patch(path, json={"readers": []})).status_code == 200
    # Who typed it reads what they wrote, while they are a party.
    assert (await world.coach.get(path)).status_code == 200


async def test_narrowing_takes_effect_on_the_next_request(world: World) -> None:
    goal = await world.goal(await world.agreement(**OPEN))
    path = f"/v1/goals/{goal['id']}"
    assert (await world.head.get(path)).status_code == 200
    assert (await world.learner.patch(path, json={"readers": ["coaches"]})).status_code == 200
    assert (await world.head.get(path)).status_code == 404
    assert (await world.coach.get(path)).status_code == 200


async def test_nothing_is_written_under_an_agreement_that_is_over_but_deletion(
    world: World,
) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    path = f"/v1/goals/{goal['id']}"
    assert (
        await world.tutor.post(f"/v1/learning-agreements/{agreement}/ending")
    ).status_code == 200
    assert (await world.learner.patch(path, json={"statement": "x"})).status_code == 409
    assert (await world.learner.post(f"{path}/progress", json={"note": "x"})).status_code == 409
    assert (
        await world.learner.post("/v1/goals", json={"statement": "x", "agreement_id": agreement})
    ).status_code == 409
    assert (await world.coach.get(path)).status_code == 200
    # The owner narrows at any time, alone, and never widens what is over.
    narrowed = await world.learner.patch(path, json={"readers": ["coaches"]})
    assert narrowed.json()["readers"] == ["coaches"]
    assert (await world.tutor.get(path)).status_code == 404
    wider = await world.learner.patch(path, json={"readers": ["coaches", "advisers"]})
    assert wider.status_code == 409
    assert (await world.learner.delete(path)).status_code == 204
    assert (await world.learner.get(path)).status_code == 404


async def test_a_goal_outside_any_agreement_is_its_owners_alone(world: World) -> None:
    goal = await world.goal(None)
    path = f"/v1/goals/{goal['id']}"
    assert goal["readers"] == []
    for who, actor in world.actors.items():
        assert (await actor.get(path)).status_code == (200 if who == "learner" else 404)
    await world.learner.post(f"{path}/proposal")
    assert (await world.learner.post(f"{path}/acceptances", json={"wording_number": 1})).json()[
        "state"
    ] == "agreed"


async def test_pages_are_complete_newest_first_and_their_cursors_cannot_be_moved(
    world: World,
) -> None:
    agreement = await world.agreement()
    made = [(await world.goal(agreement))["id"] for _ in range(7)]
    for actor in (world.learner, world.coach):
        found, cursor, links = [], None, 0
        while True:
            query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            answer = await actor.get("/v1/goals", params=query)
            found += [item["id"] for item in answer.json()["items"]]
            cursor = answer.json()["next"]
            if cursor is None:
                assert "Link" not in answer.headers
                break
            links += 1
            assert 'rel="next"' in answer.headers["Link"]
        assert found == sorted(made, reverse=True)
        assert links == 2
    first = (await world.learner.get("/v1/goals", params={"limit": 3})).json()
    moved = await world.learner.get("/v1/goals", params={"cursor": first["next"], "state": "draft"})
    assert moved.status_code == 422
    assert moved.json()["errors"][0]["parameter"] == "cursor"


async def test_goals_are_found_by_the_principle_that_they_link_to(world: World) -> None:
    principles = (await world.learner.get("/v1/principles")).json()["items"]
    third = next(p for p in principles if p["code"] == "3")
    practice = third["items"][0]
    one = await world.goal(None, principles=["3"])
    two = await world.goal(None, framework_items=[practice["id"]])

    async def ids(item: str) -> list[str]:
        page = await world.learner.get("/v1/goals", params={"framework_item": item})
        return [goal["id"] for goal in page.json()["items"]]

    assert await ids(third["id"]) == [one["id"]]
    assert await ids(practice["id"]) == [two["id"]]
    await world.learner.patch(f"/v1/goals/{one['id']}", json={"principles": []})
    assert await ids(third["id"]) == []
    unknown = await world.learner.post("/v1/goals", json={"statement": "x", "principles": ["11"]})
    assert unknown.json()["errors"][0]["pointer"] == "/principles/0"


async def test_a_whole_number_may_be_written_with_a_point(world: World) -> None:
    """JSON has one kind of number; a text, a truth and a half are still none of its whole ones."""
    goal = await world.goal()
    path = f"/v1/goals/{goal['id']}"
    await world.learner.post(f"{path}/proposal")
    for wrong in ("1", True, 1.5):
        refused = await world.learner.post(f"{path}/acceptances", json={"wording_number": wrong})
        assert refused.status_code == 422, wrong
        assert refused.json()["errors"][0]["pointer"] == "/wording_number"
    taken = await world.learner.post(f"{path}/acceptances", json={"wording_number": 1.0})
    assert taken.status_code == 200, taken.text
    assert taken.json()["state"] == "agreed"
