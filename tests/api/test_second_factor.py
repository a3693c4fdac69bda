"""Signing in with a second factor: on the pages, once for each code, and by no way around it."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from app.api.sign_in.words import ENGLISH, WELSH
from app.core import one_time
from app.core.settings import settings
from app.models.second_factors import RecoveryCode, SecondFactor
from app.models.sessions import Authorization, Session
from tests.second_factors import Authenticator, enrolled, keep_codes, type_code
from tests.signing_in import PASSWORD, Desk, answer_of, hidden, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture
async def must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "second_factor", "everyone")


async def asked_for_code(desk: Desk, **changed: Any) -> httpx.Response:
    page = await desk.browser.open(desk.app.request(**changed))
    asked = await desk.browser.sign_in(page, desk.email)
    assert asked.status_code == 200
    assert 'autocomplete="one-time-code"' in asked.text
    return asked


async def finished(desk: Desk, after: httpx.Response) -> dict[str, Any]:
    """The tokens of somebody who has typed the right code."""
    if after.status_code == 200:
        after = await desk.browser.decide(after)
    answer = await desk.token(desk.app.exchange(answer_of(after)["code"]))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_person_with_an_app_signs_in_with_password_and_code(desk: Desk) -> None:
    app = await enrolled(desk)
    asked = await asked_for_code(desk)
    assert "Documentation page" in asked.text
    question = await type_code(desk.browser, asked, app.code())
    assert "asks to be allowed" in question.text
    tokens = await finished(desk, question)
    assert (await desk.me(tokens["access_token"])).status_code == 200
    claims = desk.world.app.state.tokens.verify(tokens["access_token"])
    assert claims.methods == ("pwd", "otp", "mfa")
    # The second time nothing is left to be asked after the code.
    again = await type_code(desk.browser, await asked_for_code(desk), app.code())
    assert "code" in answer_of(again)


async def test_without_the_code_there_is_no_way_on(desk: Desk) -> None:
    await enrolled(desk)
    asked = await asked_for_code(desk)
    for path in ("/oauth/consent", "/oauth/recovery-codes"):
        form = {**hidden(asked.text), "decision": "allow"}
        answer = await desk.http.post(path, data=form)
        assert answer.status_code == 400
        assert ENGLISH["over"] in answer.text


async def test_a_wrong_code_is_told_and_the_right_one_still_counts(desk: Desk) -> None:
    app = await enrolled(desk)
    asked = await asked_for_code(desk)
    for code in (app.wrong(), "", "x" * 5000, "１２３４５６"):
        answer = await type_code(desk.browser, asked, code)
        assert answer.status_code == 403
        assert ENGLISH["wrong_code"] in answer.text
        assert 'aria-describedby="wrong recovery" aria-invalid="true"' in answer.text
    assert (await type_code(desk.browser, answer, app.code())).status_code == 200


async def test_a_code_may_be_typed_with_a_space(desk: Desk) -> None:
    app = await enrolled(desk)
    code = app.code()
    after = await type_code(desk.browser, await asked_for_code(desk), f" {code[:3]} {code[3:]} ")
    assert after.status_code == 200


async def test_a_code_counts_once(desk: Desk) -> None:
    app = await enrolled(desk)
    code = app.code()
    assert (await type_code(desk.browser, await asked_for_code(desk), code)).status_code == 200
    assert (await type_code(desk.browser, await asked_for_code(desk), code)).status_code == 403
    # Nor one from before it.
    earlier = one_time.code_at(app.secret, app.shown - 1)
    assert (await type_code(desk.browser, await asked_for_code(desk), earlier)).status_code == 403


async def test_one_code_posted_twice_at_once_is_one_sign_in(desk: Desk) -> None:
    app = await enrolled(desk)
    first, second = await asked_for_code(desk), await asked_for_code(desk)
    code = app.code()
    found = await asyncio.gather(
        *(type_code(desk.browser, page, code) for page in (first, first, second, second, first))
    )
    assert sorted(answer.status_code for answer in found).count(200) == 1
    async with desk.world.database.work() as unit:
        await unit.begin()
        rows = await unit.session.scalars(
            select(Authorization.method).where(Authorization.person_id == desk.world.learner.id)
        )
        assert sorted(rows) == ["password", "password otp"]


async def test_five_wrong_codes_and_none_is_looked_at_for_half_an_hour(desk: Desk) -> None:
    app = await enrolled(desk)
    asked = await asked_for_code(desk)
    wrong = app.wrong()
    # However many at once.
    found = await asyncio.gather(*(type_code(desk.browser, asked, wrong) for _ in range(8)))
    assert sorted(answer.status_code for answer in found) == [403] * 5 + [429] * 3
    right = app.code()
    for code in (right, app.recovery_codes[0]):
        answer = await type_code(desk.browser, await asked_for_code(desk), code)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 1801
        assert re.search(r"Wait \d+ minutes", answer.text)
    await _half_an_hour_later(desk)
    assert (await type_code(desk.browser, await asked_for_code(desk), right)).status_code == 200


async def _half_an_hour_later(desk: Desk) -> None:
    from app.core.journal import journal
    from app.core.query import Query

    ours = journal.c.owner_id == desk.world.learner.id
    rows = await desk.journaled(action="failed", owner_id=desk.world.learner.id)
    moment = rows[0]["at"]
    from app.core.tables import as_moment

    async with desk.world.database.work() as unit:
        await unit.begin()
        earlier = as_moment(moment) - timedelta(minutes=31)
        change = update(journal).where(ours, journal.c.action == "failed").values(at=earlier)
        await unit.rows(Query(change), {})


async def test_a_recovery_code_counts_once_instead_of_a_code(desk: Desk) -> None:
    app = await enrolled(desk)
    assert len(set(app.recovery_codes)) == 10
    spoken = app.recovery_codes[0].upper().replace("-", " ")
    tokens = await finished(desk, await type_code(desk.browser, await asked_for_code(desk), spoken))
    claims = desk.world.app.state.tokens.verify(tokens["access_token"])
    assert claims.methods == ("pwd", "otp", "mfa")
    again = await type_code(desk.browser, await asked_for_code(desk), app.recovery_codes[0])
    assert again.status_code == 403
    other = await type_code(desk.browser, await asked_for_code(desk), app.recovery_codes[1])
    assert "code" in answer_of(other)


async def test_a_recovery_code_used_twice_at_once_counts_once(desk: Desk) -> None:
    app = await enrolled(desk)
    pages = [await asked_for_code(desk) for _ in range(4)]
    found = await asyncio.gather(
        *(type_code(desk.browser, page, app.recovery_codes[3]) for page in pages)
    )
    assert sorted(answer.status_code for answer in found) == [200, 403, 403, 403]


async def test_anothers_codes_are_nothing(desk: Desk) -> None:
    await enrolled(desk)
    other = await enrolled(desk, desk.world.coach.id)
    for code in (other.code(), other.recovery_codes[0]):
        answer = await type_code(desk.browser, await asked_for_code(desk), code)
        assert answer.status_code == 403


async def test_another_browser_an_old_page_and_a_made_up_ticket_lead_nowhere(desk: Desk) -> None:
    app = await enrolled(desk)
    asked = await asked_for_code(desk)
    form = {**hidden(asked.text), "code": app.code()}
    for changed in ({"ticket": "x" * 43}, {"ticket": ""}, {"browser": "x" * 43}):
        answer = await desk.http.post("/oauth/second-factor", data={**form, **changed})
        assert answer.status_code == 400
        assert ENGLISH["over"] in answer.text
    kept = dict(desk.http.cookies)
    desk.http.cookies.clear()
    assert (await desk.http.post("/oauth/second-factor", data=form)).status_code == 400
    desk.http.cookies.update(kept)
    async with desk.world.database.work() as unit:
        await unit.begin()
        row = await unit.session.scalar(
            select(Authorization).where(Authorization.person_id == desk.world.learner.id)
        )
        assert row is not None
        row.expires_at -= timedelta(minutes=11)
    assert (await desk.http.post("/oauth/second-factor", data=form)).status_code == 400


async def test_the_password_grant_is_no_way_around(desk: Desk) -> None:
    form = {"grant_type": "password", "username": desk.email, "password": PASSWORD}
    assert (await desk.token(form)).status_code == 200
    await enrolled(desk)
    answer = await desk.token(form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.usefixtures("must")
async def test_nor_for_somebody_who_must_have_one(desk: Desk) -> None:
    form = {"grant_type": "password", "username": desk.email, "password": PASSWORD}
    assert (await desk.token(form)).status_code == 400


def secret_on(page: httpx.Response) -> str:
    return "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text))


@pytest.mark.usefixtures("must")
async def test_who_must_have_one_sets_it_up_when_signing_in(desk: Desk) -> None:
    page = await desk.browser.open(desk.app.request())
    setting_up = await desk.browser.sign_in(page, desk.email)
    assert ENGLISH["enrol"] in setting_up.text
    assert "<svg" in setting_up.text
    assert (
        f"otpauth://totp/Tandem%20tandem.example:{desk.email.replace('@', '%40')}?"
        in setting_up.text
    )
    app = Authenticator(secret_on(setting_up))
    wrong = await type_code(desk.browser, setting_up, app.wrong())
    assert (wrong.status_code, secret_on(wrong)) == (403, app.secret)
    # Nothing counts yet.
    assert await factors(desk) == 0
    kept = await type_code(desk.browser, wrong, app.code())
    assert kept.status_code == 200
    codes = re.findall(r"<li>([a-z2-9-]{19})</li>", kept.text)
    assert len(codes) == 10
    question = await keep_codes(desk.browser, kept)
    tokens = await finished(desk, question)
    assert desk.world.app.state.tokens.verify(tokens["access_token"]).methods[1] == "otp"
    # From now on it is asked for, and a recovery code stands in for it.
    for code in (app.code(), codes[0]):
        after = await type_code(desk.browser, await asked_for_code(desk), code)
        assert "code" in answer_of(after)


@pytest.mark.usefixtures("must")
async def test_what_was_shown_on_one_page_does_not_count_on_a_later_one(desk: Desk) -> None:
    first = await desk.browser.sign_in(await desk.browser.open(desk.app.request()), desk.email)
    second = await desk.browser.sign_in(await desk.browser.open(desk.app.request()), desk.email)
    assert secret_on(first) != secret_on(second)
    old = Authenticator(secret_on(first))
    assert (await type_code(desk.browser, first, old.code())).status_code == 403
    new = Authenticator(secret_on(second))
    assert (await type_code(desk.browser, second, new.code())).status_code == 200


async def factors(desk: Desk) -> int:
    async with desk.world.database.work() as unit:
        await unit.begin()
        rows = await unit.session.scalars(
            select(SecondFactor).where(
                SecondFactor.person_id == desk.world.learner.id,
                SecondFactor.confirmed_at.is_not(None),
            )
        )
        return len(rows.all())


async def test_only_administrators_must_where_it_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.access.accounts import account_standing

    async def must_have(wanted: str) -> dict[str, bool]:
        monkeypatch.setattr(settings(), "second_factor", wanted)
        async with world.database.work() as unit:
            return {
                name: (await account_standing(unit, world.actors[name].id)).must_have_factor
                for name in ("learner", "head", "administrator", "operator")
            }

    assert set((await must_have("optional")).values()) == {False}
    assert set((await must_have("everyone")).values()) == {True}
    found = await must_have("administrators")
    assert found == {"learner": False, "head": False, "administrator": True, "operator": True}


async def test_the_pages_are_in_welsh_as_well(desk: Desk) -> None:
    app = await enrolled(desk)
    asked = await asked_for_code(desk, ui_locales="cy")
    assert asked.headers["content-language"] == "cy"
    assert WELSH["code_of_app"].replace("'", "&#39;") in asked.text
    wrong = await type_code(desk.browser, asked, app.wrong())
    assert WELSH["wrong_code"].replace("'", "&#39;") in wrong.text


async def test_the_database_alone_gives_no_code_away(desk: Desk) -> None:
    app = await enrolled(desk)
    async with desk.world.database.work() as unit:
        await unit.begin()
        (factor,) = (
            await unit.session.scalars(
                select(SecondFactor).where(SecondFactor.person_id == desk.world.learner.id)
            )
        ).all()
        assert app.secret not in factor.secret
        hashes = await unit.session.scalars(
            select(RecoveryCode.hash).where(RecoveryCode.person_id == desk.world.learner.id)
        )
        bare = {code.replace("-", "") for code in app.recovery_codes}
        assert not bare & set(hashes)
        # Another's secret, copied into this row, lets its owner in nowhere.
        other = await enrolled_secret(unit, desk)
        factor.secret = other
    answer = await type_code(desk.browser, await asked_for_code(desk), app.code())
    assert answer.status_code == 403
    # Nor does a row that cannot be read stop the recovery codes.
    answer = await type_code(desk.browser, await asked_for_code(desk), app.recovery_codes[0])
    assert answer.status_code == 200


async def enrolled_secret(unit: Any, desk: Desk) -> str:
    sealed: str = desk.world.app.state.seals.seal(one_time.new_secret(), "second_factor:another")
    return sealed


async def test_the_session_says_how_it_began(desk: Desk) -> None:
    app = await enrolled(desk)
    await finished(desk, await type_code(desk.browser, await asked_for_code(desk), app.code()))
    async with desk.world.database.work() as unit:
        await unit.begin()
        methods = await unit.session.scalars(
            select(Session.method).where(Session.person_id == desk.world.learner.id)
        )
        assert list(methods) == ["password otp"]
