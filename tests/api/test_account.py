"""What a person sees and does about their own account: second factors, sessions, consents, ways in."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.core.clock import now
from app.core.ids import uuid7
from app.core.settings import settings
from tests.second_factors import Authenticator, enrolled
from tests.signing_in import PASSWORD, Desk, make_desk
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio

ACCOUNT = "account:read account:write people:read"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def signed_in(desk: Desk, scope: str = ACCOUNT) -> Actor:
    """The desk's person, with a session of their own."""
    token = (await desk.tokens(scope=scope))["access_token"]
    return Actor(desk.http, desk.world.learner.id, token)


async def is_out(actor: Actor) -> bool:
    return (await actor.get("/v1/me")).status_code == 401


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def set_up(me: Actor, **body: Any) -> tuple[str, Authenticator]:
    """An app that is begun, and its id."""
    begun = await me.post("/v1/me/second-factors", json=body)
    assert begun.status_code == 201, begun.text
    assert begun.headers["cache-control"] == "no-store"
    found = begun.json()
    assert f"secret={found['secret']}" in found["otpauth_uri"]
    return found["id"], Authenticator(found["secret"])


def at(factor: str, what: str) -> str:
    return f"/v1/me/second-factors/{factor}/{what}"


async def test_a_person_sets_up_an_app_and_it_counts_when_a_code_has_confirmed_it(
    desk: Desk,
) -> None:
    me = desk.world.learner
    factor, app = await set_up(me, name="Ffôn Mair")
    listed = (await me.get("/v1/me/second-factors")).json()
    assert [(one["name"], one["confirmed_at"]) for one in listed["items"]] == [("Ffôn Mair", None)]
    assert app.secret not in str(listed)
    assert (await desk.tokens())["access_token"], "it does not count yet"
    wrong = await me.post(at(factor, "confirmation"), json={"code": app.wrong()})
    assert names(wrong) == ["/code"]
    done = await me.post(at(factor, "confirmation"), json={"code": app.code()})
    assert done.status_code == 200, done.text
    assert done.headers["cache-control"] == "no-store"
    assert len(set(done.json()["recovery_codes"])) == 10
    page = await desk.browser.open(desk.app.request())
    asked = await desk.browser.sign_in(page, desk.email)
    assert 'autocomplete="one-time-code"' in asked.text
    again = await me.post(at(factor, "confirmation"), json={"code": app.code()})
    assert again.status_code == 409
    listed = (await me.get("/v1/me/second-factors")).json()
    assert (listed["recovery_codes_left"], listed["required"]) == (10, False)


async def test_the_first_app_takes_a_sign_in_that_is_not_long_ago(desk: Desk) -> None:
    world = desk.world
    for signed_in in (int(now().timestamp()) - 1860, None):
        stale = world.app.state.tokens.issue(
            subject=world.learner.id,
            client=PUBLIC_CLIENT,
            scopes=frozenset(SCOPES),
            session=uuid7(),
            signed_in=signed_in,
        )
        me = Actor(desk.http, world.learner.id, stale)
        refused = await me.post("/v1/me/second-factors", json={})
        assert refused.status_code == 401
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]


async def test_another_app_takes_a_code_of_the_first(desk: Desk) -> None:
    app, me = await enrolled(desk), desk.world.learner
    assert names(await me.post("/v1/me/second-factors", json={})) == ["/code"]
    wrong = await me.post("/v1/me/second-factors", json={"code": app.wrong()})
    assert names(wrong) == ["/code"]
    factor, second = await set_up(me, code=app.code())
    done = await me.post(at(factor, "confirmation"), json={"code": second.code()})
    assert done.json()["recovery_codes"] is None
    for _ in range(3):
        factor, another = await set_up(me, code=app.recovery_codes.pop())
        await me.post(at(factor, "confirmation"), json={"code": another.code()})
    many = await me.post("/v1/me/second-factors", json={"code": app.recovery_codes.pop()})
    assert many.status_code == 409


async def test_an_app_is_removed_with_a_code_or_a_recovery_code(desk: Desk) -> None:
    app, me = await enrolled(desk), desk.world.learner
    listed = (await me.get("/v1/me/second-factors")).json()
    factor = listed["items"][0]["id"]
    assert names(await me.post(at(factor, "removal"), json={"code": app.wrong()})) == ["/code"]
    gone = await me.post(at(factor, "removal"), json={"code": app.recovery_codes[0]})
    assert gone.status_code == 204, gone.text
    listed = (await me.get("/v1/me/second-factors")).json()
    assert (listed["items"], listed["recovery_codes_left"]) == ([], 0)
    assert (await desk.tokens())["access_token"]
    assert (await me.post(at(factor, "removal"), json={"code": "123456"})).status_code == 404


async def test_who_must_have_one_does_not_remove_the_last(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, me = await enrolled(desk), desk.world.learner
    monkeypatch.setattr(settings(), "second_factor", "everyone")
    listed = (await me.get("/v1/me/second-factors")).json()
    assert listed["required"] is True
    kept = await me.post(at(listed["items"][0]["id"], "removal"), json={"code": app.code()})
    assert kept.status_code == 409


async def test_wrong_codes_are_counted_here_as_well(desk: Desk) -> None:
    app, me = await enrolled(desk), desk.world.learner
    wrong = {"code": app.wrong()}
    found = await asyncio.gather(*(me.post("/v1/me/recovery-codes", json=wrong) for _ in range(7)))
    assert sorted(answer.status_code for answer in found) == [422] * 5 + [429] * 2
    late = await me.post("/v1/me/recovery-codes", json={"code": app.code()})
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 60


async def test_new_recovery_codes_take_the_place_of_the_old(desk: Desk) -> None:
    app, me = await enrolled(desk), desk.world.learner
    made = await me.post("/v1/me/recovery-codes", json={"code": app.code()})
    assert made.status_code == 201, made.text
    new = made.json()["recovery_codes"]
    assert not set(new) & set(app.recovery_codes)
    old = await me.post("/v1/me/recovery-codes", json={"code": app.recovery_codes[0]})
    assert names(old) == ["/code"]
    assert (await me.post("/v1/me/recovery-codes", json={"code": new[0]})).status_code == 201


async def test_without_an_app_there_are_no_recovery_codes(world: World) -> None:
    answer = await world.learner.post("/v1/me/recovery-codes", json={"code": "123456"})
    assert answer.status_code == 409


async def test_nobody_touches_anothers_factor(desk: Desk) -> None:
    world = desk.world
    app = await enrolled(desk)
    factor = (await world.learner.get("/v1/me/second-factors")).json()["items"][0]["id"]
    for who in ("coach", "administrator", "operator"):
        other = world.actors[who]
        for what in ("removal", "confirmation"):
            answer = await other.post(at(factor, what), json={"code": app.code()})
            assert answer.status_code == 404
            app.shown -= 1


async def test_a_person_sees_where_they_are_signed_in(desk: Desk) -> None:
    me = await signed_in(desk)
    await desk.tokens(scope="goals:read")
    found = (await me.get("/v1/me/sessions")).json()
    assert [one["current"] for one in found].count(True) == 1
    assert {one["client"]["name"] for one in found} == {"Documentation page"}
    assert sorted(one["scopes"] for one in found) == [ACCOUNT.split(), ["goals:read"]]
    assert all(one["methods"] == ["pwd"] for one in found)
    assert all(one["created_at"] <= one["last_used_at"] < one["expires_at"] for one in found)
    assert (await desk.world.coach.get("/v1/me/sessions")).json() == []


async def test_a_person_ends_one_session_and_no_other(desk: Desk) -> None:
    me, other = await signed_in(desk), await signed_in(desk)
    found = (await me.get("/v1/me/sessions")).json()
    (theirs,) = [one["id"] for one in found if not one["current"]]
    ending = f"/v1/me/sessions/{theirs}/ending"
    assert (await desk.world.coach.post(ending)).status_code == 404
    assert (await me.post(ending)).status_code == 204
    assert await is_out(other)
    assert not await is_out(me)
    assert (await me.post(ending)).status_code == 409
    assert [one["current"] for one in (await me.get("/v1/me/sessions")).json()] == [True]


async def test_a_person_signs_out_everywhere(desk: Desk) -> None:
    first, second = await desk.tokens(scope=ACCOUNT), await desk.tokens(scope=ACCOUNT)
    code = await desk.browser.code(desk.app, desk.email, scope=ACCOUNT)
    me = Actor(desk.http, desk.world.learner.id, first["access_token"])
    assert (await me.post("/v1/me/sign-out")).json() == {"ended": 2}
    for tokens in (first, second):
        assert (await desk.me(tokens["access_token"])).status_code == 401
        answer = await desk.token(desk.app.refresh(tokens["refresh_token"]))
        assert answer.json()["error"] == "invalid_grant"
    # Nor does who was on the way get in.
    assert (await desk.token(desk.app.exchange(code))).json()["error"] == "invalid_grant"
    # They may sign in again.
    assert (await desk.tokens(scope=ACCOUNT))["access_token"]


async def test_withdrawing_a_consent_ends_the_sessions_there_and_asks_again(desk: Desk) -> None:
    me = await signed_in(desk)
    portal = await desk.confidential()
    there = await desk.browser.tokens(portal, desk.email)
    found = (await me.get("/v1/me/consents")).json()
    allowed = {one["client"]["id"]: one["scopes"] for one in found}
    assert allowed[str(portal.id)] == ["goals:read", "people:read"]
    body = {"client_id": str(portal.id)}
    assert (await me.post("/v1/me/consents/withdrawal", json=body)).status_code == 204
    assert (await desk.me(there["access_token"])).status_code == 401
    assert not await is_out(me)
    assert names(await me.post("/v1/me/consents/withdrawal", json=body)) == ["/client_id"]
    page = await desk.browser.open(portal.request())
    question = await desk.browser.sign_in(page, desk.email)
    assert question.status_code == 200, "it asks again"


async def test_a_person_sees_their_ways_in(desk: Desk) -> None:
    (found,) = (await desk.world.learner.get("/v1/me/identities")).json()
    assert (found["id"], found["email"]) == (str(desk.identity), desk.email)
    assert found["organisation"]["id"] == str(desk.world.school)
    assert found["closed_at"] is None
    assert "password" not in str(found)
    assert (await desk.world.coach.get("/v1/me/identities")).json() == []


async def test_an_administrator_closes_what_their_organisation_brought_and_nothing_else(
    desk: Desk,
) -> None:
    from app.actions import accounts
    from app.core import journal

    world = desk.world
    async with world.database.work() as unit:
        own = await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=f"own.{desk.email}",
            password=PASSWORD,
        )
    brought = await desk.tokens()
    at_home = await desk.browser.tokens(desk.app, f"own.{desk.email}")
    listed = await world.administrator.get(f"/v1/organisations/{world.school}/sign-in-identities")
    assert [(one["id"], one["person"]["id"]) for one in listed.json()] == [
        (str(desk.identity), str(world.learner.id))
    ]
    closing = f"/v1/sign-in-identities/{desk.identity}/closing"
    assert (await world.coach.post(closing)).status_code == 404
    assert (await world.learner.post(closing)).status_code == 403
    private = await world.administrator.post(f"/v1/sign-in-identities/{own}/closing")
    assert private.status_code == 404
    done = await world.administrator.post(closing)
    assert done.status_code == 200, done.text
    assert done.json()["closed_at"] is not None
    assert (await desk.me(brought["access_token"])).status_code == 401
    assert (await desk.me(at_home["access_token"])).status_code == 200
    assert (await world.administrator.post(closing)).status_code == 409
    page = await desk.browser.open(desk.app.request())
    assert (await desk.browser.sign_in(page, desk.email)).status_code == 403
    reopening = f"/v1/sign-in-identities/{desk.identity}/reopening"
    assert (await world.administrator.post(reopening)).json()["closed_at"] is None
    assert (await world.administrator.post(reopening)).status_code == 409
    assert (await desk.tokens())["access_token"]
    history = (await world.learner.get("/v1/me/history")).json()["items"]
    assert {"closed", "reopened"} <= {
        row["action"] for row in history if row["kind"] == "sign_in_identity"
    }


async def test_a_way_in_whose_address_is_anothers_by_now_is_not_reopened(desk: Desk) -> None:
    from app.actions import accounts
    from app.core import journal

    world = desk.world
    path = f"/v1/sign-in-identities/{desk.identity}"
    await world.administrator.post(f"{path}/closing")
    async with world.database.work() as unit:
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.coach.id,
            email=desk.email,
            password=PASSWORD,
        )
    assert (await world.administrator.post(f"{path}/reopening")).status_code == 409


async def disable(world: World, person: UUID, **body: Any) -> httpx.Response:
    body = body or {"reason": "She left the school in July."}
    return await world.operator.post(f"/v1/people/{person}/disabling", json=body)


async def test_a_disabled_person_gets_in_by_no_way_and_is_told_why(desk: Desk) -> None:
    world, learner = desk.world, desk.world.learner.id
    tokens = await desk.tokens()
    code = await desk.browser.code(desk.app, desk.email)
    page = await desk.browser.open(desk.app.request())
    goal = await world.goal()
    done = await disable(world, learner)
    assert done.status_code == 200, done.text
    assert (await desk.me(tokens["access_token"])).status_code == 401
    for form in (
        desk.app.refresh(tokens["refresh_token"]),
        desk.app.exchange(code),
        {"grant_type": "password", "username": desk.email, "password": PASSWORD},
    ):
        answer = await desk.token(form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    told = await desk.browser.sign_in(page, desk.email)
    assert told.status_code == 403
    assert "She left the school in July." in told.text
    # Who does not know the password is not told.
    page = await desk.browser.open(desk.app.request())
    assert "July" not in (await desk.browser.sign_in(page, desk.email, "wrong")).text
    assert (await disable(world, learner)).status_code == 409
    enabled = await world.operator.post(f"/v1/people/{learner}/enabling")
    assert enabled.json()["disabled_at"] is None
    assert (await desk.me(tokens["access_token"])).status_code == 401, "what ended stays ended"
    assert (await desk.tokens())["access_token"]
    assert (await world.learner.get(f"/v1/goals/{goal['id']}")).status_code == 200
    history = (await world.learner.get("/v1/me/history")).json()["items"]
    acts = [(row["action"], row["by"]["id"]) for row in history if row["kind"] == "person"]
    operator = str(world.operator.id)
    assert acts[:2] == [("enabled", operator), ("disabled", operator)]
    assert (await world.operator.post(f"/v1/people/{learner}/enabling")).status_code == 409


async def test_who_is_between_two_pages_is_stopped_as_well(desk: Desk) -> None:
    from tests.second_factors import type_code

    app = await enrolled(desk)
    page = await desk.browser.open(desk.app.request())
    asked = await desk.browser.sign_in(page, desk.email)
    await disable(desk.world, desk.world.learner.id)
    assert (await type_code(desk.browser, asked, app.code())).status_code == 400


async def test_a_code_redeemed_while_the_account_is_disabled_leaves_no_session(desk: Desk) -> None:
    for _ in range(3):
        code = await desk.browser.code(desk.app, desk.email)
        answer, done = await asyncio.gather(
            desk.token(desk.app.exchange(code)), disable(desk.world, desk.world.learner.id)
        )
        assert done.status_code == 200
        if answer.status_code == 200:
            assert (await desk.me(answer.json()["access_token"])).status_code == 401
            refresh = desk.app.refresh(answer.json()["refresh_token"])
            assert (await desk.token(refresh)).status_code == 400
        await desk.world.operator.post(f"/v1/people/{desk.world.learner.id}/enabling")


async def test_only_the_operator_disables_an_account(desk: Desk) -> None:
    world = desk.world
    path = f"/v1/people/{world.learner.id}"
    for who in ("administrator", "head", "coach", "learner"):
        actor = world.actors[who]
        for act, body in (("disabling", {"reason": "x"}), ("enabling", None)):
            answer = await actor.post(f"{path}/{act}", **({"json": body} if body else {}))
            assert answer.status_code in (403, 404)
    assert names(await disable(world, world.learner.id, reason="")) == ["/reason"]
    assert names(await disable(world, world.learner.id, because="x")) != []


async def test_an_administrator_removes_nobodys_second_factor(desk: Desk) -> None:
    """13a: there is no such operation; the closest, disabling and enabling, leaves it as it was."""
    await enrolled(desk)
    await disable(desk.world, desk.world.learner.id)
    await desk.world.operator.post(f"/v1/people/{desk.world.learner.id}/enabling")
    page = await desk.browser.open(desk.app.request())
    asked = await desk.browser.sign_in(page, desk.email)
    assert 'autocomplete="one-time-code"' in asked.text
