"""One more way in, by an account at a provider: asked for and done by the person's own token."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from app.actions import accounts
from app.api.sign_in.words import ENGLISH
from app.core import journal
from app.core.security_events import SecurityEvent
from tests.federating import Away, Federation, Provider, federate
from tests.signing_in import Desk, hidden, make_desk
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio

PATH = "/v1/me/identity-links"
OPENED = "https://tandem.example"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture
async def at(desk: Desk, provider: Provider) -> Federation:
    """A provider of many organisations, which is trusted for no address."""
    return await federate(desk, provider, organisation_id=None, trusted_domains=[])


async def asked(at: Federation, who: Actor, **changed: Any) -> httpx.Response:
    sent = {"provider_id": str(at.id), "redirect_uri": at.desk.app.redirect_uri, **changed}
    return await who.post(PATH, json=sent)


async def opened(at: Federation, address: str) -> httpx.Response:
    """The page behind the address, gone on with: the page that leads to the provider."""
    page = await at.desk.http.get(address.removeprefix(OPENED))
    assert page.status_code == 200, page.text
    return await at.desk.http.post("/oauth/link", data=hidden(page.text))


async def shown(at: Federation, who: Actor, subject: str) -> dict[str, str]:
    """What comes back to the app of who has shown an account."""
    answer = await asked(at, who)
    assert answer.status_code == 201, answer.text
    away = Away(await opened(at, answer.json()["browser_address"]))
    back = await at.back(await at.there(away.address, subject))
    assert back.status_code == 303, back.text
    assert back.headers["location"].startswith(f"{at.desk.app.redirect_uri}?")
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


async def completed(who: Actor, sent: dict[str, str]) -> httpx.Response:
    body = {"link_id": sent["link_id"], "code": sent["code"]}
    return await who.post(f"{PATH}/completion", json=body)


async def linked(at: Federation, who: Actor) -> tuple[str, str]:
    """A new account at the provider that opens a way in; its subject, and the way in."""
    subject = at.provider.account(f"{uuid4().hex}@elsewhere.example")
    done = await completed(who, await shown(at, who, subject))
    assert done.status_code == 200, done.text
    return subject, done.json()["identity_id"]


async def test_a_person_adds_an_account_and_signs_in_with_it(at: Federation) -> None:
    world = at.desk.world
    subject, identity = await linked(at, world.learner)
    assert await at.who(subject) == str(world.learner.id)
    links = (await world.learner.get(PATH)).json()
    assert [(link["identity_id"], link["provider"]["id"]) for link in links] == [
        (identity, str(at.id))
    ]
    assert (await world.coach.get(PATH)).json() == []
    for event in (SecurityEvent.IDENTITY_CREATED, SecurityEvent.IDENTITY_LINKED):
        kind, action = event.value
        rows = await at.desk.journaled(kind=kind, action=action, resource_id=UUID(identity))
        assert [str(row["owner_id"]) for row in rows] == [str(world.learner.id)]


async def test_the_page_says_whose_record_it_is_and_nothing_is_linked_by_opening_it(
    at: Federation,
) -> None:
    """Somebody who is led to another's address sees another's name, and links nothing to anybody."""
    world = at.desk.world
    asking = (await asked(at, world.coach)).json()
    page = await at.desk.http.get(asking["browser_address"].removeprefix(OPENED))
    assert world.coach.name in page.text
    assert ENGLISH["link_warning"] in page.text
    subject = at.provider.account(f"{uuid4().hex}@elsewhere.example")
    sent = await shown(at, world.coach, subject)
    # The code has come to the victim's app, where the victim is signed in.
    assert (await completed(world.learner, sent)).status_code == 422
    answer = await at.sign_in(subject)
    assert ENGLISH["not_known"] in answer.text.replace("&#39;", "'")


async def test_it_is_completed_once_and_with_what_came_back(at: Federation) -> None:
    learner = at.desk.world.learner
    subject = at.provider.account(f"{uuid4().hex}@elsewhere.example")
    sent = await shown(at, learner, subject)
    for wrong in ({**sent, "code": "x"}, {**sent, "link_id": str(uuid4())}):
        assert (await completed(learner, wrong)).status_code == 422
    assert (await completed(learner, sent)).status_code == 200
    assert (await completed(learner, sent)).status_code == 422


async def test_an_address_is_gone_through_once(at: Federation) -> None:
    asking = (await asked(at, at.desk.world.learner)).json()
    subject = at.provider.account(f"{uuid4().hex}@elsewhere.example")
    ways = [Away(await opened(at, asking["browser_address"])) for _ in range(2)]
    back = [await at.there(way.address, subject) for way in ways]
    assert (await at.back(back[0])).status_code == 303
    assert (await at.back(back[1])).status_code == 400
    page = await at.desk.http.get(asking["browser_address"].removeprefix(OPENED))
    assert page.status_code == 400
    for nonsense in ("", "?ticket=", "?ticket=x", "?ticket=%FF", "?ticket=a&ticket=b"):
        assert (await at.desk.http.get(f"/oauth/link{nonsense}")).status_code == 400


async def test_who_cancels_comes_back_with_an_error(at: Federation) -> None:
    asking = (await asked(at, at.desk.world.learner)).json()
    away = Away(await opened(at, asking["browser_address"]))
    back = await at.back(await at.there(away.address, "nobody", decision="no"))
    assert back.status_code == 303
    found = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    assert found == {
        "link_id": asking["id"],
        "error": "access_denied",
        "iss": "https://tandem.example",
    }


async def test_an_account_that_opens_a_way_in_already_is_not_taken_from_anybody(
    at: Federation,
) -> None:
    world = at.desk.world
    subject, _ = await linked(at, world.coach)
    for who in (world.learner, world.coach):
        refused = await completed(who, await shown(at, who, subject))
        assert refused.status_code == 409
    assert await at.who(subject) == str(world.coach.id)


async def test_what_is_asked_must_be_right(at: Federation) -> None:
    learner = at.desk.world.learner
    for changed, field in (
        ({"provider_id": str(uuid4())}, "/provider_id"),
        ({"redirect_uri": "https://evil.example/"}, "/redirect_uri"),
    ):
        answer = await asked(at, learner, **changed)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [field]
    assert (await asked(at, at.desk.world.client)).status_code == 403


async def test_an_old_token_adds_nothing(at: Federation) -> None:
    """A token that somebody got hold of would otherwise give them a way in for good."""
    world = at.desk.world
    old = world.app.state.tokens.issue(
        subject=world.learner.id,
        client=at.desk.app.id,
        scopes=frozenset(["account:write"]),
        session=uuid4(),
        signed_in=1,
    )
    who = Actor(world.http, world.learner.id, old)
    for answer in (
        await asked(at, who),
        await completed(who, {"link_id": str(uuid4()), "code": "x"}),
        await who.post(
            f"{PATH}/removal", json={"identity_id": str(uuid4()), "provider_id": str(at.id)}
        ),
    ):
        assert answer.status_code == 401
        assert "insufficient_user_authentication" in answer.headers["www-authenticate"]


async def removed(at: Federation, who: Actor, identity: str) -> httpx.Response:
    body = {"identity_id": identity, "provider_id": str(at.id)}
    return await who.post(f"{PATH}/removal", json=body)


async def test_an_account_is_taken_away_and_its_way_in_with_it(at: Federation) -> None:
    learner = at.desk.world.learner
    subject, identity = await linked(at, learner)
    session = await at.tokens(subject)
    assert (await removed(at, at.desk.world.coach, identity)).status_code == 422
    assert (await removed(at, learner, identity)).status_code == 204
    assert (await at.desk.me(session["access_token"])).status_code == 401
    answer = await at.sign_in(subject)
    assert ENGLISH["not_known"] in answer.text.replace("&#39;", "'")
    assert (await removed(at, learner, identity)).status_code == 422
    assert (await learner.get(PATH)).json() == []
    for event in (SecurityEvent.IDENTITY_UNLINKED, SecurityEvent.IDENTITY_CLOSED):
        kind, action = event.value
        assert await at.desk.journaled(kind=kind, action=action, resource_id=UUID(identity))
    # It is free again.
    assert (await completed(learner, await shown(at, learner, subject))).status_code == 200


async def test_the_last_way_in_stays(at: Federation) -> None:
    coach = at.desk.world.coach  # signs in with no password
    _, one = await linked(at, coach)
    assert (await removed(at, coach, one)).status_code == 409
    second, other = await linked(at, coach)
    assert (await removed(at, coach, one)).status_code == 204
    assert (await removed(at, coach, other)).status_code == 409
    assert await at.who(second) == str(coach.id)


async def test_an_account_whose_provider_is_switched_off_is_no_other_way_in(
    at: Federation, provider: Provider
) -> None:
    coach, operator = at.desk.world.coach, at.desk.world.operator
    _, one = await linked(at, coach)
    other = await federate(at.desk, provider, organisation_id=None, trusted_domains=[])
    await linked(other, coach)
    off = await operator.patch(f"/v1/identity-providers/{other.id}", json={"enabled": False})
    assert off.status_code == 200
    assert (await removed(at, coach, one)).status_code == 409


async def test_an_account_of_a_school_is_the_schools_to_close(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, trusted_domains=[])
    subject, identity = await linked(at, desk.world.learner)
    brought = await desk.world.administrator.get(
        f"/v1/organisations/{desk.world.school}/sign-in-identities"
    )
    assert identity in [found["id"] for found in brought.json()]
    async with desk.world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=UUID(identity))
    answer = await at.sign_in(subject)
    assert ENGLISH["is_closed"] in answer.text.replace("&#39;", "'")
    # The password that the desk's person has goes on.
    assert (await desk.tokens())["access_token"]
