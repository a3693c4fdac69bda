"""Break-glass: two people without a tie to an agreement open it for minutes, and the parties see it."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.access.grants import GRANTS, SCOPES, Action
from app.access.sign_in import PUBLIC_CLIENT
from app.core.clock import now, today
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.query import Query
from app.core.settings import settings
from app.models.openings import Opening
from app.models.people import AffiliationRole
from tests.api.test_contract import count
from tests.worlds import Actor, World, affiliate, token

pytestmark = pytest.mark.anyio

PARTIES = ["coaches", "fellows", "advisers"]
OPEN = {"goals": [*PARTIES, "leaders"], "evidence": [*PARTIES, "leaders"]}
LATER = timedelta(days=30)


@pytest.fixture
async def glass(world: World) -> World:
    """A world with a second administrator of the operator."""
    await world.operator_named("second")
    return world


def under(opening: str) -> dict[str, str]:
    return {"Break-Glass": opening}


async def confirm(world: World, opening: str, who: str = "second") -> Any:
    return await world.actors[who].post(f"/v1/openings/{opening}/confirmation")


async def opened(world: World, agreement: str, **changes: Any) -> str:
    """The id of an opening that two have opened."""
    opening = await world.opening(agreement, **changes)
    answer = await confirm(world, opening)
    assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text
    return opening


async def read(world: World, who: str, path: str, opening: str) -> Any:
    return await world.actors[who].get(path, headers=under(opening))


async def ids(world: World, who: str, path: str, opening: str) -> set[str]:
    answer = await read(world, who, path, opening)
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["items"]}


async def move(world: World, opening: str, **values: Any) -> None:
    """Moves the moments of an opening, as if time had passed."""
    async with world.database.work() as unit:
        await unit.begin()
        table: Any = Opening.__table__
        await unit.rows(Query(update(table).where(table.c.id == opening).values(values)), {})


async def history(world: World, agreement: str, who: str = "learner") -> list[str]:
    path = f"/v1/learning-agreements/{agreement}/history"
    entries = (await world.actors[who].get(path)).json()["items"]
    return [entry["action"] for entry in entries if entry["kind"] == "opening"]


async def shown(world: World, agreement: str, who: str = "learner") -> list[Any]:
    answer = await world.actors[who].get(f"/v1/learning-agreements/{agreement}/openings")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def readers(world: World, agreement: str) -> list[tuple[Any, ...]]:
    path = f"/v1/learning-agreements/{agreement}/readers"
    found, cursor = [], None
    while True:
        parameters = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await world.learner.get(path, params=parameters)).json()
        found += [(e["name"], e["kind"], e["resource_id"], e["opening_id"]) for e in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_two_people_open_what_the_parties_may_read(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement, readers=["coaches"])
    item = await glass.evidence(agreement, readers=["fellows"], goal_ids=[goal["id"]])
    file = await glass.file(item)
    await glass.learner.post(f"/v1/goals/{goal['id']}/progress", json={"note": "Slowly."})
    await glass.learner.patch(f"/v1/goals/{goal['id']}", json={"statement": "Reworded."})
    opening = await opened(glass, agreement)
    path, files = f"/v1/goals/{goal['id']}", f"/v1/evidence-items/{item['id']}/files"
    for who in ("operator", "second"):
        found = await read(glass, who, path, opening)
        assert found.json()["statement"] == "Reworded."
        evidence = (await read(glass, who, f"/v1/evidence-items/{item['id']}", opening)).json()
        assert evidence["goal_ids"] == [goal["id"]]
        text = (await read(glass, who, f"/v1/learning-agreements/{agreement}", opening)).json()
        assert (text["view"], text["text"]["purpose"]) == ("text", "To ask better questions.")
        bytes_ = await read(glass, who, f"{files}/{file['id']}/content", opening)
        assert bytes_.content == b"Seven of ten."
        for below in (f"{path}/progress", f"{path}/revisions", files):
            answer = await read(glass, who, below, opening)
            assert len(answer.json()["items"]) == 1, below
        versions = f"/v1/learning-agreements/{agreement}/versions"
        assert len((await read(glass, who, versions, opening)).json()["items"]) == 1
        assert (await read(glass, who, f"{versions}/1", opening)).status_code == 200
        # Without the header they see what they saw before: nothing.
        for hidden in (path, f"/v1/learning-agreements/{agreement}", versions):
            assert (await glass.actors[who].get(hidden)).status_code == 404


async def test_lists_and_items_agree_and_hold_one_agreement(glass: World) -> None:
    agreement, other = [await glass.agreement(disclosure=OPEN) for _ in range(2)]
    goals = {tick: await glass.goal(agreement, readers=[tick]) for tick in OPEN["goals"]}
    items = {tick: await glass.evidence(agreement, readers=[tick]) for tick in OPEN["evidence"]}
    nobody = [await glass.goal(agreement, readers=[]), await glass.goal(), await glass.goal(other)]
    opening = await opened(glass, agreement)
    for path, made, hidden in (
        ("/v1/goals", goals, nobody),
        ("/v1/evidence-items", items, [await glass.evidence(other)]),
    ):
        seen = {made[tick]["id"] for tick in PARTIES}
        assert await ids(glass, "second", path, opening) == seen
        paged, cursor = set(), None
        while True:
            parameters = {"limit": 1, **({"cursor": cursor} if cursor else {})}
            page = (await glass.second.get(path, headers=under(opening), params=parameters)).json()
            paged |= {entry["id"] for entry in page["items"]}
            cursor = page["next"]
            if cursor is None:
                break
        assert paged == seen
        for record in (*made.values(), *hidden):
            answer = await read(glass, "second", f"{path}/{record['id']}", opening)
            assert answer.status_code == (200 if record["id"] in seen else 404)
    assert await ids(glass, "second", "/v1/learning-agreements", opening) == {agreement}
    unread = await read(glass, "second", f"/v1/learning-agreements/{other}", opening)
    assert unread.status_code == 404
    # A goal that is not opened is not told of by evidence that is.
    linked = await glass.evidence(agreement, readers=["coaches"], goal_ids=[nobody[0]["id"]])
    answer = await read(glass, "second", f"/v1/evidence-items/{linked['id']}", opening)
    assert answer.json()["goal_ids"] == []
    by_goal = f"/v1/evidence-items?goal_id={nobody[0]['id']}"
    assert await ids(glass, "second", by_goal, opening) == set()


async def test_reflections_own_plans_and_what_ticks_nobody_stay_closed(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    later = (today() + LATER).isoformat()
    captured = {
        "shows_pupils": "yes", "pupil_basis": "Public task.", "delete_by": later,
        "controller_organisation_id": str(glass.school),
    }  # fmt: skip
    closed = [
        await glass.evidence(agreement, kind="reflection", readers=["coaches"]),
        await glass.evidence(agreement, readers=[]),
        await glass.evidence(agreement, readers=["leaders"]),
        await glass.evidence(),
    ]
    stays = await glass.evidence(agreement, readers=["coaches"], **captured)
    opening = await opened(glass, agreement)
    assert await ids(glass, "second", "/v1/evidence-items", opening) == {stays["id"]}
    for item in closed:
        path = f"/v1/evidence-items/{item['id']}"
        assert (await read(glass, "second", path, opening)).status_code == 404
        assert (await read(glass, "second", f"{path}/files", opening)).status_code == 404
    # It stays where it was captured; its learner has moved on and sees only that it is there.
    gone = {"ends_on": today().isoformat()}
    left = await glass.administrator.patch(
        f"/v1/affiliations/{glass.affiliations['learner']}", json=gone
    )
    assert left.status_code == 200, left.text
    path = f"/v1/evidence-items/{stays['id']}"
    assert (await glass.learner.get(path)).json()["view"] == "withheld"
    assert (await glass.coach.get(path)).status_code == 200
    assert (await read(glass, "second", path, opening)).status_code == 404
    assert await ids(glass, "second", "/v1/evidence-items", opening) == set()


async def test_a_record_whose_date_has_come_shows_that_it_was_there(glass: World) -> None:
    from app.models.goals import Goal

    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement)
    async with glass.database.work() as unit:
        await unit.begin()
        table: Any = Goal.__table__
        due = update(table).where(table.c.id == goal["id"]).values(delete_by=today())
        await unit.rows(Query(due), {})
    opening = await opened(glass, agreement)
    found = (await read(glass, "second", f"/v1/goals/{goal['id']}", opening)).json()
    assert (found["id"], found["statement"]) == (goal["id"], "")


async def test_one_person_alone_opens_nothing(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement)
    opening = await glass.opening(agreement)
    for who in ("operator", "second", "learner"):
        refused = await read(glass, who, f"/v1/goals/{goal['id']}", opening)
        assert refused.status_code == 403
    same = await confirm(glass, opening, "operator")
    assert same.status_code == 403
    assert "second" in same.json()["detail"]
    assert (await read(glass, "operator", "/v1/goals", opening)).status_code == 403
    # Nor does the database hold it.
    with pytest.raises(Conflict):
        await move(
            glass, opening, confirmed_by=glass.operator.id, confirmed_at=now(), ends_at=now()
        )
    await confirm(glass, opening)
    again = await confirm(glass, opening)
    assert (again.status_code, "open" in again.json()["detail"]) == (409, True)
    # Who has neither asked nor confirmed reads nothing, though they might have.
    await glass.operator_named("third")
    assert (await read(glass, "third", "/v1/goals", opening)).status_code == 403


async def ask(world: World, who: str, agreement: str, **changes: Any) -> Any:
    body = {"agreement_id": agreement, "reason": "A court asks.", "minutes": 30, **changes}
    return await world.actors[who].post("/v1/openings", json=body)


async def looks_after(world: World, who: str) -> None:
    from app.actions import accounts
    from app.core import journal

    async with world.database.work() as unit:
        person = world.actors[who].id
        await accounts.make_operator(unit, actor=journal.COMMAND_LINE, person_id=person)


async def test_only_administrators_of_the_operator_ask_and_confirm(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    opening = await glass.opening(agreement)
    hidden = await glass.opening(
        agreement, shown_on=(today() + LATER).isoformat(), hidden_because="They would hide it."
    )
    for who in ("learner", "coach", "head", "administrator", "stranger", "client"):
        assert (await ask(glass, who, agreement)).status_code == 403, who
        assert (await ask(glass, who, str(uuid4()))).status_code == 403, who
        status = {"client": 403, "learner": 403, "coach": 403}.get(who, 404)
        assert (await confirm(glass, opening, who)).status_code == status, who
        status = 403 if who == "client" else 404
        assert (await confirm(glass, hidden, who)).status_code == status, who
        assert (await read(glass, who, "/v1/goals", opening)).status_code == 403, who


@pytest.mark.parametrize("who", ["coach", "leaver", "head", "administrator", "past", "invited"])
async def test_nobody_with_a_tie_to_the_agreement_asks_confirms_or_is_told(
    glass: World, who: str
) -> None:
    """A party, a former one, a leader, whoever else is or was at the home organisation, and who is
    asked to join: refused like one that is not there, though they look after accounts."""
    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement)
    if who == "leaver":
        await glass.tutor.post(f"/v1/learning-agreements/{agreement}/departure")
        glass.actors["leaver"] = glass.tutor
    if who in ("past", "invited"):
        person = await glass.operator_named(who)
        async with glass.database.work() as unit:
            ended = {"ends_on": today() - timedelta(days=1)} if who == "past" else {}
            place = glass.school if who == "past" else glass.authority
            await affiliate(unit, person.id, place, AffiliationRole.HEAD_TEACHER, **ended)
    else:
        await looks_after(glass, who)
    if who == "invited":
        async with glass.database.work() as unit:
            await affiliate(unit, glass.learner.id, glass.authority, AffiliationRole.OTHER)
        parties = [
            *glass.text()["parties"],
            {"person_id": str(glass.actors[who].id), "role": "mentor"},
        ]
        amended = await glass.learner.post(
            f"/v1/learning-agreements/{agreement}/amendments",
            json={"changes": {"parties": parties}},
        )
        assert amended.status_code == 201, amended.text
    opening = await glass.opening(
        agreement, shown_on=(today() + LATER).isoformat(), hidden_because="They would hide it."
    )
    answers = [await ask(glass, who, a) for a in (agreement, str(uuid4()))]
    assert [answer.status_code for answer in answers] == [422, 422]
    same = [{k: v for k, v in a.json().items() if k != "request_id"} for a in answers]
    assert same[0] == same[1]
    assert (await confirm(glass, opening, who)).status_code == 404
    assert (await glass.actors[who].get(f"/v1/openings/{opening}")).status_code == 404
    listed = await glass.actors[who].get("/v1/openings", params={"agreement_id": agreement})
    assert listed.json()["items"] == []
    await confirm(glass, opening)
    refused = await read(glass, who, f"/v1/goals/{goal['id']}", opening)
    assert refused.status_code == 403


async def test_what_nobody_has_signed_is_not_opened_and_asking_tells_nothing(glass: World) -> None:
    draft, (proposal, _) = await glass.draft(), await glass.propose()
    agreement = await glass.agreement()
    answers = []
    for named in (draft.rpartition("/")[2], proposal.rpartition("/")[2], str(uuid4())):
        answer = await ask(glass, "operator", named)
        body = {k: v for k, v in answer.json().items() if k != "request_id"}
        answers.append((answer.status_code, body))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 422
    made = await ask(glass, "operator", agreement)
    assert made.json()["asked_by"] == {
        "person_id": str(glass.operator.id), "name": glass.operator.name,
    }  # fmt: skip
    known = {str(glass.school), *(str(a.id) for a in glass.actors.values())}
    known.remove(str(glass.operator.id))
    assert not [value for value in known if value in made.text]


async def test_a_tie_made_in_between_closes_it(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    asked, opening = await glass.opening(agreement), await opened(glass, agreement)
    assert (await read(glass, "second", path, opening)).status_code == 200
    async with glass.database.work() as unit:
        await affiliate(unit, glass.second.id, glass.school, AffiliationRole.HEAD_TEACHER)
    # It rests on two people without a tie: one of them is none any more.
    for who in ("second", "operator"):
        assert (await read(glass, who, path, opening)).status_code == 403
    assert (await confirm(glass, asked)).status_code == 404
    # They still see what they did, and may close it.
    assert (await glass.second.get(f"/v1/openings/{opening}")).status_code == 200
    assert (await glass.second.post(f"/v1/openings/{opening}/closing")).status_code == 200


async def test_who_asked_and_became_a_party_is_confirmed_by_nobody(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    asked, opening = await glass.opening(agreement), await opened(glass, agreement)
    async with glass.database.work() as unit:
        await affiliate(unit, glass.learner.id, glass.authority, AffiliationRole.OTHER)
    mentor = {"person_id": str(glass.operator.id), "role": "mentor"}
    amended = await glass.learner.post(
        f"/v1/learning-agreements/{agreement}/amendments",
        json={"changes": {"parties": [*glass.text()["parties"], mentor]}},
    )
    assert amended.status_code == 201, amended.text
    for who in ("operator", "second"):
        assert (await read(glass, who, path, opening)).status_code == 403
    assert (await confirm(glass, asked)).status_code == 403


async def test_it_ends_by_itself(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    opening = await opened(glass, agreement, minutes=60)
    made = (await glass.second.get(f"/v1/openings/{opening}")).json()
    assert made["minutes"] == 60
    etag = (await glass.second.get(f"/v1/openings/{opening}")).headers["ETag"]
    await move(glass, opening, ends_at=now() - timedelta(seconds=1))
    for who in ("operator", "second"):
        assert (await read(glass, who, path, opening)).status_code == 403
        assert (await read(glass, who, "/v1/goals", opening)).status_code == 403
    over = await glass.second.get(f"/v1/openings/{opening}", headers={"If-None-Match": etag})
    assert (over.status_code, over.json()["state"]) == (200, "expired")
    assert (await glass.second.post(f"/v1/openings/{opening}/closing")).status_code == 409
    assert (await confirm(glass, opening)).status_code == 409


async def test_what_nobody_confirms_lapses_after_a_day(glass: World) -> None:
    opening = await glass.opening(await glass.agreement())
    await move(glass, opening, created_at=now() - timedelta(hours=24))
    assert (await glass.second.get(f"/v1/openings/{opening}")).json()["state"] == "lapsed"
    refused = await confirm(glass, opening)
    assert (refused.status_code, "lapsed" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize("who", ["operator", "second"])
async def test_either_closes_it_at_any_time(glass: World, who: str) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    opening = await opened(glass, agreement)
    await glass.operator_named("third")
    for other, status in (("third", 403), ("learner", 403), ("stranger", 404)):
        answer = await glass.actors[other].post(f"/v1/openings/{opening}/closing")
        assert answer.status_code == status
    closed = await glass.actors[who].post(f"/v1/openings/{opening}/closing")
    assert (closed.json()["state"], closed.json()["closed_by"]) == (
        "closed", str(glass.actors[who].id),
    )  # fmt: skip
    for reader in ("operator", "second"):
        assert (await read(glass, reader, path, opening)).status_code == 403
    taken_back = await glass.opening(agreement)
    await glass.operator.post(f"/v1/openings/{taken_back}/closing")
    assert (await confirm(glass, taken_back)).status_code == 409


async def test_switched_off_nothing_is_opened_nor_read(
    glass: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    asked, opening = await glass.opening(agreement), await opened(glass, agreement)
    monkeypatch.setattr(settings(), "break_glass", False)
    for refused in (
        await read(glass, "second", path, opening),
        await ask(glass, "operator", agreement),
        await confirm(glass, asked),
        await glass.second.get("/v1/openings"),
    ):
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("/problems/switched-off")
    # What was done is not hidden by it.
    assert len(await shown(glass, agreement)) == 2
    assert (await glass.learner.get(path)).status_code == 200
    assert type(settings()).model_fields["break_glass"].default is False


async def test_the_header_is_for_reading_what_is_opened_and_for_nothing_else(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement)
    path = f"/v1/goals/{goal['id']}"
    opening = await opened(glass, agreement)

    async def refused(who: Actor, method: str, path: str, **named: Any) -> None:
        headers = {**under(opening), "If-Match": "*"}
        answer = await who.call(method, path, headers=headers, **named)
        assert answer.status_code == 403, (method, path, answer.text)

    body = {"statement": "Mine."}
    await refused(glass.second, "PATCH", path, json=body)
    await refused(glass.second, "DELETE", path)
    await refused(glass.second, "POST", "/v1/goals", json=body)
    await refused(glass.learner, "POST", "/v1/goals", json=body)
    await refused(glass.second, "POST", f"{path}/progress", json={"note": "Me."})
    for other in ("people", "shares", "networks", "organisations", "openings", "me", "frameworks"):
        await refused(glass.second, "GET", f"/v1/{other}")
    for below in ("history", "readers", "openings"):
        await refused(glass.learner, "GET", f"/v1/learning-agreements/{agreement}/{below}")
    await refused(glass.second, "GET", f"/v1/access/audience?resource=goal:{goal['id']}")
    await refused(glass.client, "GET", path)
    # Nor does it add to what somebody sees: under it they see what is opened to them, or nothing.
    await refused(glass.learner, "GET", path)
    for wrong in ("", "x", str(uuid7()), f"{opening}, {opening}", "{" + opening + "}", "é"):
        headers = {"Authorization": f"Bearer {glass.second.token}", "Break-Glass": wrong.encode()}
        answer = await glass.http.get(path, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 403, wrong
    assert {action for action, grant in GRANTS.items() if grant.opened} == {
        Action.AGREEMENT_READ, Action.AGREEMENT_VERSIONS, Action.EVIDENCE_READ, Action.GOAL_READ,
    }  # fmt: skip


async def test_a_token_needs_the_scope_of_the_record_and_of_break_glass(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    path = f"/v1/goals/{(await glass.goal(agreement))['id']}"
    opening = await opened(glass, agreement)
    for lacking in ("goals:read", "break-glass:read"):
        scopes = set(SCOPES) - {lacking}
        bearer = token(glass.app, glass.second.id, PUBLIC_CLIENT, scopes)
        headers = {"Authorization": f"Bearer {bearer}", **under(opening)}
        answer = await glass.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["scope"]) == (403, lacking)


async def test_what_is_asked_keeps_to_its_bounds(glass: World) -> None:
    agreement = await glass.agreement()
    late, why = (today() + LATER + timedelta(days=1)).isoformat(), "They would hide it."
    for wrong, pointer in (
        ({"minutes": 61}, "/minutes"),
        ({"minutes": 0}, "/minutes"),
        ({"minutes": "5"}, "/minutes"),
        ({"reason": " "}, "/reason"),
        ({"shown_on": late, "hidden_because": why}, "/shown_on"),
        ({"shown_on": today().isoformat(), "hidden_because": why}, "/shown_on"),
        ({"shown_on": late}, ""),
        ({"hidden_because": why}, ""),
    ):
        answer = await ask(glass, "operator", agreement, **wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["pointer"] == pointer, wrong


async def test_every_read_owes_a_receipt_that_the_parties_see(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal, other = await glass.goal(agreement), await glass.goal(agreement, readers=["coaches"])
    opening, unused = await opened(glass, agreement), await opened(glass, agreement)
    for _ in range(2):
        await read(glass, "second", f"/v1/goals/{goal['id']}", opening)
        await read(glass, "second", f"/v1/goals/{goal['id']}/revisions", opening)
    await read(glass, "operator", "/v1/goals", opening)
    await read(glass, "operator", "/v1/learning-agreements", opening)
    await glass.head.get(f"/v1/goals/{goal['id']}")
    second = (await shown(glass, agreement))[0]["confirmed_by"]["name"]
    assert sorted(await readers(glass, agreement), key=str) == sorted(
        [
            (glass.head.name, "goal", goal["id"], None),
            (second, "goal", goal["id"], opening),
            (glass.operator.name, "goal", goal["id"], opening),
            (glass.operator.name, "goal", other["id"], opening),
            (glass.operator.name, "learning_agreement", agreement, opening),
        ],
        key=str,
    )
    # What is read again under another opening is told again.
    await read(glass, "second", f"/v1/goals/{goal['id']}", unused)
    assert (second, "goal", goal["id"], unused) in await readers(glass, agreement)
    assert await count(glass.database, "opening_receipts", opening_id=unused) == 1


async def test_the_parties_see_who_why_and_until_when_at_once(glass: World) -> None:
    agreement = await glass.agreement()
    opening = await glass.opening(agreement)
    assert [o["state"] for o in await shown(glass, agreement)] == ["asked"]
    await confirm(glass, opening)
    await glass.operator.post(f"/v1/openings/{opening}/closing")
    for who in ("learner", "coach", "tutor", "fellow"):
        (found,) = await shown(glass, agreement, who)
        assert found["asked_by"]["person_id"] == str(glass.operator.id)
        assert found["confirmed_by"]["person_id"] == str(glass.second.id)
        assert (found["reason"], found["state"]) == ("A court asks.", "closed")
        assert found["confirmed_at"] < found["ends_at"]
        assert found["shown_on"] == today().isoformat()
        assert await history(glass, agreement, who) == ["closed", "confirmed", "asked"]
        assert (await glass.actors[who].get(f"/v1/openings/{opening}")).json() == found
    path = f"/v1/learning-agreements/{agreement}/openings"
    for who, status in (("head", 403), ("client", 403), ("stranger", 404), ("operator", 404)):
        assert (await glass.actors[who].get(path)).status_code == status, who


async def test_a_learner_who_has_left_is_told_and_another_is_not(glass: World) -> None:
    agreement = await glass.agreement()
    for who in ("fellow", "tutor"):
        left = await glass.actors[who].post(f"/v1/learning-agreements/{agreement}/departure")
        assert left.status_code == 200, left.text
    opening = await opened(glass, agreement)
    assert [o["id"] for o in await shown(glass, agreement, "fellow")] == [opening]
    # 403, not an empty list: that would say that nobody has opened it.
    refused = await glass.tutor.get(f"/v1/learning-agreements/{agreement}/openings")
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "This is for a party of the agreement or a learner who has left it.",
    )  # fmt: skip
    assert (await glass.tutor.get(f"/v1/openings/{opening}")).status_code == 404


async def test_hidden_for_thirty_days_and_then_shown(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal = await glass.goal(agreement)
    last = today() + LATER
    opening = await opened(
        glass, agreement, shown_on=last.isoformat(), hidden_because="They would destroy it."
    )
    await read(glass, "second", f"/v1/goals/{goal['id']}", opening)

    async def told() -> list[bool]:
        own = await glass.learner.get(f"/v1/openings/{opening}")
        listed = (await glass.learner.get("/v1/openings")).json()["items"]
        audience = await glass.learner.get(
            "/v1/access/audience", params={"resource": f"goal:{goal['id']}"}
        )
        return [
            bool(await shown(glass, agreement)),
            bool(await history(glass, agreement)),
            bool(await readers(glass, agreement)),
            bool(listed),
            own.status_code == 200,
            "opening" in str([r["rules"] for r in audience.json()["readers"]]),
        ]

    assert await told() == [False] * 6
    await move(glass, opening, shown_on=today() + timedelta(days=1))
    assert await told() == [False] * 6
    # The day has come: nothing is written for it.
    await move(glass, opening, shown_on=today())
    assert await told() == [True] * 6
    (found,) = await shown(glass, agreement)
    assert found["hidden_because"] == "They would destroy it."
    assert date.fromisoformat(found["shown_on"]) == today()


async def test_the_audience_names_the_openers_while_it_is_open(glass: World) -> None:
    agreement = await glass.agreement(disclosure=OPEN)
    goal, closed = await glass.goal(agreement), await glass.goal(agreement, readers=[])

    async def openers(resource: str) -> set[str]:
        answer = await glass.learner.get("/v1/access/audience", params={"resource": resource})
        assert answer.status_code == 200, answer.text
        return {r["id"] for r in answer.json()["readers"] if "opening" in r["rules"]}

    two = {str(glass.operator.id), str(glass.second.id)}
    opening = await glass.opening(agreement)
    assert await openers(f"goal:{goal['id']}") == set()
    await confirm(glass, opening)
    assert await openers(f"goal:{goal['id']}") == two
    assert await openers(f"learning_agreement:{agreement}") == two
    assert await openers(f"goal:{closed['id']}") == set()
    await move(glass, opening, ends_at=now() - timedelta(seconds=1))
    assert await openers(f"goal:{goal['id']}") == set()


async def test_an_answer_that_was_stored_is_not_sent_again_once_it_is_over(glass: World) -> None:
    agreement, key = await glass.agreement(), {"Idempotency-Key": str(uuid4())}
    opening = await glass.opening(agreement)
    path = f"/v1/openings/{opening}/confirmation"
    first = await glass.second.post(path, headers=key)
    again = await glass.second.post(path, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    body = {"agreement_id": agreement, "reason": "A court asks.", "minutes": 5, "id": str(uuid7())}
    made = [await glass.operator.post("/v1/openings", headers=key, json=body) for _ in range(2)]
    assert [m.status_code for m in made] == [201, 201]
    assert made[1].headers["Idempotency-Replayed"] == "true"
    await glass.second.post(f"/v1/openings/{body['id']}/confirmation")
    await move(glass, body["id"], ends_at=now() - timedelta(seconds=1))
    late = await glass.operator.post("/v1/openings", headers=key, json=body)
    assert late.status_code == 404
