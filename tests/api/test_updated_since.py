"""`updated_since`: what was written since a moment, told by what each reader is shown, and no more."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.clock import now, today
from tests.amending import agreement_of, arrive, in_force, leave, propose
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
LATER = (today() + timedelta(days=30)).isoformat()
GOALS, ITEMS, AGREEMENTS = "/v1/goals", "/v1/evidence-items", "/v1/learning-agreements"


async def rows(actor: Actor, path: str, **query: Any) -> list[dict[str, Any]]:
    """A whole list, in pages of three."""
    found: list[dict[str, Any]] = []
    query = {"limit": 3, **query}
    while True:
        answer = await actor.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        query["cursor"] = answer.json()["next"]


async def ids(actor: Actor, path: str, **query: Any) -> list[str]:
    return [row["id"] for row in await rows(actor, path, **query)]


def made(answer: httpx.Response) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _goal(world: World) -> Any:
    return await world.goal()


async def _item(world: World) -> Any:
    return await world.evidence()


async def _draft(world: World) -> Any:
    return made(await world.learner.post(AGREEMENTS, json=world.text()))


async def _share(world: World) -> Any:
    body = {
        "goal_id": (await world.goal(await world.agreement()))["id"], "reason": "Advice.",
        "person_id": str(world.head.id), "ends_on": LATER,
    }  # fmt: skip
    return made(await world.learner.post("/v1/shares", json=body))


async def _network(world: World) -> Any:
    body = {"kind": "triad", "name": f"Triad {uuid4().hex[:6]}"}
    return made(await world.learner.post("/v1/networks", json=body))


async def _person(world: World) -> Any:
    place = {
        "organisation_id": str(world.school), "role": "teacher", "starts_on": today().isoformat(),
    }  # fmt: skip
    body = {"name": "Somebody", "affiliation": place}
    return made(await world.administrator.post("/v1/people", json=body))


async def _affiliation(world: World) -> Any:
    body = {
        "person_id": (await _person(world))["id"], "organisation_id": str(world.school),
        "role": "tutor", "starts_on": today().isoformat(),
    }  # fmt: skip
    return made(await world.administrator.post("/v1/affiliations", json=body))


async def _organisation(world: World) -> Any:
    body = {"kind": "school", "name": f"Ysgol {uuid4().hex[:6]}", "parent_id": str(world.authority)}
    return made(await world.operator.post("/v1/organisations", json=body))


LISTS: dict[str, tuple[str, Callable[[World], Awaitable[Any]], dict[str, Any]]] = {
    GOALS: ("learner", _goal, {"baseline": "New."}),
    ITEMS: ("learner", _item, {"description": "New."}),
    AGREEMENTS: ("learner", _draft, {"purpose": "New."}),
    "/v1/shares": ("learner", _share, {}),
    "/v1/networks": ("learner", _network, {"remit": "New."}),
    "/v1/people": ("administrator", _person, {"name": "New"}),
    "/v1/affiliations": ("administrator", _affiliation, {"ends_on": LATER}),
    "/v1/organisations": ("operator", _organisation, {"phone": "01000 000001"}),
}
"""Who writes in a list, how a row comes into it, and a change of one; a share is never changed."""


@pytest.mark.parametrize("path", LISTS)
async def test_what_was_written_since_is_listed_newest_id_first(world: World, path: str) -> None:
    who, make, change = LISTS[path]
    actor = world.actors[who]
    older, newer = [await make(world) for _ in range(2)]
    since = newer["updated_at"]
    # Rows that were made together with the newer one are listed, too.
    assert newer["id"] in await ids(actor, path, updated_since=since)
    assert older["id"] not in await ids(actor, path, updated_since=since)
    if not change:
        return
    changed = await actor.patch(f"{path}/{older['id']}", json=change)
    assert changed.status_code == 200, changed.text
    found = await ids(actor, path, updated_since=since)
    assert {older["id"], newer["id"]} <= set(found)
    assert found == sorted(found, reverse=True)
    last = changed.json()["updated_at"]
    assert older["id"] in await ids(actor, path, updated_since=last)
    moment = datetime.fromisoformat(last) + timedelta(microseconds=1)
    assert await ids(actor, path, updated_since=moment.isoformat()) == []


async def test_members_of_a_network_are_listed_by_it_too(world: World) -> None:
    path = f"/v1/networks/{(await _network(world))['id']}/members"
    body = {"person_id": str(world.coach.id), "role": "member"}
    joined = made(await world.learner.post(path, json=body))
    since = joined["updated_at"]
    assert await ids(world.learner, path, updated_since=since) == [joined["id"]]
    assert len(await ids(world.learner, path)) == 2


async def test_the_document_names_it_wherever_records_change(app: Any) -> None:
    document = json.loads(app.state.openapi_json())
    taking = {
        path
        for path, methods in document["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", [])
        if parameter["name"] == "updated_since"
    }
    assert taking == {*LISTS, "/v1/networks/{network_id}/members"}


@pytest.mark.parametrize(
    "sent",
    [
        "", "now", "2026", "2026-09-01", "2026-09-01T09:00", "2026-09-01T09:00:00",
        "2026-09-01T09:00:00 01:00", "2026-09-01 09:00:00Z", "2026-13-01T09:00:00Z",
        "2026-02-30T09:00:00Z", "2026-09-01T25:00:00Z", "2026-09-01T09:00:00+25:00", "1788253200",
        "1788253200.5", "P1D", "-2026-09-01T09:00:00Z", "2026-09-01T09:00:00Z'--",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "٢٠٢٦-09-01T09:00:00Z",
        "2026-09-01T09:00:00.1234567890Z", "null",
    ],
)  # fmt: skip
async def test_what_is_no_moment_with_its_zone_is_refused(world: World, sent: str) -> None:
    for path in (GOALS, "/v1/organisations"):
        refused = await world.learner.get(path, params={"updated_since": sent})
        assert refused.status_code == 422, refused.text
        (error,) = refused.json()["errors"]
        assert error["parameter"] == "updated_since"


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("0001-01-01T00:00:00Z", True), ("0999-12-31T23:59:59.5Z", True),
        ("1969-12-31T23:59:59-23:59", True), ("2020-02-29t12:00:00.123456789z", True),
        ("9999-12-31T23:59:59.999999Z", False), ("9999-12-31T23:59:59+14:00", False),
    ],
)  # fmt: skip
async def test_moments_of_every_age_and_zone_are_compared(
    world: World, sent: str, *, found: bool
) -> None:
    goal = await world.goal()
    assert await ids(world.learner, GOALS, updated_since=sent) == [goal["id"]] * found


async def test_the_zone_counts_and_not_how_a_moment_is_written(world: World) -> None:
    goal = await world.goal()
    moment = datetime.fromisoformat(goal["updated_at"])
    for hours in (-14, -3, 0, 5, 14):
        there = moment.astimezone(timezone(timedelta(hours=hours)))
        for asked, found in ((there, [goal["id"]]), (there + timedelta(microseconds=1), [])):
            assert await ids(world.learner, GOALS, updated_since=asked.isoformat()) == found


async def test_a_cursor_goes_on_only_with_the_moment_that_it_was_made_for(world: World) -> None:
    for _ in range(3):
        await world.goal()
    query = {"limit": 2, "updated_since": "2020-01-01T00:00:00Z"}
    page = (await world.learner.get(GOALS, params=query)).json()
    same = {**query, "cursor": page["next"], "updated_since": "2020-01-01T01:00:00+01:00"}
    assert (await world.learner.get(GOALS, params=same)).status_code == 200
    other = {**same, "updated_since": "2020-01-01T00:00:00.000001Z"}
    assert (await world.learner.get(GOALS, params=other)).status_code == 422


async def test_a_deletion_is_not_shown_and_takes_nothing_else_along(world: World) -> None:
    since = now().isoformat()
    kept, gone = [await world.goal() for _ in range(2)]
    await world.learner.delete(f"{GOALS}/{gone['id']}")
    assert await ids(world.learner, GOALS, updated_since=since) == [kept["id"]]


# What is hidden is not told


async def told(actor: Actor, path: str) -> list[Any]:
    """What a list answers to moments of every sort, which must not depend on what is hidden."""
    moments = [datetime(2020, 1, 1, tzinfo=UTC), *(now() - timedelta(seconds=s) for s in (60, 0))]
    moments.append(now() + timedelta(days=1))
    return [await rows(actor, path, updated_since=moment.isoformat()) for moment in moments]


@pytest.mark.parametrize("who", ["head", "client"])
async def test_who_knows_only_that_an_agreement_exists_is_not_told_when_it_changed(
    world: World, who: str
) -> None:
    path = await in_force(world, disclosure={"existence": ALL})
    reader = world.actors[who]
    before = await told(reader, AGREEMENTS)
    assert [[row["view"] for row in found] for found in before] == [["existence"]] * 4
    await propose(world, path, purpose="Quite another.")
    assert await told(reader, AGREEMENTS) == before
    # Who reads it is told.
    moment = (now() + timedelta(days=1)).isoformat()
    assert await ids(world.learner, AGREEMENTS, updated_since=moment) == []


async def test_who_has_left_is_not_told_when_the_agreement_changed_since(world: World) -> None:
    path = await in_force(world, disclosure={"former_parties": "their_time"})
    await leave(world, path, "tutor")
    before = await told(world.tutor, AGREEMENTS)
    assert [[row["view"] for row in found] for found in before] == [["version"]] * 4
    await propose(world, path, purpose="Quite another.")
    assert await told(world.tutor, AGREEMENTS) == before


async def test_what_is_kept_is_as_old_as_the_copy_whatever_its_owner_writes(world: World) -> None:
    path = await in_force(world, disclosure={"goals": ALL, "former_parties": "their_time"})
    goal = f"{GOALS}/{(await world.goal(agreement_of(path)))['id']}"
    await leave(world, path, "coach")
    (copy,) = await rows(world.coach, GOALS)
    assert copy["view"] == "kept"
    kept_at = datetime.fromisoformat(copy["kept_at"])
    moments = [kept_at - timedelta(days=1), kept_at, kept_at + timedelta(microseconds=1)]

    async def found() -> list[Any]:
        return [await rows(world.coach, GOALS, updated_since=m.isoformat()) for m in moments]

    before = await found()
    assert before == [[copy], [copy], []]
    await world.learner.patch(goal, json={"baseline": "Since then."})
    assert await found() == before
    # Shown to them as it is, it is as old as its last write, and listed once.
    body = {
        "goal_id": goal.rpartition("/")[2], "person_id": str(world.coach.id), "ends_on": LATER,
        "reason": "Advice.",
    }  # fmt: skip
    made(await world.learner.post("/v1/shares", json=body))
    (shown,) = await rows(world.coach, GOALS, updated_since=moments[2].isoformat())
    assert (shown["view"], shown["baseline"]) == ("full", "Since then.")


async def test_what_somebody_typed_and_reads_no_more_is_as_old_as_its_making(world: World) -> None:
    path = await in_force(world, disclosure={"goals": ALL})
    body = {
        "statement": "Wait.", "agreement_id": agreement_of(path), "owner_id": str(world.learner.id),
    }  # fmt: skip
    goal = made(await world.coach.post(GOALS, json=body))
    await world.learner.patch(f"{GOALS}/{goal['id']}", json={"readers": []})
    (written,) = await rows(world.coach, GOALS, updated_since=goal["created_at"])
    assert written["view"] == "written"
    after = datetime.fromisoformat(goal["created_at"]) + timedelta(microseconds=1)
    assert await rows(world.coach, GOALS, updated_since=after.isoformat()) == []
    assert await ids(world.learner, GOALS, updated_since=after.isoformat()) == [goal["id"]]


async def test_what_is_withheld_from_its_owner_is_always_listed_and_tells_no_moment(
    world: World,
) -> None:
    agreement = await world.agreement()
    children = {
        "shows_pupils": "yes",
        "pupil_basis": "Asked.",
        "pupil_consent": "given",
        "delete_by": LATER,
    }
    item = await world.evidence(agreement, **children)
    affiliation = f"/v1/affiliations/{world.affiliations['learner']}"
    over = await world.administrator.patch(affiliation, json={"ends_on": today().isoformat()})
    assert over.status_code == 200, over.text
    for found in await told(world.learner, ITEMS):
        assert [(row["id"], row["view"]) for row in found] == [(item["id"], "withheld")]
        assert "updated_at" not in found[0]


def shown_since(row: dict[str, Any], since: datetime) -> bool:
    """The rule in plain words: by the last moment that the reader is shown; none: always."""
    name = {"kept": "kept_at", "written": "created_at"}.get(row.get("view", ""), "updated_at")
    return name not in row or datetime.fromisoformat(row[name]) >= since


async def test_every_reader_finds_what_they_are_shown_to_be_written_since(world: World) -> None:
    """Every view of every kind at once, and each moment that anything bears."""
    await arrive(world, "mentor")
    terms = {
        "existence": ALL, "text": [*ALL[:3], "leaders"], "goals": ALL, "evidence": ALL,
        "former_parties": "their_time",
    }  # fmt: skip
    path = await in_force(world, disclosure=terms)
    agreement = agreement_of(path)
    goals = [await world.goal(agreement, **extra) for extra in ({}, {"readers": ["coaches"]}, {})]
    items = [await world.evidence(agreement) for _ in range(2)]
    body = {"statement": "Typed.", "agreement_id": agreement, "owner_id": str(world.learner.id)}
    goals.append(made(await world.tutor.post(GOALS, json=body)))
    await world.learner.patch(f"{GOALS}/{goals[3]['id']}", json={"readers": ["coaches"]})
    await leave(world, path, "coach")
    await world.learner.patch(f"{GOALS}/{goals[0]['id']}", json={"baseline": "Later."})
    await world.learner.patch(f"{ITEMS}/{items[0]['id']}", json={"description": "Later."})
    share = {
        "goal_id": goals[1]["id"], "person_id": str(world.mentor.id), "reason": "Advice.",
        "ends_on": LATER,
    }  # fmt: skip
    made(await world.learner.post("/v1/shares", json=share))
    await in_force(world, disclosure={"existence": ALL})
    views, compared = set(), 0
    for who in ("learner", "fellow", "coach", "tutor", "head", "client", "mentor"):
        for listed in (GOALS, ITEMS, AGREEMENTS):
            whole = await rows(world.actors[who], listed)
            views |= {row.get("view", "full") for row in whole}
            moments = {
                datetime.fromisoformat(value)
                for row in (*goals, *items, *whole)
                for name, value in row.items()
                if name in ("created_at", "updated_at", "kept_at") and value is not None
            }
            for moment in moments:
                for since in (moment, moment + timedelta(microseconds=1)):
                    expected = [row["id"] for row in whole if shown_since(row, since)]
                    found = await ids(world.actors[who], listed, updated_since=since.isoformat())
                    assert found == expected, (who, listed, since)
                    compared += 1
    assert views == {"full", "text", "version", "existence", "kept", "written"}
    assert compared > 200


async def test_it_narrows_together_with_words_and_other_filters(world: World) -> None:
    older, newer = [await world.goal(statement=f"Common {n}") for n in ("one", "two")]
    query = {"updated_since": newer["updated_at"], "state": "draft", "owner_id": world.learner.id}
    assert await ids(world.learner, GOALS, **query, q="common") == [newer["id"]]
    assert await ids(world.learner, GOALS, **query, q="one") == []
    await world.learner.patch(f"{GOALS}/{older['id']}", json={"baseline": "New."})
    assert await ids(world.learner, GOALS, **query, q="one") == [older["id"]]
    assert await ids(world.learner, GOALS, **{**query, "state": "agreed"}) == []
