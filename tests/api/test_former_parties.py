"""What those who have left an agreement keep: their own, nothing, or their time as it stood."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.core.clock import today
from app.models.goals import Goal
from tests.amending import (
    agreement_of,
    amend,
    arrive,
    in_force,
    leave,
    narrow,
    parties,
    propose,
    readers_of,
    sign,
)
from tests.worlds import World

pytestmark = pytest.mark.anyio

FOUR = {"learner", "fellow", "coach", "tutor"}
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
THEIR_TIME: dict[str, Any] = {"former_parties": "their_time"}


async def goal_of(world: World, path: str, **fields: Any) -> str:
    """The path of a goal of the learner."""
    return f"/v1/goals/{(await world.goal(agreement_of(path), **fields))['id']}"


async def typed_by_the_coach(world: World, path: str, **fields: Any) -> str:
    """The path of a goal that the coach proposed to the learner."""
    body = {
        "statement": "Wait longer.",
        "agreement_id": agreement_of(path),
        "owner_id": str(world.learner.id),
        **fields,
    }
    made = await world.coach.post("/v1/goals", json=body)
    assert made.status_code == 201, made.text
    return f"/v1/goals/{made.json()['id']}"


async def goals_of(world: World, who: str) -> list[str]:
    """The goals that somebody reads in the list."""
    items = (await world.actors[who].get("/v1/goals")).json()["items"]
    return [f"/v1/goals/{item['id']}" for item in items]


# Their time


async def test_their_time_is_the_record_as_it_stood_when_they_left(world: World) -> None:
    path = await in_force(world, disclosure=THEIR_TIME)
    goal = await goal_of(world, path, principles=["3"], success_indicators=["They ask why."])
    await world.learner.patch(goal, json={"baseline": "Short answers."})
    await world.coach.post(f"{goal}/progress", json={"note": "I saw it."})
    before = (await world.coach.get(goal)).json()
    earlier = {
        below: (await world.coach.get(f"{goal}/{below}")).json()
        for below in ("progress", "revisions")
    }
    await leave(world, path, "coach")
    kept = await world.coach.get(goal)
    assert kept.status_code == 200
    assert kept.json()["kept_at"] is not None
    assert {**kept.json(), "kept_at": None, "view": "full"} == before
    tag = kept.headers["ETag"]
    assert tag != (await world.learner.get(goal)).headers["ETag"]

    await world.learner.patch(goal, json={"statement": "Changed since.", "principles": ["1"]})
    await world.learner.post(f"{goal}/progress", json={"note": "Since then."})
    await world.learner.post(f"{goal}/proposal")
    later = await goal_of(world, path)
    again = await world.coach.get(goal)
    assert (again.content, again.headers["ETag"]) == (kept.content, tag)
    assert (await readers_of(world, goal))["coach"] == kept.content
    for below, page in earlier.items():
        assert page["items"], below
        assert (await world.coach.get(f"{goal}/{below}")).json() == page
        assert len((await world.tutor.get(f"{goal}/{below}")).json()["items"]) == 2
    assert await goals_of(world, "coach") == [goal]
    assert (await world.coach.get(later)).status_code == 404
    assert (await world.tutor.get(goal)).json()["statement"] == "Changed since."
    assert (await world.tutor.get(goal)).json()["kept_at"] is None
    for call, body in (
        ("progress", {"note": "Still here."}),
        ("acceptances", {"wording_number": 2}),
        ("proposal", None),
    ):
        refused = await world.coach.post(f"{goal}/{call}", json=body)
        assert refused.status_code in (403, 404), call


async def test_only_what_they_read_in_their_time_is_kept(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world, disclosure={"goals": ALL, **THEIR_TIME})
    before_them = await goal_of(world, path)
    await amend(world, path, parties=parties(world, newcomer=("mentor",)))
    theirs = await goal_of(world, path)
    for_others = await goal_of(world, path, readers=["advisers", "leaders"])
    outside = f"/v1/goals/{(await world.goal(None))['id']}"
    await leave(world, path, "newcomer")
    assert await goals_of(world, "newcomer") == [theirs]
    for goal in (before_them, for_others, outside):
        assert (await world.newcomer.get(goal)).status_code == 404


@pytest.mark.parametrize("how", ["unticked", "deleted", "terms", "narrowed"])
async def test_what_is_kept_can_be_taken_away(world: World, how: str) -> None:
    path = await in_force(world, disclosure={"goals": ALL, **THEIR_TIME})
    goal = await goal_of(world, path)
    await leave(world, path, "coach")
    assert (await world.coach.get(goal)).status_code == 200
    if how == "unticked":
        await world.learner.patch(goal, json={"readers": ["advisers", "leaders"]})
    elif how == "deleted":
        await world.learner.delete(goal)
    elif how == "terms":
        await narrow(world, path, "tutor", goals=["fellows", "advisers", "leaders"])
    else:
        await narrow(world, path, "tutor", former_parties="own")
    assert (await world.coach.get(goal)).status_code == 404
    assert await goals_of(world, "coach") == []
    # Nor does it come back when the terms or the record are opened again.
    if how in ("terms", "narrowed"):
        await amend(
            world, path, parties=parties(world, coach=(), tutor=("coach",)),
            disclosure={"goals": ALL, **THEIR_TIME},
        )  # fmt: skip
        assert (await world.coach.get(goal)).status_code == 404


async def test_who_is_replaced_keeps_what_the_old_terms_said(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world, disclosure=THEIR_TIME)
    goal = await goal_of(world, path)
    await amend(world, path, parties=parties(world, coach=(), newcomer=("coach",)))
    assert (await world.coach.get(goal)).json()["kept_at"] is not None
    assert (await world.newcomer.get(goal)).status_code == 404


async def test_terms_that_are_widened_later_give_nothing_to_who_left_before(world: World) -> None:
    path = await in_force(world)
    goal = await goal_of(world, path)
    await leave(world, path, "coach")
    assert (await world.coach.get(goal)).status_code == 404
    await amend(
        world, path, parties=parties(world, coach=(), tutor=("mentor",)), disclosure=THEIR_TIME
    )
    assert (await world.coach.get(goal)).status_code == 404
    await leave(world, path, "tutor")
    assert (await world.tutor.get(goal)).status_code == 404  # a mentor from then on only


# Their own


async def test_their_own_is_the_goal_that_they_typed_unless_it_is_reworded(world: World) -> None:
    path = await in_force(world, disclosure={"former_parties": "own"})
    read = await goal_of(world, path)
    typed = await typed_by_the_coach(world, path)
    reworded = await typed_by_the_coach(world, path)
    await world.learner.patch(reworded, json={"statement": "Mine now."})
    assert (await readers_of(world, reworded)).keys() == {"learner", "coach", "tutor"}
    await leave(world, path, "coach")
    assert await goals_of(world, "coach") == [typed]
    for goal in (read, reworded):
        assert (await world.coach.get(goal)).status_code == 404
    before = await world.coach.get(typed)
    await world.learner.patch(typed, json={"statement": "Mine as well."})
    await world.learner.post(f"{typed}/progress", json={"note": "Since then."})
    assert (await world.coach.get(typed)).content == before.content
    assert before.json()["statement"] == "Wait longer."
    assert (await world.coach.get(f"{typed}/progress")).json()["items"] == []


async def test_nothing_is_nothing_not_even_what_they_typed(world: World) -> None:
    path = await in_force(world, disclosure={"former_parties": "nothing"})
    typed = await typed_by_the_coach(world, path)
    await leave(world, path, "coach")
    assert await goals_of(world, "coach") == []
    assert (await world.coach.get(typed)).status_code == 404
    # That they were a party, and to what, no terms take from them.
    assert (await world.coach.get(path)).json()["number"] == 1


@pytest.mark.parametrize("kept", ["own", "their_time"])
async def test_narrowing_what_the_former_keep_reaches_who_has_left(world: World, kept: str) -> None:
    path = await in_force(world, disclosure={"former_parties": kept})
    typed = await typed_by_the_coach(world, path)
    read = await goal_of(world, path)
    await leave(world, path, "coach")
    had = [read, typed] if kept == "their_time" else [typed]
    assert await goals_of(world, "coach") == had
    await narrow(world, path, "fellow", former_parties="nothing")
    assert await goals_of(world, "coach") == []
    assert (await world.coach.get(typed)).status_code == 404
    await amend(
        world,
        path,
        disclosure=THEIR_TIME,
        parties=parties(world, coach=(), tutor=("tutor", "coach")),
    )
    assert await goals_of(world, "coach") == []


# Versions


async def test_who_has_left_reads_the_versions_that_they_were_a_party_to(world: World) -> None:
    path = await in_force(world)
    await amend(world, path, purpose="Sharper.")
    second = (await world.coach.get(f"{path}/versions/2")).json()
    await leave(world, path, "coach")
    await amend(world, path, parties=parties(world, coach=(), tutor=("coach",)), purpose="Since.")
    await narrow(world, path, goals=[])
    shown = (await world.coach.get(path)).json()
    assert (shown["view"], shown["number"]) == ("version", 2)
    assert (shown["text"], shown["digest"]) == (second["text"], second["digest"])
    versions = (await world.coach.get(f"{path}/versions")).json()["items"]
    # The third is their own departure; what came after it is not theirs.
    assert [(v["number"], v["act"]) for v in versions] == [
        (1, "agreement"), (2, "amendment"), (3, "departure"),
    ]  # fmt: skip
    for number in (4, 5):
        assert (await world.coach.get(f"{path}/versions/{number}")).status_code == 404
    assert [v["number"] for v in (await world.fellow.get(f"{path}/versions")).json()["items"]] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


async def test_who_has_left_learns_nothing_of_what_comes_after(world: World) -> None:
    path = await in_force(world)
    left = await leave(world, path, "coach")
    before = await world.coach.get(path)
    assert before.json() == left
    listed = (await world.coach.get("/v1/learning-agreements")).content
    home = {"home_organisation_id": str(world.school)}
    found = (await world.coach.get("/v1/learning-agreements", params=home)).json()["items"]
    await propose(world, path, parties=parties(world, coach=(), tutor=("coach",)), purpose="On.")
    await world.learner.post(f"{path}/withdrawal")
    await amend(
        world, path, home_organisation_id=None, parties=parties(world, coach=(), tutor=("coach",))
    )
    await world.learner.post(f"{path}/ending")
    after = await world.coach.get(path)
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert (await world.coach.get("/v1/learning-agreements")).content == listed
    # A filter does not tell either where its home is today.
    again = (await world.coach.get("/v1/learning-agreements", params=home)).json()["items"]
    assert again == found == []


# Coming again


async def test_who_comes_again_reads_what_they_kept_and_what_is_new(world: World) -> None:
    path = await in_force(world, disclosure=THEIR_TIME)
    kept = await goal_of(world, path)
    await leave(world, path, "coach")
    away = await goal_of(world, path)
    await world.learner.patch(kept, json={"statement": "Reworded while they were away."})
    version = await propose(world, path, parties=parties(world))
    # Asked to join again they see the amendment, and still not what happened in between.
    assert (await world.coach.get(path)).json()["number"] == version["number"]
    acts = (await world.coach.get(f"{path}/history")).json()["items"]
    assert "amendment_proposed" in [e["action"] for e in acts]
    assert away.rpartition("/")[2] not in [e["resource_id"] for e in acts]
    assert [e["action"] for e in acts if e["resource_id"] == kept.rpartition("/")[2]] == []
    await sign(world, path, version, *FOUR)
    assert (await world.coach.get(path)).json()["view"] == "text"
    new = await goal_of(world, path)
    assert set(await goals_of(world, "coach")) == {kept, new}
    assert (await world.coach.get(away)).status_code == 404
    assert (await world.coach.get(kept)).json()["statement"] == "Pupils give reasons."
    acts = (await world.coach.get(f"{path}/history")).json()["items"]
    assert [e["action"] for e in acts if e["kind"] == "goal"] == ["created"]


async def test_the_history_of_their_absence_is_not_shown_to_who_is_asked_again(
    world: World,
) -> None:
    path = await in_force(world, disclosure={"goals": ALL})
    await leave(world, path, "learner")  # who drafted it
    away = await propose(world, path, by="coach", purpose="Without them.")
    await world.coach.post(f"{path}/withdrawal")
    await narrow(world, path, "tutor", goals=["coaches"])
    await propose(world, path, by="coach", parties=parties(world))
    acts = (await world.learner.get(f"{path}/history")).json()["items"]
    assert away["number"] == 3
    assert [e["action"] for e in acts][:3] == ["amendment_proposed", "left", "activated"]


async def test_what_was_kept_is_lost_with_the_terms_also_to_who_came_again(world: World) -> None:
    path = await in_force(world, disclosure=THEIR_TIME)
    goal = await goal_of(world, path)
    await leave(world, path, "coach")
    await amend(world, path, parties=parties(world))
    assert (await world.coach.get(goal)).status_code == 200
    await narrow(world, path, "learner", former_parties="nothing")
    assert (await world.coach.get(goal)).status_code == 404
    await leave(world, path, "coach")
    assert await goals_of(world, "coach") == []


async def test_who_comes_again_with_earlier_records_reads_them_as_they_are(world: World) -> None:
    path = await in_force(world, disclosure=THEIR_TIME)
    goal = await goal_of(world, path)
    await leave(world, path, "coach")
    await world.learner.patch(goal, json={"statement": "Changed since."})
    await amend(world, path, parties=parties(world, earlier=("coach",)))
    assert (await world.coach.get(goal)).json()["statement"] == "Changed since."
    assert (await world.coach.get(goal)).json()["kept_at"] is None
    # When they leave again their time has lasted longer.
    await leave(world, path, "coach")
    assert (await world.coach.get(goal)).json()["statement"] == "Changed since."
    await world.learner.patch(goal, json={"statement": "Changed once more."})
    assert (await world.coach.get(goal)).json()["statement"] == "Changed since."


async def test_a_role_that_was_dropped_is_not_their_time(world: World) -> None:
    path = await in_force(
        world, disclosure=THEIR_TIME, parties=parties(world, coach=("coach", "specialist"))
    )
    for_coaches = await goal_of(world, path, readers=["coaches"])
    for_advisers = await goal_of(world, path, readers=["advisers"])
    dropped = parties(world, coach=("specialist",), tutor=("coach",))
    await amend(world, path, parties=dropped)
    assert await goals_of(world, "coach") == [for_advisers]
    # The last version that they were a party to is not the last of the role that they dropped.
    assert (await leave(world, path, "coach"))["number"] == 2
    assert await goals_of(world, "coach") == [for_advisers]
    assert (await world.coach.get(for_coaches)).status_code == 404


async def test_an_answer_of_their_time_is_replayed_and_one_of_nothing_is_not(world: World) -> None:
    for terms, status in (("their_time", 201), ("nothing", 404)):
        path = await in_force(world, disclosure={"former_parties": terms})
        goal = await goal_of(world, path)
        key = {"Idempotency-Key": str(uuid4())}
        note = {"note": "I saw it."}
        made = await world.coach.post(f"{goal}/progress", headers=key, json=note)
        assert made.status_code == 201
        await leave(world, path, "coach")
        again = await world.coach.post(f"{goal}/progress", headers=key, json=note)
        assert again.status_code == status, again.text
        assert (again.content == made.content) is (status == 201)


async def test_at_its_date_a_record_is_kept_by_nobody_before_the_sweep_has_come_by(
    world: World,
) -> None:
    path = await in_force(world, disclosure=THEIR_TIME)
    goal, other = await goal_of(world, path), await goal_of(world, path)
    await leave(world, path, "coach")
    assert await goals_of(world, "coach") == [other, goal]
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Goal).where(Goal.id == UUID(goal.rpartition("/")[2])).values(delete_by=today())
        )
    assert await goals_of(world, "coach") == [other]
    for below in ("", "/progress", "/revisions"):
        assert (await world.coach.get(f"{goal}{below}")).status_code == 404
    # Its owner and the parties still see that it was there.
    for who in ("learner", "tutor"):
        assert goal in await goals_of(world, who)
