"""Learning agreements over HTTP: from draft to signature, and what each reader sees."""

from datetime import timedelta

import pytest

from app.core.clock import today
from app.models.agreement_text import OBLIGATIONS
from app.models.people import AffiliationRole
from tests.worlds import World, affiliate

pytestmark = pytest.mark.anyio


async def seen(world: World, path: str) -> dict[str, str]:
    """What each actor gets to see: text, existence or 404; item and list agree."""
    found = {}
    for who, actor in world.actors.items():
        answer = await actor.get(path)
        listed = (await actor.get("/v1/learning-agreements")).json()["items"]
        in_list = [item["view"] for item in listed if path.endswith(item["id"])]
        if answer.status_code == 200:
            assert in_list == [answer.json()["view"]]
            found[who] = answer.json()["view"]
        else:
            assert (answer.status_code, in_list) == (404, [])
    return found


async def test_a_draft_is_its_drafters_a_proposal_for_those_it_names(world: World) -> None:
    path = await world.draft()
    assert await seen(world, path) == {"learner": "text"}
    proposed = await world.learner.post(f"{path}/proposal")
    assert proposed.json()["state"] == "proposed"
    invited = {"learner": "text", "fellow": "text", "coach": "text", "tutor": "text"}
    assert await seen(world, path) == invited


async def test_an_agreement_in_force_is_text_for_its_parties_and_existence_for_leaders(
    world: World,
) -> None:
    agreement = await world.agreement()
    path = f"/v1/learning-agreements/{agreement}"
    assert await seen(world, path) == {
        "learner": "text", "fellow": "text", "coach": "text", "tutor": "text", "head": "existence",
    }  # fmt: skip
    existence = (await world.head.get(path)).json()
    assert set(existence) == {
        "id", "view", "active", "home_organisation_id", "starts_on", "ends_on", "parties",
    }  # fmt: skip
    assert {p["name"] for p in existence["parties"]} == {
        world.actors[who].name for who in ("learner", "fellow", "coach", "tutor")
    }


async def test_the_etag_of_existence_tells_nothing_of_changes(world: World) -> None:
    path = f"/v1/learning-agreements/{await world.agreement()}"
    before = (await world.head.get(path)).headers["ETag"]
    goal = await world.goal(path.rpartition("/")[2])
    await world.learner.delete(f"/v1/goals/{goal['id']}")
    assert (await world.head.get(path)).headers["ETag"] == before
    await world.coach.post(f"{path}/ending")
    assert (await world.head.get(path)).headers["ETag"] != before
    assert (await world.head.get(path)).json()["active"] is False


async def test_the_terms_open_existence_and_text_to_leaders_and_systems(world: World) -> None:
    three = ["coaches", "fellows", "advisers"]
    agreement = await world.agreement(
        disclosure={"existence": [*three, "leaders", "systems"], "text": [*three, "leaders"]}
    )
    found = await seen(world, f"/v1/learning-agreements/{agreement}")
    assert (found["head"], found["client"]) == ("text", "existence")
    closed = await world.agreement(disclosure={"existence": three})
    assert "head" not in await seen(world, f"/v1/learning-agreements/{closed}")


async def test_leaders_see_nothing_once_the_learners_have_left_the_school(world: World) -> None:
    agreement = await world.agreement()
    path = f"/v1/learning-agreements/{agreement}"
    for who in ("learner", "fellow"):
        assert (await world.head.get(path)).status_code == 200
        left = await world.administrator.patch(
            f"/v1/affiliations/{world.affiliations[who]}", json={"ends_on": today().isoformat()}
        )
        assert left.status_code == 200, left.text
    assert (await world.head.get(path)).status_code == 404
    assert (await world.learner.get(path)).json()["view"] == "text"


async def test_a_proposal_says_everything_that_is_missing(world: World) -> None:
    body = {"parties": [{"person_id": str(world.learner.id), "role": "learner"}]}
    made = await world.learner.post("/v1/learning-agreements", json=body)
    path = f"/v1/learning-agreements/{made.json()['id']}"
    refused = await world.learner.post(f"{path}/proposal")
    assert refused.status_code == 422
    pointers = [e["pointer"] for e in refused.json()["errors"]]
    assert {"/purpose", "/ground_rules", "/parties", "/rhythm", "/data_controller"} <= set(pointers)
    assert (await world.learner.get(path)).json()["state"] == "draft"


async def test_it_is_active_when_every_party_has_signed_the_same_text(world: World) -> None:
    path, digest = await world.propose()
    for who in ("learner", "fellow", "coach"):
        assert (await world.sign(path, digest, who)).json()["state"] == "proposed"
    last = (await world.sign(path, digest, "tutor")).json()
    assert (last["state"], last["active"]) == ("active", True)
    assert {s["person_id"] for s in last["signatures"] if s["digest"] == digest} == {
        str(world.actors[who].id) for who in ("learner", "fellow", "coach", "tutor")
    }
    version = (await world.tutor.get(f"{path}/versions/1")).json()
    assert (version["digest"], version["state"]) == (digest, "in_force")
    assert "at risk" in version["text"]["confidentiality_limit"]


async def test_a_signature_is_bound_to_the_exact_text(world: World) -> None:
    path, digest = await world.propose()
    wrong = await world.coach.post(
        f"{path}/signatures", json={"digest": "0" * 64, "obligations": list(OBLIGATIONS)}
    )
    assert wrong.json()["errors"][0]["pointer"] == "/digest"
    careless = await world.coach.post(f"{path}/signatures", json={"digest": digest})
    assert careless.json()["errors"][0]["pointer"] == "/obligations"
    assert (await world.head.post(f"{path}/signatures", json={"digest": digest})).status_code == 404
    assert (
        await world.client.post(f"{path}/signatures", json={"digest": digest})
    ).status_code == 403


async def test_a_person_with_two_roles_signs_once(world: World) -> None:
    people = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.coach.id), "role": "coach"},
        {"person_id": str(world.coach.id), "role": "specialist"},
    ]
    path, digest = await world.propose(parties=people)
    last = await world.sign(path, digest, "learner", "coach")
    assert last.json()["state"] == "active"
    assert len(last.json()["signatures"]) == 2
    assert [p["role"] for p in last.json()["parties"]].count("specialist") == 1


async def test_declined_and_withdrawn_proposals_are_shown_to_nobody_else(world: World) -> None:
    path, _ = await world.propose()
    assert (await world.tutor.post(f"{path}/declination")).json()["state"] == "declined"
    assert set(await seen(world, path)) == {"learner", "fellow", "coach", "tutor"}
    assert (await world.learner.post(f"{path}/proposal")).status_code == 409

    path, digest = await world.propose()
    await world.sign(path, digest, "coach")
    assert (await world.coach.post(f"{path}/withdrawal")).status_code == 403
    withdrawn = await world.learner.post(f"{path}/withdrawal")
    assert (withdrawn.json()["state"], withdrawn.json()["number"]) == ("draft", 2)
    assert set(await seen(world, path)) == {"learner"}
    versions = (await world.learner.get(f"{path}/versions")).json()["items"]
    assert [v["state"] for v in versions] == ["withdrawn", "draft"]
    assert sum(s["signed_at"] is not None for s in versions[0]["signatures"]) == 1


async def test_a_text_on_the_table_cannot_be_changed_and_a_patch_merges(world: World) -> None:
    path = await world.draft()
    patched = await world.learner.patch(
        path, json={"disclosure": {"evidence": ["advisers", "coaches"]}, "purpose": "Sharper."}
    )
    text = patched.json()["text"]
    assert text["disclosure"]["evidence"] == ["coaches", "advisers"]
    assert text["disclosure"]["goals"] == ["coaches", "advisers"]
    assert (text["purpose"], text["beneficiaries"]) == ("Sharper.", "Year 7.")
    wrong = await world.learner.patch(path, json={"disclosure": {"text": []}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/disclosure"
    await world.learner.post(f"{path}/proposal")
    assert (await world.learner.patch(path, json={"purpose": "Other"})).status_code == 409


async def test_a_leader_who_coaches_must_be_named_as_such_before_anyone_signs(
    world: World,
) -> None:
    parties = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.head.id), "role": "coach"},
    ]
    path = await world.draft(parties=parties)
    refused = await world.learner.post(f"{path}/proposal")
    assert refused.json()["errors"] == [
        {
            "pointer": "/parties/1",
            "detail": "leads the home organisation: dual_roles must say so, for each learner "
            "there, before anyone signs",
        }
    ]
    said = {
        "person_id": str(world.head.id),
        "learner_id": str(world.learner.id),
        "relation": "leads",
        "safeguards": "Appraisal is done by the deputy.",
    }
    await world.learner.patch(path, json={"dual_roles": [{**said, "relation": "assesses"}]})
    assert (await world.learner.post(f"{path}/proposal")).status_code == 422
    await world.learner.patch(path, json={"dual_roles": [said]})
    assert (await world.learner.post(f"{path}/proposal")).status_code == 200


async def test_a_learner_must_be_affiliated_to_the_home_organisation(world: World) -> None:
    path = await world.draft(home_organisation_id=str(world.authority))
    refused = await world.learner.post(f"{path}/proposal")
    assert refused.json()["errors"][0]["pointer"] == "/home_organisation_id"


async def test_nobody_names_people_whom_they_cannot_see(world: World) -> None:
    parties = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.stranger.id), "role": "coach"},
    ]
    refused = await world.learner.post("/v1/learning-agreements", json=world.text(parties=parties))
    assert refused.json()["errors"][0]["pointer"] == "/parties/1/person_id"
    not_mine = await world.head.post("/v1/learning-agreements", json=world.text())
    assert not_mine.json()["errors"][0]["pointer"] == "/parties"


async def test_completion_needs_a_learner_and_a_coach_ending_any_party(world: World) -> None:
    path = f"/v1/learning-agreements/{await world.agreement()}"
    assert (await world.tutor.post(f"{path}/completion")).status_code == 403
    assert (await world.coach.post(f"{path}/completion")).json()["state"] == "active"
    assert (await world.coach.post(f"{path}/completion")).json()["state"] == "active"
    assert (await world.fellow.post(f"{path}/completion")).json()["state"] == "completed"
    assert (await world.tutor.post(f"{path}/ending")).status_code == 409
    assert (await world.coach.get(path)).json()["over_at"] is not None


async def test_the_history_is_for_the_parties_and_shows_what_each_may_see(world: World) -> None:
    agreement = await world.agreement()
    path = f"/v1/learning-agreements/{agreement}/history"
    goal = await world.goal(agreement, readers=["coaches"])

    async def kinds(who: str) -> list[tuple[str, str]]:
        items = (await world.actors[who].get(path)).json()["items"]
        return [(entry["kind"], entry["action"]) for entry in items]

    assert (await kinds("coach"))[0] == ("goal", "created")
    assert (await kinds("tutor"))[0] == ("learning_agreement", "activated")
    assert [action for _, action in await kinds("tutor")][-2:] == ["proposed", "drafted"]
    await world.learner.delete(f"/v1/goals/{goal['id']}")
    assert (await kinds("learner"))[0] == ("goal", "deleted")
    assert ("goal", "deleted") not in await kinds("coach")
    assert (await world.head.get(path)).status_code == 403
    assert (await world.stranger.get(path)).status_code == 404
    first = (await world.coach.get(path, params={"limit": 2})).json()
    rest = (await world.coach.get(path, params={"cursor": first["next"]})).json()
    assert len(first["items"]) + len(rest["items"]) == len(await kinds("coach"))


async def test_a_draft_can_be_deleted_until_others_have_seen_it(world: World) -> None:
    path = await world.draft()
    assert (await world.learner.delete(path)).status_code == 204
    assert (await world.learner.get(path)).status_code == 404
    path, _ = await world.propose()
    await world.learner.post(f"{path}/withdrawal")
    assert (await world.learner.delete(path)).status_code == 409


async def test_a_leaders_post_counts_from_its_first_day_until_its_last(world: World) -> None:
    path = f"/v1/learning-agreements/{await world.agreement()}"
    async with world.database.work() as unit:
        for dates in (
            {"starts_on": today() + timedelta(days=1)},
            {"ends_on": today()},
        ):
            await affiliate(
                unit, world.coach.id, world.school, AffiliationRole.HEAD_TEACHER, **dates
            )
    assert (await world.coach.get(path)).status_code == 200
    ended = await world.administrator.patch(
        f"/v1/affiliations/{world.affiliations['head']}", json={"ends_on": today().isoformat()}
    )
    assert ended.status_code == 200
    assert (await world.head.get(path)).status_code == 404


async def test_a_signature_sent_again_stands_also_after_the_last_one(world: World) -> None:
    path, digest = await world.propose()
    await world.sign(path, digest, "learner", "fellow", "coach", "tutor")
    again = await world.sign(path, digest, "tutor")
    assert again.json()["state"] == "active"
    other = await world.tutor.post(f"{path}/signatures", json={"digest": "0" * 64})
    assert other.status_code == 409


async def test_those_whom_another_version_named_learn_nothing_of_it(world: World) -> None:
    path, digest = await world.propose()
    await world.sign(path, digest, "fellow")
    await world.learner.post(f"{path}/withdrawal")
    parties = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.coach.id), "role": "coach"},
    ]
    await world.learner.patch(path, json={"parties": parties})
    await world.learner.post(f"{path}/proposal")

    async def acts(who: str) -> list[str]:
        items = (await world.actors[who].get(f"{path}/history")).json()["items"]
        return [entry["action"] for entry in items]

    assert await acts("learner") == [
        "proposed", "redrafted", "withdrawn", "signed", "proposed", "drafted",
    ]  # fmt: skip
    assert await acts("coach") == [*(await acts("learner"))]
    assert (await world.fellow.get(f"{path}/history")).status_code == 404
    newcomer = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.head.id), "role": "specialist"},
        {"person_id": str(world.coach.id), "role": "coach"},
    ]
    await world.learner.post(f"{path}/withdrawal")
    said = {
        "person_id": str(world.head.id), "learner_id": str(world.learner.id), "relation": "leads",
        "safeguards": "The deputy appraises.",
    }  # fmt: skip
    await world.learner.patch(path, json={"parties": newcomer, "dual_roles": [said]})
    assert (await world.learner.post(f"{path}/proposal")).status_code == 200
    assert await acts("head") == ["proposed", "redrafted"]


async def test_an_invitation_shows_people_only_while_it_is_on_the_table(world: World) -> None:
    async with world.database.work() as unit:
        await affiliate(unit, world.learner.id, world.authority, AffiliationRole.STUDENT)
    parties = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.coach.id), "role": "coach"},
        {"person_id": str(world.operator.id), "role": "tutor"},
    ]
    assert (await world.coach.get(f"/v1/people/{world.operator.id}")).status_code == 404
    path, _ = await world.propose(parties=parties)
    assert (await world.coach.get(f"/v1/people/{world.operator.id}")).status_code == 200
    await world.coach.post(f"{path}/declination")
    assert (await world.coach.get(f"/v1/people/{world.operator.id}")).status_code == 404


async def test_nobody_is_both_halves_of_learner_and_coach(world: World) -> None:
    alone = [
        {"person_id": str(world.learner.id), "role": "learner"},
        {"person_id": str(world.learner.id), "role": "coach"},
        {"person_id": str(world.tutor.id), "role": "tutor"},
    ]
    draft = await world.draft(parties=alone)
    assert (await world.learner.post(f"{draft}/proposal")).status_code == 422
    both = [
        {"person_id": str(world.actors[who].id), "role": role}
        for who in ("learner", "coach")
        for role in ("learner", "co_coach")
    ]
    path, digest = await world.propose(parties=both)
    for who in ("learner", "coach"):
        signed = await world.actors[who].post(
            f"{path}/signatures", json={"digest": digest, "obligations": list(OBLIGATIONS)}
        )
    assert signed.json()["state"] == "active"
    goal = await world.goal(path.rpartition("/")[2])
    accept = {"wording_number": 1}
    await world.learner.post(f"/v1/goals/{goal['id']}/proposal")
    mine = await world.learner.post(f"/v1/goals/{goal['id']}/acceptances", json=accept)
    assert mine.json()["state"] == "proposed"
    theirs = await world.coach.post(f"/v1/goals/{goal['id']}/acceptances", json=accept)
    assert theirs.json()["state"] == "agreed"
    for _ in range(2):
        held = await world.learner.post(f"{path}/completion")
        assert held.json()["state"] == "active"
    assert (await world.coach.post(f"{path}/completion")).json()["state"] == "completed"
