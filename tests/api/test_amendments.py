"""Amendments over HTTP: who signs, what rules until then, and what a newcomer gets to read."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.core.clock import today
from app.models.people import AffiliationRole
from tests.amending import (
    agreement_of,
    amend,
    answer,
    arrive,
    asked,
    change_agreement,
    in_force,
    leave,
    narrow,
    parties,
    propose,
    readers_of,
    school_of,
    sign,
)
from tests.worlds import World, affiliate

pytestmark = pytest.mark.anyio

FOUR = {"learner", "fellow", "coach", "tutor"}
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
PARTIES = ["coaches", "fellows", "advisers"]
OPEN: dict[str, Any] = {"existence": ALL, "goals": ALL}


async def goal_of(world: World, path: str, **fields: Any) -> str:
    """The path of a goal of the learner."""
    return f"/v1/goals/{(await world.goal(agreement_of(path), **fields))['id']}"


async def states(world: World, path: str, who: str = "learner") -> list[tuple[str, str]]:
    """Act and state of each version that somebody reads."""
    items = (await world.actors[who].get(f"{path}/versions")).json()["items"]
    return [(version["act"], version["state"]) for version in items]


async def acts(world: World, path: str, who: str) -> list[str]:
    """What somebody reads of the agreement's own history, newest first."""
    answered = await world.actors[who].get(f"{path}/history")
    assert answered.status_code == 200, answered.text
    entries = answered.json()["items"]
    return [e["action"] for e in entries if e["kind"] == "learning_agreement"]


async def test_the_old_text_rules_until_the_last_signature(world: World) -> None:
    path = await in_force(world)
    before = (await world.learner.get(path)).json()
    version = await propose(world, path, purpose="Sharper.", disclosure={"goals": ["coaches"]})
    assert asked(world, version) == FOUR
    for who in ("learner", "fellow", "coach"):
        shown = (await sign(world, path, version, who)).json()
        assert (shown["text"], shown["number"]) == (before["text"], 1)
        assert shown["amendment_number"] == version["number"] == 2
        assert shown["amendment_lapses_on"] == (today() + timedelta(days=30)).isoformat()
    assert (await readers_of(world, await goal_of(world, path))).keys() == {
        "learner", "coach", "tutor",
    }  # fmt: skip
    shown = (await sign(world, path, version, "tutor")).json()
    assert (shown["number"], shown["text"]["purpose"]) == (2, "Sharper.")
    assert (shown["digest"], shown["amendment_number"]) == (version["digest"], None)
    assert shown["amendment_lapses_on"] is None
    assert await states(world, path) == [("agreement", "superseded"), ("amendment", "in_force")]
    assert (await readers_of(world, await goal_of(world, path))).keys() == {"learner", "coach"}


async def test_every_version_keeps_its_digest_and_its_signatures(world: World) -> None:
    path = await in_force(world)
    first = (await world.coach.get(f"{path}/versions/1")).json()
    await amend(world, path, purpose="Sharper.")
    again = (await world.coach.get(f"{path}/versions/1")).json()
    changed = {name for name in first if first[name] != again[name]}
    assert changed == {"state", "settled_at"}
    second = (await world.coach.get(f"{path}/versions/2")).json()
    assert first["digest"] != second["digest"]
    for version in (again, second):
        assert {s["digest"] for s in version["signatures"]} == {version["digest"]}
        assert all(s["signed_at"] for s in version["signatures"])


async def test_an_amendment_changes_something_and_says_what_is_wrong_in_its_body(
    world: World,
) -> None:
    path = await in_force(world)

    async def refused(**changes: Any) -> list[dict[str, str]]:
        found = await world.learner.post(f"{path}/amendments", json={"changes": changes})
        assert found.status_code == 422, found.text
        errors: list[dict[str, str]] = found.json()["errors"]
        return errors

    assert [e["pointer"] for e in await refused(purpose="To ask better questions.")] == [""]
    assert [e["pointer"] for e in await refused(purpose=None)] == ["/changes/purpose"]
    assert [e["pointer"] for e in await refused(purpose=3)] == ["/changes/purpose"]
    assert [e["pointer"] for e in await refused(disclosure={"text": []})] == ["/changes/disclosure"]
    people = [*parties(world), {"person_id": str(world.stranger.id), "role": "mentor"}]
    assert await refused(parties=people) == [
        {"pointer": "/changes/parties/4/person_id", "detail": "names nobody whom you can see"}
    ]
    assert [e["pointer"] for e in await refused(networks=[str(uuid4())])] == ["/changes/networks/0"]
    assert (await world.learner.get(path)).json()["amendment_number"] is None


async def test_a_learner_or_a_coach_proposes_and_nobody_else(world: World) -> None:
    path = await in_force(world)
    seen = {}
    for who, actor in world.actors.items():
        made = await actor.post(f"{path}/amendments", json={"changes": {"purpose": f"{who}."}})
        seen[who] = made.status_code
        if made.status_code == 201:
            withdrawn = await actor.post(f"{path}/withdrawal")
            assert withdrawn.json()["amendment_number"] is None
    assert seen == {
        "learner": 201, "fellow": 201, "coach": 201, "tutor": 403, "head": 403, "client": 403,
        "administrator": 404, "operator": 404, "stranger": 404,
    }  # fmt: skip


async def test_only_an_active_agreement_is_amended_one_amendment_at_a_time(world: World) -> None:
    draft = await world.draft()
    body = {"changes": {"purpose": "Sharper."}}
    assert (await world.learner.post(f"{draft}/amendments", json=body)).status_code == 403
    path = await in_force(world)
    await propose(world, path, purpose="Sharper.")
    second = await world.coach.post(f"{path}/amendments", json={"changes": {"purpose": "Other."}})
    assert second.status_code == 409
    assert (await world.tutor.post(f"{path}/ending")).json()["state"] == "ended"
    assert (await world.learner.post(f"{path}/amendments", json=body)).status_code == 409


async def test_only_its_proposer_withdraws_an_amendment(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, by="coach", purpose="Sharper.")
    await sign(world, path, version, "tutor")
    for who in ("learner", "fellow", "tutor"):
        assert (await world.actors[who].post(f"{path}/withdrawal")).status_code == 403
    assert (await world.coach.post(f"{path}/withdrawal")).json()["number"] == 1
    assert (await world.coach.post(f"{path}/withdrawal")).status_code == 403
    assert (await answer(world, path, version, "learner")).status_code == 409
    kept = (await world.fellow.get(f"{path}/versions/2")).json()
    assert (kept["state"], sum(s["signed_at"] is not None for s in kept["signatures"])) == (
        "withdrawn", 1,
    )  # fmt: skip


async def test_one_refusal_declines_an_amendment_and_the_agreement_goes_on(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, purpose="Sharper.")
    await sign(world, path, version, "learner", "fellow", "coach")
    declined = (await world.tutor.post(f"{path}/declination")).json()
    assert (declined["state"], declined["number"], declined["view"]) == ("active", 1, "text")
    assert (await answer(world, path, version, "tutor")).status_code == 409
    kept = (await world.coach.get(f"{path}/versions/2")).json()
    assert kept["state"] == "declined"
    assert [s["name"] for s in kept["signatures"] if s["declined_at"]] == [world.tutor.name]
    assert (await amend(world, path, purpose="Milder."))["number"] == 3


async def test_a_signature_is_bound_to_the_amendment_and_an_old_one_signs_nothing_new(
    world: World,
) -> None:
    path = await in_force(world)
    old = (await world.tutor.get(path)).json()["digest"]
    version = await propose(world, path, purpose="Sharper.")
    await sign(world, path, version, "learner", "fellow", "coach")
    # What the tutor signed once stands; it is no signature under the amendment.
    again = await world.tutor.post(f"{path}/signatures", json={"digest": old})
    assert (again.status_code, again.json()["number"]) == (201, 1)
    wrong = await world.tutor.post(f"{path}/signatures", json={"digest": "0" * 64})
    assert wrong.json()["errors"][0]["pointer"] == "/digest"
    await world.learner.post(f"{path}/withdrawal")
    same = await propose(world, path, purpose="Sharper.")
    assert same["digest"] != version["digest"]
    assert (await answer(world, path, version, "tutor")).status_code == 422
    assert (await sign(world, path, same, "tutor")).json()["number"] == 1
    unsigned = (await world.tutor.get(f"{path}/versions/3")).json()["signatures"]
    assert sum(s["signed_at"] is not None for s in unsigned) == 1


async def test_a_coach_acknowledges_the_obligations_of_every_version(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, purpose="Sharper.")
    careless = await world.coach.post(f"{path}/signatures", json={"digest": version["digest"]})
    assert careless.json()["errors"][0]["pointer"] == "/obligations"


# Time


async def test_an_amendment_lapses_by_its_date_alone_and_another_can_be_proposed(
    world: World,
) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    version = await propose(
        world, path, purpose="Sharper.", parties=parties(world, newcomer=("mentor",))
    )
    await sign(world, path, version, "learner", "fellow", "coach", "tutor")
    tag = (await world.learner.get(path)).headers["ETag"]
    await change_agreement(world, path, amendment_lapses_on=today() + timedelta(days=1))
    assert (await world.newcomer.get(path)).status_code == 200
    assert (await world.learner.get(path)).json()["amendment_number"] == 2
    await change_agreement(world, path, amendment_lapses_on=today())
    assert (await answer(world, path, version, "newcomer")).status_code == 404
    for call in ("", "/versions", "/history"):
        assert (await world.newcomer.get(f"{path}{call}")).status_code == 404
    shown = await world.learner.get(path, headers={"If-None-Match": tag})
    assert (shown.status_code, shown.json()["amendment_number"]) == (200, None)
    assert (await world.coach.post(f"{path}/declination")).status_code == 403
    assert (await world.learner.post(f"{path}/withdrawal")).status_code == 403
    assert (await states(world, path))[1] == ("amendment", "lapsed")
    assert (await amend(world, path, purpose="Later."))["number"] == 3
    assert (await states(world, path))[1] == ("amendment", "lapsed")


# Who signs


async def test_a_coach_is_replaced_without_the_coach(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    old_goal = await goal_of(world, path)
    version = await propose(world, path, parties=parties(world, coach=(), newcomer=("coach",)))
    assert asked(world, version) == {"learner", "fellow", "tutor", "newcomer"}
    # As long as they are a party they read what is on the table, and cannot stand in its way.
    assert (await world.coach.get(f"{path}/versions/2")).json()["state"] == "proposed"
    assert (await world.coach.post(f"{path}/declination")).status_code == 403
    assert (await answer(world, path, version, "coach")).status_code == 403
    await sign(world, path, version, "learner", "fellow", "tutor")
    assert (await world.coach.get(old_goal)).status_code == 200
    assert (await sign(world, path, version, "newcomer")).json()["number"] == 2
    assert (await world.coach.get(old_goal)).status_code == 404
    gone = (await world.coach.get(path)).json()
    assert (gone["view"], gone["number"]) == ("version", 1)
    assert (await states(world, path, "coach")) == [("agreement", "superseded")]
    assert (await world.coach.get(f"{path}/versions/2")).status_code == 404
    new_goal = await goal_of(world, path)
    assert (await readers_of(world, new_goal)).keys() == {"learner", "tutor", "newcomer"}
    assert (await readers_of(world, old_goal)).keys() == {"learner", "tutor"}


async def test_a_party_is_removed_without_them_also_the_only_coach(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, parties=parties(world, coach=()))
    assert asked(world, version) == {"learner", "fellow", "tutor"}
    await sign(world, path, version, "learner", "fellow", "tutor")
    assert (await world.learner.get(path)).json()["number"] == 2
    # Without a coach nothing else is agreed: the next amendment brings one.
    other = await world.learner.post(f"{path}/amendments", json={"changes": {"purpose": "Alone."}})
    assert other.json()["errors"][0]["pointer"] == "/changes/parties"
    learners = parties(world, coach=(), learner=(), fellow=())
    without = await world.learner.post(
        f"{path}/amendments", json={"changes": {"parties": learners}}
    )
    assert without.status_code == 422


@pytest.mark.parametrize(
    "more",
    [
        {"purpose": "Another."},
        {"disclosure": {"goals": ALL}},
        {"disclosure": {"former_parties": "their_time"}},
        {"earlier": True},
        {"second_newcomer": True},
        {"promoted": True},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_who_is_replaced_signs_when_anything_else_is_changed(
    world: World, more: dict[str, Any]
) -> None:
    await arrive(world, "newcomer", "second")
    path = await in_force(world)
    more = {**more}
    roles: dict[str, tuple[str, ...]] = {"coach": (), "newcomer": ("coach",)}
    earlier: tuple[str, ...] = ()
    if more.pop("earlier", False):
        earlier = ("newcomer",)
    if more.pop("second_newcomer", False):
        roles["second"] = ("mentor",)
    if more.pop("promoted", False):
        roles["tutor"] = ("tutor", "mentor")
    version = await propose(world, path, parties=parties(world, earlier=earlier, **roles), **more)
    names = FOUR | {who for who, held in roles.items() if held}
    assert asked(world, version) == names
    await sign(world, path, version, *names - {"coach"})
    assert (await world.learner.get(path)).json()["number"] == 1
    # Who goes acknowledges no obligations any more.
    last = await world.coach.post(f"{path}/signatures", json={"digest": version["digest"]})
    assert (last.status_code, last.json()["view"]) == (201, "version")


async def test_who_proposes_may_leave_themself_out(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, by="coach", parties=parties(world, coach=()))
    assert asked(world, version) == {"learner", "fellow", "tutor"}
    await sign(world, path, version, "learner", "fellow", "tutor")
    assert (await world.coach.get(path)).json()["number"] == 1
    # What they wrote themselves stays readable to them.
    assert await states(world, path, "coach") == [
        ("agreement", "superseded"), ("amendment", "in_force"),
    ]  # fmt: skip


# Newcomers


async def test_a_newcomer_sees_the_amendment_and_nothing_else_before_it_is_signed(
    world: World,
) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    goal = await goal_of(world, path)
    await narrow(world, path, goals=["coaches"])
    changed = parties(world, newcomer=("coach",), earlier=("newcomer",))
    version = await propose(world, path, parties=changed)
    shown = await world.newcomer.get(path)
    assert set(shown.json()) == {"id", "view", "number", "digest", "signatures", "text"}
    assert (shown.json()["view"], shown.json()["number"]) == ("version", 3)
    assert shown.json()["digest"] == version["digest"]
    assert (await world.newcomer.get("/v1/learning-agreements")).json()["items"] == [shown.json()]
    assert await states(world, path, "newcomer") == [("amendment", "proposed")]
    for number in (1, 2):
        assert (await world.newcomer.get(f"{path}/versions/{number}")).status_code == 404
    assert await acts(world, path, "newcomer") == ["amendment_proposed"]
    assert "newcomer" not in await readers_of(world, goal)
    for act, body in (
        ("narrowing", {"goals": []}),
        ("departure", None),
        ("ending", None),
        ("completion", None),
        ("withdrawal", None),
        ("amendments", {"changes": {"purpose": "Mine."}}),
        ("detachments", {"network_id": str(uuid4())}),
    ):
        assert (await world.newcomer.post(f"{path}/{act}", json=body)).status_code == 403, act
    mine = {"statement": "Mine.", "agreement_id": agreement_of(path)}
    refused = await world.newcomer.post("/v1/goals", json=mine)
    assert refused.json()["errors"][0]["pointer"] == "/agreement_id"
    # A signature is not yet a membership.
    await sign(world, path, version, "newcomer")
    assert "newcomer" not in await readers_of(world, goal)
    await sign(world, path, version, "learner", "fellow", "coach", "tutor")
    assert "newcomer" in await readers_of(world, goal)
    assert (await world.newcomer.get(path)).json()["view"] == "text"
    assert await states(world, path, "newcomer") == [("amendment", "in_force")]
    assert (await world.newcomer.get(f"{path}/versions/1")).status_code == 404


async def test_a_newcomer_reads_what_is_written_after_they_joined(world: World) -> None:
    await arrive(world, "newcomer", "second")
    path = await in_force(world)
    old = await goal_of(world, path)
    await amend(world, path, parties=parties(world, newcomer=("mentor",)))
    between = await goal_of(world, path)
    both = parties(world, newcomer=("mentor",), second=("mentor",), earlier=("second",))
    await amend(world, path, parties=both)
    new = await goal_of(world, path)
    found = {
        who: [g for g in (old, between, new) if who in await readers_of(world, g)]
        for who in ("coach", "newcomer", "second")
    }
    assert found == {
        "coach": [old, between, new], "newcomer": [between, new], "second": [old, between, new],
    }  # fmt: skip
    # A new version of an old record is an old record still.
    await world.learner.patch(old, json={"statement": "Reworded."})
    assert "newcomer" not in await readers_of(world, old)
    assert ("goal", old.rpartition("/")[2]) not in [
        (e["kind"], e["resource_id"])
        for e in (await world.newcomer.get(f"{path}/history")).json()["items"]
    ]


async def test_earlier_records_are_opened_and_closed_by_what_is_signed(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    old = await goal_of(world, path)
    later = {"newcomer": ("mentor",)}
    for earlier, reads in (((), False), (("newcomer",), True), ((), False)):
        await amend(world, path, parties=parties(world, earlier=earlier, **later))
        assert ("newcomer" in await readers_of(world, old)) is reads
    # Those who signed the first text read all that was written under it, whatever it says of them.
    named = parties(world, earlier=("coach", "newcomer"), **later)
    await amend(world, path, parties=named)
    await amend(world, path, parties=parties(world, **later))
    assert (await readers_of(world, old)).keys() == {"learner", "coach", "tutor"}


@pytest.mark.parametrize("how", ["left", "removed"])
async def test_what_a_learner_has_written_who_is_gone_is_opened_to_no_newcomer(
    world: World, how: str
) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    goal = await goal_of(world, path)
    without = parties(world, learner=())
    if how == "left":
        await leave(world, path, "learner")
    else:
        await amend(world, path, by="coach", parties=without)
    # Those who stayed sign that a newcomer reads what was before; whose it is has not signed.
    joined = parties(world, learner=(), newcomer=("mentor", "tutor"), earlier=("newcomer",))
    await amend(world, path, by="coach", parties=joined)
    assert (await readers_of(world, goal)).keys() == {"learner", "coach", "tutor"}
    again = parties(world, newcomer=("mentor",), earlier=("newcomer",))
    await amend(world, path, by="coach", parties=again)
    assert (await readers_of(world, goal)).keys() == {"learner", "coach", "tutor", "newcomer"}


async def test_a_newcomer_who_declines_sees_nothing_of_it_any_more(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    key = {"Idempotency-Key": str(uuid4())}
    version = await propose(world, path, parties=parties(world, newcomer=("mentor",)))
    declined = await world.newcomer.post(f"{path}/declination", headers=key)
    assert (declined.status_code, declined.content) == (204, b"")
    replayed = await world.newcomer.post(f"{path}/declination", headers=key)
    assert replayed.status_code == 404
    for call in ("", "/versions", f"/versions/{version['number']}", "/history"):
        assert (await world.newcomer.get(f"{path}{call}")).status_code == 404
    assert (await answer(world, path, version, "newcomer")).status_code == 404
    assert (await world.newcomer.get("/v1/learning-agreements")).json()["items"] == []
    assert (await world.learner.get(f"{path}/versions/2")).json()["state"] == "declined"


async def test_a_leader_who_is_asked_to_join_falls_back_to_existence(world: World) -> None:
    path = await in_force(world)
    before = await world.head.get(path)
    said = {
        "person_id": str(world.head.id), "relation": "leads", "safeguards": "The deputy appraises.",
    }  # fmt: skip
    changes: dict[str, Any] = {"parties": parties(world, head=("specialist",))}
    unsaid = await world.learner.post(f"{path}/amendments", json={"changes": changes})
    assert unsaid.json()["errors"][0]["pointer"] == "/changes/parties/4"
    changes["dual_roles"] = [
        {**said, "learner_id": str(world.actors[who].id)} for who in ("learner", "fellow")
    ]
    await propose(world, path, **changes)
    assert (await world.head.get(path)).json()["view"] == "version"
    declined = await world.head.post(f"{path}/declination")
    assert (declined.status_code, declined.content) == (200, before.content)
    assert (await world.head.get(path)).headers["ETag"] == before.headers["ETag"]
    assert (await world.head.get(f"{path}/versions")).status_code == 403


# Widening and narrowing by amendment


async def test_widening_touches_no_old_record_and_gives_new_ones_the_new_ticks(
    world: World,
) -> None:
    path = await in_force(world, disclosure={"existence": ALL, "goals": ["coaches"]})
    old = await goal_of(world, path)
    before = await readers_of(world, old)
    await amend(world, path, disclosure={"goals": ALL})
    assert await readers_of(world, old) == before
    assert before.keys() == {"learner", "coach"}
    new = await goal_of(world, path)
    everyone = {"learner", "fellow", "coach", "tutor", "head", "client"}
    assert (await readers_of(world, new)).keys() == everyone
    # An older record widens only by its owner's hand.
    opened = await world.learner.patch(old, json={"readers": ["coaches", "leaders"]})
    assert opened.json()["readers"] == ["coaches", "leaders"]
    assert (await readers_of(world, old)).keys() == {"learner", "coach", "head"}


async def test_what_an_amendment_takes_away_does_not_come_back_by_another(world: World) -> None:
    path = await in_force(world, disclosure=OPEN)
    goal = await goal_of(world, path)
    await amend(world, path, disclosure={"goals": ["coaches"]})
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}
    await amend(world, path, disclosure={"goals": ALL})
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}


async def test_another_home_closes_old_records_to_the_leaders_of_both(world: World) -> None:
    path = await in_force(world, disclosure=OPEN)
    old = await goal_of(world, path)
    assert "head" in await readers_of(world, old)
    elsewhere = await school_of(world, "stranger")
    at_home = {"home_organisation_id": str(elsewhere)}
    refused = await world.learner.post(f"{path}/amendments", json={"changes": at_home})
    assert refused.json()["errors"][0]["pointer"] == "/changes/home_organisation_id"
    async with world.database.work() as unit:
        await affiliate(unit, world.learner.id, elsewhere, AffiliationRole.TEACHER)
    await amend(world, path, **at_home)
    assert (await readers_of(world, old)).keys() == FOUR
    assert (await world.head.get(path)).status_code == 404
    assert (await world.stranger.get(path)).json()["view"] == "existence"
    new = await goal_of(world, path)
    assert (await readers_of(world, new)).keys() == {*FOUR, "stranger"}
    await world.learner.patch(old, json={"readers": ALL})
    assert (await readers_of(world, old)).keys() == {*FOUR, "stranger"}
    # And back again: nothing that was open at either school is open again by itself.
    await amend(world, path, home_organisation_id=str(world.school))
    assert (await readers_of(world, old)).keys() == FOUR
    await amend(world, path, home_organisation_id=None)
    assert (await readers_of(world, new)).keys() == FOUR


async def test_a_learner_who_has_moved_school_can_still_amend_what_leaves_the_home(
    world: World,
) -> None:
    path = await in_force(world)
    for who in ("learner", "fellow"):
        gone = await world.administrator.patch(
            f"/v1/affiliations/{world.affiliations[who]}", json={"ends_on": today().isoformat()}
        )
        assert gone.status_code == 200
    assert (await amend(world, path, purpose="From afar."))["number"] == 2


# What others see of it


async def test_existence_tells_a_leader_nothing_of_amendments(world: World) -> None:
    path = await in_force(world)
    before = await world.head.get(path)
    listed = (await world.head.get("/v1/learning-agreements")).content
    await propose(world, path, purpose="Sharper.")
    await world.learner.post(f"{path}/withdrawal")
    await amend(world, path, purpose="Sharper.", disclosure={"evidence": PARTIES})
    await narrow(world, path, goals=[])
    after = await world.head.get(path)
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert (await world.head.get("/v1/learning-agreements")).content == listed
    ends = (today() + timedelta(days=200)).isoformat()
    await amend(world, path, ends_on=ends, parties=parties(world, tutor=()))
    changed = await world.head.get(path)
    assert changed.headers["ETag"] != before.headers["ETag"]
    assert changed.json()["ends_on"] == ends
    assert world.tutor.name not in [p["name"] for p in changed.json()["parties"]]


async def test_who_reads_the_text_learns_of_an_amendment_when_it_is_in_force(world: World) -> None:
    readers = [*PARTIES, "leaders", "systems"]
    path = await in_force(world, disclosure={"existence": readers, "text": readers})
    version = await propose(world, path, purpose="Sharper.")
    for actor in (world.head, world.client):
        shown = (await actor.get(path)).json()
        assert (shown["view"], shown["number"]) == ("text", 1)
        assert (shown["amendment_number"], shown["amendment_lapses_on"]) == (None, None)
        assert (await actor.get(f"{path}/versions/2")).status_code == 403
    await sign(world, path, version, *FOUR)
    for actor in (world.head, world.client):
        assert (await actor.get(path)).json()["text"]["purpose"] == "Sharper."


async def test_the_history_shows_each_the_acts_on_versions_that_name_them(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    version = await propose(world, path, parties=parties(world, tutor=(), newcomer=("tutor",)))
    await sign(world, path, version, "learner", "newcomer")
    assert (await acts(world, path, "tutor"))[:3] == ["signed", "signed", "amendment_proposed"]
    await sign(world, path, version, "fellow", "coach")
    whole = ["amended", "signed", "signed", "signed", "signed", "amendment_proposed"]
    assert await acts(world, path, "newcomer") == whole
    assert (await acts(world, path, "learner"))[:7] == [*whole, "activated"]
    assert (await world.tutor.get(f"{path}/history")).status_code == 403
    assert (await world.head.get(f"{path}/history")).status_code == 403


# Roles that change


async def test_another_role_of_the_same_class_takes_nothing_away(world: World) -> None:
    path = await in_force(world)
    goal = await goal_of(world, path, readers=["coaches"])
    await amend(world, path, parties=parties(world, coach=("mentor",)))
    await amend(world, path, parties=parties(world, coach=("mentor", "co_coach")))
    await amend(world, path, parties=parties(world, coach=("co_coach",)))
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}
    assert [p["role"] for p in (await world.coach.get(path)).json()["parties"]].count("coach") == 0


async def test_another_class_of_reader_reads_from_then_on(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    for_coaches = await goal_of(world, path, readers=["coaches"])
    for_advisers = await goal_of(world, path, readers=["advisers"])
    changed = parties(world, coach=("tutor",), newcomer=("coach",))
    await amend(world, path, parties=changed)
    for goal in (for_coaches, for_advisers):
        assert "coach" not in await readers_of(world, goal)
    new = await goal_of(world, path, readers=["advisers"])
    assert "coach" in await readers_of(world, new)
    # Going back does not bring back what was written while they were no coach.
    between = await goal_of(world, path, readers=["coaches"])
    await amend(world, path, parties=parties(world, newcomer=("coach",)))
    for goal in (for_coaches, between, new):
        assert "coach" not in await readers_of(world, goal)
    assert "coach" in await readers_of(world, await goal_of(world, path))


async def test_a_second_role_opens_its_class_from_then_on_and_closes_with_it(world: World) -> None:
    path = await in_force(world)
    old = await goal_of(world, path, readers=["advisers"])
    await amend(world, path, parties=parties(world, coach=("coach", "specialist")))
    assert "coach" not in await readers_of(world, old)
    new = await goal_of(world, path, readers=["advisers"])
    both = await goal_of(world, path)
    assert "coach" in await readers_of(world, new)
    version = await propose(world, path, parties=parties(world))
    assert asked(world, version) == FOUR  # a role that is dropped is no party removed
    await sign(world, path, version, *FOUR)
    assert "coach" not in await readers_of(world, new)
    assert "coach" in await readers_of(world, both)
    assert (await world.coach.get(path)).json()["view"] == "text"


async def test_a_learner_who_is_replaced_keeps_their_records_and_writes_no_more(
    world: World,
) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world, disclosure=OPEN)
    goal = await goal_of(world, path)
    version = await propose(
        world, path, by="coach", parties=parties(world, learner=(), newcomer=("learner",))
    )
    assert asked(world, version) == {"fellow", "coach", "tutor", "newcomer"}
    await sign(world, path, version, "fellow", "coach", "tutor", "newcomer")
    assert "newcomer" not in await readers_of(world, goal)
    assert (await world.learner.get(goal)).status_code == 200
    assert (await world.learner.patch(goal, json={"statement": "x"})).status_code == 409
    assert (await world.learner.post(f"{goal}/progress", json={"note": "x"})).status_code == 409
    narrowed = await world.learner.patch(goal, json={"readers": []})
    assert narrowed.status_code == 200
    assert (await readers_of(world, goal)).keys() == {"learner"}
    theirs = {"statement": "Mine.", "agreement_id": agreement_of(path)}
    made = await world.newcomer.post("/v1/goals", json=theirs)
    assert made.status_code == 201
    new = f"/v1/goals/{made.json()['id']}"
    assert (await readers_of(world, new)).keys() == {
        "newcomer", "fellow", "coach", "tutor", "head", "client",
    }  # fmt: skip


# Acts that overtake an amendment


@pytest.mark.parametrize("act", ["narrowing", "departure", "ending", "completion"])
async def test_an_act_of_one_party_closes_an_open_amendment(world: World, act: str) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    version = await propose(world, path, parties=parties(world, newcomer=("mentor",)))
    await sign(world, path, version, "learner", "fellow", "coach", "tutor")
    if act == "completion":
        assert (await world.learner.post(f"{path}/completion")).json()["state"] == "active"
    body: dict[str, Any] | None = {"goals": []} if act == "narrowing" else None
    done = await world.coach.post(f"{path}/{act}", json=body)
    assert done.status_code == 200, done.text
    assert (await answer(world, path, version, "newcomer")).status_code == 404
    shown = (await world.learner.get(path)).json()
    assert (shown["amendment_number"], shown["amendment_lapses_on"]) == (None, None)
    assert (await states(world, path))[1] == ("amendment", "lapsed")
    assert str(world.newcomer.id) not in [p["person_id"] for p in shown["parties"]]


async def test_when_its_proposer_leaves_an_amendment_is_off_the_table(world: World) -> None:
    path = await in_force(world)
    version = await propose(world, path, by="fellow", disclosure={"goals": ALL})
    await sign(world, path, version, *FOUR - {"coach"})
    await leave(world, path, "fellow")
    assert (await answer(world, path, version, "coach")).status_code == 409
    assert (await world.fellow.post(f"{path}/withdrawal")).status_code == 403
    assert (await world.learner.get(path)).json()["text"]["disclosure"]["goals"] != ALL
    assert (await propose(world, path, purpose="Without them."))["number"] == 4


async def test_the_word_of_who_has_gone_completes_nothing(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    assert (await world.coach.post(f"{path}/completion")).json()["coach_completed_at"]
    await amend(world, path, parties=parties(world, coach=(), newcomer=("coach",)))
    shown = (await world.learner.post(f"{path}/completion")).json()
    assert (shown["state"], shown["coach_completed_at"]) == ("active", None)
    # Who stays has said what they said.
    await amend(
        world, path, purpose="Sharper.", parties=parties(world, coach=(), newcomer=("coach",))
    )
    assert (await world.newcomer.post(f"{path}/completion")).json()["state"] == "completed"
    await leave(world, path, "newcomer")
    assert (await world.learner.get(path)).json()["coach_completed_at"] is not None
