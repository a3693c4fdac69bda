"""Who signs in as a person changes, and the person is told of it by mail, whoever did it."""

import pytest

from app.access.identity_providers import find_provider
from app.actions import accounts, sign_in
from app.core import journal
from tests.federating import known_to
from tests.mailboxes import Post
from tests.second_factors import enrolled
from tests.signing_in import Desk, make_desk
from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def test_a_second_factor_that_comes_or_goes_is_told(desk: Desk) -> None:
    post = Post(desk.world.app)
    await enrolled(desk)
    added = await post.one(desk.email)
    assert "/account/forgotten" in added.get_content()
    async with desk.world.database.work() as unit:
        await accounts.reset_second_factor(
            unit, actor=journal.COMMAND_LINE, person_id=desk.world.learner.id
        )
    removed = await post.one(desk.email)
    assert removed["Subject"] != added["Subject"]


async def test_an_account_elsewhere_that_opens_the_record_is_told(desk: Desk) -> None:
    database = desk.world.database
    provider = await find_provider(database, await known_to(desk, "https://login.example"))
    assert provider is not None
    claims = {"sub": desk.email, "email": desk.email, "email_verified": True}
    await sign_in.recognise(database, provider, claims, client_id=desk.app.id)
    post = Post(desk.world.app)
    told = await post.one(desk.email)
    assert provider.name in told.get_content()
    # Once, however often it is used.
    await sign_in.recognise(database, provider, claims, client_id=desk.app.id)
    assert await post.to(desk.email) == []


async def test_who_has_been_anonymised_is_invited_no_more(desk: Desk) -> None:
    world, me = desk.world, desk.world.learner
    invitation = await world.invitation(me.id, "late@school.example")
    link = await Post(world.app).link("late@school.example")
    asked = await me.post("/v1/me/anonymisation", json={})
    assert asked.status_code == 200, asked.text
    done = await me.post(
        "/v1/me/anonymisation/confirmation", json={"confirmation": asked.json()["confirmation"]}
    )
    assert done.status_code == 204, done.text
    assert (await desk.http.get(link)).status_code in (400, 404, 410)
    assert (await world.operator.get(f"/v1/invitations/{invitation}")).status_code == 404
    again = await world.operator.post(
        "/v1/invitations", json={"person_id": str(me.id), "email": "later@home.example"}
    )
    assert again.status_code == 422
    assert again.json()["errors"][0]["pointer"] == "/person_id"
