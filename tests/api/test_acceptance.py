"""An affiliation of somebody with a life elsewhere counts when they have accepted it, and not before."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.access.invitations import WAITS
from app.core.clock import now, today
from app.models.organisations import Organisation, OrganisationKind
from app.models.people import AffiliationRole, SignInIdentity
from app.models.ways_in import Invitation
from tests.mailboxes import NEW, Post, answer, change_rows
from tests.scim import directory_of, person_of
from tests.signing_in import make_desk
from tests.worlds import Actor, World, add_organisation, add_person, affiliate, token

pytestmark = pytest.mark.anyio

PATH = "/v1/affiliations"
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
R = AffiliationRole


@pytest.fixture
async def college(world: World) -> UUID:
    """Another organisation, whose administrator (`boss`) and head (`chief`) meet the learner in a
    network."""
    async with world.database.work() as unit:
        found = await add_organisation(unit, OrganisationKind.COLLEGE, "Coleg Cymuned")
        for who, role in (("boss", R.ADMINISTRATOR), ("chief", R.HEAD_TEACHER)):
            person = await add_person(unit, f"{who.title()} Ŵyn")
            await affiliate(unit, person, found, role)
            world.actors[who] = Actor(world.http, person, token(world.app, person))
    network = await world.operator.post("/v1/networks", json={"kind": "triad", "name": "Three"})
    for who in ("boss", "chief", "learner"):
        member = {"person_id": str(world.actors[who].id), "role": "member"}
        path = f"/v1/networks/{network.json()['id']}/members"
        assert (await world.operator.post(path, json=member)).status_code == 201
    return found


async def asks(
    world: World, place: UUID, who: str = "learner", by: str = "boss", **changed: Any
) -> dict[str, Any]:
    """An affiliation that an administrator has written."""
    body = {
        "person_id": str(world.actors[who].id), "organisation_id": str(place), "role": "teacher",
        "starts_on": today().isoformat(), **changed,
    }  # fmt: skip
    made = await world.actors[by].post(PATH, json=body)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def answers(
    world: World, made: dict[str, Any], what: str = "acceptance", who: str = "learner", **named: Any
) -> httpx.Response:
    return await world.actors[who].post(f"{PATH}/{made['id']}/{what}", **named)


async def reads(world: World, who: str = "learner", by: str = "boss") -> bool:
    """Whether an administrator reads somebody's address, and may change them."""
    path = f"/v1/people/{world.actors[who].id}"
    shown = (await world.actors[by].get(path)).json()
    changed = await world.actors[by].patch(path, json={"name": shown["name"]})
    assert (shown["email"] is not None) == (changed.status_code == 200)
    return changed.status_code == 200


async def test_until_it_is_accepted_it_counts_for_nobody(world: World, college: UUID) -> None:
    made = await asks(world, college)
    assert made["accepted_at"] is None
    assert not await reads(world)
    person = f"/v1/people/{world.learner.id}"
    before = (await world.boss.get(person)).json()
    assert [o["id"] for o in before["organisations"]] == [str(world.school)]
    other = await world.boss.patch(person, json={"name": "Another"})
    assert other.status_code == 403
    # The organisation's other people are nobody's colleagues by it, and its systems know nobody.
    async with world.database.work() as unit:
        clerk = await add_person(unit, "Clerk")
        await affiliate(unit, clerk, college, R.TEACHER)
    colleague = Actor(world.http, clerk, token(world.app, clerk))
    system = await directory_of(world, college)
    theirs = Actor(world.http, system.client, system.token)
    assert (await colleague.get(person)).status_code == 404
    assert (await theirs.get(person)).status_code == 404
    assert (await world.learner.get(f"/v1/people/{clerk}")).status_code == 404
    # Both sides are told how it stands.
    for actor in (world.boss, world.learner, world.operator, theirs):
        shown = await actor.get(f"{PATH}/{made['id']}")
        assert (shown.status_code, shown.json()["accepted_at"]) == (200, None)
    mine = (await world.learner.get("/v1/me")).json()
    assert made["id"] in [a["id"] for a in mine["affiliations"]]
    assert [o["id"] for o in mine["person"]["organisations"]] == [str(world.school)]
    done = await answers(world, made)
    assert done.status_code == 200, done.text
    assert done.json()["accepted_at"] is not None
    assert done.headers["etag"].startswith('"2')
    assert await reads(world)
    for actor in (colleague, theirs):
        assert (await actor.get(person)).status_code == 200
    shown = (await world.boss.get(person)).json()
    assert {o["id"] for o in shown["organisations"]} == {str(world.school), str(college)}


async def test_no_leader_reads_by_a_learner_who_has_not_accepted(
    world: World, college: UUID
) -> None:
    """The agreement's home is where the learner once was."""
    once = await asks(world, college)
    await answers(world, once)
    agreement = await world.agreement(
        home_organisation_id=str(college), disclosure={"existence": ALL, "goals": ALL}
    )
    goal = (await world.goal(agreement))["id"]
    paths = (f"/v1/learning-agreements/{agreement}", f"/v1/goals/{goal}")
    past = {"ends_on": (today() - timedelta(days=1)).isoformat(), "starts_on": "2020-01-01"}
    assert (await world.boss.patch(f"{PATH}/{once['id']}", json=past)).status_code == 200

    async def chief() -> set[int]:
        return {(await world.chief.get(path)).status_code for path in paths}

    assert await chief() == {404}
    again = await asks(world, college)
    assert again["accepted_at"] is None
    assert await chief() == {404}
    # Nor is somebody shown as a leader there who has not accepted to be one.
    heading = await asks(world, college, who="coach", by="operator", role="head_teacher")
    leaders = f"/v1/learning-agreements/{agreement}/leaders"
    shown = (await world.learner.get(leaders)).json()
    assert str(world.coach.id) not in str(shown)
    assert (await world.coach.get("/v1/me")).json()["affiliations"][0]["id"] == heading["id"]
    assert (await answers(world, again)).status_code == 200
    assert await chief() == {200}


async def test_rights_wait_too(world: World, college: UUID) -> None:
    """Somebody who is made an administrator elsewhere administers nothing before they accept."""
    made = await asks(world, college, who="coach", by="operator", role="administrator")
    path = f"/v1/organisations/{college}"
    assert (await world.coach.patch(path, json={"phone": "1"})).status_code == 403
    assert (await world.coach.get(f"/v1/people/{world.chief.id}")).status_code == 404
    assert (await answers(world, made, who="coach")).status_code == 200
    assert (await world.coach.patch(path, json={"phone": "1"})).status_code == 200
    shown = (await world.coach.get(f"/v1/people/{world.chief.id}")).json()
    assert shown["email"] is not None


async def test_it_is_accepted_once_and_by_the_person_alone(world: World, college: UUID) -> None:
    made = await asks(world, college)
    for what in ("acceptance", "refusal"):
        for who, status in (
            ("boss", 403), ("operator", 403), ("coach", 404), ("administrator", 404),
            ("chief", 404), ("client", 403),
        ):  # fmt: skip
            answered = await answers(world, made, what, who)
            assert answered.status_code == status, (who, answered.text)
    stale = await answers(world, made, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert stale.json()["current"]["accepted_at"] is None
    twice = await asyncio.gather(answers(world, made), answers(world, made))
    assert sorted(a.status_code for a in twice) == [200, 409]
    for what in ("acceptance", "refusal"):
        late = await answers(world, made, what)
        assert (late.status_code, "counts already" in late.json()["detail"]) == (409, True)
    lost = await answers(world, made, headers={"If-Match": '"1"'})
    assert lost.status_code == 412


async def test_what_was_changed_meanwhile_is_not_accepted_unseen(
    world: World, college: UUID
) -> None:
    made = await asks(world, college)
    assert (await world.boss.patch(f"{PATH}/{made['id']}", json={"role": "tutor"})).is_success
    unseen = await answers(world, made, headers={"If-Match": '"1"'})
    assert unseen.status_code == 412
    assert unseen.json()["current"]["role"] == "tutor"
    key = {"Idempotency-Key": str(uuid4()), "If-Match": '"2"'}
    first = await answers(world, made, headers=key)
    again = await answers(world, made, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


async def test_who_refuses_is_there_no_more(world: World, college: UUID) -> None:
    made = await asks(world, college)
    refused = await answers(world, made, "refusal")
    assert refused.status_code == 200, refused.text
    assert refused.json()["ends_on"] == today().isoformat()
    assert refused.json()["accepted_at"] is None
    for what in ("acceptance", "refusal"):
        late = await answers(world, made, what)
        assert (late.status_code, "is over" in late.json()["detail"]) == (409, True)
    # Nor by who asked: not by its dates, and not by asking again.
    path = f"{PATH}/{made['id']}"
    for dates in ({"ends_on": None}, {"ends_on": "2999-01-01"}):
        revived = await world.boss.patch(path, json=dates)
        assert (revived.status_code, "accept" in revived.json()["detail"]) == (409, True)
    assert (await asks(world, college))["accepted_at"] is None
    assert not await reads(world)
    # One that is yet to begin is over at once, too.
    later = await asks(world, college, starts_on=(today() + timedelta(days=9)).isoformat())
    assert (await answers(world, later, "refusal")).status_code == 200
    assert (await answers(world, later)).status_code == 409


async def test_an_administrator_does_not_get_round_it(world: World, college: UUID) -> None:
    made = await asks(world, college)
    path = f"{PATH}/{made['id']}"
    for change in (
        {"role": "student"}, {"fraction": 0.2}, {"starts_on": "2020-01-01"},
        {"ends_on": (today() + timedelta(days=3)).isoformat()}, {"ends_on": today().isoformat()},
    ):  # fmt: skip
        changed = await world.boss.patch(path, json=change)
        assert (changed.status_code, changed.json()["accepted_at"]) == (200, None), change
        assert not await reads(world)
    for change in (
        {"accepted_at": now().isoformat()}, {"person_id": str(world.boss.id)},
        {"organisation_id": str(world.school)},
    ):  # fmt: skip
        assert (await world.boss.patch(path, json=change)).status_code == 422
        body = {"person_id": str(world.learner.id), "organisation_id": str(college)}
        extra = {**body, "role": "teacher", "starts_on": "2020-01-01", **change}
        if "accepted_at" in change:
            assert (await world.boss.post(PATH, json=extra)).status_code == 422
    # Ended and made again, in the past, for one day, in another role.
    for terms in (
        {}, {"role": "administrator"}, {"starts_on": "2020-01-01"},
        {"ends_on": (today() + timedelta(days=1)).isoformat()},
    ):  # fmt: skip
        assert (await asks(world, college, **terms))["accepted_at"] is None
    over = {"starts_on": "2020-01-01", "ends_on": today().isoformat(), "role": "teacher"}
    body = {"person_id": str(world.learner.id), "organisation_id": str(college), **over}
    refused = await world.boss.post(PATH, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/ends_on")
    # A place below, of their own making: nobody has accepted that one either.
    below = await world.boss.post(
        "/v1/organisations", json={"kind": "school", "name": "Below", "parent_id": str(college)}
    )
    assert below.status_code == 201, below.text
    hang = await world.boss.patch(
        f"/v1/organisations/{college}", json={"parent_id": str(world.school)}
    )
    assert hang.status_code == 403
    assert not await reads(world)


async def test_what_ended_long_ago_does_not_count_again_by_itself(
    world: World, college: UUID
) -> None:
    made = await asks(world, college)
    await answers(world, made)
    path = f"{PATH}/{made['id']}"
    # A slip of today is put right; and what ends today goes on in another role.
    assert (await world.boss.patch(path, json={"ends_on": today().isoformat()})).is_success
    assert not await reads(world)
    assert (await world.boss.patch(path, json={"ends_on": None})).status_code == 200
    assert await reads(world)
    assert (await world.boss.patch(path, json={"ends_on": today().isoformat()})).is_success
    tutor = await asks(world, college, role="tutor")
    assert tutor["accepted_at"] is not None
    past = {"starts_on": "2020-01-01", "ends_on": (today() - timedelta(days=1)).isoformat()}
    for one in (made, tutor):
        assert (await world.boss.patch(f"{PATH}/{one['id']}", json=past)).is_success
    assert not await reads(world)
    for one in (made, tutor):
        revived = await world.boss.patch(f"{PATH}/{one['id']}", json={"ends_on": None})
        assert revived.status_code == 409, revived.text
    assert (await asks(world, college))["accepted_at"] is None


async def test_nobody_is_asked_where_nobody_else_has_a_say(world: World, college: UUID) -> None:
    # A newcomer, also in a second role; and somebody whose only way in the organisation has brought.
    terms = {"organisation_id": str(college), "role": "teacher", "starts_on": "2020-01-01"}
    new = await world.boss.post("/v1/people", json={"name": "New", "affiliation": terms})
    assert new.status_code == 201, new.text
    newcomer = world.actors["newcomer"] = Actor(world.http, UUID(new.json()["id"]), "")
    newcomer.token = token(world.app, newcomer.id)
    (first,) = (await newcomer.get("/v1/me")).json()["affiliations"]
    assert first["accepted_at"] is not None
    assert (await asks(world, college, "newcomer", role="tutor"))["accepted_at"] is not None
    # Of the operator's, too; but not with a way in of their own, nor with a place.
    lone = await add_lone(world)
    assert (await asks(world, college, lone, "operator"))["accepted_at"] is not None
    for own in (None, world.school):
        lone = await add_lone(world)
        await way_in(world, lone, own)
        assert (await asks(world, college, lone, "operator"))["accepted_at"] is None
        await change_rows(
            world.database, SignInIdentity, where=SignInIdentity.person_id == world.actors[lone].id,
            closed_at=now(),
        )  # fmt: skip
        assert (await asks(world, college, lone, "operator"))["accepted_at"] is not None
    lone = await add_lone(world)
    await way_in(world, lone, college)
    assert (await asks(world, college, lone, "operator"))["accepted_at"] is not None


async def add_lone(world: World) -> str:
    """The name of somebody without any place."""
    who = f"lone {uuid4()}"
    async with world.database.work() as unit:
        person = await add_person(unit, who)
    world.actors[who] = Actor(world.http, person, token(world.app, person))
    return who


async def way_in(world: World, who: str, organisation: UUID | None, email: str = "") -> str:
    email = email or f"{uuid4().hex}@home.example"
    async with world.database.work() as unit:
        await unit.insert(
            SignInIdentity(
                id=uuid4(), person_id=world.actors[who].id, organisation_id=organisation,
                email=email, created_at=now(),
            )
        )  # fmt: skip
    return email


async def test_two_organisations_that_come_at_once_do_not_both_count(
    world: World, college: UUID
) -> None:
    lone = await add_lone(world)
    made = await asyncio.gather(
        asks(world, college, lone, "operator"), asks(world, world.school, lone, "operator")
    )
    assert sorted(m["accepted_at"] is None for m in made) == [False, True]


async def test_next_door_in_the_tree_only_by_who_administers_both(world: World) -> None:
    """The authority's administrator, who is the school's as well, adds one to the other."""
    async with world.database.work() as unit:
        person = await add_person(unit, "Of both")
        for place in (world.school, world.authority):
            await affiliate(unit, person, place, R.ADMINISTRATOR)
        elsewhere = await add_organisation(unit, OrganisationKind.SCHOOL, "Next to it")
        await affiliate(unit, person, elsewhere, R.ADMINISTRATOR)
        only = await add_person(unit, "Of the authority")
        await affiliate(unit, only, world.authority, R.ADMINISTRATOR)
    world.actors["both"] = Actor(world.http, person, token(world.app, person))
    world.actors["only"] = Actor(world.http, only, token(world.app, only))
    assert (await asks(world, elsewhere, "coach", "both"))["accepted_at"] is None
    # Who administers one of the two, or is the operator's, asks.
    assert (await asks(world, world.authority, "coach", "operator"))["accepted_at"] is None
    assert (await asks(world, world.authority, "coach", "both"))["accepted_at"] is not None
    assert (await asks(world, world.school, "operator", "both"))["accepted_at"] is not None
    await asks(world, world.authority, "tutor", "both")
    assert (await asks(world, elsewhere, "tutor", "both"))["accepted_at"] is None
    await change_rows(
        world.database, Organisation, where=Organisation.id == elsewhere, parent_id=world.authority
    )
    assert (await asks(world, elsewhere, "tutor", "both"))["accepted_at"] is not None


async def test_the_person_is_told_once_a_day_and_finds_it_in_their_history(
    world: World, college: UUID
) -> None:
    post, email = Post(world.app), await way_in(world, "learner", world.school)
    record = (await world.learner.get(f"/v1/people/{world.learner.id}")).json()["email"]
    made = await asks(world, college)
    message = await post.one(email)
    assert "Coleg Cymuned" in message.get_content()
    await answers(world, made, "refusal")
    for _ in range(2):
        made = await asks(world, college)
    assert await post.to(email) == []
    assert await post.to(record) == []
    # Who comes in by a provider's account reads it at the record's address.
    await asks(world, college, "coach", "operator")
    address = (await world.coach.get(f"/v1/people/{world.coach.id}")).json()["email"]
    assert "Coleg Cymuned" in (await post.one(address)).get_content()
    await answers(world, made)
    history = (await world.learner.get("/v1/me/history")).json()["items"]
    acts = [row["action"] for row in history if row["kind"] == "affiliation"]
    assert acts[:2] == ["accepted", "created"]
    assert "refused" in acts
    audit = await world.boss.get(f"/v1/organisations/{college}/audit")
    assert audit.json()["items"][0]["action"] == "accepted"


async def test_whoever_agrees_to_the_organisations_way_in_accepts_it_as_well(
    world: World, college: UUID
) -> None:
    desk, post = await make_desk(world), Post(world.app)
    made = await asks(world, college)
    address = f"{uuid4().hex}@college.example"
    body = {
        "person_id": str(world.learner.id), "organisation_id": str(college), "email": address,
    }  # fmt: skip
    sent = await world.boss.post("/v1/invitations", json=body)
    assert sent.status_code == 202, sent.text
    assert not await reads(world)
    link = await post.link(address)
    assert (await world.http.get(link)).status_code == 409
    # Somebody else's organisation is not accepted by it.
    other = await asks(world, world.authority, by="operator")
    agreed = await world.learner.post(f"/v1/invitations/{sent.json()['id']}/agreement")
    assert agreed.status_code == 200, agreed.text
    shown = {a["id"]: a for a in (await world.learner.get("/v1/me")).json()["affiliations"]}
    assert shown[made["id"]]["accepted_at"] is not None
    assert shown[other["id"]]["accepted_at"] is None
    assert await reads(world)
    assert (await answer(world.http, link, password=NEW)).status_code == 200
    assert desk.email != address


async def test_no_invitation_lets_in_where_the_person_has_not_accepted(
    world: World, college: UUID
) -> None:
    """Somebody at the school who has no way in yet, and whose record holds nothing."""
    async with world.database.work() as unit:
        person = await add_person(unit, "Not yet in")
        school = await affiliate(unit, person, world.school, R.TEACHER)
    world.actors["waiting"] = Actor(world.http, person, token(world.app, person))
    made = await asks(world, college, "waiting", "operator")
    assert made["accepted_at"] is None
    address, post = f"{uuid4().hex}@college.example", Post(world.app)
    body = {"person_id": str(person), "organisation_id": str(college), "email": address}
    sent = (await world.operator.post("/v1/invitations", json=body)).json()
    link = await post.link(address)
    for by in (timedelta(), WAITS):
        where = Invitation.id == UUID(sent["id"])
        await change_rows(world.database, Invitation, where=where, created_at=now() - by)
        assert (await world.http.get(link)).status_code == 409
    # Once the school has let them go there is nobody else: the link lets in, and it counts.
    ended = await world.administrator.patch(
        f"{PATH}/{school}", json={"ends_on": today().isoformat()}
    )
    assert ended.status_code == 200, ended.text
    assert (await answer(world.http, link, password=NEW)).status_code == 200
    shown = (await world.waiting.get(f"{PATH}/{made['id']}")).json()
    assert shown["accepted_at"] is not None


async def test_a_second_person_of_the_same_address_is_somebody_else(
    world: World, college: UUID
) -> None:
    """A list brought in over the API, row by row, and a directory: nobody is found by an address."""
    email = (await world.learner.get(f"/v1/people/{world.learner.id}")).json()["email"]
    terms = {"organisation_id": str(college), "role": "teacher", "starts_on": "2020-01-01"}
    new = await world.boss.post(
        "/v1/people", json={"name": "New", "email": email, "affiliation": terms}
    )
    assert new.json()["id"] != str(world.learner.id)
    directory = await directory_of(world, college)
    user = await directory.brings(email, emails=[{"value": email, "primary": True}])
    assert await person_of(world, user["id"]) != world.learner.id
    assert not await reads(world)
    # What waits does not let the directory, a client, near them either.
    await asks(world, college)
    client = Actor(world.http, directory.client, directory.token)
    body = {"person_id": str(world.learner.id), **terms}
    refused = await client.post(PATH, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/person_id")


async def test_who_comes_back_by_a_directory_and_is_elsewhere_is_asked(
    world: World, college: UUID
) -> None:
    directory = await directory_of(world, college)
    user = await directory.brings(roles=[{"value": "teacher"}])
    person = await person_of(world, user["id"])
    world.actors["theirs"] = Actor(world.http, person, token(world.app, person))
    (first,) = (await world.theirs.get("/v1/me")).json()["affiliations"]
    assert first["accepted_at"] is not None
    # Another organisation asks; meanwhile the directory calls and places them as it did.
    second = await asks(world, world.school, "theirs", "operator", starts_on="2020-01-01")
    assert second["accepted_at"] is None
    rename = {"op": "replace", "path": "name.formatted", "value": "Called anew"}
    assert (await directory.patch(user["id"], rename)).is_success
    assert (await world.theirs.get("/v1/me")).json()["person"]["name"] == "Called anew"
    assert (await answers(world, second, who="theirs")).status_code == 200
    role = {"op": "replace", "path": "roles", "value": [{"value": "tutor"}]}
    assert (await directory.patch(user["id"], role)).is_success
    newest = (await world.theirs.get("/v1/me")).json()["affiliations"][0]
    assert (newest["role"], newest["accepted_at"] is not None) == ("tutor", True)
    # They left before today: what it says of them now waits, and is said as ever.
    await directory.patch(user["id"], {"op": "replace", "path": "active", "value": False})
    before = {"starts_on": "2020-01-01", "ends_on": (today() - timedelta(days=2)).isoformat()}
    for tie in await at(world, college):
        assert (await world.boss.patch(f"{PATH}/{tie['id']}", json=before)).is_success
    for said in ({"op": "replace", "path": "active", "value": True}, role, role):
        assert (await directory.patch(user["id"], said)).is_success
    assert (await directory.get(user["id"]))["active"] is True
    assert await person_of(world, user["id"]) == person
    (waiting,) = [tie for tie in await at(world, college) if tie["ends_on"] is None]
    assert (waiting["role"], waiting["accepted_at"]) == ("tutor", None)
    assert (await world.boss.get(f"/v1/people/{person}")).status_code == 404
    # And leaving ends what waits.
    await directory.patch(user["id"], {"op": "replace", "path": "active", "value": False})
    assert not [tie for tie in await at(world, college) if tie["ends_on"] is None]


async def at(world: World, place: UUID) -> list[dict[str, Any]]:
    """What `theirs` has been at an organisation, or is asked to be."""
    found = await world.theirs.get(PATH, params={"organisation_id": str(place)})
    items: list[dict[str, Any]] = found.json()["items"]
    return items
