"""Shares: a record shown to a named person until a date, or to a network of its agreement."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.core.clock import today
from app.models.goals import Goal
from app.models.networks import NetworkMember
from app.models.people import Affiliation
from app.models.pupils import Consent
from app.models.shares import Share
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio

LATER = (today() + timedelta(days=30)).isoformat()
TO_NETWORKS = {"goals": ["coaches", "networks"], "evidence": ["coaches", "networks"]}


async def network_of(world: World, *members: str, role: str = "member") -> str:
    """A network that the learner leads, with others in it."""
    made = await world.learner.post(
        "/v1/networks",
        json={"kind": "professional_learning_community", "name": f"CDP {uuid4().hex[:6]}"},
    )
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    for name in members:
        added = await world.learner.post(
            f"/v1/networks/{found}/members",
            json={"person_id": str(world.actors[name].id), "role": role},
        )
        assert added.status_code == 201, added.text
    return found


async def share(world: World, **body: Any) -> Any:
    return await world.learner.post("/v1/shares", json=body)


async def with_person(world: World, who: str, **record: Any) -> Any:
    answer = await share(
        world,
        person_id=str(world.actors[who].id),
        reason="To ask for advice.",
        ends_on=LATER,
        **record,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def sees(actor: Actor, path: str, record_id: str) -> bool:
    """Whether item and list agree that the actor sees the record."""
    item = (await actor.get(f"{path}/{record_id}")).status_code == 200
    items = (await actor.get(path, params={"limit": 200})).json()["items"]
    assert item == (record_id in [entry["id"] for entry in items])
    return item


async def evidence(world: World, **fields: Any) -> dict[str, Any]:
    body = {"kind": "observation", "title": "Year 7, talk", "shows_pupils": "no", **fields}
    made = await world.learner.post("/v1/evidence-items", json=body)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def test_a_named_person_reads_the_record_until_its_owner_takes_it_back(world: World) -> None:
    goal = await world.goal(await world.agreement())
    assert not await sees(world.head, "/v1/goals", goal["id"])
    shared = await with_person(world, "head", goal_id=goal["id"])
    assert await sees(world.head, "/v1/goals", goal["id"])
    assert (await world.head.get(f"/v1/goals/{goal['id']}/progress")).status_code == 200
    assert not await sees(world.stranger, "/v1/goals", goal["id"])
    denied = await world.head.patch(f"/v1/goals/{goal['id']}", json={"statement": "Mine."})
    assert denied.status_code == 403
    assert (await world.learner.delete(f"/v1/shares/{shared['id']}")).status_code == 204
    assert not await sees(world.head, "/v1/goals", goal["id"])
    assert (await world.head.get(f"/v1/shares/{shared['id']}")).status_code == 404


async def test_a_record_outside_any_agreement_is_shared_with_named_people_only(
    world: World,
) -> None:
    goal = await world.goal(shows_pupils="no")
    await with_person(world, "coach", goal_id=goal["id"])
    assert await sees(world.coach, "/v1/goals", goal["id"])
    answer = await share(world, goal_id=goal["id"], network_id=await network_of(world, "fellow"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/network_id"


async def test_a_share_ends_on_its_day_without_any_job(world: World) -> None:
    goal = await world.goal()
    shared = await with_person(world, "coach", goal_id=goal["id"])
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Share).where(Share.id == UUID(shared["id"])).values(ends_on=today())
        )
    assert not await sees(world.coach, "/v1/goals", goal["id"])
    assert (await world.coach.get(f"/v1/shares/{shared['id']}")).status_code == 404
    again = await with_person(world, "coach", goal_id=goal["id"])
    assert again["id"] != shared["id"]


async def test_only_the_owner_shares_and_takes_back(world: World) -> None:
    goal = await world.goal(await world.agreement())
    body = {
        "goal_id": goal["id"],
        "person_id": str(world.head.id),
        "reason": "Because.",
        "ends_on": LATER,
    }
    assert (await world.coach.post("/v1/shares", json=body)).status_code == 403
    hidden = await world.stranger.post("/v1/shares", json=body)
    missing = await world.stranger.post("/v1/shares", json={**body, "goal_id": str(uuid4())})
    assert hidden.status_code == missing.status_code == 422
    assert hidden.json()["errors"] == missing.json()["errors"]
    assert (await world.client.post("/v1/shares", json=body)).status_code == 403
    shared = await with_person(world, "head", goal_id=goal["id"])
    path = f"/v1/shares/{shared['id']}"
    assert (await world.coach.get(path)).status_code == 200
    assert (await world.coach.delete(path)).status_code == 403
    assert (await world.head.delete(path)).status_code == 403
    assert (await world.stranger.delete(path)).status_code == 404


async def test_shares_are_listed_for_owner_recipient_and_the_parties_who_see_the_record(
    world: World,
) -> None:
    goal = await world.goal(await world.agreement(), readers=["coaches"])
    shared = await with_person(world, "head", goal_id=goal["id"])
    listed = {}
    for who in ("learner", "fellow", "coach", "tutor", "head", "administrator", "client"):
        answer = await world.actors[who].get("/v1/shares", params={"goal_id": goal["id"]})
        listed[who] = [entry["id"] for entry in answer.json()["items"]]
    seen = [shared["id"]]
    assert listed == {
        "learner": seen, "coach": seen, "head": seen,
        "fellow": [], "tutor": [], "administrator": [], "client": [],
    }  # fmt: skip


async def test_a_goal_is_shared_with_its_own_evidence_when_the_owner_says_so(world: World) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    linked = await evidence(world, agreement_id=agreement, goal_ids=[goal["id"]])
    alone = await evidence(world, agreement_id=agreement)
    shared = await with_person(world, "head", goal_id=goal["id"])
    assert not await sees(world.head, "/v1/evidence-items", linked["id"])
    await world.learner.delete(f"/v1/shares/{shared['id']}")
    await with_person(world, "head", goal_id=goal["id"], with_evidence=True)
    assert await sees(world.head, "/v1/evidence-items", linked["id"])
    assert not await sees(world.head, "/v1/evidence-items", alone["id"])


async def test_one_piece_of_evidence_is_shared_without_its_goal(world: World) -> None:
    goal = await world.goal()
    item = await evidence(world, goal_ids=[goal["id"]])
    await with_person(world, "coach", evidence_item_id=item["id"])
    assert await sees(world.coach, "/v1/evidence-items", item["id"])
    assert not await sees(world.coach, "/v1/goals", goal["id"])
    shown = (await world.coach.get(f"/v1/evidence-items/{item['id']}")).json()
    assert shown["goal_ids"] == []


async def test_a_network_reads_what_is_shared_with_it_and_nobody_else_does(world: World) -> None:
    network = await network_of(world, "administrator")
    agreement = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
    goal = await world.goal(agreement, shows_pupils="no")
    assert not await sees(world.administrator, "/v1/goals", goal["id"])
    shared = await share(world, goal_id=goal["id"], network_id=network)
    assert shared.status_code == 201, shared.text
    assert await sees(world.administrator, "/v1/goals", goal["id"])
    # Showing something to my network does not show it to my head.
    assert not await sees(world.head, "/v1/goals", goal["id"])
    assert not await sees(world.client, "/v1/goals", goal["id"])
    by_network = await world.administrator.get("/v1/goals", params={"network_id": network})
    assert [entry["id"] for entry in by_network.json()["items"]] == [goal["id"]]
    assert (await world.head.get("/v1/goals", params={"network_id": network})).json()["items"] == []
    shares = await world.administrator.get("/v1/shares", params={"network_id": network})
    assert len(shares.json()["items"]) == 1


async def test_a_network_is_refused_what_the_terms_or_children_forbid(world: World) -> None:
    network, other = await network_of(world, "head"), await network_of(world, "head")
    closed = await world.agreement(networks=[network])
    goal = await world.goal(closed, shows_pupils="no")
    for body in (
        {"goal_id": goal["id"], "network_id": network},  # the terms do not tick networks
        {"goal_id": goal["id"], "network_id": other},  # the agreement does not name it
        {"goal_id": goal["id"], "network_id": str(uuid4())},  # nobody sees such a network
    ):
        answer = await share(world, **body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == "/network_id"
    open_to = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
    unknown = await world.goal(open_to)
    answer = await share(world, goal_id=unknown["id"], network_id=network)
    assert answer.status_code == 422
    assert "pupils" in answer.json()["errors"][0]["detail"]


async def test_a_share_with_a_network_lasts_as_long_as_the_terms_tick_and_name_it(
    world: World,
) -> None:
    for act in ("narrowing", "detachments"):
        network = await network_of(world, "head")
        agreement = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
        goal = await world.goal(agreement, shows_pupils="no")
        assert (await share(world, goal_id=goal["id"], network_id=network)).status_code == 201
        assert await sees(world.head, "/v1/goals", goal["id"])
        body: dict[str, Any] = {"goals": ["coaches"]}
        if act == "detachments":
            body = {"network_id": network}
        done = await world.tutor.post(f"/v1/learning-agreements/{agreement}/{act}", json=body)
        assert done.status_code == 200, done.text
        assert not await sees(world.head, "/v1/goals", goal["id"])


async def test_a_membership_that_ends_takes_the_view_away(world: World) -> None:
    network = await network_of(world, "head")
    agreement = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
    goal = await world.goal(agreement, shows_pupils="no")
    await share(world, goal_id=goal["id"], network_id=network)
    assert await sees(world.head, "/v1/goals", goal["id"])
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(NetworkMember)
            .where(NetworkMember.person_id == world.head.id)
            .values(ends_on=today())
        )
    assert not await sees(world.head, "/v1/goals", goal["id"])


async def test_newcomers_at_the_edge_read_only_if_the_terms_say_so(world: World) -> None:
    network = await network_of(world, "head", role="peripheral")
    for welcome in (False, True):
        disclosure = {**TO_NETWORKS, "peripheral_members": welcome}
        agreement = await world.agreement(disclosure=disclosure, networks=[network])
        goal = await world.goal(agreement, shows_pupils="no")
        assert (await share(world, goal_id=goal["id"], network_id=network)).status_code == 201
        assert await sees(world.head, "/v1/goals", goal["id"]) is welcome


async def test_withdrawn_consent_ends_every_share_at_once(world: World) -> None:
    network = await network_of(world, "head")
    agreement = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
    item = await evidence(
        world,
        agreement_id=agreement,
        shows_pupils="yes",
        pupil_consent=Consent.GIVEN,
        delete_by=LATER,
    )
    assert (await share(world, evidence_item_id=item["id"], network_id=network)).status_code == 201
    await with_person(world, "administrator", evidence_item_id=item["id"])
    assert await sees(world.head, "/v1/evidence-items", item["id"])
    changed = await world.learner.patch(
        f"/v1/evidence-items/{item['id']}", json={"pupil_consent": "withdrawn"}
    )
    assert changed.status_code == 200, changed.text
    for who in ("head", "administrator"):
        assert not await sees(world.actors[who], "/v1/evidence-items", item["id"])
    answer = await share(
        world,
        evidence_item_id=item["id"],
        person_id=str(world.head.id),
        reason="Again.",
        ends_on=LATER,
    )
    assert answer.status_code == 409
    assert await sees(world.coach, "/v1/evidence-items", item["id"])


async def test_a_record_that_may_show_pupils_after_all_is_hidden_from_its_network(
    world: World,
) -> None:
    network = await network_of(world, "head")
    agreement = await world.agreement(disclosure=TO_NETWORKS, networks=[network])
    goal = await world.goal(agreement, shows_pupils="no")
    await share(world, goal_id=goal["id"], network_id=network)
    await world.learner.patch(f"/v1/goals/{goal['id']}", json={"shows_pupils": "unknown"})
    assert not await sees(world.head, "/v1/goals", goal["id"])


async def test_the_owner_still_shares_when_the_agreement_is_over(world: World) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    await world.tutor.post(f"/v1/learning-agreements/{agreement}/ending")
    await with_person(world, "head", goal_id=goal["id"])
    assert await sees(world.head, "/v1/goals", goal["id"])


async def test_a_deleted_record_takes_its_shares_along(world: World) -> None:
    goal = await world.goal()
    shared = await with_person(world, "coach", goal_id=goal["id"])
    assert (await world.learner.delete(f"/v1/goals/{goal['id']}")).status_code == 204
    assert (await world.learner.get(f"/v1/shares/{shared['id']}")).status_code == 404


async def test_what_is_wrong_in_a_share_is_named(world: World) -> None:
    goal = await world.goal()
    person = {"person_id": str(world.coach.id), "reason": "Advice.", "ends_on": LATER}
    for body, pointer in (
        ({"goal_id": goal["id"], **person, "ends_on": today().isoformat()}, "/ends_on"),
        ({"goal_id": goal["id"], **person, "person_id": str(world.learner.id)}, "/person_id"),
        ({"goal_id": goal["id"], **person, "person_id": str(world.stranger.id)}, "/person_id"),
        ({"goal_id": goal["id"], **person, "person_id": str(uuid4())}, "/person_id"),
    ):
        answer = await share(world, **body)
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    for body in (
        {**person},
        {"goal_id": goal["id"], "evidence_item_id": str(uuid4()), **person},
        {"goal_id": goal["id"]},
        {"goal_id": goal["id"], "person_id": str(world.coach.id)},
        {"evidence_item_id": str(uuid4()), "with_evidence": True, **person},
    ):
        assert (await share(world, **body)).status_code == 422
    await with_person(world, "coach", goal_id=goal["id"])
    assert (await share(world, goal_id=goal["id"], **person)).status_code == 409


async def test_a_shared_read_leaves_a_receipt(world: World) -> None:
    from sqlalchemy import select

    from app.core.query import Query
    from app.models.receipts import Receipt

    goal = await world.goal()
    await with_person(world, "head", goal_id=goal["id"])
    await world.head.get(f"/v1/goals/{goal['id']}")
    table: Any = Receipt.__table__
    rows = await world.database.rows(
        Query(select(table.c.person_id).where(table.c.resource_id == UUID(goal["id"]))), {}
    )
    assert [str(row[0]) for row in rows] == [str(world.head.id)]


async def test_a_childrens_item_left_behind_is_shared_no_longer(world: World) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    item = await evidence(
        world,
        agreement_id=agreement,
        goal_ids=[goal["id"]],
        shows_pupils="yes",
        pupil_basis="Public task",
        delete_by=LATER,
    )
    shared = await with_person(world, "administrator", evidence_item_id=item["id"])
    await with_person(world, "head", goal_id=goal["id"], with_evidence=True)
    for who in ("administrator", "head"):
        assert await sees(world.actors[who], "/v1/evidence-items", item["id"])
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Affiliation)
            .where(Affiliation.person_id == world.learner.id)
            .values(ends_on=today())
        )
    for who in ("administrator", "head"):
        assert not await sees(world.actors[who], "/v1/evidence-items", item["id"])
    # The share says whose record it is, and why: not to who reads nothing by it.
    assert not await sees(world.administrator, "/v1/shares", shared["id"])
    assert await sees(world.learner, "/v1/shares", shared["id"])
    answer = await share(
        world,
        evidence_item_id=item["id"],
        person_id=str(world.coach.id),
        reason="From my old school.",
        ends_on=LATER,
    )
    assert answer.status_code in (409, 422)


async def due(world: World, entity: Any, record_id: str) -> None:
    """The day comes on which a record is to be erased; no sweep has come by."""
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(entity).where(entity.id == UUID(record_id)).values(delete_by=today())
        )


async def test_a_goal_whose_date_has_come_brings_no_evidence_and_no_share_to_light(
    world: World,
) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement)
    item = await evidence(world, agreement_id=agreement, goal_ids=[goal["id"]])
    shared = await with_person(world, "head", goal_id=goal["id"], with_evidence=True)
    assert await sees(world.head, "/v1/evidence-items", item["id"])
    assert await sees(world.head, "/v1/shares", shared["id"])
    await due(world, Goal, goal["id"])
    assert not await sees(world.head, "/v1/evidence-items", item["id"])
    assert not await sees(world.head, "/v1/shares", shared["id"])
    for who in ("learner", "coach"):
        assert await sees(world.actors[who], "/v1/shares", shared["id"])


@pytest.mark.parametrize("closed", [True, False])
async def test_the_filter_tells_of_a_share_only_to_who_reads_by_it(
    world: World, closed: bool
) -> None:
    """The head sees the goal as a leader, and is a newcomer or a member of a closed network."""
    network = await network_of(world, "head", role="member" if closed else "peripheral")
    disclosure = {"goals": ["coaches", "leaders", "networks"]}
    agreement = await world.agreement(disclosure=disclosure, networks=[network])
    goal = await world.goal(agreement, shows_pupils="no")
    assert (await share(world, goal_id=goal["id"], network_id=network)).status_code == 201
    if closed:
        ended = await world.learner.patch(
            f"/v1/networks/{network}", json={"closed_on": today().isoformat()}
        )
        assert ended.status_code == 200, ended.text
    assert await sees(world.head, "/v1/goals", goal["id"])
    found = {}
    for who in ("learner", "coach", "head"):
        answer = await world.actors[who].get("/v1/goals", params={"network_id": network})
        found[who] = [entry["id"] for entry in answer.json()["items"]]
    assert found == {"learner": [goal["id"]], "coach": [goal["id"]], "head": []}
