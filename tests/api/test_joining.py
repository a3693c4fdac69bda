"""Two records of one person become one, by a sign-in as each; nobody else reads more by it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import update

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts
from app.actions.accounts.anonymising import FORMER_MEMBER
from app.core import journal
from app.core.clock import now, today
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from app.models.organisations import OrganisationKind
from app.models.people import Operator, Person
from app.models.receipts import Receipt
from app.models.registry import metadata
from app.models.ways_in import PersonJoin
from tests.amending import agreement_of
from tests.filled import Marks, filled, of, stored
from tests.joined import ABOUT, ENDS, MOVES, SAYS, decided, naming
from tests.joining import PATH, Two, make_two
from tests.mailboxes import Post
from tests.scim import directory_of, identity_of, person_of, signed_in, ties
from tests.second_factors import enrolled
from tests.signing_in import Desk, make_desk
from tests.worlds import Actor, World, add_organisation, add_person, token

pytestmark = pytest.mark.anyio


@pytest.fixture
async def two(world: World) -> Two:
    return await make_two(world)


async def test_two_records_become_one(two: Two) -> None:
    await two.joined()
    me = (await two.stays.get("/v1/me")).json()
    assert me["person"]["joined"] == [str(two.goes.id)]
    assert {a["id"] for a in me["affiliations"]} == {
        str(two.place),
        str(two.world.affiliations["learner"]),
    }
    assert {o["id"] for o in me["person"]["organisations"]} == {
        str(two.other_school),
        str(two.world.school),
    }
    for who in (two.stays, two.world.operator, two.world.administrator):
        assert (await who.get(f"/v1/people/{two.goes.id}")).status_code == 404
    seen = (await two.world.operator.get(f"/v1/people/{two.stays.id}")).json()
    assert seen["joined"] == [str(two.goes.id)]
    listed = (await two.world.operator.get("/v1/people?q=Mair+Supply")).json()["items"]
    assert str(two.goes.id) not in {row["id"] for row in listed}


def test_every_column_that_may_name_a_person_has_been_decided() -> None:
    named = {(table.name, name) for table in metadata.tables.values() for name in naming(table)}
    said = {(table, name) for table, columns in ABOUT.items() for name in columns}
    assert named - said == set(), "say in tests/joined.py what becomes of these, and make it so"
    assert said - named == set(), "tests/joined.py names what is not there"
    for table, columns in SAYS.items():
        assert set(columns) <= set(metadata.tables[table].columns.keys())


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def whole(desk: Desk) -> tuple[Two, str]:
    """The desk's person, with a row in every table, as the record that goes; a code of their app."""
    world, goes = desk.world, desk.world.learner
    path = await filled(desk, Marks())
    async with world.database.work() as unit:
        person = await add_person(unit, "Mair Again")
    stays = Actor(world.http, person, token(world.app, person), "Mair Again")
    await world.invitation(world.coach.id)
    drafts = (await goes.get("/v1/learning-agreements")).json()["items"]
    for draft in drafts:
        if draft.get("state") == "draft":
            gone = await goes.delete(f"/v1/learning-agreements/{draft['id']}")
            assert gone.status_code == 204, gone.text
    as_text = str if world.database.is_sqlite else (lambda value: value)
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(sa.delete(Operator).where(Operator.person_id == goes.id))
        receipt = {"kind": "goal", "resource_id": uuid4(), "day": today()}
        for who in (goes, stays):
            await unit.insert(Receipt(**receipt, person_id=who.id, client_id=PUBLIC_CLIENT))
        receipt["resource_id"] = uuid4()
        await unit.insert(Receipt(**receipt, person_id=goes.id, client_id=PUBLIC_CLIENT))
        for table in metadata.tables.values():
            for column in decided(table, MOVES):
                rows = await unit.session.execute(
                    sa.text(f"SELECT count(*) FROM {table.name} WHERE {column.name} = :id"),
                    {"id": as_text(goes.id)},
                )
                if rows.scalar_one():
                    continue
                # Whatever a row of it is about: it is theirs now.
                where = f"WHERE id = '{agreement_of(path)}'" if "agreements" in table.name else ""
                await unit.session.execute(
                    sa.text(f"UPDATE {table.name} SET {column.name} = :id {where}"),
                    {"id": as_text(goes.id)},
                )
    return Two(world, stays, goes, world.school, world.affiliations["learner"]), path


async def test_everything_becomes_the_other_records(desk: Desk) -> None:
    two, path = await whole(desk)
    app = await enrolled(desk)
    shown = await enrolled(desk, two.stays.id)
    before = await stored(desk)
    for table in metadata.tables.values():
        for column in decided(table, MOVES):
            assert of(before[table.name], column.name, two.goes.id), f"give them one: {column}"
    asked = await two.stays.post(PATH, json={"code": shown.code()})
    assert asked.status_code == 201, asked.text
    done = await two.completed(asked.json()["join_code"], code=app.code())
    assert done.status_code == 200, done.text
    after = await stored(desk)
    left = {
        (table, name)
        for table, rows in after.items()
        for row in rows
        for name, value in row.items()
        if str(two.goes.id) in str(value)
    }
    stays = {(t, n) for t, c in ABOUT.items() for n, said in c.items() if said not in (MOVES, ENDS)}
    more = {(t, n) for t, c in SAYS.items() for n, said in c.items() if said != ENDS}
    # The addresses of this world are made of ids.
    about = {("people", "id"), ("journal", "resource_id"), ("outgoing_mail", "address")}
    assert left <= stays | more | about, "this still names the record that has gone"
    for table in metadata.tables.values():
        for column in decided(table, MOVES):
            assert of(after[table.name], column.name, two.stays.id), column
        if "version" in table.c and table.name != "people":
            was = {str(row["id"]): row for row in before[table.name]}
            for row in after[table.name]:
                old = was.get(str(row["id"]))
                if old is not None and any(
                    str(old[c.name]) != str(row[c.name]) for c in decided(table, MOVES)
                ):
                    assert row["version"] > old["version"], table.name
                    assert str(row["updated_at"]) > str(old["updated_at"]), table.name
    # What was signed is as it was signed, and its digest with it.
    texts = {
        (str(r["agreement_id"]), r["number"]): r for r in before["learning_agreement_versions"]
    }
    for row in after["learning_agreement_versions"]:
        old = texts[str(row["agreement_id"]), row["number"]]
        assert (row["content"], row["digest"]) == (old["content"], old["digest"])
    (former,) = of(after["people"], "id", two.goes.id)
    assert (former["email"], str(former["joined_to"])) == (None, str(two.stays.id))
    assert (await two.stays.get(path)).status_code == 200


async def test_a_code_counts_once_for_a_while_and_for_another_record(two: Two) -> None:
    first, second = await two.asked(), await two.asked()
    assert (await two.completed(first)).status_code == 422, "another has taken its place"
    own = await two.stays.post(f"{PATH}/completion", json={"join_code": second})
    assert own.status_code == 409
    assert "other one" in own.json()["detail"]
    async with two.world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(PersonJoin)
            .where(PersonJoin.person_id == two.stays.id)
            .values(expires_at=now() - timedelta(seconds=1))
        )
    late = await two.completed(second)
    assert late.status_code == 422
    assert late.json()["errors"][0]["pointer"] == "/join_code"
    third = await two.asked()
    assert (await two.completed(third)).status_code == 200
    again = await two.world.coach.post(f"{PATH}/completion", json={"join_code": third})
    assert again.status_code == 422


async def test_who_guesses_codes_is_not_listened_to(two: Two) -> None:
    code = await two.asked()
    for _ in range(5):
        assert (await two.completed("x" * 43)).status_code == 422
    for sent in ("x" * 43, code):
        answer = await two.completed(sent)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


async def test_a_sign_in_of_long_ago_is_not_enough(two: Two) -> None:
    code = await two.asked()

    def old(actor: Actor) -> Actor:
        made = two.world.app.state.tokens.issue(
            subject=actor.id,
            client=PUBLIC_CLIENT,
            scopes=frozenset(SCOPES),
            session=uuid7(),
            signed_in=int(now().timestamp()) - 31 * 60,
        )
        return Actor(actor.http, actor.id, made, actor.name)

    assert (await old(two.stays).post(PATH, json={})).status_code == 401
    two.goes = old(two.goes)
    refused = await two.completed(code)
    assert refused.status_code == 401
    assert "insufficient_user_authentication" in refused.headers["www-authenticate"]


async def refused(two: Two, *words: str) -> None:
    """Nothing of it was done, and it says what to do."""
    before = (await two.goes.get("/v1/me")).json()
    answer = await two.completed(await two.asked())
    assert answer.status_code == 409, answer.text
    for word in words:
        assert word in answer.json()["detail"]
    assert (await two.goes.get("/v1/me")).json() == before


Hinders = Callable[[Two], Awaitable[Any]]


async def proposed_to(two: Two) -> None:
    """The coach and the record that goes, on the table."""
    world = two.world
    parties = [
        {"person_id": str(world.fellow.id), "role": "learner"},
        {"person_id": str(two.goes.id), "role": "coach"},
    ]
    body = world.text(parties=parties, home_organisation_id=None)
    await colleague(two)
    made = await world.fellow.post("/v1/learning-agreements", json=body)
    assert made.status_code == 201, made.text
    done = await world.fellow.post(f"/v1/learning-agreements/{made.json()['id']}/proposal")
    assert done.status_code == 200, done.text


async def colleague(two: Two) -> None:
    """The record that goes has a place at the school, too."""
    tie = {
        "person_id": str(two.goes.id),
        "organisation_id": str(two.world.school),
        "role": "supply_teacher",
        "starts_on": (today() - timedelta(days=9)).isoformat(),
    }
    await placed(two, tie)


async def placed(two: Two, tie: dict[str, Any]) -> dict[str, Any]:
    """An affiliation of the record that goes, which is at another school, too, and accepts it."""
    made = await two.world.operator.post("/v1/affiliations", json=tie)
    assert made.json()["accepted_at"] is None, made.text
    accepted = await two.goes.post(f"/v1/affiliations/{made.json()['id']}/acceptance")
    assert accepted.status_code == 200, accepted.text
    found: dict[str, Any] = accepted.json()
    return found


async def in_force_for(two: Two) -> str:
    """An agreement in force between the record that goes, as learner, and the coach."""
    world = two.world
    await colleague(two)
    parties = [
        {"person_id": str(two.goes.id), "role": "learner"},
        {"person_id": str(world.coach.id), "role": "coach"},
    ]
    body = world.text(parties=parties, disclosure={"goals": ["coaches", "leaders"]})
    made = await two.goes.post("/v1/learning-agreements", json=body)
    assert made.status_code == 201, made.text
    path = f"/v1/learning-agreements/{made.json()['id']}"
    proposed = await two.goes.post(f"{path}/proposal")
    assert proposed.status_code == 200, proposed.text
    last = await world.sign(path, proposed.json()["digest"], "goes", "coach")
    assert last.json()["state"] == "active", last.text
    return path


async def over_for(two: Two) -> tuple[str, dict[str, Any]]:
    """The same, when it is over; with a goal that leaders may read."""
    path = await in_force_for(two)
    goal = await two.goes.post(
        "/v1/goals",
        json={
            "statement": "Pupils ask.",
            "agreement_id": agreement_of(path),
            "readers": ["coaches", "leaders"],
        },
    )
    assert goal.status_code == 201, goal.text
    assert (await two.world.coach.post(f"{path}/ending")).status_code == 200
    return path, goal.json()


async def test_agreements_come_to_an_end_first(two: Two) -> None:
    path = await in_force_for(two)
    await refused(two, "leave or end 1 agreements in force")
    assert (await two.goes.post(f"{path}/ending")).status_code == 200
    await two.joined()


async def test_proposals_and_drafts_go_first(two: Two) -> None:
    await proposed_to(two)
    await refused(two, "1 proposals")
    waiting = (await two.goes.get("/v1/learning-agreements")).json()["items"][0]["id"]
    declined = await two.goes.post(f"/v1/learning-agreements/{waiting}/declination")
    assert declined.status_code == 200, declined.text
    draft = await two.goes.post(
        "/v1/learning-agreements",
        json={"parties": [{"person_id": str(two.goes.id), "role": "learner"}]},
    )
    await refused(two, "delete 1 drafts")
    await two.goes.delete(f"/v1/learning-agreements/{draft.json()['id']}")
    await two.joined()


async def test_one_agreement_keeps_two_people_apart(two: Two) -> None:
    world = two.world
    await colleague(two)
    parties = [
        {"person_id": str(two.stays.id), "role": "learner"},
        {"person_id": str(two.goes.id), "role": "coach"},
    ]
    made = await two.stays.post("/v1/learning-agreements", json=world.text(parties=parties))
    path = f"/v1/learning-agreements/{made.json()['id']}"
    digest = (await two.stays.post(f"{path}/proposal")).json()["digest"]
    await world.sign(path, digest, "learner")
    signed = await two.goes.post(
        f"{path}/signatures", json={"digest": digest, "obligations": list(OBLIGATIONS)}
    )
    assert signed.json()["state"] == "active", signed.text
    assert (await two.goes.post(f"{path}/ending")).status_code == 200
    await refused(two, "One agreement names both records")


@pytest.mark.parametrize("which", ["stays", "goes"])
async def test_an_operators_administrator_is_not_joined(two: Two, which: str) -> None:
    code = await two.asked()
    async with two.world.database.work() as unit:
        await accounts.make_operator(
            unit, actor=journal.COMMAND_LINE, person_id=getattr(two, which).id
        )
    answer = await two.completed(code)
    assert answer.status_code == 409
    assert "administrator of the operator" in answer.json()["detail"]
    asked = await two.stays.post(PATH, json={})
    assert asked.status_code == (409 if which == "stays" else 201)


async def test_a_disabled_record_takes_nothing_in(two: Two) -> None:
    code = await two.asked()
    done = await two.world.operator.post(
        f"/v1/people/{two.stays.id}/disabling", json={"reason": "You have left."}
    )
    assert done.status_code == 200
    answer = await two.completed(code)
    assert answer.status_code == 409
    assert "disabled" in answer.json()["detail"]


async def test_a_second_factor_is_not_lost_by_it(desk: Desk) -> None:
    two = await make_two(desk.world)
    app = await enrolled(desk, two.goes.id)
    without = await two.completed(await two.asked())
    assert without.status_code == 422
    assert without.json()["errors"][0]["pointer"] == "/code"
    answer = await two.completed(await two.asked(), code=app.code())
    assert answer.status_code == 409
    assert "second factor" in answer.json()["detail"]
    theirs = await enrolled(desk, two.stays.id)
    assert (await two.stays.post(PATH, json={})).status_code == 422
    asked = await two.stays.post(PATH, json={"code": theirs.code()})
    wrong = await two.completed(asked.json()["join_code"], code=app.wrong())
    assert wrong.status_code == 422
    done = await two.completed(asked.json()["join_code"], code=app.code())
    assert done.status_code == 200, done.text
    factors = (await two.stays.get("/v1/me/second-factors")).json()
    assert len(factors["items"]) == 1


async def test_two_completions_at_once_are_one(two: Two) -> None:
    code = await two.asked()
    answers = await asyncio.gather(*(two.completed(code) for _ in range(4)))
    found = sorted(answer.status_code for answer in answers)
    assert found[0] == 200, [answer.text for answer in answers]
    assert set(found[1:]) <= {401, 409, 422}
    me = (await two.stays.get("/v1/me")).json()
    assert me["person"]["joined"] == [str(two.goes.id)]


async def test_each_into_the_other_at_once_leaves_one(two: Two) -> None:
    theirs = await two.goes.post(PATH, json={})
    codes = (await two.asked(), theirs.json()["join_code"])
    answers = await asyncio.gather(
        two.completed(codes[0]),
        two.stays.post(f"{PATH}/completion", json={"join_code": codes[1]}),
    )
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert sum(answer.status_code == 200 for answer in answers) == 1


async def test_the_other_way_in_opens_the_record_that_remains(desk: Desk) -> None:
    """The desk's person goes: their address and password lead to the other record from then on."""
    world, goes = desk.world, desk.world.learner
    async with world.database.work() as unit:
        person = await add_person(unit, "Mair Again")
        mine = f"{uuid4().hex}@home.example"
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=person,
            email=mine,
            password="correct horse battery staple",
        )
    two = Two(
        world, Actor(world.http, person, token(world.app, person)), goes, world.school, person
    )
    old = await desk.tokens()
    page = await desk.browser.open(desk.app.request())
    decided_page = await desk.browser.sign_in(page, desk.email)
    post = Post(world.app)
    await post.to(desk.email)
    await two.joined()
    assert (await desk.me(old["access_token"])).status_code == 401
    refreshed = await desk.token(desk.app.refresh(old["refresh_token"]))
    assert refreshed.json()["error"] == "invalid_grant"
    after = await desk.browser.decide(decided_page)
    assert after.status_code != 303 or "code=" not in after.headers["location"]
    for address in (desk.email, mine):
        told = await post.one(address)
        assert "one now" in told["Subject"]
    new = await desk.tokens()
    me = (await desk.me(new["access_token"])).json()
    assert me["person"]["id"] == str(person)
    for event, who in (("gone_into_another", goes.id), ("joined", person)):
        (row,) = await desk.journaled(kind="person", action=event, resource_id=who)
        assert str(row["person_id"]) == str(goes.id)


async def test_each_school_closes_its_own_way_in(desk: Desk) -> None:
    world = desk.world
    async with world.database.work() as unit:
        other = await add_organisation(unit, OrganisationKind.SCHOOL, "Ysgol y Bont")
    schools = [await directory_of(world, world.school), await directory_of(world, other)]
    users = [await school.brings(roles=[{"value": "teacher"}]) for school in schools]
    people = [await signed_in(world, user["id"]) for user in users]
    two = Two(world, people[0], people[1], other, other)
    await two.joined()
    assert await person_of(world, users[1]["id"]) == people[0].id
    # The directory's user is what it was, under the id that it had.
    assert (await schools[1].get(users[1]["id"]))["active"] is True
    left = await schools[1].patch(
        users[1]["id"], {"op": "replace", "path": "active", "value": False}
    )
    assert left.status_code == 204, left.text
    assert (await identity_of(world, users[1]["id"])).closed_at is not None
    assert (await identity_of(world, users[0]["id"])).closed_at is None
    assert await ties(world, people[0].id, other) == {"teacher": False}
    assert await ties(world, people[0].id, world.school) == {"teacher": True}
    assert (await people[0].get("/v1/me")).status_code == 200


async def roles_today(who: Actor) -> list[str]:
    found = (await who.get("/v1/me")).json()["affiliations"]
    return sorted(row["role"] for row in found if row["ends_on"] is None)


async def test_of_two_users_of_one_school_one_may_go(desk: Desk) -> None:
    world = desk.world
    school = await directory_of(world, world.school)
    users = [
        await school.brings(roles=[{"value": role} for role in roles])
        for roles in (("teacher",), ("teacher", "specialist"))
    ]
    people = [await signed_in(world, user["id"]) for user in users]
    await Two(world, people[0], people[1], world.school, world.school).joined()
    off = {"op": "replace", "path": "active", "value": False}
    assert (await school.patch(users[1]["id"], off)).status_code == 204
    assert await roles_today(people[0]) == ["teacher"]
    assert (await school.patch(users[0]["id"], off)).status_code == 204
    assert (await people[0].get("/v1/me")).status_code == 401, "none of their ways in is left"
    assert not any((await ties(world, people[0].id, world.school)).values())


async def test_a_place_that_waits_is_answered_by_the_other_record_that_has_accepted_it(
    two: Two,
) -> None:
    world = two.world
    start = (today() - timedelta(days=200)).isoformat()
    tie = {"organisation_id": str(world.school), "role": "teacher", "starts_on": start}
    waits = (
        await world.operator.post("/v1/affiliations", json={**tie, "person_id": str(two.goes.id)})
    ).json()
    assert waits["accepted_at"] is None
    await two.joined()
    here = [
        found
        for found in (await two.stays.get("/v1/me")).json()["affiliations"]
        if found["organisation_id"] == str(world.school) and found["ends_on"] is None
    ]
    assert len(here) == 1
    assert here[0]["id"] != waits["id"]
    assert here[0]["accepted_at"] is not None


async def test_ties_that_say_the_same_become_one(two: Two) -> None:
    world = two.world
    start = (today() - timedelta(days=200)).isoformat()
    tie = {
        "person_id": str(two.goes.id),
        "organisation_id": str(world.school),
        "role": "teacher",
        "starts_on": start,
    }
    doubled = await placed(two, tie)
    founded = await world.coach.post("/v1/networks", json={"kind": "triad", "name": "Triad"})
    members = f"/v1/networks/{founded.json()['id']}/members"
    for who in (two.stays, two.goes):
        added = await world.coach.post(members, json={"person_id": str(who.id)})
        assert added.status_code == 201, added.text
    await two.joined()
    mine = {
        a["id"]: (a["starts_on"], a["ends_on"])
        for a in (await two.stays.get("/v1/me")).json()["affiliations"]
    }
    assert mine[str(world.affiliations["learner"])] == (start, None)
    assert mine[doubled["id"]] == (start, start), "it counts on no day"
    current = [
        m
        for m in (await world.coach.get(members)).json()["items"]
        if m["person_id"] == str(two.stays.id) and m["ends_on"] is None
    ]
    assert len(current) == 1


async def test_nobody_is_there_under_the_old_id(two: Two) -> None:
    world, old = two.world, str(two.goes.id)
    await two.joined()
    place = {"organisation_id": str(world.school), "role": "teacher", "starts_on": "2026-01-01"}
    party = {
        "parties": [
            {"person_id": str(world.coach.id), "role": "coach"},
            {"person_id": old, "role": "learner"},
        ]
    }
    goal = (await world.coach.post("/v1/goals", json={"statement": "Mine."})).json()["id"]
    network = (await world.coach.post("/v1/networks", json={"kind": "triad", "name": "T"})).json()
    invited = {"person_id": old, "organisation_id": str(world.school), "email": "a@school.example"}
    ends = (today() + timedelta(days=9)).isoformat()
    for who, path, body in (
        (world.operator, "/v1/affiliations", {"person_id": old, **place}),
        (world.operator, "/v1/invitations", invited),
        (world.coach, "/v1/learning-agreements", party),
        (
            world.coach,
            "/v1/shares",
            {"goal_id": goal, "person_id": old, "reason": "x", "ends_on": ends},
        ),
        (world.coach, f"/v1/networks/{network['id']}/members", {"person_id": old}),
    ):
        answer = await who.post(path, json=body)
        assert answer.status_code == 422, f"{path}: {answer.text}"
    for act in ("disabling", "enabling", "anonymisation"):
        answer = await world.operator.post(f"/v1/people/{old}/{act}", json={"reason": "x"})
        assert answer.status_code == 404, act
    assert (await world.operator.patch(f"/v1/people/{old}", json={"name": "x"})).status_code == 404
    # Nor does anybody new get it.
    again = await world.administrator.post(
        "/v1/people", json={"id": old, "name": "Somebody", "affiliation": place}
    )
    assert again.status_code == 409, again.text


async def test_what_both_could_read_one_reads_and_their_colleagues_no_more(two: Two) -> None:
    world = two.world
    path, goal = await over_for(two)
    under = f"/v1/goals/{goal['id']}"
    readers = [*world.actors.values()]
    before = {a.id: (await a.get(under)).status_code for a in readers if a is not two.stays}
    await two.joined()
    after = {a.id: (await a.get(under)).status_code for a in readers if a is not two.stays}
    after[two.goes.id] = before[two.goes.id]
    assert after == before
    seen = (await two.stays.get(under)).json()
    assert (seen["owner_id"], seen["created_by"]) == (str(two.stays.id),) * 2
    assert seen["version"] == goal["version"] + 1
    whole_text = (await two.stays.get(path)).json()
    assert str(two.stays.id) in {p["person_id"] for p in whole_text["parties"]}
    assert str(two.goes.id) in {p["person_id"] for p in whole_text["text"]["parties"]}
    since = (now() - timedelta(minutes=1)).isoformat()
    for listing in ("goals", "learning-agreements", "affiliations", "people"):
        found = await two.stays.get(f"/v1/{listing}", params={"updated_since": since})
        assert found.json()["items"], listing


async def left_the_school(two: Two) -> None:
    """The place of the record that goes at the school is over."""
    for row in (await two.goes.get("/v1/me")).json()["affiliations"]:
        if row["organisation_id"] == str(two.world.school):
            ended = await two.world.operator.patch(
                f"/v1/affiliations/{row['id']}", json={"ends_on": today().isoformat()}
            )
            assert ended.status_code == 200, ended.text


async def test_leaders_of_a_school_that_one_record_has_left_read_no_more(two: Two) -> None:
    """The other record is there: who leads the school does not read on because of that."""
    world = two.world
    path, goal = await over_for(two)
    assert (await world.head.get(f"/v1/goals/{goal['id']}")).status_code == 200
    await left_the_school(two)
    for what in (f"/v1/goals/{goal['id']}", path):
        assert (await world.head.get(what)).status_code == 404
    await two.joined()
    for what in (f"/v1/goals/{goal['id']}", path):
        assert (await world.head.get(what)).status_code == 404
    assert (await two.stays.get(f"/v1/goals/{goal['id']}")).json()["readers"] == ["coaches"]


async def test_what_shows_pupils_and_was_left_behind_is_not_shown_again(two: Two) -> None:
    world = two.world
    await colleague(two)
    item = await two.goes.post(
        "/v1/evidence-items",
        json={
            "kind": "other",
            "title": "Pupils talk",
            "shows_pupils": "yes",
            "pupil_consent": "given",
            "delete_by": (today() + timedelta(days=90)).isoformat(),
            "controller_organisation_id": str(world.school),
        },
    )
    assert item.status_code == 201, item.text
    under = f"/v1/evidence-items/{item.json()['id']}"
    share = {
        "evidence_item_id": item.json()["id"],
        "person_id": str(world.coach.id),
        "reason": "Advice.",
        "ends_on": (today() + timedelta(days=9)).isoformat(),
    }
    assert (await two.goes.post("/v1/shares", json=share)).status_code == 201
    assert (await world.coach.get(under)).status_code == 200
    await left_the_school(two)
    assert (await world.coach.get(under)).status_code == 404
    await two.joined()
    assert (await world.coach.get(under)).status_code == 404
    assert (await two.stays.get(under)).status_code == 200


async def test_shares_between_the_two_and_the_shorter_of_two_go(two: Two) -> None:
    world = two.world
    await colleague(two)
    days = [(today() + timedelta(days=n)).isoformat() for n in (9, 30)]

    async def shared(by: Actor, to: Actor, goal: str, ends: str) -> str:
        body = {"goal_id": goal, "person_id": str(to.id), "reason": "x", "ends_on": ends}
        made = await by.post("/v1/shares", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    goals = [
        (await who.post("/v1/goals", json={"statement": "G"})).json()["id"]
        for who in (two.stays, two.goes, world.coach)
    ]
    await shared(two.stays, two.goes, goals[0], days[0])
    await shared(two.goes, two.stays, goals[1], days[0])
    await shared(world.coach, two.stays, goals[2], days[0])
    longer = await shared(world.coach, two.goes, goals[2], days[1])
    await two.joined()
    found = (await two.stays.get("/v1/shares")).json()["items"]
    assert [(row["id"], row["person_id"]) for row in found] == [(longer, str(two.stays.id))]


async def test_an_agreement_that_is_over_is_left_and_narrowed_as_before(two: Two) -> None:
    """What was signed names the old id; the acts of one hand that follow name who they are today."""
    world = two.world
    path, goal = await over_for(two)
    await two.joined()
    narrowed = await two.stays.post(f"{path}/narrowing", json={"goals": ["leaders"]})
    assert narrowed.status_code == 200, narrowed.text
    text = (await two.stays.get(path)).json()
    assert {p["person_id"] for p in text["text"]["parties"]} == {
        str(two.stays.id),
        str(world.coach.id),
    }
    assert {p["person_id"] for p in text["parties"]} == {str(two.stays.id), str(world.coach.id)}
    assert (await world.coach.get(f"/v1/goals/{goal['id']}")).status_code == 404
    departure = await two.stays.post(f"{path}/departure")
    assert departure.status_code == 200, departure.text
    left = (await world.coach.get(path)).json()
    assert [p["person_id"] for p in left["parties"]] == [str(world.coach.id)]
    assert (await world.head.get(f"/v1/goals/{goal['id']}")).status_code == 404


async def test_records_that_had_gone_into_it_go_along(two: Two) -> None:
    third = await make_two(two.world)
    third.stays = two.goes
    await third.joined()
    await two.joined()
    me = (await two.stays.get("/v1/me")).json()["person"]
    assert me["joined"] == [str(two.goes.id), str(third.goes.id)]
    async with two.world.database.work() as unit:
        await unit.begin()
        found = await unit.session.execute(
            sa.select(Person.joined_to)
            .where(Person.id.in_((two.goes.id, third.goes.id)))
            .execution_options(unscoped="a test looks at what was written")
        )
        assert list(found.scalars()) == [two.stays.id] * 2


async def test_who_is_anonymised_afterwards_leaves_no_name_behind(two: Two) -> None:
    await two.joined()
    asked = (await two.stays.post("/v1/me/anonymisation", json={})).json()
    body = {"confirmation": asked["confirmation"]}
    done = await two.stays.post("/v1/me/anonymisation/confirmation", json=body)
    assert done.status_code == 204, done.text
    async with two.world.database.work() as unit:
        await unit.begin()
        found = await unit.session.execute(
            sa.select(Person.name, Person.folded, Person.email)
            .where(Person.id.in_((two.goes.id, two.stays.id)))
            .execution_options(unscoped="a test looks at what was written")
        )
        rows = [tuple(row) for row in found]
    assert len(set(rows)) == 1
    assert rows[0][0] == FORMER_MEMBER


async def test_what_comes_in_while_a_record_goes_is_gathered(two: Two) -> None:
    await two.joined()
    # A process that has not heard of it yet still takes the old token.
    made = await two.goes.post("/v1/goals", json={"statement": "Just then."})
    assert made.status_code == 201, made.text
    async with two.world.database.work() as unit:
        assert await accounts.gather_strays(unit) == 1
    assert (await two.stays.get(f"/v1/goals/{made.json()['id']}")).status_code == 200
    async with two.world.database.work() as unit:
        assert await accounts.gather_strays(unit) == 0
