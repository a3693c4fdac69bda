"""Evidence items over HTTP: whose they are, who reads them, what they say of children."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.core.clock import today
from app.core.ids import uuid7
from app.core.journal import journal
from app.core.query import Query
from app.models.evidence import EvidenceItem
from app.models.organisations import OrganisationKind
from app.models.people import Affiliation, AffiliationRole
from tests.worlds import World, add_organisation, affiliate

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
OPEN: dict[str, Any] = {"disclosure": {"evidence": ALL, "goals": ALL, "existence": ALL}}
SOON = (today() + timedelta(days=30)).isoformat()
CHILDREN = {"shows_pupils": "yes", "pupil_basis": "Public task", "delete_by": SOON}
PATH = "/v1/evidence-items"
WITHHELD = {
    "view", "id", "created_at", "owner_id", "agreement_id", "kind", "captured_on",
    "controller_organisation_id", "delete_by", "readers",
}  # fmt: skip


async def set_date(world: World, item: dict[str, Any], day: date) -> None:
    """Puts the date on which the item is erased where no caller can put it."""
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(EvidenceItem)
            .where(EvidenceItem.id == UUID(item["id"]))
            .values(delete_by=day)
            .execution_options(synchronize_session=False)
        )


async def leave_school(world: World, who: str = "learner") -> None:
    """Ends somebody's affiliation yesterday."""
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Affiliation)
            .where(Affiliation.id == world.affiliations[who])
            .values(ends_on=today() - timedelta(days=1))
            .execution_options(synchronize_session=False)
        )


async def seen_by(world: World, item: dict[str, Any]) -> set[str]:
    """Who reads an item; lists and single reads agree."""
    one, listed = set(), set()
    for who, actor in world.actors.items():
        answer = await actor.get(f"{PATH}/{item['id']}")
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            one.add(who)
        page = (await actor.get(PATH)).json()
        if item["id"] in [found["id"] for found in page["items"]]:
            listed.add(who)
    assert one == listed
    return one


def pointer(answer: Any) -> str:
    assert answer.status_code == 422, answer.text
    found: str = answer.json()["errors"][0]["pointer"]
    return found


async def test_everything_that_is_said_comes_back(world: World) -> None:
    said = {
        "kind": "pupil_voice",
        "title": "What Year 7 said",
        "description": "Six short interviews.",
        "captured_on": "2026-09-14",
        "context": "After the second cycle.",
        "whose_practice": "My own",
        "what_it_shows": "They wait for each other.",
        "other_explanations": "It was the last lesson.",
        "principles": ["1", "A1"],
        **CHILDREN,
        "pupil_consent": "given",
    }
    made = await world.learner.post(PATH, json=said)
    assert made.status_code == 201
    item = made.json()
    assert {name: item[name] for name in said} == said
    assert (item["view"], item["files"], item["goal_ids"]) == ("full", [], [])
    assert item["owner_id"] == item["created_by"] == str(world.learner.id)
    read = await world.learner.get(f"{PATH}/{item['id']}")
    assert read.json() == item
    assert read.headers["ETag"] == made.headers["ETag"]
    assert made.headers["Location"].endswith(f"{PATH}/{item['id']}")


async def test_evidence_outside_an_agreement_is_its_owners_alone(world: World) -> None:
    item = await world.evidence()
    assert (item["readers"], item["agreement_id"]) == ([], None)
    assert await seen_by(world, item) == {"learner"}
    ticked = {"kind": "other", "title": "x", "readers": ["coaches"]}
    assert pointer(await world.learner.post(PATH, json=ticked)) == "/readers/0"


async def test_left_out_the_readers_are_those_whom_the_terms_tick(world: World) -> None:
    agreement = await world.agreement()
    item = await world.evidence(agreement)
    assert item["readers"] == ["coaches"]
    assert await seen_by(world, item) == {"learner", "coach"}
    body = {"kind": "other", "title": "x", "agreement_id": agreement}
    for reader in ("advisers", "leaders"):
        refused = await world.learner.post(PATH, json={**body, "readers": ["coaches", reader]})
        assert pointer(refused) == "/readers/1"
        wider = await world.learner.patch(f"{PATH}/{item['id']}", json={"readers": [reader]})
        assert pointer(wider) == "/readers/0"


@pytest.mark.parametrize(
    ("reader", "who"),
    [
        ("coaches", "coach"),
        ("fellows", "fellow"),
        ("advisers", "tutor"),
        ("leaders", "head"),
        ("systems", "client"),
    ],
)
async def test_each_tick_opens_it_to_its_class_alone(world: World, reader: str, who: str) -> None:
    item = await world.evidence(await world.agreement(**OPEN), readers=[reader])
    assert await seen_by(world, item) == {"learner", who}


async def test_hidden_and_missing_are_the_same(world: World) -> None:
    item = await world.evidence(await world.agreement())
    for ending in ("", "/files"):
        hidden = await world.stranger.get(f"{PATH}/{item['id']}{ending}")
        missing = await world.stranger.get(f"{PATH}/{uuid7()}{ending}")
        bodies = [{**a.json(), "request_id": ""} for a in (hidden, missing)]
        assert bodies[0] == bodies[1]
        assert hidden.status_code == 404


async def test_only_a_learner_records_under_an_agreement_in_force(world: World) -> None:
    agreement = await world.agreement()
    body = {"kind": "other", "title": "x", "agreement_id": agreement}
    assert (await world.coach.post(PATH, json=body)).status_code == 403
    assert pointer(await world.head.post(PATH, json=body)) == "/agreement_id"
    assert (await world.client.post(PATH, json={**body, "agreement_id": None})).status_code == 403
    proposal, _ = await world.propose()
    early = {**body, "agreement_id": proposal.rpartition("/")[2]}
    assert pointer(await world.learner.post(PATH, json=early)) == "/agreement_id"
    own = await world.fellow.post(PATH, json=body)
    assert own.json()["owner_id"] == str(world.fellow.id)
    assert (await world.learner.get(f"{PATH}/{own.json()['id']}")).status_code == 404
    named = {**body, "owner_id": str(world.learner.id)}
    assert pointer(await world.coach.post(PATH, json=named)) == "/owner_id"


async def test_when_the_agreement_is_over_it_is_only_narrowed_and_deleted(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    item = await world.evidence(agreement, readers=["coaches", "fellows"])
    path = f"{PATH}/{item['id']}"
    ended = await world.learner.post(f"/v1/learning-agreements/{agreement}/ending")
    assert ended.status_code == 200
    assert (await world.learner.patch(path, json={"title": "x"})).status_code == 409
    assert (await world.learner.patch(path, json={"readers": ALL})).status_code == 409
    assert (await world.learner.patch(path, json={"goal_ids": []})).status_code == 409
    narrowed = await world.learner.patch(path, json={"readers": ["coaches"]})
    assert narrowed.json()["readers"] == ["coaches"]
    assert (await world.fellow.get(path)).status_code == 404
    assert (await world.learner.delete(path)).status_code == 204
    assert (await world.learner.get(path)).status_code == 404


async def test_only_the_owner_changes_it(world: World) -> None:
    item = await world.evidence(await world.agreement())
    path = f"{PATH}/{item['id']}"
    for actor, status in ((world.coach, 403), (world.head, 404), (world.client, 403)):
        assert (await actor.patch(path, json={"title": "x"})).status_code == status
        assert (await actor.delete(path)).status_code == status


async def test_a_merge_patch_changes_what_it_names_under_the_version_that_was_read(
    world: World,
) -> None:
    item = await world.evidence(context="Period 5", principles=["2"])
    path = f"{PATH}/{item['id']}"
    etag = (await world.learner.get(path)).headers["ETag"]
    missing = await world.learner.call("PATCH", path, json={"title": "x"})
    assert missing.status_code == 428
    changed = await world.learner.patch(
        path, etag=etag, json={"context": None, "kind": "video", "principles": ["3", "A2"]}
    )
    body = changed.json()
    assert (body["context"], body["kind"], body["title"]) == (None, "video", "Talk in pairs")
    assert (body["principles"], body["version"]) == (["3", "A2"], 2)
    stale = await world.learner.patch(path, etag=etag, json={"title": "Late"})
    assert stale.status_code == 412
    assert stale.json()["current"] == body
    assert stale.headers["ETag"] == changed.headers["ETag"]
    same = await world.learner.patch(path, json={"kind": "video"})
    assert same.json()["version"] == 2
    for wrong in ({"title": None}, {"kind": None}, {"kind": "gossip"}, {"title": "x" * 301}):
        assert pointer(await world.learner.patch(path, json=wrong)) == f"/{next(iter(wrong))}"


async def test_ids_of_clients_and_keys_make_one_record(world: World) -> None:
    body = {"id": str(uuid7()), "kind": "other", "title": "Once"}
    first = await world.learner.post(PATH, json=body)
    again = await world.learner.post(PATH, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    taken = await world.coach.post(PATH, json=body)
    assert taken.status_code == 409
    assert (await world.learner.delete(f"{PATH}/{body['id']}")).status_code == 204
    assert (await world.learner.post(PATH, json=body)).status_code == 409
    key = {"Idempotency-Key": str(uuid7())}
    made = [
        (await world.learner.post(PATH, headers=key, json={"kind": "other", "title": "K"})).json()
        for _ in range(2)
    ]
    assert made[0] == made[1]


async def test_filters_find_by_kind_item_agreement_and_owner(world: World) -> None:
    principles = (await world.learner.get("/v1/principles")).json()["items"]
    third = next(p for p in principles if p["code"] == "3")
    practice = third["items"][0]["id"]
    agreement = await world.agreement()
    one = await world.evidence(agreement, kind="video", principles=["3"])
    two = await world.evidence(framework_items=[practice])

    async def ids(**query: str) -> list[str]:
        page = await world.learner.get(PATH, params=query)
        assert page.status_code == 200, page.text
        return [item["id"] for item in page.json()["items"]]

    assert await ids() == [two["id"], one["id"]]
    assert await ids(kind="video") == [one["id"]]
    assert await ids(framework_item=third["id"]) == [one["id"]]
    assert await ids(framework_item=practice) == [two["id"]]
    assert await ids(agreement_id=agreement) == [one["id"]]
    assert await ids(owner_id=str(world.coach.id)) == []
    assert (await world.learner.get(PATH, params={"kind": "gossip"})).status_code == 422
    changed = await world.learner.patch(f"{PATH}/{one['id']}", json={"principles": []})
    assert changed.status_code == 200
    assert await ids(framework_item=third["id"]) == []
    unknown = await world.learner.post(
        PATH, json={"kind": "other", "title": "x", "framework_items": [str(uuid7())]}
    )
    assert pointer(unknown) == "/framework_items/0"


async def test_a_link_to_a_goal_is_shown_to_who_sees_both_ends(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    open_goal = await world.goal(agreement, readers=["coaches", "fellows"])
    closed_goal = await world.goal(agreement, readers=["coaches"])
    goals = [open_goal["id"], closed_goal["id"]]
    item = await world.evidence(agreement, readers=["coaches", "fellows"], goal_ids=goals)
    path = f"{PATH}/{item['id']}"
    assert item["goal_ids"] == sorted(goals)

    async def linked(who: str) -> list[str]:
        found: list[str] = (await world.actors[who].get(path)).json()["goal_ids"]
        listed = (await world.actors[who].get(PATH)).json()["items"][0]["goal_ids"]
        assert listed == found
        return found

    async def by_goal(who: str, goal: str) -> list[str]:
        page = await world.actors[who].get(PATH, params={"goal_id": goal})
        return [found["id"] for found in page.json()["items"]]

    assert await linked("coach") == sorted(goals)
    assert await linked("fellow") == [open_goal["id"]]
    assert await by_goal("coach", closed_goal["id"]) == [item["id"]]
    assert await by_goal("fellow", closed_goal["id"]) == []
    assert await by_goal("fellow", open_goal["id"]) == [item["id"]]
    # The link comes and goes with the goal's readers, and the ETag tells of it.
    before = (await world.fellow.get(path)).headers["ETag"]
    narrowed = await world.learner.patch(f"/v1/goals/{open_goal['id']}", json={"readers": []})
    assert narrowed.status_code == 200
    after = await world.fellow.get(path, headers={"If-None-Match": before})
    assert (after.status_code, after.json()["goal_ids"]) == (200, [])
    assert after.json()["version"] == item["version"]
    unlinked = await world.learner.patch(path, json={"goal_ids": [open_goal["id"]]})
    assert (unlinked.json()["goal_ids"], unlinked.json()["version"]) == ([open_goal["id"]], 2)


async def test_another_learners_goal_is_as_one_that_is_not_there(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    body = {"statement": "Theirs.", "agreement_id": agreement, "readers": ["fellows"]}
    theirs = (await world.fellow.post("/v1/goals", json=body)).json()["id"]
    assert (await world.learner.get(f"/v1/goals/{theirs}")).status_code == 200
    own = (await world.goal(agreement))["id"]
    item = await world.evidence(agreement)
    errors = []
    for goal in (theirs, str(uuid7())):
        new = {"kind": "other", "title": "x", "goal_ids": [own, goal]}
        for refused in (
            await world.learner.post(PATH, json=new),
            await world.learner.patch(f"{PATH}/{item['id']}", json={"goal_ids": [own, goal]}),
        ):
            assert pointer(refused) == "/goal_ids/1"
            errors.append(refused.json()["errors"])
    assert all(error == errors[0] for error in errors)


async def test_pupils_are_shown_with_a_basis_and_until_a_date(world: World) -> None:
    body = {"kind": "video", "title": "7B"}
    needs = {**body, **CHILDREN}
    without_basis = {**needs, "pupil_basis": None}
    assert pointer(await world.learner.post(PATH, json=without_basis)) == "/pupil_basis"
    assert (
        pointer(await world.learner.post(PATH, json={**needs, "delete_by": None})) == "/delete_by"
    )
    past = {**needs, "delete_by": today().isoformat()}
    assert pointer(await world.learner.post(PATH, json=past)) == "/delete_by"
    item = await world.evidence(None, **CHILDREN)
    refused = await world.learner.patch(f"{PATH}/{item['id']}", json={"delete_by": None})
    assert pointer(refused) == "/delete_by"
    unknown = await world.evidence()
    assert unknown["shows_pupils"] == "unknown"


async def test_withdrawn_consent_takes_leaders_and_systems_away_at_once(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    given = {"shows_pupils": "yes", "pupil_consent": "given", "delete_by": SOON}
    item = await world.evidence(agreement, **given)
    path = f"{PATH}/{item['id']}"
    assert await seen_by(world, item) == {"learner", "coach", "fellow", "tutor", "head", "client"}
    withdrawn = await world.learner.patch(path, json={"pupil_consent": "withdrawn"})
    assert withdrawn.json()["readers"] == ["coaches", "fellows", "advisers"]
    assert await seen_by(world, item) == {"learner", "coach", "fellow", "tutor"}
    again = await world.learner.patch(path, json={"readers": ["coaches", "leaders"]})
    assert again.status_code == 409
    assert (await world.head.get(path)).status_code == 404


async def test_from_its_date_on_the_text_is_gone_and_only_deletion_is_left(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    item = await world.evidence(
        agreement, description="Sioned said", what_it_shows="That", context="There", **CHILDREN
    )
    path = f"{PATH}/{item['id']}"
    before = (await world.learner.get(path)).headers["ETag"]
    await set_date(world, item, today())
    assert await seen_by(world, item) == {"learner", "coach", "fellow", "tutor"}
    for actor in (world.learner, world.coach):
        answer = await actor.get(path, headers={"If-None-Match": before})
        body = answer.json()
        assert (body["title"], body["pupil_basis"], body["files"]) == ("", None, [])
        assert not {"Sioned said", "That", "There", "Talk in pairs"} & {
            value for value in body.values() if isinstance(value, str)
        }
    refused: list[dict[str, Any]] = [{"title": "x"}, {"delete_by": SOON}, {"goal_ids": []}]
    for change in refused:
        assert (await world.learner.patch(path, json=change)).status_code == 409
    assert (await world.learner.patch(path, json={"readers": []})).status_code == 200
    assert (await world.learner.delete(path)).status_code == 204


async def test_what_may_show_children_stays_where_it_was_captured(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    texts = {"description": "Sioned said", "what_it_shows": "That"}
    items = [
        await world.evidence(agreement, **texts, **CHILDREN, principles=["1"]),
        await world.evidence(agreement, **texts),
        await world.evidence(agreement, **texts, shows_pupils="no"),
    ]
    assert {item["controller_organisation_id"] for item in items} == {str(world.school)}
    await leave_school(world)
    yes, unknown, no = [(await world.learner.get(f"{PATH}/{i['id']}")).json() for i in items]
    assert no["view"] == "full"
    for view in (yes, unknown):
        assert set(view) == WITHHELD
        assert view["view"] == "withheld"
    listed = (await world.learner.get(PATH)).json()["items"]
    assert [entry["view"] for entry in listed] == ["full", "withheld", "withheld"]
    # A fellow is still at home, so other readers are as they were.
    for actor in (world.coach, world.head, world.client):
        read = (await actor.get(f"{PATH}/{items[0]['id']}")).json()
        assert (read["view"], read["description"]) == ("full", "Sioned said")


async def test_the_owner_of_what_is_withheld_narrows_and_deletes_it(world: World) -> None:
    item = await world.evidence(await world.agreement(), **CHILDREN)
    path = f"{PATH}/{item['id']}"
    await leave_school(world)
    etag = (await world.learner.get(path)).headers["ETag"]
    refused: list[dict[str, Any]] = [{"shows_pupils": "no"}, {"title": "x"}, {"goal_ids": []}]
    for change in refused:
        assert (await world.learner.patch(path, etag=etag, json=change)).status_code == 409
    stale = await world.learner.patch(path, etag='"7.full.en"', json={"readers": []})
    assert stale.status_code == 412
    assert set(stale.json()["current"]) == WITHHELD
    narrowed = await world.learner.patch(path, etag=etag, json={"readers": []})
    assert (narrowed.status_code, narrowed.json()["readers"]) == (200, [])
    assert set(narrowed.json()) == WITHHELD
    assert (await world.learner.patch(path, json={"readers": ["coaches"]})).status_code == 409
    assert (await world.learner.delete(path)).status_code == 204


async def test_an_answer_is_not_sent_again_when_less_is_shown_by_now(world: World) -> None:
    key = {"Idempotency-Key": str(uuid7())}
    body = {"kind": "video", "title": "7B", **CHILDREN}
    first = await world.learner.post(PATH, headers=key, json=body)
    assert first.status_code == 201
    assert (await world.learner.post(PATH, headers=key, json=body)).status_code == 201
    await leave_school(world)
    assert (await world.learner.post(PATH, headers=key, json=body)).status_code == 404


async def test_the_controller_is_home_or_where_the_learner_is(world: World) -> None:
    async with world.database.work() as unit:
        other = await add_organisation(unit, OrganisationKind.SCHOOL, "The other school")
    alone = await world.evidence()
    assert alone["controller_organisation_id"] == str(world.school)
    body = {"kind": "other", "title": "x", "controller_organisation_id": str(other)}
    assert pointer(await world.learner.post(PATH, json=body)) == "/controller_organisation_id"
    async with world.database.work() as unit:
        await affiliate(unit, world.learner.id, other, AffiliationRole.SUPPLY_TEACHER)
    assert (await world.evidence())["controller_organisation_id"] is None
    named = await world.evidence(None, controller_organisation_id=str(other))
    assert named["controller_organisation_id"] == str(other)
    homeless = await world.evidence(await world.agreement())
    assert homeless["controller_organisation_id"] == str(world.school)


async def test_leaders_read_only_while_a_learner_is_at_home(world: World) -> None:
    item = await world.evidence(await world.agreement(**OPEN), shows_pupils="no")
    path = f"{PATH}/{item['id']}"
    await leave_school(world)
    assert (await world.head.get(path)).status_code == 200
    await leave_school(world, "fellow")
    for actor, status in ((world.head, 404), (world.client, 404), (world.coach, 200)):
        assert (await actor.get(path)).status_code == status


async def test_the_journal_names_what_changed_and_the_history_shows_it_to_readers(
    world: World,
) -> None:
    agreement = await world.agreement()
    item = await world.evidence(agreement)
    path = f"{PATH}/{item['id']}"
    await world.learner.patch(path, json={"title": "New", "kind": "video", "readers": []})
    await world.learner.delete(path)
    query = Query(
        select(journal.c.action, journal.c.changed)
        .where(journal.c.resource_id == UUID(item["id"]))
        .order_by(journal.c.sequence)
    )
    rows = await world.database.rows(query, {})
    assert [row[0] for row in rows] == ["created", "revised", "deleted"]
    assert str(rows[1][1]).replace(" ", "").replace("'", '"') == '["kind","readers","title"]'
    history = await world.learner.get(f"/v1/learning-agreements/{agreement}/history")
    assert item["id"] in history.text
    assert "New" not in history.text
