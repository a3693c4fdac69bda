"""A change of one's sign-in address: asked for, confirmed, waited for, stopped from the old one."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.access.addresses import take_effect
from app.core.clock import now
from app.jobs.mail import tidy
from app.models.ways_in import AddressChange, Invitation
from tests.mailboxes import NEW, Post, answer, change_rows, link_in
from tests.signing_in import PASSWORD, Desk, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio

SCOPE = "account:write account:read people:read"
DAYS3 = timedelta(hours=72)


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture
def post(app: Any) -> Post:
    return Post(app)


@pytest.fixture
def new() -> str:
    return f"newydd.{uuid4().hex[:12]}@school.example"


class Asking:
    """Somebody who is signed in and asks for another address."""

    def __init__(self, desk: Desk, token: str) -> None:
        self.desk, self.token = desk, token

    async def call(self, method: str, path: str = "", **named: Any) -> httpx.Response:
        url = f"/v1/me/address-changes{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.desk.http.request(method, url, headers=headers, **named)

    async def ask(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.call("POST", json={"email": email, "password": password})

    async def state(self, change_id: str) -> str:
        found: str = (await self.call("GET", f"/{change_id}")).json()["state"]
        return found


async def asking(desk: Desk) -> Asking:
    return Asking(desk, (await desk.tokens(scope=SCOPE))["access_token"])


async def signs_in(desk: Desk, email: str, password: str = PASSWORD) -> bool:
    form = {"grant_type": "password", "username": email, "password": password}
    return (await desk.token(form)).status_code == 200


async def let_time_pass(desk: Desk, change_id: str) -> None:
    row = AddressChange.id == change_id
    await change_rows(
        desk.world.database, AddressChange, where=row, takes_effect_at=now() - timedelta(seconds=1)
    )


async def test_a_new_address_counts_when_it_is_confirmed_and_has_waited(
    desk: Desk, post: Post, new: str
) -> None:
    me = await asking(desk)
    asked = await me.ask(new.upper())
    assert asked.status_code == 202, asked.text
    found = asked.json()
    assert (found["email"], found["state"]) == (new, "asked")
    assert asked.headers["location"].endswith(f"/v1/me/address-changes/{found['id']}")
    # The old address is told at once, and can stop it.
    told = await post.one(desk.email)
    assert new in told.get_content()
    confirm = await post.link(new)
    page = await desk.http.get(confirm)
    assert await me.state(found["id"]) == "asked"
    done = await answer(desk.http, confirm, page)
    assert done.status_code == 200
    assert await me.state(found["id"]) == "confirmed"
    assert not await signs_in(desk, new)
    assert await signs_in(desk, desk.email)
    await let_time_pass(desk, found["id"])
    # Nobody has run a job: who signs in finds it so.
    assert await signs_in(desk, new)
    assert not await signs_in(desk, desk.email)
    assert await me.state(found["id"]) == "in_effect"
    for address in (new, desk.email):
        assert "has changed" in (await post.one(address))["Subject"]


async def test_the_job_lets_it_take_effect_too(desk: Desk, post: Post, new: str) -> None:
    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    await answer(desk.http, await post.link(new))
    await let_time_pass(desk, change)
    await tidy(desk.world.database)
    assert await me.state(change) == "in_effect"
    assert await take_effect(desk.world.database) == 0


async def test_what_is_long_over_is_forgotten(desk: Desk, new: str) -> None:
    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    sent = await desk.world.invitation(desk.world.coach.id, f"x{new}")
    for model, made in ((AddressChange, change), (Invitation, sent)):
        for days, status in ((89, 200), (91, 404)):
            before = now() - timedelta(days=days)
            await change_rows(desk.world.database, model, where=model.id == made, expires_at=before)
            await tidy(desk.world.database)
            if model is AddressChange:
                found = await me.call("GET", f"/{made}")
            else:
                found = await desk.world.administrator.get(f"/v1/invitations/{made}")
            assert found.status_code == status


async def test_it_waits_for_72_hours(desk: Desk, new: str) -> None:
    found = (await (await asking(desk)).ask(new)).json()
    from datetime import datetime

    created, effect, expiry = (
        datetime.fromisoformat(found[name])
        for name in ("created_at", "takes_effect_at", "expires_at")
    )
    assert effect - created == DAYS3
    assert expiry - created == timedelta(days=7)


async def test_without_confirmation_nothing_ever_counts(desk: Desk, new: str) -> None:
    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    await let_time_pass(desk, change)
    assert not await signs_in(desk, new)
    row = AddressChange.id == change
    await change_rows(desk.world.database, AddressChange, where=row, expires_at=now())
    assert await me.state(change) == "expired"
    await tidy(desk.world.database)
    assert await me.state(change) == "expired"


async def test_the_old_address_stops_it_and_signs_everybody_out(
    desk: Desk, post: Post, new: str
) -> None:
    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    stop, confirm = await post.link(desk.email), await post.link(new)
    await answer(desk.http, confirm)
    page = await desk.http.get(stop)
    assert new in page.text
    done = await answer(desk.http, stop, page)
    assert done.status_code == 200
    assert "/account/forgotten" in done.text
    assert (await me.call("GET")).status_code == 401
    assert (await answer(desk.http, stop, page)).status_code == 400
    assert (await desk.http.get(confirm)).status_code == 400
    await let_time_pass(desk, change)
    assert not await signs_in(desk, new)
    again = await asking(desk)
    assert await again.state(change) == "refused"


async def test_to_confirm_and_to_stop_at_once(desk: Desk, post: Post, new: str) -> None:
    me = await asking(desk)
    await me.ask(new)
    stop, confirm = await post.link(desk.email), await post.link(new)
    pages = [await desk.http.get(link) for link in (stop, confirm)]
    answers = await asyncio.gather(
        *(answer(desk.http, link, page) for link, page in zip((stop, confirm), pages, strict=True))
    )
    assert answers[0].status_code == 200
    assert answers[1].status_code in (200, 400)
    assert not await signs_in(desk, new)


async def test_an_address_of_somebody_else_is_answered_alike_and_they_are_told(
    desk: Desk, post: Post, new: str
) -> None:
    other = await make_desk(desk.world)
    me = await asking(desk)
    free, taken = await me.ask(new), await me.ask(other.email)
    assert free.status_code == taken.status_code == 202
    assert set(free.json()) == set(taken.json())
    message = await post.one(other.email)
    assert "Somebody gave your address" in message["Subject"]
    assert "/account/" not in message.get_content()
    assert desk.email not in message.get_content()


async def test_an_address_that_is_taken_meanwhile_stays_where_it_is(
    desk: Desk, post: Post, new: str
) -> None:
    from app.actions import accounts
    from app.core import journal

    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    await answer(desk.http, await post.link(new))
    async with desk.world.database.work() as unit:
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=desk.world.coach.id,
            email=new,
            password=NEW,
        )
    await let_time_pass(desk, change)
    assert await signs_in(desk, new, NEW)
    assert await signs_in(desk, desk.email)
    assert await me.state(change) == "expired"


async def test_the_password_is_asked_for_and_fields_are_named(desk: Desk, new: str) -> None:
    me = await asking(desk)
    for email, password, pointer in (
        (new, "wrong", "/password"),
        (desk.email, PASSWORD, "/email"),
        ("nobody", PASSWORD, "/email"),
        ("a@b@c.example", PASSWORD, "/email"),
        ("a,b@school.example", PASSWORD, "/email"),
        ("a@school.example\r\nBcc: b@c.example", PASSWORD, "/email"),
        (f"{'x' * 65}@school.example", PASSWORD, "/email"),
        (f"a@{'x' * 64}.example", PASSWORD, "/email"),
    ):
        refused = await me.ask(email, password)
        assert refused.status_code == 422, email
        assert [e["pointer"] for e in refused.json()["errors"]] == [pointer], refused.text
    assert (await me.call("GET")).json()["items"] == []


async def test_one_change_at_a_time_and_it_can_be_cancelled(
    desk: Desk, post: Post, new: str
) -> None:
    me = await asking(desk)
    first = (await me.ask(new)).json()["id"]
    old_link = await post.link(new)
    second = (await me.ask(f"x{new}")).json()["id"]
    assert await me.state(first) == "cancelled"
    assert (await desk.http.get(old_link)).status_code == 400
    listed = (await me.call("GET")).json()["items"]
    assert [item["id"] for item in listed] == [second, first]
    done = await me.call("POST", f"/{second}/cancellation")
    assert (done.status_code, done.json()["state"]) == (200, "cancelled")
    assert (await me.call("POST", f"/{second}/cancellation")).status_code == 409


async def test_nobody_else_sees_or_touches_it(desk: Desk, new: str) -> None:
    me = await asking(desk)
    change = (await me.ask(new)).json()["id"]
    world = desk.world
    for actor in (world.administrator, world.operator, world.coach, world.client):
        assert (await actor.get(f"/v1/me/address-changes/{change}")).status_code in (403, 404)
        path = f"/v1/me/address-changes/{change}/cancellation"
        assert (await actor.post(path)).status_code in (403, 404)
    assert await me.state(change) == "asked"


async def test_a_forgotten_password_that_is_set_anew_stops_a_change(
    desk: Desk, post: Post, new: str
) -> None:
    change = (await (await asking(desk)).ask(new)).json()["id"]
    await answer(desk.http, "/account/forgotten", email=desk.email)
    messages = await post.to(desk.email)
    assert (await answer(desk.http, link_in(messages[-1]), password=NEW)).status_code == 200
    from sqlalchemy import select

    async with desk.world.database.work() as unit:
        await unit.begin()
        row = await unit.session.scalar(select(AddressChange).where(AddressChange.id == change))
        assert row is not None
        assert row.ended_because == "cancelled"


async def test_a_lost_answer_is_repeated(desk: Desk, new: str) -> None:
    me = await asking(desk)
    headers = {"Authorization": f"Bearer {me.token}", "Idempotency-Key": uuid4().hex}
    body = {"email": new, "password": PASSWORD}
    answers = [
        await desk.http.post("/v1/me/address-changes", json=body, headers=headers) for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert len((await me.call("GET")).json()["items"]) == 1


async def test_who_signs_in_elsewhere_has_no_address_here(desk: Desk, new: str) -> None:
    from app.models.people import SignInIdentity

    me = await asking(desk)
    row = SignInIdentity.id == desk.identity
    await change_rows(desk.world.database, SignInIdentity, where=row, password_hash=None)
    assert (await me.ask(new)).status_code == 409
