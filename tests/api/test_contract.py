"""The HTTP contract, shown on goals: order, ETags, keys, ids, receipts, the net around the door."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.ids import uuid7
from app.models.goals import Goal
from tests.worlds import World, token

pytestmark = pytest.mark.anyio


async def count(database: Database, table: str, **where: Any) -> int:
    """Rows of a table, counted behind the door's back."""
    from sqlalchemy import column, func, literal
    from sqlalchemy import table as named

    from app.core.query import Query

    source = named(table, *(column(name) for name in where))
    conditions = [source.c[name] == literal(str(value)) for name, value in where.items()]
    if not database.is_sqlite:
        from sqlalchemy import String, cast

        conditions = [cast(source.c[n], String) == str(v) for n, v in where.items()]
    found = await database.rows(
        Query(select(func.count()).select_from(source).where(*conditions)), {}
    )
    return int(found[0][0])


async def test_authentication_then_authorization_then_the_row_then_the_body(world: World) -> None:
    goal = await world.goal(None)
    path, missing = f"/v1/goals/{goal['id']}", f"/v1/goals/{uuid7()}"
    broken = {"content": b'{"statement": ', "headers": {"Content-Type": "application/json"}}
    assert (await world.http.patch(path, **broken)).status_code == 401  # type: ignore[arg-type]
    reader = token(world.app, world.learner.id, scopes=["goals:read"])

    async def patch(path: str, bearer: str, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", **headers}
        return await world.http.patch(path, content=b'{"statement": ', headers=sent)

    lacking = await patch(path, reader)
    assert lacking.status_code == 403
    assert lacking.json()["scope"] == "goals:write"
    assert (await patch(missing, world.learner.token)).status_code == 404
    assert (await patch(path, world.stranger.token)).status_code == 404
    assert (await patch(path, world.learner.token)).status_code == 428
    assert (await patch(path, world.learner.token, **{"If-Match": '"9"'})).status_code == 412
    last = await patch(path, world.learner.token, **{"If-Match": '"1"'})
    assert last.status_code == 400
    assert "line 1" in last.json()["detail"]


async def test_hidden_and_missing_give_the_same_answer_but_for_the_request_id(
    world: World,
) -> None:
    goal = await world.goal(await world.agreement())
    answers = []
    for goal_id in (goal["id"], uuid7()):
        answer = await world.head.get(f"/v1/goals/{goal_id}")
        body = answer.json()
        assert body.pop("request_id") == answer.headers["X-Request-Id"]
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        answers.append((answer.status_code, headers, body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


async def test_two_editors_one_wins_and_the_other_gets_the_current_state(world: World) -> None:
    goal = await world.goal(None)
    path = f"/v1/goals/{goal['id']}"
    etag = (await world.learner.get(path)).headers["ETag"]
    answers = await asyncio.gather(
        *(world.learner.patch(path, etag=etag, json={"statement": f"{i}"}) for i in range(8))
    )
    won = [a for a in answers if a.status_code == 200]
    lost = [a for a in answers if a.status_code == 412]
    assert (len(won), len(lost)) == (1, 7)
    for answer in lost:
        assert answer.json()["current"] == won[0].json()
        assert answer.headers["ETag"] == won[0].headers["ETag"]


async def test_an_unchanged_record_is_not_sent_again(world: World) -> None:
    goal = await world.goal(None)
    path = f"/v1/goals/{goal['id']}"
    etag = (await world.learner.get(path)).headers["ETag"]
    same = await world.learner.get(path, headers={"If-None-Match": f'"old", {etag}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    await world.learner.patch(path, json={"statement": "New"})
    assert (await world.learner.get(path, headers={"If-None-Match": etag})).status_code == 200


async def test_a_merge_patch_changes_what_it_names_null_clears_and_a_needed_field_stays(
    world: World,
) -> None:
    goal = await world.goal(None, baseline="Short answers.", stage="novice")
    path = f"/v1/goals/{goal['id']}"
    merged = await world.learner.call(
        "PATCH",
        path,
        headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
        content=json.dumps({"baseline": None}),
    )
    assert merged.json()["baseline"] is None
    assert merged.json()["stage"] == "novice"
    refused = await world.learner.patch(path, json={"statement": None})
    assert refused.json()["errors"] == [{"pointer": "/statement", "detail": "must be a text"}]
    unchanged = await world.learner.patch(path, json={})
    assert unchanged.json()["version"] == merged.json()["version"]


async def test_a_post_repeated_with_its_key_is_one_record(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"statement": "Once."}
    answers = await asyncio.gather(
        *(world.learner.post("/v1/goals", headers=key, json=body) for _ in range(12))
    )
    assert {a.status_code for a in answers} <= {201, 409}
    last = await world.learner.post("/v1/goals", headers=key, json=body)
    assert last.status_code == 201
    assert last.headers["Idempotency-Replayed"] == "true"
    made = [a for a in answers if a.status_code == 201]
    assert {a.json()["id"] for a in made} == {last.json()["id"]}
    assert last.content == made[0].content
    assert last.headers["Location"] == made[0].headers["Location"]
    listed = (await world.learner.get("/v1/goals")).json()["items"]
    assert [g["id"] for g in listed] == [last.json()["id"]]


async def test_a_key_belongs_to_one_request_of_one_caller(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    await world.learner.post("/v1/goals", headers=key, json={"statement": "One."})
    other = await world.learner.post("/v1/goals", headers=key, json={"statement": "Two."})
    assert other.status_code == 422
    assert other.json()["type"].endswith("/problems/idempotency-key-reused")
    theirs = await world.coach.post("/v1/goals", headers=key, json={"statement": "Two."})
    assert theirs.status_code == 201


async def test_a_replay_is_authorised_anew(world: World) -> None:
    agreement = await world.agreement()
    key = {"Idempotency-Key": str(uuid4())}
    body = {"statement": "Wait.", "agreement_id": agreement}
    made = await world.learner.post("/v1/goals", headers=key, json=body)
    path = f"/v1/goals/{made.json()['id']}"
    await world.learner.delete(path)
    again = await world.learner.post("/v1/goals", headers=key, json=body)
    assert again.status_code == 404


async def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    assert (await world.learner.post("/v1/goals", headers=key, json={})).status_code == 422
    made = await world.learner.post("/v1/goals", headers=key, json={"statement": "Now."})
    assert made.status_code == 201


async def test_an_id_made_by_the_client_is_one_record_however_often_it_is_sent(
    world: World,
) -> None:
    body = {"id": str(uuid7()), "statement": "Written on a train."}
    first = await world.learner.post("/v1/goals", json=body)
    assert (first.status_code, first.json()["id"]) == (201, body["id"])
    await world.learner.patch(f"/v1/goals/{body['id']}", json={"baseline": "Since then."})
    again = await world.learner.post("/v1/goals", json=body)
    assert (again.status_code, again.json()["baseline"]) == (200, "Since then.")
    refusals = [
        await world.learner.post("/v1/goals", json={**body, "statement": "Another."}),
        await world.coach.post("/v1/goals", json=body),
        await world.stranger.post("/v1/goals", json={**body, "statement": "Mine."}),
    ]
    bodies = []
    for refused in refusals:
        assert refused.status_code == 409
        bodies.append({k: v for k, v in refused.json().items() if k != "request_id"})
    assert bodies[0] == bodies[1] == bodies[2]
    ahead = uuid7().int + (3 * 24 * 3600 * 1000 << 80)
    for wrong in (uuid4(), UUID(int=ahead)):
        refused = await world.learner.post("/v1/goals", json={"id": str(wrong), "statement": "x"})
        assert refused.json()["errors"][0]["pointer"] == "/id"
    # A late repeat does not bring back what has been deleted since.
    await world.learner.delete(f"/v1/goals/{body['id']}")
    assert (await world.learner.post("/v1/goals", json=body)).status_code == 409


async def test_text_comes_back_as_sent_in_nfc(world: World) -> None:
    goal = await world.goal(None, statement="Dysgu yn Nhy\u0302 Gw\u0302yn:\n\tpam?")
    assert goal["statement"] == "Dysgu yn Nhŷ Gŵyn:\n\tpam?"


async def test_reads_from_outside_the_parties_are_receipted_once_a_day(world: World) -> None:
    everyone = ["coaches", "fellows", "advisers", "leaders", "systems"]
    agreement = await world.agreement(disclosure={"goals": everyone, "existence": everyone})
    goals = [await world.goal(agreement) for _ in range(3)]
    database = world.database
    for actor in (world.learner, world.coach, world.fellow, world.tutor):
        await actor.get("/v1/goals")
    for goal in goals:
        assert await count(database, "receipts", resource_id=goal["id"]) == 0
    for _ in range(3):
        assert len((await world.head.get("/v1/goals")).json()["items"]) == 3
        assert len((await world.client.get("/v1/goals")).json()["items"]) == 3
        assert (await world.head.get(f"/v1/goals/{goals[0]['id']}")).status_code == 200
    for goal in goals:
        assert await count(database, "receipts", resource_id=goal["id"]) == 2
    # Knowing that an agreement exists is no reading.
    await world.head.get(f"/v1/learning-agreements/{agreement}")
    assert await count(database, "receipts", resource_id=agreement) == 0


async def test_every_answer_carries_a_request_id_and_is_not_stored(world: World) -> None:
    answer = await world.learner.get("/v1/goals", headers={"X-Request-Id": "from-the-app-1234"})
    assert answer.headers["X-Request-Id"] == "from-the-app-1234"
    assert answer.headers["Cache-Control"] == "no-store"
    odd = await world.learner.get("/v1/goals", headers={"X-Request-Id": "<script>"})
    assert "<" not in odd.headers["X-Request-Id"]


async def test_the_net_catches_an_orm_select_around_the_door(world: World) -> None:
    async with world.database.work() as unit:
        await unit.begin()
        with pytest.raises(AssertionError, match="around"):
            await unit.session.execute(select(Goal))
        await unit.session.execute(select(Goal).limit(1).execution_options(unscoped="a test"))


async def test_an_answer_that_wrote_nothing_is_not_replayed_unauthorised(world: World) -> None:
    """The repeat of a client-made id answers 200 without a write; its key opens nothing later."""
    body = {"id": str(uuid7()), "statement": "Gone soon.", "agreement_id": await world.agreement()}
    key = {"Idempotency-Key": str(uuid4())}
    await world.learner.post("/v1/goals", json=body)
    assert (await world.learner.post("/v1/goals", headers=key, json=body)).status_code == 200
    await world.learner.delete(f"/v1/goals/{body['id']}")
    again = await world.learner.post("/v1/goals", headers=key, json=body)
    assert again.status_code == 404
    assert "Gone soon." not in again.text


async def test_if_match_counts_wherever_it_is_sent(world: World) -> None:
    goal = await world.goal(None)
    path = f"/v1/goals/{goal['id']}"
    await world.learner.patch(path, json={"statement": "Changed since."})
    stale = await world.learner.post(f"{path}/proposal", headers={"If-Match": '"1.full.en"'})
    assert stale.status_code == 412
    assert (await world.learner.get(path)).json()["state"] == "draft"
