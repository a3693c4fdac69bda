"""Who guesses passwords is stopped, and keeps nobody else out."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from app.access.attempts import for_account, for_network
from app.core.clock import now
from app.core.settings import settings
from app.models.ways_in import FailedAttempt
from tests.mailboxes import NEW, Post, answer, change_rows
from tests.signing_in import PASSWORD, Browser, Desk, hidden, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch, app: object) -> None:
    monkeypatch.setattr(settings(), "failures_account", 5)
    monkeypatch.setattr(settings(), "failures_address", 10)


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


def somewhere() -> str:
    """An address of the network that nobody has used."""
    tail = uuid4().int
    return f"2001:db8:{tail & 0xFFFF:x}:{tail >> 16 & 0xFFFF:x}::1"


def at(desk: Desk, host: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(desk.world.app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="https://tandem.example")


async def guess(http: httpx.AsyncClient, email: str, password: str = "wrong") -> httpx.Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await http.post("/oauth/token", data=form)


async def guess_on_the_page(
    desk: Desk, http: httpx.AsyncClient, email: str, password: str = "wrong"
) -> httpx.Response:
    page = await Browser(http).open(desk.app.request())
    return await Browser(http).sign_in(page, email, password)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_after_five_wrong_passwords_an_account_waits(desk: Desk, known: bool) -> None:
    email = desk.email if known else f"{uuid4().hex}@school.example"
    before = len(await desk.journaled(action="sign_in_failed"))
    for number in range(5):
        async with at(desk, somewhere()) as http:
            wrong = await guess(http, email if number % 2 else email.upper())
            assert wrong.status_code == 400
    async with at(desk, somewhere()) as http:
        refused = await guess(http, email, PASSWORD)
        assert refused.status_code == 429
        assert 1700 < int(refused.headers["retry-after"]) <= 1800
        assert refused.json()["type"].endswith("/problems/too-many-requests")
        shown = await guess_on_the_page(desk, http, email, PASSWORD)
        assert shown.status_code == 429
        assert "Try again in 30 minutes" in shown.text
        assert int(shown.headers["retry-after"]) > 1700
    # What is refused is not written: nobody fills the journal.
    assert len(await desk.journaled(action="sign_in_failed")) == before + 5


async def test_the_failures_of_half_an_hour_count(desk: Desk) -> None:
    async with at(desk, somewhere()) as http:
        for _ in range(5):
            await guess(http, desk.email)
        assert (await guess(http, desk.email, PASSWORD)).status_code == 429
    row = FailedAttempt.key_hash == for_account(desk.email).hash
    earlier = now() - timedelta(minutes=30)
    await change_rows(desk.world.database, FailedAttempt, where=row, at=earlier)
    async with at(desk, somewhere()) as http:
        assert (await guess(http, desk.email, PASSWORD)).status_code == 200


async def test_an_address_has_ten_in_five_minutes_whoever_is_named(desk: Desk) -> None:
    here = somewhere()
    async with at(desk, here) as http:
        for _ in range(10):
            assert (await guess(http, f"{uuid4().hex}@school.example")).status_code == 400
        refused = await guess(http, desk.email, PASSWORD)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 300
    # An IPv6 connection has a whole /64.
    async with at(desk, here.replace("::1", ":9:8:7:6")) as http:
        assert (await guess(http, desk.email, PASSWORD)).status_code == 429
    async with at(desk, somewhere()) as http:
        assert (await guess(http, desk.email, PASSWORD)).status_code == 200


async def test_a_hundred_at_once_are_not_a_hundred_guesses(desk: Desk) -> None:
    clients = [at(desk, somewhere()) for _ in range(20)]
    answers = await asyncio.gather(*(guess(http, desk.email) for http in clients))
    for http in clients:
        await http.aclose()
    assert sorted(a.status_code for a in answers) == [400] * 5 + [429] * 15


async def test_thirty_teachers_of_one_school_sign_in_at_once(desk: Desk, world: World) -> None:
    here = somewhere()
    async with at(desk, here) as http:
        answers = await asyncio.gather(*(guess(http, desk.email, PASSWORD) for _ in range(30)))
    assert {a.status_code for a in answers} == {200}


async def test_who_is_right_has_only_mistyped(desk: Desk) -> None:
    async with at(desk, somewhere()) as http:
        for _ in range(3):
            for _ in range(3):
                await guess(http, desk.email)
            assert (await guess(http, desk.email, PASSWORD)).status_code == 200


async def test_nobody_is_kept_out_of_a_browser_in_which_they_have_signed_in(desk: Desk) -> None:
    school = somewhere()
    async with at(desk, school) as mine:
        first = await guess_on_the_page(desk, mine, desk.email, PASSWORD)
        assert first.status_code == 200
        for _ in range(6):
            async with at(desk, somewhere()) as elsewhere:
                await guess(elsewhere, desk.email)
        # Nor by a pupil on the school's own network.
        async with at(desk, school) as pupil:
            for _ in range(12):
                last = await guess(pupil, f"{uuid4().hex}@school.example")
            assert last.status_code == 429
        assert (await guess_on_the_page(desk, mine, desk.email, PASSWORD)).status_code == 200
        # In that browser five are counted, too.
        for _ in range(5):
            assert (await guess_on_the_page(desk, mine, desk.email)).status_code == 403
        assert (await guess_on_the_page(desk, mine, desk.email, PASSWORD)).status_code == 429
    async with at(desk, somewhere()) as new:
        assert (await guess_on_the_page(desk, new, desk.email, PASSWORD)).status_code == 429


async def test_what_a_browser_keeps_counts_for_that_account_alone(desk: Desk) -> None:
    other = await make_desk(desk.world)
    async with at(desk, somewhere()) as mine:
        await guess_on_the_page(desk, mine, other.email, PASSWORD)
        kept = mine.cookies["__Host-known"]
        assert str(other.identity) not in kept
        for _ in range(5):
            await guess_on_the_page(desk, mine, desk.email)
        assert (await guess_on_the_page(desk, mine, desk.email)).status_code == 429
        for forged in (kept[:-1] + ("0" if kept[-1] != "0" else "1"), "x", "~" * 2000, "a.1.2"):
            mine.cookies.delete("__Host-known")
            mine.cookies.set("__Host-known", forged)
            seen = await guess_on_the_page(desk, mine, desk.email, PASSWORD)
            assert seen.status_code == 429


async def test_a_link_lets_in_whoever_is_kept_out(desk: Desk) -> None:
    for _ in range(5):
        async with at(desk, somewhere()) as http:
            await guess(http, desk.email)
    post = Post(desk.world.app)
    async with at(desk, somewhere()) as mine:
        assert (await guess_on_the_page(desk, mine, desk.email, PASSWORD)).status_code == 429
        await answer(mine, "/account/forgotten", email=desk.email)
        done = await answer(mine, await post.link(desk.email), password=NEW)
        assert done.status_code == 200
        assert (await guess_on_the_page(desk, mine, desk.email, NEW)).status_code == 200


async def test_requests_for_links_and_wrong_links_are_counted(desk: Desk) -> None:
    async with at(desk, somewhere()) as http:
        for _ in range(10):
            assert (await answer(http, "/account/forgotten", email=desk.email)).status_code == 200
        refused = await answer(http, "/account/forgotten", email=desk.email)
        assert refused.status_code == 429
        assert "minutes" in refused.text
    async with at(desk, somewhere()) as http:
        fields = hidden((await http.get("/account/forgotten")).text)
        for _ in range(10):
            form = {**fields, "token": "A" * 43, "password": NEW}
            assert (await http.post("/account/password", data=form)).status_code == 400
        assert (await http.post("/account/invitation", data=form)).status_code == 429
        assert int((await http.post("/account/address", data=form)).headers["retry-after"]) > 0


async def test_a_stolen_session_guesses_five_times(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests have guessed from the same address.
    monkeypatch.setattr(settings(), "failures_address", 1000)
    token = (await desk.tokens(scope="account:write"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"current_password": "wrong", "new_password": NEW}
    for _ in range(5):
        wrong = await desk.http.put("/v1/me/password", json=body, headers=headers)
        assert wrong.status_code == 422
    refused = await desk.http.put("/v1/me/password", json=body, headers=headers)
    assert refused.status_code == 429
    async with at(desk, somewhere()) as http:
        assert (await guess(http, desk.email, PASSWORD)).status_code == 200


async def test_a_clients_secret_is_guessed_ten_times_from_one_address(desk: Desk) -> None:
    app = await desk.confidential()
    right = {"grant_type": "client_credentials", **app.credentials(), "scope": "goals:read"}
    wrong = {**right, "client_secret": "wrong"}
    async with at(desk, somewhere()) as http:
        for _ in range(10):
            assert (await http.post("/oauth/token", data=wrong)).status_code == 401
        refused = await http.post("/oauth/token", data=right)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        # A neighbour at the same address, whose secret is right, is served.
        other = await desk.confidential()
        form = {**right, **other.credentials()}
        assert (await http.post("/oauth/token", data=form)).status_code == 200
    async with at(desk, somewhere()) as http:
        assert (await http.post("/oauth/token", data=right)).status_code == 200


async def test_unknown_clients_are_counted_together(desk: Desk) -> None:
    async with at(desk, somewhere()) as http:
        for number in range(11):
            form = {"grant_type": "client_credentials", "client_id": str(uuid4())}
            seen = await http.post("/oauth/token", data={**form, "client_secret": "x"})
            assert seen.status_code == (401 if number < 10 else 429)


def test_a_key_names_nobody_in_clear() -> None:
    for key in (for_account("sian@school.example"), for_network("192.0.2.1")):
        assert "sian" not in key.hash
        assert "192" not in key.hash[:3]
        assert len(key.hash) == 64
