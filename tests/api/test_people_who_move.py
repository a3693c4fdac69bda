"""People who move: dates take views away on the next request; the learner's record goes with them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access.homes import mark_gone
from app.core.clock import today
from app.models.agreements import LearningAgreement
from app.models.goals import Goal
from tests.worlds import World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
EVERYTHING = {"existence": ALL, "goals": ALL, "evidence": ALL}


async def end_places(world: World, *who: str) -> None:
    """The school's administrator ends the learners' affiliations, from today."""
    for name in who:
        ended = await world.administrator.patch(
            f"/v1/affiliations/{world.affiliations[name]}", json={"ends_on": today().isoformat()}
        )
        assert ended.status_code == 200, ended.text


async def comes_back(world: World, who: str, **dates: Any) -> None:
    body = {
        "person_id": str(world.actors[who].id),
        "organisation_id": str(world.school),
        "role": "teacher",
        "starts_on": today().isoformat(),
        **dates,
    }
    made = await world.operator.post("/v1/affiliations", json=body)
    assert made.status_code == 201, made.text


async def sweep(world: World) -> None:
    async with world.database.work() as unit:
        while await mark_gone(unit):
            pass


async def marked(world: World, agreement: str) -> tuple[bool, set[bool]]:
    """The mark on the agreement, and those on its goals."""
    async with world.database.work() as unit:
        await unit.begin()
        why = "the test looks at the mark"
        on_agreement = await unit.session.scalar(
            select(LearningAgreement.learners_gone)
            .where(LearningAgreement.id == UUID(agreement))
            .execution_options(unscoped=why)
        )
        on_goals = await unit.session.scalars(
            select(Goal.learners_gone)
            .where(Goal.agreement_id == UUID(agreement))
            .execution_options(unscoped=why)
        )
        return bool(on_agreement), set(on_goals)


async def seen(world: World, who: str, agreement: str, goal: str) -> set[str]:
    """What of the two the actor sees; item and list agree."""
    found = set()
    for path, record in (("/v1/learning-agreements", agreement), ("/v1/goals", goal)):
        item = (await world.actors[who].get(f"{path}/{record}")).status_code == 200
        listed = (await world.actors[who].get(path, params={"limit": 200})).json()["items"]
        assert item == (record in [entry["id"] for entry in listed])
        if item:
            found.add(path)
    return found


BOTH = {"/v1/learning-agreements", "/v1/goals"}


async def test_leaders_and_systems_see_nothing_once_the_learners_have_left_and_all_when_one_returns(
    world: World,
) -> None:
    agreement = await world.agreement(disclosure=EVERYTHING)
    goal = (await world.goal(agreement))["id"]
    for who in ("head", "client"):
        assert await seen(world, who, agreement, goal) == BOTH
    await end_places(world, "learner", "fellow")
    for swept in (False, True):
        if swept:
            await sweep(world)
            assert await marked(world, agreement) == (True, {True})
        for who in ("head", "client"):
            assert await seen(world, who, agreement, goal) == set()
        for who in ("learner", "coach", "tutor"):
            assert await seen(world, who, agreement, goal) == BOTH
    await comes_back(world, "fellow")
    assert await marked(world, agreement) == (False, {False})
    for who in ("head", "client"):
        assert await seen(world, who, agreement, goal) == BOTH


async def test_a_sweep_before_the_last_signature_passes_over_nothing(world: World) -> None:
    path, digest = await world.propose(disclosure=EVERYTHING)
    await sweep(world)
    await world.sign(path, digest, "learner", "fellow", "coach", "tutor")
    agreement = path.rpartition("/")[2]
    goal = (await world.goal(agreement))["id"]
    for who in ("head", "client"):
        assert await seen(world, who, agreement, goal) == BOTH


async def test_who_is_expected_back_is_not_passed_over(world: World) -> None:
    agreement = await world.agreement(disclosure=EVERYTHING)
    await world.goal(agreement)
    await end_places(world, "learner", "fellow")
    await comes_back(world, "learner", starts_on=(today() + timedelta(days=9)).isoformat())
    await sweep(world)
    assert await marked(world, agreement) == (False, {False})


async def test_a_goal_written_after_the_learners_have_left_is_passed_over_with_the_rest(
    world: World,
) -> None:
    agreement = await world.agreement(disclosure=EVERYTHING)
    await end_places(world, "learner", "fellow")
    await sweep(world)
    goal = (await world.goal(agreement))["id"]
    assert await marked(world, agreement) == (True, {True})
    await comes_back(world, "learner")
    assert await seen(world, "head", agreement, goal) == BOTH


async def test_another_home_is_looked_at_afresh(world: World) -> None:
    agreement = await world.agreement(disclosure=EVERYTHING)
    goal = (await world.goal(agreement))["id"]
    await end_places(world, "learner", "fellow")
    await sweep(world)
    body = {
        "person_id": str(world.learner.id),
        "organisation_id": str(world.authority),
        "role": "teacher",
        "starts_on": today().isoformat(),
    }
    assert (await world.operator.post("/v1/affiliations", json=body)).status_code == 201
    path = f"/v1/learning-agreements/{agreement}"
    amended = await world.learner.post(
        f"{path}/amendments", json={"changes": {"home_organisation_id": str(world.authority)}}
    )
    assert amended.status_code == 201, amended.text
    version = (await world.learner.get(f"{path}/versions/2")).json()
    await world.sign(path, version["digest"], "learner", "fellow", "coach", "tutor")
    assert (await world.learner.get(path)).json()["number"] == 2
    assert await marked(world, agreement) == (False, {False})
    # What was open to the old home's leaders is closed until its owner opens it.
    assert await seen(world, "head", agreement, goal) == set()


async def test_who_returns_while_the_sweep_looks_is_seen(world: World) -> None:
    agreement = await world.agreement(disclosure=EVERYTHING)
    goal = (await world.goal(agreement))["id"]
    await end_places(world, "learner", "fellow")
    await asyncio.gather(sweep(world), comes_back(world, "learner"), sweep(world))
    assert await seen(world, "head", agreement, goal) == BOTH
    assert await marked(world, agreement) == (False, {False})


async def test_a_learner_keeps_their_record_at_the_new_school(world: World) -> None:
    agreement = await world.agreement()
    goal = (await world.goal(agreement))["id"]
    await end_places(world, "learner")
    assert await seen(world, "learner", agreement, goal) == BOTH
    changed = await world.learner.patch(
        f"/v1/goals/{goal}", json={"statement": "At my new school."}
    )
    assert changed.status_code == 200
