"""Invitations: an administrator asks, the person answers, and nobody comes in as somebody else."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.api.sign_in.account_words import ENGLISH
from app.core.clock import now
from app.models.people import SignInIdentity
from app.models.ways_in import Invitation
from tests.mailboxes import NEW, Post, answer, change_rows, link_in
from tests.signing_in import PASSWORD, make_desk
from tests.worlds import Actor, World, add_person, token

pytestmark = pytest.mark.anyio


@pytest.fixture
def post(app: Any) -> Post:
    return Post(app)


@pytest.fixture
def address() -> str:
    return f"gwen.{uuid4().hex[:12]}@school.example"


async def newcomer(world: World, email: str | None = None, role: str = "teacher") -> str:
    """A person whom the school has just entered."""
    terms = {
        "organisation_id": str(world.school), "role": role, "starts_on": "2020-01-01",
    }  # fmt: skip
    body = {"name": "Gwen Alaw", "email": email, "affiliation": terms}
    made = await world.administrator.post("/v1/people", json=body)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def invite(
    world: World, person: str | UUID, email: str, by: Actor | None = None, **changed: Any
) -> httpx.Response:
    body = {
        "person_id": str(person), "organisation_id": str(world.school), "email": email, **changed,
    }  # fmt: skip
    return await (by or world.administrator).post("/v1/invitations", json=body)


async def signs_in(world: World, email: str, password: str = NEW) -> str | None:
    """The person that address and password open."""
    form = {"grant_type": "password", "username": email, "password": password}
    given = await world.http.post("/oauth/token", data=form)
    if given.status_code != 200:
        return None
    session = world.app.state.tokens.verify(given.json()["access_token"])
    return str(session.subject)


async def age(world: World, invitation: str, by: timedelta) -> None:
    row = Invitation.id == invitation
    await change_rows(world.database, Invitation, where=row, created_at=now() - by)


async def has_coaching(world: World, person: str) -> None:
    """Something is open to the person: somebody else in their place would read it."""
    network = await world.operator.post("/v1/networks", json={"kind": "triad", "name": "Three"})
    assert network.status_code == 201, network.text
    member = {"person_id": person, "role": "member"}
    made = await world.operator.post(f"/v1/networks/{network.json()['id']}/members", json=member)
    assert made.status_code == 201, made.text


async def test_a_newcomer_makes_their_way_in(world: World, post: Post, address: str) -> None:
    person = await newcomer(world, address)
    sent = await invite(world, person, address.upper())
    assert sent.status_code == 202, sent.text
    assert (sent.json()["state"], sent.json()["email"]) == ("open", address)
    # Whoever invites never sees the link.
    assert "token" not in sent.text
    message = await post.one(address)
    assert "Ysgol Tŷ Gwyn" in message.get_content()
    link = link_in(message)
    for _ in range(3):
        page = await world.http.get(link)
        assert page.status_code == 200
        assert "Ysgol Tŷ Gwyn" in page.text
    done = await answer(world.http, link, page, password=NEW)
    assert done.status_code == 200, done.text
    assert ENGLISH["invited"] in done.text
    assert await signs_in(world, address) == person
    shown = await world.administrator.get(f"/v1/invitations/{sent.json()['id']}")
    assert shown.json()["state"] == "accepted"
    for again in (await world.http.get(link), await answer(world.http, link, page, password=NEW)):
        assert again.status_code == 400


async def test_of_two_answers_at_once_one_wins(world: World, post: Post, address: str) -> None:
    person = await newcomer(world, address)
    await invite(world, person, address)
    link = await post.link(address)
    page = await world.http.get(link)
    chosen = [NEW, "another three good words"]
    answers = await asyncio.gather(
        *(answer(world.http, link, page, password=password) for password in chosen)
    )
    assert sorted(a.status_code for a in answers) == [200, 400]
    won = [password for password in chosen if await signs_in(world, address, password)]
    assert won == [chosen[[a.status_code for a in answers].index(200)]]


async def test_the_answer_is_the_same_whoever_has_the_address(
    world: World, post: Post, address: str
) -> None:
    person, theirs = await newcomer(world), await make_desk(world)
    answers = [
        await invite(world, person, address),
        await invite(world, person, theirs.email),
        await invite(world, world.learner.id, theirs.email),
    ]
    assert {a.status_code for a in answers} == {202}
    blank = ("id", "person_id", "email", "created_at", "updated_at", "expires_at")
    shown = [{k: v for k, v in a.json().items() if k not in blank} for a in answers]
    assert shown[0] == shown[1] == shown[2]
    assert len({frozenset(a.json()) for a in answers}) == 1
    assert len(await post.to(address)) == 1
    messages = await post.to(theirs.email)
    subjects = [m["Subject"] for m in messages]
    assert "Somebody gave your address" in subjects[0]
    assert "You have a way in" in subjects[1]
    # The other knows neither who is meant nor who asked.
    assert "Gwen" not in str(messages[0])
    assert "Ysgol" not in messages[0].get_content()
    for message in messages:
        assert "/account/" not in message.get_content()


async def test_who_has_a_way_in_must_agree_to_another(
    world: World, post: Post, address: str
) -> None:
    """An administrator who invites their own second address to a teacher's record."""
    desk = await make_desk(world)
    sent = (await invite(world, world.learner.id, address)).json()
    link = await post.link(address)
    told = await post.one(desk.email)
    assert address in told.get_content()
    for path in (link,):
        page = await world.http.get(path)
        assert page.status_code == 409
        assert 'type="password"' not in page.text
    # Not after days, not by an agreement of somebody else, not by the form of another page.
    await age(world, sent["id"], timedelta(days=6))
    assert (await world.http.get(link)).status_code == 409
    path = f"/v1/invitations/{sent['id']}/agreement"
    for actor in (world.administrator, world.operator, world.coach, world.client):
        assert (await actor.post(path)).status_code in (403, 404)
    fields = (await world.http.get("/account/forgotten")).text
    from tests.mailboxes import token_in
    from tests.signing_in import hidden

    form = {**hidden(fields), "token": token_in(link), "password": NEW}
    assert (await world.http.post("/account/invitation", data=form)).status_code == 409
    assert await signs_in(world, address) is None
    me = token(world.app, world.learner.id)
    headers = {"Authorization": f"Bearer {me}"}
    mine = await world.http.get("/v1/invitations", headers=headers)
    assert [item["id"] for item in mine.json()["items"]] == [sent["id"]]
    assert (await world.http.post(path, headers=headers)).status_code == 200
    assert (await answer(world.http, link, password=NEW)).status_code == 200
    assert await signs_in(world, address) == str(world.learner.id)
    assert await signs_in(world, desk.email, PASSWORD) == str(world.learner.id)


async def test_a_record_that_holds_something_waits_for_a_new_address(
    world: World, post: Post, address: str
) -> None:
    before = f"old.{uuid4().hex[:8]}@school.example"
    person = await newcomer(world, before)
    await has_coaching(world, person)
    sent = (await invite(world, person, address)).json()
    link = await post.link(address)
    page = await world.http.get(link)
    assert page.status_code == 409
    assert "72 hours" in page.text
    # The address of the record is told, and can stop it.
    told = await post.one(before)
    assert "Another way in" in told["Subject"]
    await age(world, sent["id"], timedelta(hours=72))
    assert (await world.http.get(link)).status_code == 200
    stop = await world.http.get(link_in(told))
    assert (await answer(world.http, link_in(told), stop)).status_code == 200
    assert (await world.http.get(link)).status_code == 400
    shown = await world.administrator.get(f"/v1/invitations/{sent['id']}")
    assert shown.json()["state"] == "withdrawn"


async def test_what_is_written_after_an_invitation_counts_too(
    world: World, post: Post, address: str
) -> None:
    person = await newcomer(world)
    await invite(world, person, address)
    link = await post.link(address)
    page = await world.http.get(link)
    assert page.status_code == 200
    await has_coaching(world, person)
    assert (await answer(world.http, link, page, password=NEW)).status_code == 409


async def test_an_address_that_the_record_has_had_for_long_needs_no_wait(
    world: World, post: Post, address: str
) -> None:
    from sqlalchemy import update

    from app.core.journal import journal

    person = await newcomer(world, address)
    await has_coaching(world, person)
    await invite(world, person, address)
    link = await post.link(address)
    assert (await world.http.get(link)).status_code == 409
    async with world.database.work() as unit:
        await unit.begin()
        earlier = now() - timedelta(hours=73)
        statement = update(journal).where(journal.c.resource_id == person).values(at=earlier)
        await unit.session.execute(statement)
    assert (await world.http.get(link)).status_code == 200
    # An administrator who then puts another address there begins the wait anew, and it is told.
    etag = {"If-Match": "*"}
    other = f"x{address}"
    await world.administrator.call(
        "PATCH", f"/v1/people/{person}", headers=etag, json={"email": other}
    )
    assert "records was changed" in (await post.one(address))["Subject"]
    await invite(world, person, other)
    messages = await post.to(other)
    assert (await world.http.get(link_in(messages[-1]))).status_code == 409


async def test_a_way_in_that_was_closed_is_not_replaced_at_once(
    world: World, post: Post, address: str
) -> None:
    desk = await make_desk(world)
    row = SignInIdentity.id == desk.identity
    await change_rows(world.database, SignInIdentity, where=row, closed_at=now())
    sent = (await invite(world, world.learner.id, address)).json()
    link = await post.link(address)
    assert (await world.http.get(link)).status_code == 409
    assert "Another way in" in (await post.one(desk.email))["Subject"]
    await age(world, sent["id"], timedelta(hours=72))
    assert (await answer(world.http, link, password=NEW)).status_code == 200


async def test_who_may_invite_whom(world: World, address: str) -> None:
    person = await newcomer(world)
    async with world.database.work() as unit:
        nowhere = await add_person(unit, "Nobody Here")
    for by, whom, changed, status, pointer in (
        (world.learner, person, {}, 403, None),
        (world.head, person, {}, 403, None),
        (world.client, person, {}, 403, None),
        (world.stranger, person, {}, 403, None),
        (world.administrator, world.administrator.id, {}, 403, None),
        (world.administrator, world.stranger.id, {}, 422, "/person_id"),
        (world.administrator, nowhere, {}, 422, "/person_id"),
        (world.administrator, uuid4(), {}, 422, "/person_id"),
        (world.administrator, person, {"organisation_id": None}, 422, "/organisation_id"),
        (world.administrator, person, {"organisation_id": str(world.authority)}, 403, None),
        (world.operator, person, {"organisation_id": str(world.authority)}, 422, "/organisation_id"),
        (world.administrator, person, {"email": "no address"}, 422, "/email"),
        (world.operator, nowhere, {"organisation_id": None}, 202, None),
        (world.operator, person, {}, 202, None),
    ):  # fmt: skip
        given = {"email": address, **changed}
        found = await invite(world, whom, given.pop("email"), by, **given)
        assert found.status_code == status, (by.name, changed, found.text)
        if pointer:
            assert [e["pointer"] for e in found.json()["errors"]] == [pointer]


async def test_invitations_are_listed_and_withdrawn(world: World, post: Post, address: str) -> None:
    person = await newcomer(world)
    sent = (await invite(world, person, address)).json()
    link = await post.link(address)
    listed = await world.administrator.get(f"/v1/invitations?person_id={person}")
    assert [item["id"] for item in listed.json()["items"]] == [sent["id"]]
    for actor in (world.learner, world.stranger, world.head):
        assert (await actor.get(f"/v1/invitations/{sent['id']}")).status_code == 404
    path = f"/v1/invitations/{sent['id']}/withdrawal"
    assert (await world.learner.post(path)).status_code == 404
    done = await world.administrator.post(path)
    assert (done.status_code, done.json()["state"]) == (200, "withdrawn")
    assert (await world.administrator.post(path)).status_code == 409
    assert (await world.http.get(link)).status_code == 400


async def test_a_newer_invitation_replaces_the_older(
    world: World, post: Post, address: str
) -> None:
    person = await newcomer(world)
    links = []
    for _ in range(2):
        await invite(world, person, address)
        links.append(await post.link(address))
    assert (await world.http.get(links[0])).status_code == 400
    assert (await world.http.get(links[1])).status_code == 200


async def test_a_link_lives_for_seven_days(world: World, post: Post, address: str) -> None:
    person = await newcomer(world)
    sent = (await invite(world, person, address)).json()
    link = await post.link(address)
    page = await world.http.get(link)
    row = Invitation.id == sent["id"]
    await change_rows(world.database, Invitation, where=row, expires_at=now())
    assert (await answer(world.http, link, page, password=NEW)).status_code == 400
    shown = await world.administrator.get(f"/v1/invitations/{sent['id']}")
    assert shown.json()["state"] == "expired"


async def test_who_has_left_the_organisation_is_not_let_in_by_it(
    world: World, post: Post, address: str
) -> None:
    person = await newcomer(world)
    await invite(world, person, address)
    link = await post.link(address)
    page = await world.http.get(link)
    ties = await world.administrator.get(f"/v1/affiliations?person_id={person}")
    tie = ties.json()["items"][0]["id"]
    ended = await world.administrator.patch(
        f"/v1/affiliations/{tie}", json={"ends_on": "2021-01-01"}
    )
    assert ended.status_code == 200, ended.text
    assert (await answer(world.http, link, page, password=NEW)).status_code == 400


async def test_a_lost_answer_sends_one_message(world: World, post: Post, address: str) -> None:
    person = await newcomer(world)
    body = {"person_id": person, "organisation_id": str(world.school), "email": address}
    key = {"Idempotency-Key": uuid4().hex}
    answers = [
        await world.administrator.post("/v1/invitations", json=body, headers=key) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len(await post.to(address)) == 1


async def test_nobodys_mailbox_is_filled_with_invitations(
    world: World, post: Post, address: str
) -> None:
    people = [await newcomer(world) for _ in range(2)]
    for number in range(5):
        assert (await invite(world, people[number % 2], address)).status_code == 202
    refused = await invite(world, people[0], address)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 1800
    assert len(await post.to(address)) == 5


async def test_no_weak_password_and_none_of_ones_own_name(
    world: World, post: Post, address: str
) -> None:
    person = await newcomer(world)
    await invite(world, person, address)
    link = await post.link(address)
    for password in ("short", "Gwen Alaw 2026!!", "password1234"):
        refused = await answer(world.http, link, password=password)
        assert refused.status_code == 403
    assert (await answer(world.http, link, refused, password=NEW)).status_code == 200


async def test_in_the_persons_browser_they_are_known(
    world: World, post: Post, address: str
) -> None:
    person = await newcomer(world)
    await invite(world, person, address)
    done = await answer(world.http, await post.link(address), password=NEW)
    assert "__Host-known" in done.headers["set-cookie"]
