"""Acts on one agreement in the same moment: nothing is written under terms that rule no more.

Each test holds the agreement by a transaction of its own, lets the requests come up behind it in a
known order, and lets them go. SQLite stands them in one line before the database, PostgreSQL before
the row.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app.models.agreement_text import OBLIGATIONS
from app.models.agreements import LearningAgreement
from tests.amending import (
    agreement_of,
    amend,
    arrive,
    in_force,
    leave,
    parties,
    propose,
    readers_of,
    sign,
    waiting,
)
from tests.worlds import World

pytestmark = pytest.mark.anyio

FOUR = {"learner", "fellow", "coach", "tutor"}
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
OPEN: dict[str, Any] = {"existence": ALL, "goals": ALL}


@asynccontextmanager
async def held(world: World, path: str) -> AsyncIterator[None]:
    """Holds the agreement as an act of another process would."""
    unit = world.database.unit()
    try:
        await unit.begin()
        await unit.session.execute(
            select(LearningAgreement.id)
            .where(LearningAgreement.id == UUID(agreement_of(path)))
            .with_for_update()
            .execution_options(unscoped="a test holds the row")
        )
        yield
    finally:
        await unit.close()


async def in_turn(
    world: World, path: str, *requests: Awaitable[httpx.Response]
) -> list[httpx.Response]:
    """The answers to requests that came in this order while the agreement was held."""
    async with asyncio.timeout(20):
        async with held(world, path):
            tasks = []
            for number, request in enumerate(requests, 1):
                tasks.append(asyncio.ensure_future(request))
                await waiting(world.database, number)
        return await asyncio.gather(*tasks)


def narrowing(world: World, path: str, who: str, **terms: Any) -> Awaitable[httpx.Response]:
    return world.actors[who].post(f"{path}/narrowing", json=terms)


def recording(world: World, path: str, who: str, **fields: Any) -> Awaitable[httpx.Response]:
    body = {"statement": "At once.", "agreement_id": agreement_of(path), **fields}
    return world.actors[who].post("/v1/goals", json=body)


def signing(
    world: World, path: str, version: dict[str, Any], who: str
) -> Awaitable[httpx.Response]:
    body = {"digest": version["digest"], "obligations": list(OBLIGATIONS)}
    return world.actors[who].post(f"{path}/signatures", json=body)


@pytest.mark.parametrize("first", ["terms", "record"])
async def test_a_goal_is_never_written_with_ticks_of_terms_that_were_narrowed(
    world: World, first: str
) -> None:
    path = await in_force(world, disclosure=OPEN)
    acts = [narrowing(world, path, "coach", goals=["coaches"]), recording(world, path, "learner")]
    answers = await in_turn(world, path, *(acts if first == "terms" else reversed(acts)))
    assert sorted(a.status_code for a in answers) == [200, 201]
    made = next(a.json() for a in answers if a.status_code == 201)
    # What was recorded first was told the old terms; nobody reads by them any more.
    assert made["readers"] == (["coaches"] if first == "terms" else ALL)
    assert (await readers_of(world, f"/v1/goals/{made['id']}")).keys() == {"learner", "coach"}


async def test_a_tick_that_is_asked_for_while_it_is_taken_away_is_refused(world: World) -> None:
    path = await in_force(world, disclosure=OPEN)
    narrowed, refused = await in_turn(
        world, path,
        narrowing(world, path, "coach", goals=["coaches"]),
        recording(world, path, "learner", readers=["leaders"]),
    )  # fmt: skip
    assert narrowed.status_code == 200
    assert refused.json()["errors"][0]["pointer"] == "/readers/0"


async def test_an_owner_does_not_open_a_goal_by_terms_that_are_being_narrowed(
    world: World,
) -> None:
    path = await in_force(world, disclosure=OPEN)
    goal = f"/v1/goals/{(await world.goal(agreement_of(path), readers=['coaches']))['id']}"
    _, refused = await in_turn(
        world, path,
        narrowing(world, path, "coach", goals=["coaches"]),
        world.learner.patch(goal, json={"readers": ["coaches", "leaders"]}),
    )  # fmt: skip
    assert refused.status_code == 422
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}


async def test_a_goal_at_another_home_is_open_to_its_leaders_alone(world: World) -> None:
    path = await in_force(world, disclosure=OPEN)
    version = await propose(world, path, home_organisation_id=None)
    await sign(world, path, version, "learner", "fellow", "coach")
    signed, made = await in_turn(
        world, path, signing(world, path, version, "tutor"), recording(world, path, "learner")
    )
    assert (signed.status_code, made.status_code) == (201, 201)
    assert (await readers_of(world, f"/v1/goals/{made.json()['id']}")).keys() == FOUR


@pytest.mark.parametrize("how", ["left", "replaced"])
async def test_who_is_gone_proposes_no_goal_any_more(world: World, how: str) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    if how == "left":
        going: Awaitable[httpx.Response] = world.coach.post(f"{path}/departure")
    else:
        version = await propose(world, path, parties=parties(world, coach=(), newcomer=("coach",)))
        await sign(world, path, version, "learner", "fellow", "tutor")
        going = signing(world, path, version, "newcomer")
    gone, refused = await in_turn(
        world, path, going, recording(world, path, "coach", owner_id=str(world.learner.id))
    )
    assert gone.status_code in (200, 201)
    assert refused.json()["errors"][0]["pointer"] == "/agreement_id"
    assert (await world.learner.get("/v1/goals")).json()["items"] == []


async def test_a_goal_recorded_while_a_party_leaves_is_not_of_their_time(world: World) -> None:
    path = await in_force(world, disclosure={"former_parties": "their_time"})
    old = (await world.goal(agreement_of(path)))["id"]
    left, made, changed = await in_turn(
        world, path,
        world.coach.post(f"{path}/departure"),
        recording(world, path, "learner"),
        world.learner.patch(f"/v1/goals/{old}", json={"statement": "Since then."}),
    )  # fmt: skip
    assert (left.status_code, made.status_code, changed.status_code) == (200, 201, 200)
    assert (await world.coach.get(f"/v1/goals/{made.json()['id']}")).status_code == 404
    assert (await world.coach.get(f"/v1/goals/{old}")).json()["statement"] == "Pupils give reasons."


@pytest.mark.parametrize("act", ["departure", "narrowing", "ending", "completion", "amendments"])
async def test_who_has_just_left_acts_as_a_party_no_more(world: World, act: str) -> None:
    path = await in_force(world)
    bodies: dict[str, Any] = {
        "narrowing": {"goals": []}, "amendments": {"changes": {"purpose": "Mine."}},
    }  # fmt: skip
    left, refused = await in_turn(
        world, path,
        world.coach.post(f"{path}/departure"),
        world.coach.post(f"{path}/{act}", json=bodies.get(act)),
    )  # fmt: skip
    assert (left.status_code, refused.status_code) == (200, 403)
    versions = (await world.learner.get(f"{path}/versions")).json()["items"]
    assert [v["act"] for v in versions] == ["agreement", "departure"]
    shown = (await world.learner.get(path)).json()
    assert (shown["state"], shown["coach_completed_at"]) == ("active", None)


async def test_the_last_two_signatures_at_once_bring_it_into_force_once(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    version = await propose(world, path, parties=parties(world, newcomer=("mentor",)))
    await sign(world, path, version, "learner", "fellow", "coach")
    answers = await in_turn(
        world, path,
        signing(world, path, version, "newcomer"), signing(world, path, version, "tutor"),
    )  # fmt: skip
    assert [a.status_code for a in answers] == [201, 201]
    shown = (await world.newcomer.get(path)).json()
    assert (shown["number"], len(shown["parties"])) == (2, 5)
    entries = (await world.learner.get(f"{path}/history")).json()["items"]
    assert [e["action"] for e in entries].count("amended") == 1


@pytest.mark.parametrize("first", ["signature", "narrowing"])
async def test_a_last_signature_and_a_narrowing_leave_what_is_narrower(
    world: World, first: str
) -> None:
    path = await in_force(world, disclosure={"existence": ALL, "goals": ["coaches", "advisers"]})
    version = await propose(world, path, disclosure={"goals": ALL})
    await sign(world, path, version, "learner", "fellow", "coach")
    acts = [
        signing(world, path, version, "tutor"),
        narrowing(world, path, "fellow", goals=["coaches"]),
    ]
    answers = await in_turn(world, path, *(acts if first == "signature" else reversed(acts)))
    statuses = [a.status_code for a in answers]
    assert statuses == ([201, 200] if first == "signature" else [200, 409])
    text = (await world.learner.get(path)).json()["text"]
    assert text["disclosure"]["goals"] == ["coaches"]
    made = f"/v1/goals/{(await world.goal(agreement_of(path)))['id']}"
    assert (await readers_of(world, made)).keys() == {"learner", "coach"}


async def test_of_two_amendments_at_once_one_is_on_the_table(world: World) -> None:
    path = await in_force(world)
    answers = await in_turn(
        world, path,
        *(world.actors[who].post(f"{path}/amendments", json={"changes": {"purpose": f"{who}."}})
          for who in ("learner", "coach", "fellow")),
    )  # fmt: skip
    assert [a.status_code for a in answers] == [201, 409, 409]
    assert len((await world.learner.get(f"{path}/versions")).json()["items"]) == 2


async def test_a_newcomer_who_joins_in_the_same_moment_is_let_in(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    version = await propose(world, path, parties=parties(world, newcomer=("mentor",)))
    await sign(world, path, version, "learner", "fellow", "coach", "newcomer")
    answers = await in_turn(
        world, path,
        signing(world, path, version, "tutor"), narrowing(world, path, "newcomer", goals=[]),
    )  # fmt: skip
    assert [a.status_code for a in answers] == [201, 200]
    assert (await world.learner.get(path)).json()["number"] == 3


async def test_a_narrowing_sent_many_times_with_one_key_is_one_version(world: World) -> None:
    path = await in_force(world)
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(world.coach.post(f"{path}/narrowing", headers=key, json={"goals": []}) for _ in range(6))
    )
    assert {a.status_code for a in answers} <= {200, 409}
    last = await world.coach.post(f"{path}/narrowing", headers=key, json={"goals": []})
    assert (last.status_code, last.headers["Idempotency-Replayed"]) == (200, "true")
    assert len((await world.coach.get(f"{path}/versions")).json()["items"]) == 2


async def test_parties_who_all_act_at_once_leave_one_line_of_versions(world: World) -> None:
    """No order is given here: whatever the outcome, the versions tell one story."""
    path = await in_force(world, disclosure=OPEN)
    version = await propose(world, path, purpose="Sharper.")
    await sign(world, path, version, "learner", "fellow", "coach")
    answers = await asyncio.gather(
        signing(world, path, version, "tutor"),
        narrowing(world, path, "fellow", goals=["coaches", "fellows"]),
        narrowing(world, path, "learner", evidence=[]),
        world.coach.post(f"{path}/departure"),
        *(recording(world, path, "learner") for _ in range(4)),
    )
    assert {a.status_code for a in answers} <= {200, 201, 409}
    versions = (await world.learner.get(f"{path}/versions")).json()["items"]
    assert [v["number"] for v in versions] == list(range(1, 6))
    assert [v["state"] for v in versions].count("in_force") == 1
    assert versions[-1]["state"] == "in_force"
    shown = (await world.learner.get(path)).json()
    assert shown["text"] == versions[-1]["text"]
    assert sorted(p["person_id"] for p in shown["parties"]) == sorted(
        p["person_id"] for p in shown["text"]["parties"]
    )
    for goal in (await world.learner.get("/v1/goals")).json()["items"]:
        assert set(goal["readers"]) <= {"coaches", "fellows"}
        assert (await readers_of(world, f"/v1/goals/{goal['id']}")).keys() == {"learner", "fellow"}
    await leave(world, path, "fellow")
    await amend(world, path, parties=parties(world, fellow=()))
