"""A person is anonymised: nothing leads to them any more, and what was signed stays signed."""

from typing import Any

import httpx
import pytest

from app.actions.accounts.anonymising import FORMER_MEMBER
from app.core.clock import now, today
from app.models.registry import metadata
from tests.amending import in_force, leave, propose
from tests.filled import Marks, filled, of, stored
from tests.personal import DECIDED, Gone
from tests.second_factors import enrolled
from tests.signing_in import Desk, make_desk
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio


def test_every_column_has_been_decided() -> None:
    undecided, unknown = [], []
    for table in metadata.tables.values():
        decision = DECIDED.get(table.name)
        if isinstance(decision, Gone):
            continue
        columns = {column.name for column in table.columns}
        said = (
            set()
            if decision is None
            else set(f"{decision.empty} {decision.replaced} {decision.kept}".split())
        )
        undecided += [f"{table.name}.{name}" for name in sorted(columns - said)]
        unknown += [f"{table.name}.{name}" for name in sorted(said - columns)]
    unknown += sorted(DECIDED.keys() - metadata.tables.keys())
    assert undecided == [], (
        "say in tests/personal.py what becomes of these when a person is anonymised, and make it so in "
        "app/actions/accounts/anonymising.py"
    )
    assert unknown == [], "tests/personal.py names what is not there"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def confirmed(actor: Actor, path: str, **body: Any) -> httpx.Response:
    """The answer to the second step."""
    asked = await actor.post(f"{path}/anonymisation", json=body if path == "/v1/me" else None)
    assert asked.status_code == 200, asked.text
    confirmation = {"confirmation": asked.json()["confirmation"]}
    return await actor.post(f"{path}/anonymisation/confirmation", json=confirmation)


async def test_nothing_of_a_person_is_left_and_what_was_signed_stays(desk: Desk) -> None:
    world, me, marks = desk.world, desk.world.learner, Marks()
    path = await filled(desk, marks)
    before = await stored(desk)
    text = str(before)
    assert all(mark in text for mark in (*vars(marks).values(), desk.email)), (
        "else it shows nothing"
    )
    app = await enrolled(desk)
    done = await confirmed(me, "/v1/me", code=app.code())
    assert done.status_code == 204, done.text
    after = await stored(desk)
    for name, decision in DECIDED.items():
        if isinstance(decision, Gone):
            assert of(before[name], decision.column, me.id), f"give the person a row in {name}"
            assert of(after[name], decision.column, me.id) == [], name
        elif decision.column is not None:
            for row in of(after[name], decision.column, me.id):
                assert [row[c] for c in decision.empty.split() if row[c] is not None] == [], name
    (person,) = of(after["people"], "id", me.id)
    assert (person["name"], person["email"]) == (FORMER_MEMBER, None)
    assert all(row["closed_at"] for row in of(after["sign_in_identities"], "person_id", me.id))
    left = [
        (what, table, row)
        for what, mark in {**marks.gone, "address": desk.email}.items()
        for table, rows in after.items()
        for row in rows
        if mark in str(row)
    ]
    assert left == [], "this leads to them, or was theirs alone"
    text = str(after)
    # What the agreement shows to its parties stays, and so does what they signed.
    assert marks.shared in text
    for name in ("learning_agreement_signatures", "learning_agreement_parties"):
        rows = of(before[name], "person_id", me.id)
        assert rows
        assert of(after[name], "person_id", me.id) == rows
    seen = await world.coach.get(path)
    assert seen.status_code == 200


async def test_others_see_a_former_member(desk: Desk) -> None:
    world, me = desk.world, desk.world.learner
    await in_force_and_left(desk)
    assert (await confirmed(me, "/v1/me")).status_code == 204
    seen = await world.operator.get(f"/v1/people/{me.id}")
    assert (seen.json()["name"], seen.json()["email"]) == (FORMER_MEMBER, None)
    assert seen.json()["organisations"] == []
    assert (await world.coach.get(f"/v1/people/{me.id}")).status_code == 404
    journal = await desk.journaled(kind="person", action="anonymised", resource_id=me.id)
    assert [row["person_id"] and str(row["person_id"]) for row in journal] == [str(me.id)]


async def in_force_and_left(desk: Desk) -> str:
    path = await in_force(desk.world)
    await leave(desk.world, path, "learner")
    return path


async def test_nobody_gets_in_any_more(desk: Desk) -> None:
    me = desk.world.learner
    tokens = await desk.tokens()
    page = await desk.browser.open(desk.app.request())
    assert (await confirmed(me, "/v1/me")).status_code == 204
    assert (await desk.me(tokens["access_token"])).status_code == 401
    refreshed = await desk.token(desk.app.refresh(tokens["refresh_token"]))
    assert refreshed.json()["error"] == "invalid_grant"
    assert (await desk.browser.sign_in(page, desk.email)).status_code == 403
    reopening = f"/v1/sign-in-identities/{desk.identity}/reopening"
    assert (await desk.world.operator.post(reopening)).status_code == 409


async def test_it_is_not_taken_back(desk: Desk) -> None:
    world, person = desk.world, f"/v1/people/{desk.world.learner.id}"
    assert (await confirmed(world.learner, "/v1/me")).status_code == 204
    again = await world.operator.post(f"{person}/anonymisation")
    assert again.status_code == 409
    assert (await world.operator.patch(person, json={"name": "Mair"})).status_code == 409
    body = {"reason": "Once more."}
    assert (await world.operator.post(f"{person}/disabling", json=body)).status_code == 409
    tie = {
        "person_id": str(world.learner.id),
        "organisation_id": str(world.school),
        "role": "teacher",
        "starts_on": "2026-01-01",
    }
    assert (await world.operator.post("/v1/affiliations", json=tie)).status_code == 422


async def test_the_first_step_changes_nothing_and_the_second_takes_what_it_answered(
    desk: Desk,
) -> None:
    world, me = desk.world, desk.world.learner
    asked = (await me.post("/v1/me/anonymisation", json={})).json()
    theirs = (await world.stranger.post("/v1/me/anonymisation", json={})).json()
    for wrong in ("x", theirs["confirmation"], asked["confirmation"][:-4]):
        answer = await me.post("/v1/me/anonymisation/confirmation", json={"confirmation": wrong})
        assert answer.status_code == 422
    # What the person was given is nothing in another's hands.
    stolen = {"confirmation": asked["confirmation"]}
    for path in ("/v1/me", f"/v1/people/{me.id}"):
        answer = await world.operator.post(f"{path}/anonymisation/confirmation", json=stolen)
        assert answer.status_code in (409, 422), answer.text
    assert (await me.get("/v1/me")).json()["person"]["name"] == me.name


async def test_an_old_confirmation_is_too_old(desk: Desk) -> None:
    from datetime import timedelta

    me = desk.world.learner
    sealed = desk.world.app.state.seals.seal(
        (now() - timedelta(seconds=1)).isoformat(), f"anonymise:{me.id}:{me.id}"
    )
    answer = await me.post("/v1/me/anonymisation/confirmation", json={"confirmation": sealed})
    assert answer.status_code == 422
    assert "too old" in answer.text


async def test_what_others_need_is_handed_over_first(desk: Desk) -> None:
    world, me = desk.world, desk.world.learner

    async def refused(*words: str) -> None:
        answer = await me.post("/v1/me/anonymisation", json={})
        assert answer.status_code == 409, answer.text
        for word in words:
            assert word in answer.json()["detail"]

    path = await in_force(world)
    await refused("leave or end 1 agreements in force")
    await propose(world, path, purpose="Sharper.")
    await refused("1 agreements", "1 proposals")
    await leave(world, path, "learner")
    network = (await me.post("/v1/networks", json={"kind": "triad", "name": "Alone"})).json()["id"]
    await refused("find another lead for 1 networks")
    body = {"person_id": str(world.coach.id), "role": "lead"}
    assert (await me.post(f"/v1/networks/{network}/members", json=body)).status_code == 201
    asked = await me.post("/v1/me/anonymisation", json={})
    assert asked.status_code == 200, asked.text
    # The only administrator of a school.
    answer = await world.administrator.post("/v1/me/anonymisation", json={})
    assert "find another administrator for 1 organisations" in answer.json()["detail"]


async def test_a_person_with_a_second_factor_shows_a_code(desk: Desk) -> None:
    app, me = await enrolled(desk), desk.world.learner
    for body in ({}, {"code": app.wrong()}):
        answer = await me.post("/v1/me/anonymisation", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/code"
    assert (await confirmed(me, "/v1/me", code=app.code())).status_code == 204


async def test_the_operator_anonymises_who_has_left_and_nobody_else(desk: Desk) -> None:
    world = desk.world
    person = f"/v1/people/{world.learner.id}"
    answer = await world.operator.post(f"{person}/anonymisation")
    assert answer.status_code == 409
    assert "end their affiliations first" in answer.json()["detail"]
    for who in ("administrator", "head", "coach"):
        asked = await world.actors[who].post(f"{person}/anonymisation")
        assert asked.status_code == 403
    ended = await world.administrator.patch(
        f"/v1/affiliations/{world.affiliations['learner']}", json={"ends_on": today().isoformat()}
    )
    assert ended.status_code == 200, ended.text
    assert (await confirmed(world.operator, person)).status_code == 204
    seen = await world.operator.get(person)
    assert seen.json()["name"] == FORMER_MEMBER
