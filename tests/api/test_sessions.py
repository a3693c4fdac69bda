"""Codes, refresh tokens and sessions: used once, rotated, ended; what is stolen ends them all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.access.sessions import ended_lately
from app.actions import accounts
from app.actions.sign_in import forget_expired
from app.core import journal
from app.core.clock import now
from app.core.settings import settings
from app.models.sessions import Authorization, RefreshToken, Session
from tests.raw import LEAKS
from tests.signing_in import PASSWORD, App, Desk, answer_of, made_once, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture(scope="module")
async def shared(app: Any) -> AsyncIterator[Desk]:
    async with made_once(app) as found:
        yield found


async def refused(desk: Desk, form: dict[str, str], error: str = "invalid_grant") -> None:
    answer = await desk.token(form)
    assert answer.status_code == (401 if error == "invalid_client" else 400), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error"] == error, answer.text
    assert not LEAKS.search(answer.text)


async def ended(desk: Desk, access_token: str) -> bool:
    return (await desk.me(access_token)).status_code == 401


async def later(desk: Desk, table: Any, column: str, by: timedelta) -> None:
    """Moves the moments of all rows of this desk's person into the past."""
    async with desk.world.database.work() as unit:
        await unit.begin()
        person = desk.world.learner.id
        for row in await unit.session.scalars(select(table)):
            mine = getattr(row, "person_id", None)
            if mine is None:
                session = await unit.session.get(Session, row.session_id)
                mine = session.person_id if session else None
            if mine == person and getattr(row, column) is not None:
                setattr(row, column, getattr(row, column) - by)


WRONG_EXCHANGE: dict[str, tuple[dict[str, Any], str]] = {
    "another verifier": ({"code_verifier": "x" * 43}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "an empty verifier": ({"code_verifier": ""}, "invalid_request"),
    "a short verifier": ({"code_verifier": "x" * 42}, "invalid_request"),
    "the challenge as verifier": ({"code_verifier": "challenge"}, "invalid_grant"),
    "no address": ({"redirect_uri": None}, "invalid_grant"),
    "another address": ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
    "an address with more": ({"redirect_uri": "https://tandem.example/docs/oauth2-redirect/"}, "invalid_grant"),
    "another code": ({"code": "x" * 48}, "invalid_grant"),
    "an empty code": ({"code": ""}, "invalid_grant"),
    "no code": ({"code": None}, "invalid_request"),
    "no client": ({"client_id": None}, "invalid_client"),
    "another client": ({"client_id": "01890000-0000-7000-8000-000000000000"}, "invalid_client"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_EXCHANGE)
async def test_a_code_needs_all_that_belongs_to_it(shared: Desk, name: str) -> None:
    changed, error = WRONG_EXCHANGE[name]
    code = await shared.browser.code(shared.app, shared.email)
    if changed.get("code_verifier") == "challenge":
        changed = {"code_verifier": shared.app.request()["code_challenge"]}
    await refused(shared, shared.app.exchange(code, **changed), error)


async def test_a_code_is_used_up_by_who_presents_it_first(shared: Desk) -> None:
    code = await shared.browser.code(shared.app, shared.email)
    await refused(shared, shared.app.exchange(code, code_verifier="x" * 43))
    await refused(shared, shared.app.exchange(code))


async def test_a_code_of_one_client_is_nothing_for_another(desk: Desk) -> None:
    theirs = await desk.public("https://app.example/cb")
    code = await desk.browser.code(desk.app, desk.email)
    form = {**desk.app.exchange(code), "client_id": str(theirs.id)}
    await refused(desk, form)


async def test_a_code_that_comes_twice_ends_what_it_gave(desk: Desk) -> None:
    code = await desk.browser.code(desk.app, desk.email)
    given = (await desk.token(desk.app.exchange(code))).json()
    other = await desk.tokens()
    await refused(desk, desk.app.exchange(code))
    assert await ended(desk, given["access_token"])
    await refused(desk, desk.app.refresh(given["refresh_token"]))
    # Nobody else's, and no other of the same person.
    assert not await ended(desk, other["access_token"])
    (row,) = await desk.journaled(action="code_reused", owner_id=desk.world.learner.id)
    assert row["kind"] == "session"


async def test_a_code_lives_for_a_minute(desk: Desk) -> None:
    code = await desk.browser.code(desk.app, desk.email)
    await later(desk, Authorization, "expires_at", timedelta(seconds=61))
    await refused(desk, desk.app.exchange(code))


async def test_fifty_who_present_one_code_get_one_session_at_most(desk: Desk) -> None:
    code = await desk.browser.code(desk.app, desk.email)
    answers = await asyncio.gather(*(desk.token(desk.app.exchange(code)) for _ in range(50)))
    given = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(given) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    # Somebody came twice: what was given has ended.
    assert await ended(desk, given[0]["access_token"])


async def test_a_confidential_app_shows_its_secret_too(desk: Desk) -> None:
    app = await desk.confidential()
    code = await desk.browser.code(app, desk.email)
    await refused(desk, app.exchange(code, client_secret=None), "invalid_client")
    await refused(desk, app.exchange(code, client_secret="x"), "invalid_client")
    # PKCE is for them too.
    await refused(desk, app.exchange(code, code_verifier=None), "invalid_request")
    tokens = await desk.browser.tokens(app, desk.email)
    form = app.refresh(tokens["refresh_token"])
    await refused(desk, {**form, "client_secret": "x"}, "invalid_client")
    assert (await desk.token(form)).status_code == 200


async def test_a_refresh_gives_a_new_token_and_less_when_less_is_asked_for(desk: Desk) -> None:
    first = await desk.tokens()
    second = (await desk.token(desk.app.refresh(first["refresh_token"], scope="goals:read"))).json()
    assert second["scope"] == "goals:read"
    assert second["refresh_token"] != first["refresh_token"]
    third = (await desk.token(desk.app.refresh(second["refresh_token"]))).json()
    assert third["scope"] == "goals:read people:read"
    await refused(
        desk, desk.app.refresh(third["refresh_token"], scope="goals:write"), "invalid_scope"
    )
    # A refusal costs nothing.
    assert (await desk.token(desk.app.refresh(third["refresh_token"]))).status_code == 200


async def test_a_lost_answer_is_given_again_for_half_a_minute(desk: Desk) -> None:
    first = await desk.tokens()
    lost = (await desk.token(desk.app.refresh(first["refresh_token"]))).json()
    again = (await desk.token(desk.app.refresh(first["refresh_token"]))).json()
    assert again["refresh_token"] == lost["refresh_token"]
    assert not await ended(desk, again["access_token"])
    assert (await desk.token(desk.app.refresh(again["refresh_token"]))).status_code == 200


async def test_a_token_that_comes_again_after_its_successor_ends_the_family(desk: Desk) -> None:
    first = await desk.tokens()
    second = (await desk.token(desk.app.refresh(first["refresh_token"]))).json()
    third = (await desk.token(desk.app.refresh(second["refresh_token"]))).json()
    other = await desk.tokens()
    await refused(desk, desk.app.refresh(first["refresh_token"]))
    for tokens in (first, second, third):
        await refused(desk, desk.app.refresh(tokens["refresh_token"]))
        assert await ended(desk, tokens["access_token"])
    assert not await ended(desk, other["access_token"])
    assert len(await desk.journaled(action="refresh_reused", owner_id=desk.world.learner.id)) == 1


async def test_a_token_that_comes_again_after_half_a_minute_ends_the_family(desk: Desk) -> None:
    first = await desk.tokens()
    second = (await desk.token(desk.app.refresh(first["refresh_token"]))).json()
    await later(desk, RefreshToken, "used_at", timedelta(seconds=31))
    await refused(desk, desk.app.refresh(first["refresh_token"]))
    await refused(desk, desk.app.refresh(second["refresh_token"]))
    assert await ended(desk, second["access_token"])


async def test_a_refresh_token_is_one_clients(desk: Desk) -> None:
    theirs = await desk.public("https://app.example/cb")
    tokens = await desk.tokens()
    await refused(desk, theirs.refresh(tokens["refresh_token"]))
    # Who has only copied it cannot end the session through a client of their own.
    assert (await desk.token(desk.app.refresh(tokens["refresh_token"]))).status_code == 200


@pytest.mark.parametrize("sent", ["", "x", "é", "x" * 10_000, "0" * 64])
async def test_what_is_no_refresh_token_is_refused(shared: Desk, sent: str) -> None:
    await refused(shared, shared.app.refresh(sent))


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(shared: Desk) -> None:
    tokens = await shared.tokens()
    await refused(shared, shared.app.refresh(tokens["access_token"]))
    assert (await shared.me(tokens["refresh_token"])).status_code == 401


async def test_a_session_ends_at_its_day_however_often_it_is_refreshed(desk: Desk) -> None:
    tokens = await desk.tokens()
    days = timedelta(days=settings().session_days)
    await later(desk, Session, "expires_at", days - timedelta(minutes=1))
    tokens = (await desk.token(desk.app.refresh(tokens["refresh_token"]))).json()
    await later(desk, Session, "expires_at", timedelta(minutes=2))
    await refused(desk, desk.app.refresh(tokens["refresh_token"]))


async def test_nothing_that_lets_in_is_kept_as_it_is(desk: Desk) -> None:
    code = await desk.browser.code(desk.app, desk.email)
    tokens = (await desk.token(desk.app.exchange(code))).json()
    after = (await desk.token(desk.app.refresh(tokens["refresh_token"]))).json()
    let_in = [code, tokens["refresh_token"], after["refresh_token"], after["access_token"]]
    async with desk.world.database.work() as unit:
        await unit.begin()
        for table in (Authorization, RefreshToken, Session):
            for row in await unit.session.scalars(select(table)):
                kept = [str(getattr(row, column.key)) for column in table.__table__.columns]
                assert not set(let_in) & set(kept)


async def test_a_session_keeps_when_it_was_last_used(desk: Desk) -> None:
    tokens = await desk.tokens()
    await later(desk, Session, "last_used_at", timedelta(days=2))
    await desk.token(desk.app.refresh(tokens["refresh_token"]))
    async with desk.world.database.work() as unit:
        await unit.begin()
        (session,) = await unit.session.scalars(
            select(Session).where(Session.person_id == desk.world.learner.id)
        )
        assert now() - session.last_used_at < timedelta(minutes=5)
        assert session.identity_id == desk.identity
        assert session.method == "password"
        assert session.expires_at - session.created_at == timedelta(days=settings().session_days)


async def test_closing_a_way_in_ends_its_sessions_and_nobody_elses(desk: Desk) -> None:
    """13b: of one person who came in by two schools, one session ends."""
    world = desk.world
    email = f"own.{desk.email}"
    async with world.database.work() as unit:
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=email,
            password="y" * 20,
        )
    mine = await desk.tokens()
    page = await desk.browser.open(desk.app.request())
    answer = await desk.browser.sign_in(page, email, "y" * 20)

    other = (await desk.token(desk.app.exchange(answer_of(answer)["code"]))).json()
    page = await desk.browser.open(desk.app.request(scope="goals:read goals:write"))
    question = await desk.browser.sign_in(page, desk.email)
    async with world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=desk.identity)
    assert await ended(desk, mine["access_token"])
    await refused(desk, desk.app.refresh(mine["refresh_token"]))
    assert not await ended(desk, other["access_token"])
    assert (await desk.token(desk.app.refresh(other["refresh_token"]))).status_code == 200
    assert (await desk.browser.sign_in(page, desk.email)).status_code == 403
    # Nor does who was on the way come in.
    back = await desk.browser.decide(question)
    if back.status_code == 303:
        code = answer_of(back).get("code", "")
        await refused(desk, desk.app.exchange(code))


async def test_disabling_a_client_ends_what_it_was_given(desk: Desk) -> None:
    app = await desk.confidential()
    own = (await desk.token({"grant_type": "client_credentials", **app.credentials()})).json()
    theirs = await desk.browser.tokens(app, desk.email)
    other = await desk.tokens()
    async with desk.world.database.work() as unit:
        await accounts.disable_client(unit, actor=journal.COMMAND_LINE, client_id=app.id)
    assert await ended(desk, own["access_token"])
    assert await ended(desk, theirs["access_token"])
    await refused(desk, app.refresh(theirs["refresh_token"]), "invalid_client")
    assert not await ended(desk, other["access_token"])


async def test_what_ends_elsewhere_ends_here_with_the_next_look(desk: Desk) -> None:
    """Another process has ended it: the row alone says so."""
    from app.jobs.following import EVERY_SECONDS, follow

    tokens, other = await desk.tokens(), await desk.tokens()
    assert not await ended(desk, tokens["access_token"])
    introspected = desk.world.app.state.tokens.verify(tokens["access_token"])
    async with desk.world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Session)
            .where(Session.id == introspected.session)
            .values(ended_at=now(), ended_because="revoked")
        )
    assert introspected.session in await ended_lately(desk.world.database)
    await follow(desk.world.database, desk.world.app.state.tokens)
    assert await ended(desk, tokens["access_token"])
    assert not await ended(desk, other["access_token"])
    assert EVERY_SECONDS <= 20


async def test_signing_out_ends_the_session(desk: Desk) -> None:
    for kind in ("refresh_token", "access_token"):
        tokens, other = await desk.tokens(), await desk.tokens()
        form = {"token": tokens[kind], "token_type_hint": kind, **desk.app.credentials()}
        done = await desk.http.post("/oauth/revoke", data=form)
        assert (done.status_code, done.json()) == (200, {})
        assert await ended(desk, tokens["access_token"])
        await refused(desk, desk.app.refresh(tokens["refresh_token"]))
        assert not await ended(desk, other["access_token"])
        # Once more is no mistake.
        assert (await desk.http.post("/oauth/revoke", data=form)).status_code == 200


async def test_nobody_signs_another_clients_people_out(desk: Desk) -> None:
    theirs = await desk.public("https://app.example/cb")
    tokens = await desk.tokens()
    for kind in ("refresh_token", "access_token"):
        form = {"token": tokens[kind], **theirs.credentials()}
        assert (await desk.http.post("/oauth/revoke", data=form)).status_code == 200
    assert not await ended(desk, tokens["access_token"])
    nobody = await desk.http.post("/oauth/revoke", data={"token": tokens["refresh_token"]})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    app = await desk.confidential()
    for form, error in (
        ({**app.credentials()}, "invalid_request"),
        ({**app.credentials(), "token": ""}, "invalid_request"),
        ({**app.credentials(), "token": "x", "client_secret": "x"}, "invalid_client"),
    ):
        answer = await desk.http.post("/oauth/revoke", data=form)
        assert answer.json()["error"] == error
    for token in ("x", "x.y.z", "é", "x" * 9000):
        form = {**app.credentials(), "token": token, "token_type_hint": "unknown"}
        assert (await desk.http.post("/oauth/revoke", data=form)).status_code == 200
    own = (await desk.token({"grant_type": "client_credentials", **app.credentials()})).json()
    form = {**app.credentials(), "token": own["access_token"]}
    answer = await desk.http.post("/oauth/revoke", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")


async def test_a_client_asks_about_its_own_tokens(desk: Desk) -> None:
    app = await desk.confidential()
    tokens = await desk.browser.tokens(app, desk.email)

    async def ask(token: str, who: App = app) -> dict[str, Any]:
        form = {"token": token, **who.credentials()}
        answer = await desk.http.post("/oauth/introspect", data=form)
        assert answer.headers["cache-control"] == "no-store"
        found: dict[str, Any] = answer.json()
        return found

    access = await ask(tokens["access_token"])
    assert access == {
        "active": True,
        "client_id": str(app.id),
        "iss": "https://tandem.example",
        "aud": "https://tandem.example",
        "sub": str(desk.world.learner.id),
        "scope": "goals:read people:read",
        "token_type": "Bearer",
        "exp": access["iat"] + 900,
        "iat": access["iat"],
        "jti": access["jti"],
    }
    refresh = await ask(tokens["refresh_token"])
    assert (refresh["active"], refresh["token_type"]) == (True, "refresh_token")
    own = (await desk.token({"grant_type": "client_credentials", **app.credentials()})).json()
    assert (await ask(own["access_token"]))["sub"] == str(app.id)
    others = await desk.tokens()
    elsewhere = await desk.confidential("https://elsewhere.example/cb")
    dead = {"active": False}
    for token in ("x", "x.y.z", others["access_token"], others["refresh_token"]):
        assert await ask(token) == dead
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert await ask(token, elsewhere) == dead
        assert (await ask(token, desk.app))["error"] == "invalid_client"
    after = (await desk.token(app.refresh(tokens["refresh_token"]))).json()
    assert await ask(tokens["refresh_token"]) == dead
    assert (await ask(after["refresh_token"]))["active"]
    form = {"token": after["refresh_token"], **app.credentials()}
    await desk.http.post("/oauth/revoke", data=form)
    for token in (tokens["access_token"], after["access_token"], after["refresh_token"]):
        assert await ask(token) == dead


async def test_the_password_grant_begins_a_session_that_can_be_ended(desk: Desk) -> None:

    form = {"grant_type": "password", "username": desk.email, "password": PASSWORD}
    token = (await desk.token(form)).json()["access_token"]
    assert not await ended(desk, token)
    async with desk.world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=desk.identity)
    assert await ended(desk, token)


async def test_what_is_over_is_forgotten_and_what_is_not_stays(desk: Desk) -> None:
    app = await desk.confidential()
    tokens = await desk.browser.tokens(app, desk.email)
    live = await desk.browser.tokens(app, desk.email)
    session = desk.world.app.state.tokens.verify(tokens["access_token"]).session
    form = {"token": tokens["refresh_token"], **app.credentials()}
    await desk.http.post("/oauth/revoke", data=form)

    async def kept() -> tuple[int, int, int]:
        async with desk.world.database.work() as unit:
            await forget_expired(unit)
            mine = desk.world.learner.id
            counted = []
            for table, condition in (
                (Session, Session.person_id == mine),
                (RefreshToken, RefreshToken.session_id == session),
                (Authorization, Authorization.person_id == mine),
            ):
                counted.append(
                    len((await unit.session.scalars(select(table).where(condition))).all())
                )
            return counted[0], counted[1], counted[2]

    assert await kept() == (2, 1, 2)
    await later(desk, Authorization, "expires_at", timedelta(days=2))
    assert await kept() == (2, 1, 0)
    await later(desk, Session, "ended_at", timedelta(days=91))
    assert await kept() == (1, 0, 0)
    assert (await desk.token(app.refresh(live["refresh_token"]))).status_code == 200
