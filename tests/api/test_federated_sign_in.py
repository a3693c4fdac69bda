"""Signing in through an OpenID provider that runs beside us: who comes in, who does not, and why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.actions import accounts
from app.api.sign_in.words import ENGLISH
from app.core import journal
from app.core.clock import now
from app.core.security_events import SecurityEvent
from app.models.identity_providers import FederatedSignIn
from tests.federating import (
    CALLBACK,
    Federation,
    Provider,
    federate,
    forget_what_it_said,
)
from tests.second_factors import enrolled
from tests.signing_in import Browser, Desk, answer_of, hidden, made_once, make_desk
from tests.worlds import World, add_person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


@pytest.fixture
async def at(desk: Desk, provider: Provider) -> Federation:
    return await federate(desk, provider)


@pytest.fixture(scope="module")
async def once(app: Any, provider: Provider) -> AsyncIterator[Federation]:
    """For what leaves nothing behind: made once."""
    async with made_once(app) as found:
        yield await federate(found, provider)


@pytest.fixture
def shared(once: Federation) -> Federation:
    """Nothing of what the provider was told before, or has said."""
    once.provider.tell()
    forget_what_it_said(once.desk.world.app)
    return once


async def identity_of(
    desk: Desk, person_id: UUID, email: str | None, organisation_id: UUID | None = None
) -> UUID:
    async with desk.world.database.work() as unit:
        return await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=person_id,
            email=email or "",
            password="correct horse battery staple",
            organisation_id=organisation_id,
        )


async def test_a_verified_address_of_a_trusted_domain_opens_the_schools_identity(
    at: Federation,
) -> None:
    subject = at.provider.account(at.desk.email.upper())
    # An app of the school: its provider comes first, however many there are.
    at.desk.app = await at.desk.confidential()
    page = await at.page()
    assert f"{ENGLISH['sign_in_with']} Ysgol Tŷ Gwyn" in page.text
    away = await at.leave(page)
    sent = dict(parse_qsl(urlsplit(away.address).query))
    assert sent["redirect_uri"] == CALLBACK
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    assert away.page.headers["refresh"] == f"0; url={away.address}"
    after = await at.back(await at.there(away.address, subject))
    assert after.status_code == 200
    back = answer_of(await at.desk.browser.decide(after))
    assert back["state"] == at.desk.app.state
    tokens = (await at.desk.token(at.desk.app.exchange(back["code"]))).json()
    me = (await at.desk.me(tokens["access_token"])).json()
    assert me["person"]["id"] == str(at.desk.world.learner.id)
    assert me["client"]["name"] == "Portal"
    event = SecurityEvent.IDENTITY_LINKED.value
    rows = await at.desk.journaled(kind=event[0], action=event[1], resource_id=at.desk.identity)
    assert [str(row["owner_id"]) for row in rows] == [str(at.desk.world.learner.id)]
    history = (await at.desk.world.learner.get("/v1/me/history")).json()["items"]
    assert event in {(row["kind"], row["action"]) for row in history}


async def test_afterwards_the_account_opens_it_whatever_its_address(at: Federation) -> None:
    subject = at.provider.account(at.desk.email)
    assert await at.who(subject) == str(at.desk.world.learner.id)
    at.provider.tell(claims={"email": "new.name@elsewhere.example", "email_verified": False})
    assert await at.who(subject) == str(at.desk.world.learner.id)


async def refused(at: Federation, subject: str, reason: str, detail: str) -> None:
    answer = await at.sign_in(subject)
    assert answer.status_code == 400, answer.text
    assert ENGLISH[reason] in answer.text.replace("&#39;", "'")
    assert "location" not in answer.headers
    # Another way in is a button away.
    assert 'type="password"' in answer.text
    event = SecurityEvent.PROVIDER_REFUSED.value
    rows = await at.desk.journaled(kind=event[0], action=event[1], resource_id=at.id)
    assert rows[-1]["changed"] in ([detail], f'["{detail}"]')
    assert str(rows[-1]["organisation_id"]) == str(at.desk.world.school)
    assert subject not in str(rows)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": None},
        {"email": 7},
        {"email": ["@"]},
        {"email": "someone@elsewhere.example"},
        {"email": "x@school.example.evil.example"},
        {"email": "x@evil.example@school.example"},
        {"email": "@school.example"},
        {"xms_edov": "0", "email_verified": None},
        {"xms_edov": True, "email_verified": False},
    ],
    ids=str,
)
async def test_an_address_that_is_not_verified_or_not_theirs_opens_nothing(
    shared: Federation, claims: dict[str, Any]
) -> None:
    subject = shared.provider.account(shared.desk.email, **claims)
    await refused(shared, subject, "not_known", "unknown")


@pytest.mark.parametrize("said", [True, 1, "1", "true"])
async def test_entra_says_otherwise_that_an_address_is_verified(at: Federation, said: Any) -> None:
    subject = at.provider.account(at.desk.email, email_verified=None, xms_edov=said)
    assert await at.who(subject) == str(at.desk.world.learner.id)


async def test_a_directory_that_vouches_for_its_addresses_need_not_mark_them(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, vouches_for_addresses=True)
    silent = provider.account(desk.email, email_verified=None)
    assert await at.who(silent) == str(desk.world.learner.id)


async def test_a_provider_that_is_trusted_for_no_domain_knows_nobody_by_address(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, trusted_domains=[])
    await refused(at, provider.account(desk.email), "not_known", "unknown")


async def test_an_address_that_comes_to_somebody_else_does_not_open_the_first_ones_record(
    at: Federation,
) -> None:
    first = at.provider.account(at.desk.email)
    assert await at.who(first) == str(at.desk.world.learner.id)
    await refused(at, at.provider.account(at.desk.email), "not_known", "another_account")
    assert await at.who(first) == str(at.desk.world.learner.id)


async def test_another_schools_identity_with_the_address_is_not_the_providers_to_open(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, organisation_id=desk.world.authority)
    answer = await at.sign_in(provider.account(desk.email))
    assert ENGLISH["not_known"] in answer.text.replace("&#39;", "'")


async def test_a_provider_of_many_organisations_opens_what_people_brought_themselves(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, organisation_id=None)
    answer = await at.sign_in(provider.account(desk.email))
    assert ENGLISH["not_known"] in answer.text.replace("&#39;", "'"), "the school gave this address"
    own = f"own.{uuid4().hex}@{at.domain}"
    await identity_of(desk, desk.world.coach.id, own)
    assert await at.who(provider.account(own)) == str(desk.world.coach.id)


async def test_required_claims_keep_other_accounts_out(desk: Desk, provider: Provider) -> None:
    at = await federate(
        desk, provider, required_claims=[{"claim": "hd", "value": "school.example"}]
    )
    for claims in ({}, {"hd": "other.example"}, {"hd": ["school.example"]}):
        await refused(at, provider.account(desk.email, **claims), "not_known", "required_claims")
    right = provider.account(desk.email, hd="school.example")
    assert await at.who(right) == str(desk.world.learner.id)


async def test_an_unknown_account_is_brought_in_only_where_that_is_set(
    desk: Desk, provider: Provider
) -> None:
    at = await federate(desk, provider, creates_people=True)
    unknown = provider.account(f"newcomer.{uuid4().hex}@{at.domain}", name=" Siân\nŴyn ")
    tokens = await at.tokens(unknown)
    me = (await desk.me(tokens["access_token"])).json()
    assert me["person"]["name"] == "Siân Ŵyn"
    assert me["affiliations"] == []
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    people = (await desk.http.get("/v1/people", headers=bearer)).json()["items"]
    assert [person["id"] for person in people] == [me["person"]["id"]]
    # The school's own administrator sees nobody more.
    found = await desk.world.administrator.get(f"/v1/people/{me['person']['id']}")
    assert found.status_code == 404
    assert await at.who(unknown) == me["person"]["id"]


async def test_leaving_a_school_closes_its_way_in_and_no_other(
    desk: Desk, provider: Provider
) -> None:
    world = desk.world
    at = await federate(desk, provider)
    other = await federate(desk, provider, organisation_id=None)
    school = provider.account(desk.email)
    own_address = f"own.{uuid4().hex}@{at.domain}"
    await identity_of(desk, world.learner.id, own_address)
    own = provider.account(own_address)
    assert {await at.who(school), await other.who(own)} == {str(world.learner.id)}
    still = await other.tokens(own)
    ended = await at.tokens(school)
    async with world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=desk.identity)
    assert (await desk.me(ended["access_token"])).status_code == 401
    assert (await desk.me(still["access_token"])).status_code == 200
    await refused(at, school, "is_closed", "closed")
    assert await other.who(own) == str(world.learner.id)


async def test_who_comes_back_to_the_school_is_let_in_again_and_nobody_else_with_their_address(
    desk: Desk, provider: Provider
) -> None:
    world, at = desk.world, await federate(desk, provider)
    school = provider.account(desk.email)
    assert await at.who(school) == str(world.learner.id)
    async with world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=desk.identity)
    # The address is given to a colleague: the account still knows whose it was.
    colleague = await identity_of(desk, world.coach.id, desk.email, world.school)
    await refused(at, school, "is_closed", "closed")
    async with world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=colleague)
    await identity_of(desk, world.learner.id, desk.email, world.school)
    assert await at.who(school) == str(world.learner.id)


async def test_two_browsers_at_once_link_one_account_once(at: Federation) -> None:
    import asyncio

    subject = at.provider.account(at.desk.email)
    ways = []
    for _ in range(2):
        away = await at.leave(await at.page())
        ways.append(await at.there(away.address, subject))
    answers = await asyncio.gather(*(at.back(way) for way in ways))
    assert {answer.status_code for answer in answers} == {200}
    event = SecurityEvent.IDENTITY_LINKED.value
    rows = await at.desk.journaled(kind=event[0], action=event[1], resource_id=at.desk.identity)
    assert len(rows) == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another nonce": ({"claims": {"nonce": "another"}}, "nonce"),
    "no nonce": ({"without": ["nonce"]}, "nonce"),
    "another audience": ({"claims": {"aud": "somebody-else"}}, "aud"),
    "no audience": ({"without": ["aud"]}, "aud"),
    "an audience of odd things": ({"claims": {"aud": [{}]}}, "aud"),
    "two audiences without azp": (
        {"claims": {"aud": ["tandem-at-the-provider", "another"]}},
        "azp",
    ),
    "another azp": ({"claims": {"azp": "somebody-else"}}, "azp"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "iss"),
    "an issuer with a slash more": ({"claims": {"iss": "@/"}}, "iss"),
    "no issuer": ({"without": ["iss"]}, "iss"),
    "expired": ({"claims": {"exp": -61}}, "exp"),
    "no expiry": ({"without": ["exp"]}, "exp"),
    "an expiry in words": ({"claims": {"exp": "2999"}}, "exp"),
    "issued in the future": ({"claims": {"iat": 120}}, "iat"),
    "issued long ago": ({"claims": {"iat": -7200}}, "iat"),
    "no issue": ({"without": ["iat"]}, "iat"),
    "not yet": ({"claims": {"nbf": 120}}, "nbf"),
    "no subject": ({"without": ["sub"]}, "sub"),
    "an empty subject": ({"claims": {"sub": ""}}, "sub"),
    "a subject that is a number": ({"claims": {"sub": 7}}, "sub"),
    "a subject that is too long": ({"claims": {"sub": "x" * 256}}, "sub"),
    "another access token": ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, "at_hash"),
    "no signature": ({"signed_by": "none"}, "algorithm"),
    "the public key as a secret": ({"signed_by": "public key as secret"}, "algorithm"),
    "a key of somebody else": ({"signed_by": "RS256"}, "signature"),
    "a small key": (
        {"signed_by": "small", "header": {"kid": "small"}},
        "key",
    ),
    "a broken signature": ({"broken_signature": True}, "signature"),
    "an unknown key": ({"header": {"kid": "unknown"}}, "key"),
    "no key named, and two fit": ({"without_header": ["kid"], "second_key": True}, "key"),
    "a key of its own": ({"header": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "header"),
    "a key elsewhere": ({"header": {"jku": "https://evil.example"}}, "header"),
    "a critical extension": ({"header": {"crit": ["exp"]}}, "header"),
    "an access token": ({"header": {"typ": "at+jwt"}}, "type"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_id_token_that_does_not_hold_lets_nobody_in(shared: Federation, name: str) -> None:
    switches, detail = WRONG[name]
    subject = shared.provider.account(shared.desk.email)
    if switches.get("claims", {}).get("iss") == "@/":
        switches = {"claims": {"iss": f"{shared.provider.issuer}/"}}
    shared.provider.tell(**switches)
    forget_what_it_said(shared.desk.world.app)
    await refused(shared, subject, "not_believed", detail)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384"])
async def test_the_algorithms_of_the_providers_are_understood(
    at: Federation, algorithm: str
) -> None:
    subject = at.provider.account(at.desk.email)
    at.provider.tell(algorithm=algorithm)
    assert await at.who(subject) == str(at.desk.world.learner.id)


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_the_secret_goes_as_the_provider_takes_it(at: Federation, method: str) -> None:
    subject = at.provider.account(at.desk.email)
    at.provider.tell(method=method)
    assert await at.who(subject) == str(at.desk.world.learner.id)
    sent = next(asked for asked in at.provider.asked() if asked["path"] == "/token")
    assert ("client_secret" in sent) == (method == "client_secret_post")


async def test_a_key_that_is_new_is_fetched_and_what_is_known_is_not_asked_again(
    at: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = at.provider.account(at.desk.email)
    await at.who(subject)
    at.provider.tell()
    await at.who(subject)
    paths = [asked["path"] for asked in at.provider.asked()]
    assert "/.well-known/openid-configuration" not in paths
    assert "/keys" not in paths
    keys = at.desk.world.app.state.providers._keys
    jwks = f"{at.provider.issuer}/keys"
    looked, known = keys[jwks]
    keys[jwks] = (looked - 31, known[1:])
    await at.who(subject)
    assert [asked["path"] for asked in at.provider.asked()].count("/keys") == 1


AWAY: dict[str, dict[str, Any]] = {
    "is down": {"status": 503},
    "is gone": {"status": 404},
    "is slow": {"seconds": 6},
    "says far too much": {"bytes": 300_000},
    "says nothing that can be read": {"body": "<html>"},
    "says a list": {"body": "[]"},
    "says a deep thing": {"body": "[" * 100_000},
    "leads elsewhere": {"status": 302, "location": "https://evil.example/"},
    "packs its answer": {"body": "x", "headers": {"Content-Encoding": "gzip"}},
}


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("where", "how"),
    [
        *((DISCOVERY, how) for how in AWAY),
        *(
            (path, how)
            for path in ("/token", "/keys")
            for how in ("is down", "is slow", "says far too much")
        ),
    ],
)
async def test_a_provider_that_does_not_answer_leads_to_a_page_that_says_so(
    shared: Federation, how: str, where: str
) -> None:
    subject = shared.provider.account(shared.desk.email)
    shared.provider.tell(at={where: AWAY[how]})
    if where.startswith("/."):
        answer = (await shared.leave()).page
    else:
        answer = await shared.sign_in(subject)
    assert answer.status_code == 400, answer.text
    # At the token endpoint a status of its own means that it refuses.
    gone = (ENGLISH["provider_away"], ENGLISH["not_believed"])
    assert any(
        words in answer.text.replace("&#39;", "'") for words in gone[: 1 + (where == "/token")]
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"token_endpoint": 7},
        {"jwks_uri": "http://10.0.0.1/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 'https://evil.example/"><script>'},
    ],
    ids=str,
)
async def test_a_discovery_document_that_does_not_fit_is_not_followed(
    shared: Federation, metadata: dict[str, Any]
) -> None:
    shared.provider.tell(metadata=metadata)
    answer = (await shared.leave()).page
    assert answer.status_code == 400
    assert ENGLISH["provider_away"] in answer.text
    assert "<script" not in answer.text


async def test_a_provider_that_names_itself_must_do_so_and_rightly(at: Federation) -> None:
    subject = at.provider.account(at.desk.email)
    named = {"authorization_response_iss_parameter_supported": True}
    for answer_issuer in ("https://evil.example", None):
        told: dict[str, Any] = {"metadata": named}
        if answer_issuer:
            told["answer_issuer"] = answer_issuer
        at.provider.tell(**told)
        forget_what_it_said(at.desk.world.app)
        await refused(at, subject, "not_believed", "issuer")
        assert "/token" not in [asked["path"] for asked in at.provider.asked()]
    at.provider.tell(metadata=named, answer_issuer="")
    assert await at.who(subject) == str(at.desk.world.learner.id)
    # A provider that need not name itself is not believed either when it names another.
    at.provider.tell(answer_issuer="https://evil.example")
    forget_what_it_said(at.desk.world.app)
    await refused(at, subject, "not_believed", "issuer")


async def test_who_cancels_there_is_told_and_can_go_on_another_way(at: Federation) -> None:
    away = await at.leave()
    location = await at.there(away.address, "nobody", decision="no")
    assert "error=access_denied" in location
    answer = await at.back(location)
    assert answer.status_code == 400
    assert ENGLISH["cancelled"] in answer.text
    signed = await at.desk.browser.sign_in(answer, at.desk.email)
    assert signed.status_code == 200


async def test_the_way_back_is_open_once_and_to_the_browser_that_left(
    at: Federation, provider: Provider
) -> None:
    import httpx

    subject = provider.account(at.desk.email)
    location = await at.there((await at.leave()).address, subject)
    transport = httpx.ASGITransport(at.desk.world.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        stranger = Federation(
            Desk(at.desk.world, Browser(http), at.desk.email, at.desk.identity, at.desk.app),
            provider,
            at.id,
            at.domain,
        )
        answer = await http.get(location.removeprefix("https://tandem.example"))
        assert answer.status_code == 400, "no cookie"
        await stranger.desk.browser.open(at.desk.app.request())
        answer = await http.get(location.removeprefix("https://tandem.example"))
        assert answer.status_code == 400, "another browser's cookie"
        assert ENGLISH["over"] in answer.text
    assert (await at.back(location)).status_code == 200
    again = await at.back(location)
    assert again.status_code == 400
    assert ENGLISH["over"] in again.text


async def test_the_way_back_is_open_for_ten_minutes(at: Federation) -> None:
    location = await at.there((await at.leave()).address, at.provider.account(at.desk.email))
    async with at.desk.world.database.work() as unit:
        await unit.begin()
        moment = now() - timedelta(seconds=1)
        await unit.session.execute(
            update(FederatedSignIn)
            .where(FederatedSignIn.provider_id == at.id)
            .values(expires_at=moment)
        )
    answer = await at.back(location)
    assert answer.status_code == 400
    assert ENGLISH["over"] in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=x",
        "state=x",
        "state=x&state=y&code=x",
        "state=%FF&code=x",
        "state=x&code=" + "x" * 5000,
        "state=%00&code=x",
        "error=access_denied",
        'state="><script>alert(1)</script>&code=x',
    ],
)
async def test_a_way_back_that_nobody_went_is_a_page_and_no_more(
    shared: Federation, query: str
) -> None:
    await shared.page()
    answer = await shared.desk.http.get(f"/oauth/callback?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text


async def test_a_code_of_another_browser_is_no_use(at: Federation) -> None:
    """The attacker's own code in the victim's way back: PKCE and nonce are the browser's."""
    subject = at.provider.account(at.desk.email)
    attackers = await at.there((await at.leave()).address, subject)
    victims = await at.there((await at.leave()).address, subject)
    theirs = dict(parse_qsl(urlsplit(attackers).query))
    mine = dict(parse_qsl(urlsplit(victims).query))
    mixed = f"{CALLBACK}?{urlencode({'code': theirs['code'], 'state': mine['state']})}"
    answer = await at.back(mixed)
    assert answer.status_code == 400
    assert ENGLISH["not_believed"] in answer.text


async def test_a_provider_that_is_switched_off_is_not_offered_and_not_believed(
    at: Federation,
) -> None:
    subject = at.provider.account(at.desk.email)
    location = await at.there((await at.leave()).address, subject)
    page = await at.page()
    operator = at.desk.world.operator
    done = await operator.patch(f"/v1/identity-providers/{at.id}", json={"enabled": False})
    assert done.status_code == 200, done.text
    assert (await at.back(location)).status_code == 400
    assert str(at.id) not in (await at.page()).text
    assert (await at.leave(page)).page.status_code == 400


async def test_an_address_at_a_school_finds_its_provider(desk: Desk, provider: Provider) -> None:
    domain = f"{uuid4().hex}.example"
    at = await federate(desk, provider, trusted_domains=[domain])
    away = await at.leave(await at.page(), address=f" Mair@{domain.upper()} ")
    sent = dict(parse_qsl(urlsplit(away.address).query))
    assert sent["login_hint"] == f"Mair@{domain.upper()}"
    for nobody in ("mair@nowhere.example", "", "mair"):
        answer = (await at.leave(await at.page(), address=nobody)).page
        assert answer.status_code == 400
        assert ENGLISH["no_provider"] in answer.text.replace("&#39;", "'")


async def test_a_form_of_another_page_leads_to_no_provider(shared: Federation) -> None:
    page = await shared.page()
    assert (await shared.leave(page, browser="x" * 43)).page.status_code == 400
    answer = await shared.desk.http.post("/oauth/federated", data={"provider": str(shared.id)})
    assert answer.status_code == 400
    for wrong in ("", "x", str(uuid4())):
        assert (await shared.leave(page, provider=wrong)).page.status_code == 400


async def test_an_id_token_of_theirs_is_no_access_token_of_ours(at: Federation) -> None:
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    claims = {"iss": at.provider.issuer, "aud": "https://tandem.example", "sub": str(uuid4())}
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims, RSAKey.generate_key(2048))
    assert (await at.desk.me(token)).status_code == 401


async def test_private_addresses_are_asked_nothing_unless_a_setting_allows_it(
    at: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.core.openid import ProviderAway, Providers
    from app.core.settings import settings

    monkeypatch.setattr(settings(), "private_providers", False)
    providers = Providers()
    for issuer in (
        at.provider.issuer,
        "https://127.0.0.1",
        "https://localhost",
        "https://10.1.2.3",
        "https://169.254.169.254",
        "https://[::1]",
        "https://user@school.example",
        "https://school.example:99999",
    ):
        with pytest.raises(ProviderAway):
            await providers.discover(issuer)
    await providers.close()
    assert (await at.leave()).page.status_code == 400


async def test_someone_who_has_no_part_in_it_stays_out(at: Federation) -> None:
    async with at.desk.world.database.work() as unit:
        await add_person(unit, "Nobody")
    stranger = at.provider.account(f"stranger.{uuid4().hex}@{at.domain}")
    await refused(at, stranger, "not_known", "unknown")


async def test_who_has_a_second_factor_is_asked_for_it_after_a_providers_word_too(
    at: Federation,
) -> None:
    subject = at.provider.account(at.desk.email)
    factor = await enrolled(at.desk)
    page = await at.sign_in(subject)
    assert page.status_code == 200
    assert 'name="code"' in page.text
    form = {**hidden(page.text), "code": factor.code()}
    question = await at.desk.http.post("/oauth/second-factor", data=form)
    assert "code" in answer_of(await at.desk.browser.decide(question))


async def test_who_is_disabled_is_not_let_in_by_a_provider_either(at: Federation) -> None:
    subject = at.provider.account(at.desk.email)
    await at.who(subject)
    world = at.desk.world
    body = {"reason": "A court says so."}
    path = f"/v1/people/{world.learner.id}/disabling"
    assert (await world.operator.post(path, json=body)).status_code == 200
    page = await at.sign_in(subject)
    assert "A court says so." in page.text
    assert "<form" not in page.text
