"""Who did what to accounts and rights: shown to those concerned, and to administrators."""

from datetime import timedelta
from typing import Any

import pytest

from app.access.audit import _about_me, _everything, _of_organisation
from app.core.clock import today
from app.models.people import AffiliationRole
from tests.counting import Read, tidy, visited
from tests.worlds import Actor, World, affiliate

pytestmark = pytest.mark.anyio


async def entries(actor: Actor, path: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = await actor.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def at_school(world: World, who: str, role: str, **more: Any) -> dict[str, Any]:
    body = {
        "person_id": str(world.actors[who].id),
        "organisation_id": str(world.school),
        "role": role,
        "starts_on": today().isoformat(),
        **more,
    }
    answer = await world.administrator.post("/v1/affiliations", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def rename(world: World, who: str, name: str) -> None:
    path = f"/v1/people/{world.actors[who].id}"
    answer = await world.administrator.patch(path, json={"name": name})
    assert answer.status_code == 200, answer.text


async def test_a_person_is_shown_what_others_did_to_their_account(world: World) -> None:
    made = await at_school(world, "learner", "professional_learning_lead")
    await rename(world, "learner", "Siân Ŵyn")
    newest, before = (await entries(world.learner, "/v1/me/history"))[:2]
    assert (newest["kind"], newest["action"], newest["changed"]) == ("person", "changed", ["name"])
    assert newest["by"] == {"id": str(world.administrator.id), "name": world.administrator.name}
    assert newest["through"]["name"] == "Documentation page"
    assert (before["kind"], before["resource_id"]) == ("affiliation", made["id"])
    assert before["organisation_id"] == str(world.school)
    assert before["person"] == {"id": str(world.learner.id), "name": "Siân Ŵyn"}


async def test_nobody_reads_anothers_history_in_their_own(world: World) -> None:
    await rename(world, "learner", "Siân Ŵyn")
    agreement = await world.agreement()
    await world.goal(agreement)
    for who in ("coach", "administrator", "operator"):
        kinds = {e["person"]["id"] for e in await entries(world.actors[who], "/v1/me/history")}
        assert kinds <= {str(world.actors[who].id)}
    # What a learner writes for themself is in their agreement's history, not here.
    kinds = {entry["kind"] for entry in await entries(world.learner, "/v1/me/history")}
    assert kinds == {"person"}


async def test_a_membership_and_an_operators_right_are_told_to_whom_they_concern(
    world: World,
) -> None:
    network = await world.learner.post(
        "/v1/networks", json={"kind": "triad", "name": "Cymuned ddysgu"}
    )
    members = f"/v1/networks/{network.json()['id']}/members"
    await world.learner.post(members, json={"person_id": str(world.coach.id)})
    (newest, *_) = await entries(world.coach, "/v1/me/history")
    assert (newest["kind"], newest["by"]["id"]) == ("network_member", str(world.learner.id))
    (right,) = await entries(await world.operator_named("second"), "/v1/me/history")
    assert (right["kind"], right["by"], right["through"]) == ("operator", None, None)


async def test_an_organisations_administrator_reads_its_own_audit_and_no_others(
    world: World,
) -> None:
    await at_school(world, "learner", "professional_learning_lead")
    path = f"/v1/organisations/{world.school}/audit"
    (newest, *rest) = await entries(world.administrator, path)
    assert (newest["kind"], newest["person"]["id"]) == ("affiliation", str(world.learner.id))
    assert {"client", "organisation"} <= {entry["kind"] for entry in rest}
    assert await entries(world.operator, path) == [newest, *rest]
    for who in ("learner", "head", "stranger"):
        assert (await world.actors[who].get(path)).status_code == 403
    elsewhere = f"/v1/organisations/{world.authority}/audit"
    assert (await world.administrator.get(elsewhere)).status_code == 403


async def test_the_operators_administrators_read_the_whole_audit_and_nothing_of_coaching(
    world: World,
) -> None:
    agreement = await world.agreement()
    await world.goal(agreement)
    await world.evidence(agreement)
    await rename(world, "learner", "Siân Ŵyn")
    (newest, *rest) = await entries(world.operator, "/v1/audit", limit=200)
    assert (newest["kind"], newest["person"]["name"]) == ("person", "Siân Ŵyn")
    coaching = {"goal", "evidence_item", "learning_agreement", "share"}
    assert not coaching & {entry["kind"] for entry in rest}
    for who in ("learner", "head", "administrator", "client"):
        assert (await world.actors[who].get("/v1/audit")).status_code == 403


async def test_an_opening_is_in_the_audit_of_those_without_a_tie_to_it(world: World) -> None:
    tied = await world.operator_named("tied")
    async with world.database.work() as unit:
        await affiliate(unit, tied.id, world.school, AffiliationRole.OTHER)
    opening = await world.opening(await world.agreement())
    (newest, *_) = await entries(world.operator, "/v1/audit")
    assert (newest["kind"], newest["resource_id"]) == ("opening", opening)
    seen = {entry["resource_id"] for entry in await entries(tied, "/v1/audit")}
    assert opening not in seen


async def test_an_audit_is_read_page_by_page(world: World) -> None:
    for name in ("One", "Two", "Three"):
        await rename(world, "learner", name)
    whole = await entries(world.learner, "/v1/me/history")
    read: list[Any] = []
    link = "/v1/me/history?limit=1"
    while link:
        answer = await world.learner.get(link)
        read += answer.json()["items"]
        link = answer.links["next"]["url"] if "next" in answer.links else ""
    assert read == whole
    assert len(whole) == 3


async def test_the_parties_are_shown_each_new_leader_of_the_home_organisation(
    world: World,
) -> None:
    agreement = await world.agreement()
    path = f"/v1/learning-agreements/{agreement}/leaders"
    assert [e["person_id"] for e in await entries(world.learner, path)] == [str(world.head.id)]
    await at_school(world, "tutor", "teacher")  # no leader
    made = await at_school(world, "coach", "professional_learning_lead")
    for who in ("learner", "fellow", "coach", "tutor"):
        newest, before = await entries(world.actors[who], path)
        assert (newest["name"], newest["role"]) == (world.coach.name, "professional_learning_lead")
        assert (newest["starts_on"], newest["ends_on"]) == (made["starts_on"], None)
        assert before["person_id"] == str(world.head.id)
    assert (await world.head.get(path)).status_code == 403
    assert (await world.stranger.get(path)).status_code == 404


async def test_who_led_for_a_day_while_the_agreement_was_there_is_shown(world: World) -> None:
    day = today() - timedelta(days=10)
    agreement = await world.agreement(starts_on=(today() - timedelta(days=30)).isoformat())
    async with world.database.work() as unit:
        for who, first in (("tutor", day), ("fellow", day - timedelta(days=90))):
            await affiliate(
                unit, world.actors[who].id, world.school, AffiliationRole.HEAD_TEACHER,
                starts_on=first, ends_on=first + timedelta(days=1),
            )  # fmt: skip
    found = await entries(world.learner, f"/v1/learning-agreements/{agreement}/leaders")
    assert {e["person_id"] for e in found} == {str(world.tutor.id), str(world.head.id)}


async def test_an_audit_costs_no_more_when_there_is_more_coaching(world: World) -> None:
    """Rows of goals and evidence are passed over by the indexes, not one by one."""
    agreement = await world.agreement()
    database, me = world.database, str(world.learner.id)
    values = {"limit": 3, "me": me, "today": today(), "client": None}

    here = {**values, "organisation_id": str(world.school)}
    reads = [
        Read("learner", "their history", _about_me(continued=False), values, 1),
        Read("administrator", "school", _of_organisation(continued=False), here, 2),
        Read("operator", "all", _everything(continued=False), values, 3),
    ]

    await rename(world, "learner", "Siân Ŵyn")
    tidy(database)
    before = [await visited(database, read) for read in reads]
    for _ in range(60):
        await world.goal(agreement)
    tidy(database)
    after = [await visited(database, read) for read in reads]
    # Less, where a planner reads a small table whole at first.
    assert all(later <= earlier for later, earlier in zip(after, before, strict=True))
