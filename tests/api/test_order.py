"""The order of every list: the newest first, on one page and over many."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import today
from tests.amending import agreement_of, in_force, propose
from tests.scene import provider
from tests.worlds import World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
LATER = (today() + timedelta(days=30)).isoformat()
_ID = ("id",)
_SEQUENCE = ("sequence",)

ORDER: dict[str, tuple[str, tuple[str, ...]]] = {
    "/v1/goals": ("learner", _ID),
    "/v1/goals/{goal_id}/progress": ("learner", _ID),
    "/v1/goals/{goal_id}/revisions": ("learner", ("number",)),
    "/v1/evidence-items": ("learner", _ID),
    "/v1/learning-agreements": ("learner", _ID),
    "/v1/learning-agreements/{learning_agreement_id}/history": ("learner", _SEQUENCE),
    "/v1/learning-agreements/{learning_agreement_id}/readers": ("learner", ("day", "kind", "resource_id")),
    "/v1/learning-agreements/{learning_agreement_id}/openings": ("learner", _ID),
    "/v1/organisations": ("learner", _ID),
    "/v1/people": ("learner", _ID),
    "/v1/affiliations": ("administrator", _ID),
    "/v1/invitations": ("administrator", _ID),
    "/v1/me/address-changes": ("learner", _ID),
    "/v1/me/history": ("coach", _SEQUENCE),
    "/v1/organisations/{organisation_id}/audit": ("administrator", _SEQUENCE),
    "/v1/audit": ("operator", _SEQUENCE),
    "/v1/networks": ("learner", _ID),
    "/v1/networks/{network_id}/members": ("learner", _ID),
    "/v1/shares": ("learner", _ID),
    "/v1/openings": ("operator", _ID),
    "/v1/clients": ("administrator", _ID),
    "/v1/identity-providers": ("operator", _ID),
}  # fmt: skip
"""Who reads each list, and by what it runs from the greatest to the least."""


async def fill(world: World) -> dict[str, str]:
    """Two rows at least in every list; the ids that stand in the addresses."""
    path = await in_force(world, disclosure={"existence": ALL, "goals": ALL})
    agreement = agreement_of(path)
    await propose(world, path, purpose="Sharper.")
    goals = [await world.goal(agreement) for _ in range(3)]
    goal = f"/v1/goals/{goals[0]['id']}"
    for n in range(3):
        await world.learner.post(f"{goal}/progress", json={"note": f"{n}"})
        await world.evidence()
        await world.learner.patch(goal, json={"statement": f"Again {n}."})
        await world.learner.post("/v1/learning-agreements", json=world.text())
    network = ""
    for kind in ("triad", "professional_learning_community"):
        network = (
            await world.learner.post("/v1/networks", json={"kind": kind, "name": kind})
        ).json()["id"]
    for n, who in enumerate(("coach", "tutor")):
        body: dict[str, Any] = {"person_id": str(world.actors[who].id), "role": "member"}
        assert (await world.learner.post(f"/v1/networks/{network}/members", json=body)).is_success
        body = {"goal_id": goals[n]["id"], "person_id": str(world.head.id), "reason": "Advice."}
        assert (await world.learner.post("/v1/shares", json=body | {"ends_on": LATER})).is_success
        body = {
            "person_id": str(world.coach.id), "organisation_id": str(world.school),
            "role": ("tutor", "other")[n], "starts_on": today().isoformat(),
        }  # fmt: skip
        assert (await world.administrator.post("/v1/affiliations", json=body)).is_success
        asks = {**provider(world), "issuer": f"https://login{n}.example"}
        assert (await world.operator.post("/v1/identity-providers", json=asks)).is_success
        await world.invitation(world.coach.id)
        await world.address_change(world.learner.id)
        await world.opening(agreement)
        second = await world.operator_named(f"second{n}")
        opening = (await world.operator.get("/v1/openings")).json()["items"][0]["id"]
        assert (await second.post(f"/v1/openings/{opening}/confirmation")).is_success
        assert (await second.post(f"/v1/openings/{opening}/closing")).is_success
    client = {"name": "Clocks", "organisation_id": str(world.school), "scopes": ["goals:read"]}
    assert (await world.administrator.post("/v1/clients", json=client)).is_success
    for reader in (world.head, world.client):
        assert len((await reader.get("/v1/goals")).json()["items"]) == 3
    return {
        "goal_id": goals[0]["id"], "learning_agreement_id": agreement, "network_id": network,
        "organisation_id": str(world.school),
    }  # fmt: skip


async def test_every_list_runs_from_the_newest_to_the_oldest_over_all_its_pages(
    world: World,
) -> None:
    ids = await fill(world)
    for address, (who, key) in ORDER.items():
        path, actor = address.format(**ids), world.actors[who]
        whole = (await actor.get(path, params={"limit": 200})).json()["items"]
        keys = [tuple(row[name] for name in key) for row in whole]
        assert len(keys) > 1, f"{address} is empty"
        strictly = len(set(keys)) == len(keys) or key[0] == "day"
        assert keys == sorted(keys, reverse=True), address
        assert strictly, address
        query: dict[str, Any] = {"limit": 1}
        for row in whole[:7]:
            page = (await actor.get(path, params=query)).json()
            assert page["items"] == [row], address
            query["cursor"] = page["next"]


async def test_no_list_is_forgotten_and_none_declares_another_order(app: Any) -> None:
    document = json.loads(app.state.openapi_json())
    lists = {}
    for path, methods in document["paths"].items():
        names = {p["name"] for p in methods.get("get", {}).get("parameters", [])}
        if "cursor" in names:
            lists[path] = names
    assert set(lists) == set(ORDER)
    assert not {name for names in lists.values() for name in names if "sort" in name}


async def test_the_row_that_a_cursor_was_made_of_may_go(world: World) -> None:
    goals = [(await world.goal())["id"] for _ in range(5)][::-1]
    page = (await world.learner.get("/v1/goals", params={"limit": 2})).json()
    for gone in goals[1:3]:
        await world.learner.delete(f"/v1/goals/{gone}")
    query = {"limit": 2, "cursor": page["next"]}
    rest = (await world.learner.get("/v1/goals", params=query)).json()
    assert [row["id"] for row in rest["items"]] == goals[3:]
    assert rest["next"] is None
