"""Passwords: forgotten and set by a link, changed by who is signed in, chosen well."""

import asyncio
import re
import unicodedata
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from app.api.sign_in.account_words import ENGLISH, WELSH
from app.core.clock import now
from app.core.passwords import verify_password
from app.models.people import SignInIdentity
from app.models.ways_in import PasswordReset
from tests.mailboxes import NEW, Post, answer, change_rows, link_in, token_in
from tests.signing_in import PASSWORD, Browser, Desk, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture
def post(app: Any) -> Post:
    return Post(app)


async def forget(http: httpx.AsyncClient, email: str, **headers: str) -> httpx.Response:
    return await answer(http, "/account/forgotten", email=email)


async def signs_in(desk: Desk, password: str, email: str | None = None) -> bool:
    form = {"grant_type": "password", "username": email or desk.email, "password": password}
    return (await desk.token(form)).status_code == 200


async def test_a_forgotten_password_is_set_by_a_link(desk: Desk, post: Post) -> None:
    before = await desk.tokens()
    other = await desk.tokens()
    sent = await forget(desk.http, desk.email)
    assert ENGLISH["sent_why"] in sent.text
    link = await post.link(desk.email)
    # Scanners look at it as often as they like.
    for _ in range(3):
        page = await desk.http.get(link)
        assert page.status_code == 200
    done = await answer(desk.http, link, page, password=NEW)
    assert done.status_code == 200, done.text
    assert ENGLISH["password_set"] in done.text
    assert await signs_in(desk, NEW)
    assert not await signs_in(desk, PASSWORD)
    for tokens in (before, other):
        assert (await desk.me(tokens["access_token"])).status_code == 401
        refreshed = await desk.token(desk.app.refresh(tokens["refresh_token"]))
        assert refreshed.status_code == 400
    assert "was changed" in (await post.one(desk.email))["Subject"]


async def test_a_reset_link_is_used_once_and_a_lost_answer_does_no_harm(
    desk: Desk, post: Post
) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    page = await desk.http.get(link)
    assert (await answer(desk.http, link, page, password=NEW)).status_code == 200
    again = await answer(desk.http, link, page, password="another three words here")
    assert again.status_code == 400
    assert ENGLISH["link_over"] in again.text
    assert await signs_in(desk, NEW)


async def test_of_two_posts_of_one_link_one_wins(desk: Desk, post: Post) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    page = await desk.http.get(link)
    chosen = [f"three words and {number}" for number in ("one", "two", "three")]
    answers = await asyncio.gather(
        *(answer(desk.http, link, page, password=password) for password in chosen)
    )
    assert sorted(a.status_code for a in answers) == [200, 400, 400]
    won = chosen[[a.status_code for a in answers].index(200)]
    assert [p for p in chosen if await signs_in(desk, p)] == [won]


async def test_a_newer_password_ends_older_links(desk: Desk, post: Post) -> None:
    links = []
    for _ in range(2):
        await forget(desk.http, desk.email)
        links.append(await post.link(desk.email))
    assert links[0] != links[1]
    assert (await answer(desk.http, links[1], password=NEW)).status_code == 200
    assert (await desk.http.get(links[0])).status_code == 400


async def test_a_reset_link_lives_for_an_hour(desk: Desk, post: Post) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    page = await desk.http.get(link)
    row = PasswordReset.identity_id == desk.identity
    async with desk.world.database.work() as unit:
        await unit.begin()
        found = await unit.session.scalar(select(PasswordReset).where(row))
        assert found is not None
        assert found.expires_at - found.created_at == timedelta(hours=1)
        assert token_in(link) not in (found.secret_hash, str(found.id))
    await change_rows(desk.world.database, PasswordReset, where=row, expires_at=now())
    assert (await answer(desk.http, link, page, password=NEW)).status_code == 400
    assert (await desk.http.get(link)).status_code == 400
    assert await signs_in(desk, PASSWORD)


async def test_a_known_and_an_unknown_address_look_the_same(desk: Desk, post: Post) -> None:
    unknown = f"{uuid4().hex}@school.example"
    seen = set()
    for email in (desk.email, unknown, "", "x" * 2000, desk.email.upper()):
        sent = await forget(desk.http, email)
        assert sent.status_code == 200
        assert email == "" or email[:30] not in sent.text
        seen.add(sent.text)
    assert len(seen) == 1
    assert await post.to(unknown) == []
    assert len(await post.to(desk.email)) == 2


async def test_nobodys_mailbox_is_filled(desk: Desk, post: Post) -> None:
    for _ in range(6):
        assert (await forget(desk.http, desk.email)).status_code == 200
    assert len(await post.to(desk.email)) == 3


async def test_who_signs_in_elsewhere_is_told_so(desk: Desk, post: Post) -> None:
    row = SignInIdentity.id == desk.identity
    await change_rows(desk.world.database, SignInIdentity, where=row, password_hash=None)
    await forget(desk.http, desk.email)
    message = await post.one(desk.email)
    assert "through your organisation" in message.get_content()
    assert "/account/" not in message.get_content()


async def test_a_closed_way_in_is_not_opened_by_a_link(desk: Desk, post: Post) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    page = await desk.http.get(link)
    row = SignInIdentity.id == desk.identity
    await change_rows(desk.world.database, SignInIdentity, where=row, closed_at=now())
    assert (await answer(desk.http, link, page, password=NEW)).status_code == 400
    await forget(desk.http, desk.email)
    assert await post.to(desk.email) == []


@pytest.mark.parametrize("page", ["password", "invitation", "address", "address-refusal"])
async def test_a_forged_link_leads_nowhere(desk: Desk, page: str) -> None:
    for token in ("", "x", "é" * 50, "A" * 43, "A" * 5000):
        found = await desk.http.get(f"/account/{page}", params={"token": token})
        assert found.status_code == 400
        assert ENGLISH["link_over"] in found.text


async def test_another_browser_cannot_send_the_form(desk: Desk, post: Post) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    page = await desk.http.get(link)
    transport = desk.http._transport
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as other:
        refused = await answer(other, link, page, password=NEW)
        assert refused.status_code == 400
        assert ENGLISH["form_over"] in refused.text
    assert await signs_in(desk, PASSWORD)


async def test_the_pages_are_closed_and_in_both_languages(desk: Desk, post: Post) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    for path in ("/account/forgotten", link, "/account/password?token=x"):
        page = await desk.http.get(path)
        assert "script" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
    page = await desk.http.get(link, headers={"Accept-Language": "cy"})
    assert WELSH["password"] in page.text
    assert '<html lang="cy">' in page.text
    assert (await desk.http.get("/account/nothing")).status_code == 404
    assert set(ENGLISH) == set(WELSH)


async def test_the_sign_in_page_leads_to_it(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    (path,) = re.findall(r'href="(/account/forgotten[^"]*)"', page.text)
    assert (await desk.http.get(path)).status_code == 200


WEAK = {
    "": "weak_short",
    "eleven char": "weak_short",
    "password1234": "weak_easy",
    "qwertyuiop12": "weak_easy",
    "aaaaaaaaaaaaaaaa": "weak_easy",
    "x" * 257: "weak_long",
    "three words \x07 and": "weak_control",
}


@pytest.mark.parametrize("password", WEAK, ids=lambda password: WEAK[password])
async def test_a_weak_password_is_refused_and_the_link_stays_good(
    desk: Desk, post: Post, password: str
) -> None:
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    refused = await answer(desk.http, link, password=password)
    assert refused.status_code == 403
    assert ENGLISH[WEAK[password]] in refused.text
    assert (await answer(desk.http, link, refused, password=NEW)).status_code == 200


async def put(desk: Desk, token: str, current: str, new: str) -> httpx.Response:
    return await desk.http.put(
        "/v1/me/password",
        json={"current_password": current, "new_password": new},
        headers={"Authorization": f"Bearer {token}"},
    )


async def account_token(desk: Desk) -> dict[str, Any]:
    return await desk.tokens(scope="account:write account:read people:read")


async def test_who_is_signed_in_changes_their_password(desk: Desk, post: Post) -> None:
    mine, other = await account_token(desk), await desk.tokens()
    done = await put(desk, mine["access_token"], PASSWORD, NEW)
    assert done.status_code == 204, done.text
    assert (await desk.me(mine["access_token"])).status_code == 200
    assert (await desk.me(other["access_token"])).status_code == 401
    assert (await desk.token(desk.app.refresh(mine["refresh_token"]))).status_code == 200
    assert (await desk.token(desk.app.refresh(other["refresh_token"]))).status_code == 400
    assert await signs_in(desk, NEW)
    assert not await signs_in(desk, PASSWORD)
    assert "was changed" in (await post.one(desk.email))["Subject"]


async def test_a_wrong_or_weak_password_is_named(desk: Desk) -> None:
    token = (await account_token(desk))["access_token"]
    name = desk.world.learner.name.split()[1]
    for current, new, pointer in (
        ("wrong", NEW, "/current_password"),
        (PASSWORD, "short", "/new_password"),
        (PASSWORD, PASSWORD, "/new_password"),
        (PASSWORD, f"Learner {name} 2026!", "/new_password"),
        (PASSWORD, desk.email, "/new_password"),
        (PASSWORD, "x" * 1001, "/new_password"),
    ):
        refused = await put(desk, token, current, new)
        assert refused.status_code == 422, refused.text
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await signs_in(desk, PASSWORD)


async def test_of_two_changes_at_once_one_wins(desk: Desk) -> None:
    token = (await account_token(desk))["access_token"]
    chosen = [NEW, "another three good words"]
    answers = await asyncio.gather(*(put(desk, token, PASSWORD, new) for new in chosen))
    assert sorted(a.status_code for a in answers)[0] == 204
    assert {a.status_code for a in answers} <= {204, 409, 422}
    assert sum([await signs_in(desk, password) for password in chosen]) == 1


async def test_welsh_letters_are_the_same_however_they_are_typed(desk: Desk, post: Post) -> None:
    composed = unicodedata.normalize("NFC", "tŷ gŵyn ar ben y bryn")
    await forget(desk.http, desk.email)
    link = await post.link(desk.email)
    typed = unicodedata.normalize("NFD", composed)
    assert (await answer(desk.http, link, password=typed)).status_code == 200
    assert await signs_in(desk, composed)
    assert await signs_in(desk, typed)


async def test_an_older_hash_is_made_anew_on_signing_in(desk: Desk) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    old = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8192)]).hash(PASSWORD)
    row = SignInIdentity.id == desk.identity
    await change_rows(desk.world.database, SignInIdentity, where=row, password_hash=old)
    assert not await signs_in(desk, "wrong")
    assert await stored(desk) == old
    assert await signs_in(desk, PASSWORD)
    made = await stored(desk)
    assert made != old
    assert (await verify_password(PASSWORD, made)) == (True, None)
    assert "code" in str(await desk.browser.code(desk.app, desk.email) and "code")


async def stored(desk: Desk) -> str:
    async with desk.world.database.work() as unit:
        await unit.begin()
        identity = await unit.session.get(SignInIdentity, desk.identity)
        assert identity is not None
        assert identity.password_hash is not None
        return identity.password_hash


async def test_a_sign_in_under_way_with_the_old_password_ends(desk: Desk, post: Post) -> None:
    page = await desk.browser.open(desk.app.request())
    question = await desk.browser.sign_in(page, desk.email)
    assert question.status_code == 200
    await forget(desk.http, desk.email)
    assert (await answer(desk.http, await post.link(desk.email), password=NEW)).status_code == 200
    assert (await desk.browser.decide(question)).status_code == 400


async def test_the_address_is_found_however_it_is_typed(world: World, post: Post) -> None:
    from app.actions import accounts
    from app.core import journal

    tail = uuid4().hex[:8]
    email = f"siân.{tail}@ysgol-tŷ-gwyn.example"
    async with world.database.work() as unit:
        identity = await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=email,
            password=PASSWORD,
        )
    desk = Desk(world, Browser(world.http), email, identity, (await make_desk(world)).app)
    in_ascii = f"siân.{tail}@" + "ysgol-tŷ-gwyn".encode("idna").decode() + ".example"
    for typed in (email.upper(), unicodedata.normalize("NFD", email), f" {email} ", in_ascii):
        assert await signs_in(desk, PASSWORD, typed), typed
    await forget(world.http, unicodedata.normalize("NFD", email).upper())
    assert link_in((await post.to(in_ascii))[0])
