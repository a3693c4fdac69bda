"""Ways round the agreement that were found, and closed."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.core.clock import today
from app.core.idempotency import answers
from app.core.query import Query
from app.models.goals import Goal
from tests.amending import agreement_of, amend, arrive, in_force, leave, narrow, parties, propose
from tests.api.test_shares import TO_NETWORKS, network_of, sees, share, with_person
from tests.worlds import World

pytestmark = pytest.mark.anyio

LATER = (today() + timedelta(days=30)).isoformat()


async def typed_by_the_coach(world: World, path: str) -> str:
    made = await world.coach.post(
        "/v1/goals",
        json={
            "statement": "Typed by the coach.",
            "agreement_id": agreement_of(path),
            "owner_id": str(world.learner.id),
        },
    )
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def test_withdrawn_consent_reaches_evidence_that_a_goal_was_shared_with(
    world: World,
) -> None:
    goal = await world.goal()
    item = await world.evidence(
        goal_ids=[goal["id"]], shows_pupils="yes", pupil_consent="given", delete_by=LATER
    )
    await with_person(world, "head", goal_id=goal["id"], with_evidence=True)
    path = f"/v1/evidence-items/{item['id']}"
    assert (await world.head.get(path)).status_code == 200
    await world.learner.patch(path, json={"pupil_consent": "withdrawn"})
    assert (await world.head.get(path)).status_code == 404
    await with_person(world, "administrator", goal_id=goal["id"], with_evidence=True)
    assert (await world.administrator.get(path)).status_code == 404


async def test_who_typed_a_goal_reads_no_more_than_that_when_unticked(world: World) -> None:
    path = await in_force(world)
    goal = await typed_by_the_coach(world, path)
    await world.learner.patch(f"/v1/goals/{goal}", json={"readers": []})
    await world.learner.post(f"/v1/goals/{goal}/progress", json={"note": "A secret."})
    shown = await world.coach.get(f"/v1/goals/{goal}")
    assert shown.json()["view"] == "written"
    assert shown.json()["statement"] == "Typed by the coach."
    assert not {"state", "readers", "version", "updated_at"} & shown.json().keys()
    assert (await world.coach.get(f"/v1/goals/{goal}/progress")).json()["items"] == []
    noted = await world.coach.post(f"/v1/goals/{goal}/progress", json={"note": "Mine."})
    assert noted.status_code == 403
    etag = shown.headers["ETag"]
    await world.learner.post(f"/v1/goals/{goal}/progress", json={"note": "Another secret."})
    assert (await world.coach.get(f"/v1/goals/{goal}")).headers["ETag"] == etag


async def test_at_its_date_who_typed_a_goal_reads_not_even_their_own_notes_of_it(
    world: World,
) -> None:
    goal = await typed_by_the_coach(world, await in_force(world))
    await world.coach.post(f"/v1/goals/{goal}/progress", json={"note": "Of Sioned."})
    await world.learner.patch(f"/v1/goals/{goal}", json={"readers": []})
    assert "Sioned" in (await world.coach.get(f"/v1/goals/{goal}/progress")).text
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Goal).where(Goal.id == UUID(goal)).values(delete_by=today())
        )
    shown = await world.coach.get(f"/v1/goals/{goal}")
    assert (shown.json()["view"], shown.json()["statement"]) == ("written", "")
    assert (await world.coach.get(f"/v1/goals/{goal}/progress")).json()["items"] == []


async def test_who_has_left_keeps_what_they_typed_and_nothing_of_later(world: World) -> None:
    for keeps in ("own", "their_time"):
        path = await in_force(world, disclosure={"former_parties": keeps})
        goal = await typed_by_the_coach(world, path)
        await leave(world, path, "coach")
        await world.learner.post(f"/v1/goals/{goal}/progress", json={"note": "A secret."})
        await world.learner.patch(f"/v1/goals/{goal}", json={"statement": "Reworded since."})
        shown = await world.coach.get(f"/v1/goals/{goal}")
        assert shown.status_code == 200
        assert shown.json()["statement"] == "Typed by the coach."
        below = await world.coach.get(f"/v1/goals/{goal}/progress")
        assert "secret" not in below.text
        for state in ("draft", "proposed", "agreed"):
            found = await world.coach.get("/v1/goals", params={"state": state})
            assert goal not in [entry["id"] for entry in found.json()["items"]]


async def test_the_edge_of_a_network_stays_closed_for_what_was_shared_before(
    world: World,
) -> None:
    network = await network_of(world, "head", role="peripheral")
    terms = {**TO_NETWORKS, "peripheral_members": True}
    path = await in_force(world, disclosure=terms, networks=[network])
    goal = await world.goal(agreement_of(path), shows_pupils="no")
    assert (await share(world, goal_id=goal["id"], network_id=network)).status_code == 201
    assert await sees(world.head, "/v1/goals", goal["id"])
    await narrow(world, path, peripheral_members=False)
    assert not await sees(world.head, "/v1/goals", goal["id"])
    await amend(world, path, disclosure={"peripheral_members": True})
    assert not await sees(world.head, "/v1/goals", goal["id"])


async def test_a_text_that_nobody_else_has_seen_names_no_readers(world: World) -> None:
    body = world.text(parties=[{"person_id": str(world.stranger.id), "role": "learner"}])
    draft = await world.stranger.post("/v1/learning-agreements", json=body)
    asked = await world.stranger.get(
        "/v1/access/audience", params={"resource": f"learning_agreement:{draft.json()['id']}"}
    )
    assert asked.status_code == 200
    assert world.head.name not in asked.text


async def test_who_is_asked_to_join_learns_nothing_of_who_reads_today(world: World) -> None:
    path = await in_force(world)
    await arrive(world, "nia")
    await propose(
        world, path, parties=[*parties(world), {"person_id": str(world.nia.id), "role": "mentor"}]
    )
    asked = await world.nia.get(
        "/v1/access/audience", params={"resource": f"learning_agreement:{agreement_of(path)}"}
    )
    assert asked.status_code == 403
    for act in ("signatures", "declination"):
        stale = await world.nia.call(
            "POST", f"{path}/{act}", headers={"If-Match": '"999.x.en"'}, json={"digest": "0" * 64}
        )
        assert stale.status_code == 412, stale.text
        assert stale.json()["current"]["view"] == "version"


async def test_nothing_is_written_onto_an_erased_goal(world: World) -> None:
    goal = await world.goal(await world.agreement())
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Goal).where(Goal.id == UUID(goal["id"])).values(delete_by=today())
        )
    path = f"/v1/goals/{goal['id']}"
    for act, body in (
        ("progress", {"note": "Of Sioned."}),
        ("proposal", None),
        ("acceptances", {"wording_number": 1}),
    ):
        assert (await world.learner.post(f"{path}/{act}", json=body)).status_code == 409
    assert (await world.learner.delete(path)).status_code == 204


async def test_a_deleted_goal_leaves_no_text_in_stored_answers(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"statement": "A secret."}
    made = await world.learner.call("POST", "/v1/goals", headers=key, json=body)
    goal = made.json()["id"]
    assert (await world.learner.delete(f"/v1/goals/{goal}")).status_code == 204
    rows = await world.database.rows(
        Query(select(answers.c.body).where(answers.c.resource_id == UUID(goal))), {}
    )
    assert [bytes(row[0]) for row in rows] == [b""]
    again = await world.learner.call("POST", "/v1/goals", headers=key, json=body)
    assert again.status_code == 404


async def test_a_learner_who_goes_takes_their_records_from_leaders(world: World) -> None:
    everything = ["coaches", "fellows", "advisers", "leaders", "systems"]
    path = await in_force(world, disclosure={"goals": everything})
    goal = await world.goal(agreement_of(path))
    for who in ("head", "client"):
        assert await sees(world.actors[who], "/v1/goals", goal["id"])
    await leave(world, path, "learner")
    for who in ("head", "client"):
        assert not await sees(world.actors[who], "/v1/goals", goal["id"])
    assert await sees(world.learner, "/v1/goals", goal["id"])


async def test_a_form_with_a_broken_boundary_is_refused(world: World) -> None:
    item = await world.evidence()
    for kind in (
        "multipart/form-data; boundary*=undefined''abc",
        "multipart/form-data; boundary*=idna''abc",
        f"multipart/form-data; boundary*{'1' * 5000}*=x",
    ):
        answer = await world.learner.call(
            "POST",
            f"/v1/evidence-items/{item['id']}/files",
            headers={"Content-Type": kind},
            content=b"--abc--\r\n",
        )
        assert answer.status_code == 400, answer.text
