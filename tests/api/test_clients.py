"""Clients over the API: who registers which, secrets that are shown once, and what is taken away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from app.access.clients import CLIENT_SCOPES, fingerprint
from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.core.clock import now, today
from app.core.ids import uuid7
from app.core.passwords import hash_secret
from app.models.people import AffiliationRole, ClientSecret
from tests.signing_in import App, Desk, made_once, make_desk
from tests.worlds import Actor, add_person, affiliate, token

pytestmark = pytest.mark.anyio

REDIRECT = "https://portal.example/cb"


@pytest.fixture(scope="module")
async def desk(app: Any) -> AsyncIterator[Desk]:
    async with made_once(app) as found:
        yield found


def integration(desk: Desk, **changed: Any) -> dict[str, Any]:
    school = str(desk.world.school)
    right = {"name": "Staff system", "organisation_id": school, "scopes": ["goals:read"]}
    return {k: v for k, v in {**right, **changed}.items() if v is not None}


def portal(desk: Desk, **changed: Any) -> dict[str, Any]:
    """Keeps a secret, and people sign in through it."""
    scopes = ["goals:read", "goals:write", "people:read"]
    return integration(desk, name="Portal", scopes=scopes, redirect_uris=[REDIRECT], **changed)


def phone(**changed: Any) -> dict[str, Any]:
    """A public client."""
    return {
        "kind": "public",
        "name": "Phone",
        "scopes": ["goals:read"],
        "redirect_uris": ["org.example.app:/back"],
        **changed,
    }


async def register(desk: Desk, body: dict[str, Any], by: str = "administrator") -> dict[str, Any]:
    answer = await desk.world.actors[by].post("/v1/clients", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def own_token(desk: Desk, client_id: str, secret: str, **more: str) -> httpx.Response:
    credentials = {"client_id": client_id, "client_secret": secret}
    return await desk.token({"grant_type": "client_credentials", **credentials, **more})


async def lets_in(desk: Desk, client_id: str, secret: str) -> bool:
    answer = await own_token(desk, client_id, secret)
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def another_school(desk: Desk) -> tuple[Actor, str]:
    """The administrator of another school, and that school."""
    world = desk.world
    elsewhere = (await world.stranger.get("/v1/me")).json()["affiliations"][0]["organisation_id"]
    async with world.database.work() as unit:
        person = await add_person(unit, "Administrator elsewhere")
        await affiliate(unit, person, UUID(elsewhere), AffiliationRole.ADMINISTRATOR)
    return Actor(world.http, person, token(world.app, person)), elsewhere


async def test_a_school_registers_an_integration_and_is_shown_its_secret_once(desk: Desk) -> None:
    made = await register(desk, integration(desk, scopes=["people:read", "goals:read"]))
    secret, path = made.pop("secret"), f"/v1/clients/{made['id']}"
    assert made["scopes"] == ["goals:read", "people:read"]
    assert made["organisation_id"] == str(desk.world.school)
    assert [kept["fingerprint"] for kept in made["secrets"]] == [fingerprint(hash_secret(secret))]
    answer = await own_token(desk, made["id"], secret)
    assert answer.json()["scope"] == "goals:read people:read"
    read = await desk.world.administrator.get(path)
    assert read.json() == {**made, "last_used_on": today().isoformat()}
    listed = await desk.world.administrator.get("/v1/clients", params={"limit": 200})
    assert read.json() in listed.json()["items"]
    for answer in (read, listed):
        assert secret not in answer.text
        assert hash_secret(secret) not in answer.text
        assert answer.headers["cache-control"] == "no-store"


async def test_a_lost_answer_is_asked_for_again_and_its_secret_replaced(desk: Desk) -> None:
    body = integration(desk, id=str(uuid7()))
    lost = await register(desk, body)
    again = await desk.world.administrator.post("/v1/clients", json=body)
    assert (again.status_code, again.json()) == (200, {**lost, "secret": None})
    path = f"/v1/clients/{lost['id']}"
    removed = await desk.world.administrator.delete(
        f"{path}/secrets/{lost['secrets'][0]['fingerprint']}", etag=again.headers["etag"]
    )
    assert removed.status_code == 204, removed.text
    added = await desk.world.administrator.post(f"{path}/secrets")
    assert added.status_code == 201
    assert not await lets_in(desk, lost["id"], lost["secret"])
    assert await lets_in(desk, lost["id"], added.json()["secret"])
    other = await desk.world.administrator.post("/v1/clients", json={**body, "name": "Other"})
    assert other.json()["type"].endswith("/id-taken")


async def test_a_secret_is_kept_for_no_repeat_whatever_key_is_sent(desk: Desk) -> None:
    headers, body = {"Idempotency-Key": uuid4().hex}, integration(desk, id=str(uuid7()))
    administrator = desk.world.administrator
    first = await administrator.post("/v1/clients", json=body, headers=headers)
    second = await administrator.post("/v1/clients", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["secret"] is None
    path = f"/v1/clients/{first.json()['id']}/secrets"
    added = [await administrator.post(path, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in added] == [201, 409]


async def test_two_requests_with_one_id_at_once_make_one_client_and_one_secret(desk: Desk) -> None:
    body = integration(desk, id=str(uuid7()))
    send = desk.world.administrator.post
    answers = await asyncio.gather(*(send("/v1/clients", json=body) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 200, 409}
    secrets = [a.json()["secret"] for a in answers if a.status_code == 201]
    assert len(secrets) == 1
    assert all(a.json()["secret"] is None for a in answers if a.status_code == 200)
    read = (await desk.world.administrator.get(f"/v1/clients/{body['id']}")).json()
    assert len(read["secrets"]) == 1
    assert await lets_in(desk, body["id"], secrets[0])


async def test_administrators_see_and_change_the_clients_of_their_own_school_alone(
    desk: Desk,
) -> None:
    made = await register(desk, integration(desk))
    path, world = f"/v1/clients/{made['id']}", desk.world
    outside, elsewhere = await another_school(desk)
    async with world.database.work() as unit:
        above = await add_person(unit, "Administrator of the authority")
        await affiliate(unit, above, world.authority, AffiliationRole.ADMINISTRATOR)
    parent = Actor(world.http, above, token(world.app, above))
    for nobody in (outside, parent, world.head, world.learner):
        assert (await nobody.get(path)).status_code == 404
        assert (await nobody.patch(path, json={"name": "Mine"})).status_code == 404
        assert (await nobody.post(f"{path}/secrets")).status_code == 404
        assert (await nobody.post(f"{path}/disabling")).status_code == 404
        listed = await nobody.get("/v1/clients", params={"organisation_id": str(world.school)})
        assert listed.json()["items"] == []
        refused = await nobody.post("/v1/clients", json=integration(desk))
        assert refused.status_code == 403, refused.text
    theirs = await world.administrator.post(
        "/v1/clients", json=integration(desk, organisation_id=elsewhere)
    )
    assert theirs.status_code == 403
    listed = await world.operator.get("/v1/clients", params={"organisation_id": str(world.school)})
    assert made["id"] in [item["id"] for item in listed.json()["items"]]


async def test_what_is_no_integration_of_a_school_is_the_operators_to_register(desk: Desk) -> None:
    network = await desk.world.learner.post("/v1/networks", json={"kind": "triad", "name": "Three"})
    bound = {"organisation_id": None, "network_id": network.json()["id"]}
    bodies = (portal(desk), phone(), integration(desk, **bound))
    for body in bodies:
        for who in ("administrator", "learner"):
            refused = await desk.world.actors[who].post("/v1/clients", json=body)
            assert refused.status_code == 403, refused.text
        await register(desk, body, by="operator")
    # Nor is it told whether there is such a network.
    hidden = await desk.world.administrator.post("/v1/clients", json=bodies[2])
    unknown = integration(desk, organisation_id=None, network_id=str(uuid7()))
    missing = await desk.world.administrator.post("/v1/clients", json=unknown)
    assert (missing.status_code, missing.json()["detail"]) == (403, hidden.json()["detail"])
    nothing = await desk.world.operator.post("/v1/clients", json=unknown)
    assert nothing.json()["errors"][0]["pointer"] == "/network_id"
    nowhere = integration(desk, organisation_id=str(uuid7()))
    nothing = await desk.world.operator.post("/v1/clients", json=nowhere)
    assert nothing.json()["errors"][0]["pointer"] == "/organisation_id"


async def test_a_client_makes_no_clients_and_sees_none(desk: Desk) -> None:
    client = desk.world.client
    path = f"/v1/clients/{client.id}"
    for answer in (
        await client.post("/v1/clients", json=integration(desk)),
        await client.get("/v1/clients"),
        await client.get(path),
        await client.patch(path, json={"scopes": ["goals:read"]}),
        await client.post(f"{path}/secrets"),
        await client.post(f"{path}/disabling"),
    ):
        assert answer.status_code == 403
        assert "for people who have signed in" in answer.json()["detail"]


async def test_the_client_of_the_documentation_page_is_nobodys_to_change(desk: Desk) -> None:
    path = f"/v1/clients/{PUBLIC_CLIENT}"
    assert (await desk.world.operator.get(path)).status_code == 404
    assert (await desk.world.operator.post(f"{path}/disabling")).status_code == 404


async def test_nobody_gives_a_client_more_than_their_own_token_has(desk: Desk) -> None:
    world = desk.world
    narrow = {"clients:read", "clients:write", "goals:read"}
    lesser = Actor(
        world.http,
        world.administrator.id,
        token(world.app, world.administrator.id, scopes=narrow),
    )
    wider = integration(desk, scopes=["goals:read", "people:write"])
    refused = await lesser.post("/v1/clients", json=wider)
    assert (refused.status_code, refused.json()["scope"]) == (403, "people:write")
    made = await lesser.post("/v1/clients", json=integration(desk))
    assert made.status_code == 201
    path = f"/v1/clients/{made.json()['id']}"
    refused = await lesser.patch(path, json={"scopes": ["goals:read", "people:write"]})
    assert (refused.status_code, refused.json()["scope"]) == (403, "people:write")
    widened = await world.administrator.patch(path, json={"scopes": ["goals:read", "people:write"]})
    assert widened.status_code == 200
    # Whoever has its secret has what it may.
    refused = await lesser.post(f"{path}/secrets")
    assert (refused.status_code, refused.json()["scope"]) == (403, "people:write")
    for less in ({"name": "Renamed"}, {"scopes": ["people:write"]}):
        assert (await lesser.patch(path, json=less)).status_code == 200


async def test_an_integration_is_given_no_scope_that_only_people_can_use(desk: Desk) -> None:
    every = await desk.world.administrator.post(
        "/v1/clients", json=integration(desk, scopes=sorted(SCOPES))
    )
    (error,) = every.json()["errors"]
    assert (every.status_code, error["pointer"]) == (422, "/scopes")
    first = min(SCOPES.keys() - CLIENT_SCOPES)
    assert error["detail"].startswith(f"only people who sign in can use {first}, ")
    made = await register(desk, integration(desk, scopes=sorted(CLIENT_SCOPES)))
    path = f"/v1/clients/{made['id']}"
    refused = await desk.world.administrator.patch(path, json={"scopes": ["goals:write"]})
    assert refused.json()["errors"][0]["pointer"] == "/scopes"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["goals:delete"]}, "/scopes/0"),
        ({"scopes": ["*"]}, "/scopes/0"),
        ({"scopes": ["goals:read"] * 100}, "/scopes"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 301}, "/name"),
        ({"organisation_id": None}, ""),
        ({"network_id": str(PUBLIC_CLIENT)}, ""),
        ({"kind": "public"}, ""),
        ({"kind": "private"}, "/kind"),
        ({"secret": "chosen-by-myself"}, "/secret"),
        ({"keys": {"keys": []}}, "/keys/keys"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_named(desk: Desk, changed: dict[str, Any], pointer: str) -> None:
    answer = await desk.world.operator.post("/v1/clients", json=integration(desk, **changed))
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "uri",
    ["https://portal.example/cb", "https://portal.example:8443/cb?kept=1", "https://[2001:db8::1]/cb",
     "http://127.0.0.1:1/cb", "http://[::1]:4000/", "http://localhost/cb", "org.example.app:/back"],
)  # fmt: skip
async def test_redirect_uris_are_kept_letter_by_letter(desk: Desk, uri: str) -> None:
    made = await register(desk, phone(redirect_uris=[uri]), by="operator")
    assert made["redirect_uris"] == [uri]
    request = App(UUID(made["id"]), uri).request(scope=None)
    assert (await desk.browser.open(request)).status_code == 200
    for other in (uri + "x", uri.upper(), uri + "#x"):
        refused = await desk.browser.open({**request, "redirect_uri": other})
        assert refused.status_code == 400


@pytest.mark.parametrize(
    "uri",
    ["http://portal.example/cb", "https://*.example/cb", "https://portal.example/cb#x", "https://",
     "https://user@portal.example/cb", "https://user:password@portal.example/cb", "app:/back",
     "javascript:alert(1)", "data:text/html,x", "portal.example/cb", "//portal.example/cb", "/cb", "",
     "https://portal.example/ŵyn", "https://portal.example/a b", "https://portal.example/a\nb",
     "https://portal.example\\@evil.example/", "http://127.0.0.1.evil.example/", "https://x:99999/",
     "https://portal.example/" + "x" * 2000, "urn:ietf:wg:oauth:2.0:oob"],
)  # fmt: skip
async def test_redirect_uris_lead_to_one_place_over_tls(desk: Desk, uri: str) -> None:
    body = phone(redirect_uris=[REDIRECT, uri])
    answer = await desk.world.operator.post("/v1/clients", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/redirect_uris/1"]


async def test_redirect_uris_are_few_and_an_app_has_one(desk: Desk) -> None:
    for uris in ([], [f"https://portal.example/{n}" for n in range(11)]):
        answer = await desk.world.operator.post("/v1/clients", json=phone(redirect_uris=uris))
        assert answer.json()["errors"][0]["pointer"] == "/redirect_uris"


async def test_two_secrets_count_while_one_takes_over_and_never_three(desk: Desk) -> None:
    made = await register(desk, integration(desk))
    path, send = f"/v1/clients/{made['id']}", desk.world.administrator
    second = (await send.post(f"{path}/secrets")).json()
    old, new = second["secrets"]
    assert (old["fingerprint"], new["expires_at"]) == (made["secrets"][0]["fingerprint"], None)
    for secret in (made["secret"], second["secret"]):
        assert await lets_in(desk, made["id"], secret)
    third = await send.post(f"{path}/secrets")
    assert third.status_code == 409
    for kept in (old, new):
        assert kept["fingerprint"] in third.json()["detail"]
    async with desk.world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(ClientSecret)
            .where(ClientSecret.hash == hash_secret(made["secret"]))
            .values(expires_at=now() - timedelta(seconds=1))
        )
    read = await send.get(path)
    assert [kept["fingerprint"] for kept in read.json()["secrets"]] == [new["fingerprint"]]
    assert not await lets_in(desk, made["id"], made["secret"])
    assert (await send.post(f"{path}/secrets")).status_code == 201


async def test_two_who_rotate_at_once_leave_two_secrets_and_one_is_told(desk: Desk) -> None:
    made = await register(desk, integration(desk))
    path, send = f"/v1/clients/{made['id']}/secrets", desk.world.administrator
    answers = await asyncio.gather(*(send.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await lets_in(desk, made["id"], made["secret"])


async def test_a_secret_in_wrong_hands_ends_at_once_with_what_it_opened(desk: Desk) -> None:
    made = await register(desk, integration(desk, scopes=["people:read"]))
    path, send = f"/v1/clients/{made['id']}", desk.world.administrator
    stolen = (await own_token(desk, made["id"], made["secret"])).json()["access_token"]
    added = (await send.post(f"{path}/secrets")).json()["secret"]
    wrong = f"{path}/secrets/{fingerprint(hash_secret(made['secret']))}"
    careless = await send.call("DELETE", wrong)
    stale = await send.delete(wrong, etag='"1.full.en"')
    assert (careless.status_code, stale.status_code) == (428, 412)
    assert (await desk.me(stolen)).status_code == 200
    assert (await send.delete(wrong)).status_code == 204
    assert (await send.delete(wrong)).status_code == 404
    assert (await desk.me(stolen)).status_code == 401
    assert not await lets_in(desk, made["id"], made["secret"])
    fresh = (await own_token(desk, made["id"], added)).json()["access_token"]
    assert (await desk.me(fresh)).status_code == 200


async def test_a_public_client_has_no_secret(desk: Desk) -> None:
    made = await register(desk, phone(), by="operator")
    assert (made["secret"], made["secrets"]) == (None, [])
    answer = await desk.world.operator.post(f"/v1/clients/{made['id']}/secrets")
    assert answer.status_code == 409


async def test_scopes_that_are_taken_away_are_gone_from_tokens_that_are_out(desk: Desk) -> None:
    made = await register(desk, portal(desk), by="operator")
    path = f"/v1/clients/{made['id']}"
    app = App(UUID(made["id"]), REDIRECT, made["secret"])
    theirs = await desk.browser.tokens(app, desk.email, scope="goals:read goals:write people:read")
    own = (await own_token(desk, made["id"], made["secret"])).json()
    assert (await desk.me(theirs["access_token"])).status_code == 200
    narrowed = await desk.world.operator.patch(path, json={"scopes": ["people:read"]})
    assert narrowed.status_code == 200, narrowed.text
    for out in (theirs, own):
        assert (await desk.me(out["access_token"])).status_code == 401
    # Nobody is signed out: the next refresh gives what is left.
    beyond = await desk.token(app.refresh(theirs["refresh_token"], scope="goals:read"))
    assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")
    left = await desk.token(app.refresh(theirs["refresh_token"]))
    assert left.json()["scope"] == "people:read"
    assert (await desk.me(left.json()["access_token"])).status_code == 200
    # What the person allowed is not widened by the client's being so again.
    wide = ["goals:read", "people:read", "shares:read"]
    assert (await desk.world.operator.patch(path, json={"scopes": wide})).status_code == 200
    again = await desk.token(app.refresh(left.json()["refresh_token"]))
    assert again.json()["scope"] == "goals:read people:read"


async def test_other_processes_take_up_what_was_taken_away_with_their_next_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.jobs.following import follow

    made = await register(desk, integration(desk, scopes=["goals:read", "people:read"]))
    out = (await own_token(desk, made["id"], made["secret"])).json()["access_token"]
    database, tokens = desk.world.database, desk.world.app.state.tokens
    monkeypatch.setattr(database, "on_narrowed", lambda client_id, moment: None)
    path = f"/v1/clients/{made['id']}"
    assert (await desk.me(out)).status_code == 200
    await desk.world.administrator.patch(path, json={"scopes": ["people:read"]})
    assert (await desk.me(out)).status_code == 200
    await follow(database, tokens)
    assert (await desk.me(out)).status_code == 401


async def test_the_name_and_the_way_back_of_a_portal_are_the_operators_to_change(
    desk: Desk,
) -> None:
    made = await register(desk, portal(desk), by="operator")
    path, send = f"/v1/clients/{made['id']}", desk.world.administrator
    for change in (
        {"name": "Tandem"},
        {"scopes": ["goals:read"]},
        {"redirect_uris": ["https://evil.example/"]},
        {"redirect_uris": []},
    ):
        refused = await send.patch(path, json=change)
        assert refused.status_code == 403, refused.text
        assert (await desk.world.operator.get(path)).json()["version"] == 1
    plain = await register(desk, integration(desk))
    refused = await send.patch(f"/v1/clients/{plain['id']}", json={"redirect_uris": [REDIRECT]})
    assert refused.status_code == 403
    # A secret that got about is the school's to replace, and the whole to switch off.
    assert (await send.post(f"{path}/secrets")).status_code == 201
    assert (await send.post(f"{path}/disabling")).status_code == 200


async def test_a_client_with_keys_needs_no_secret_and_keeps_no_private_key(desk: Desk) -> None:
    from tests.api.test_client_assertions import Keyed, public, signer_of

    signer = signer_of("ES256")
    keys = {"keys": [public(signer, "ES256")]}
    made = await register(desk, integration(desk, keys=keys))
    assert (made["secret"], made["secrets"]) == (None, [])
    assert made["keys"]["keys"][0]["kid"] == "ES256"
    keyed = Keyed(desk, UUID(made["id"]), signer, None)
    out = await desk.token(keyed.form(keyed.signed()))
    assert out.status_code == 200, out.text
    private = {"keys": [{**keys["keys"][0], "d": "AQAB"}]}
    for sent in (private, {"keys": [{**keys["keys"][0], "x": "AQAB"}]}):
        refused = await desk.world.administrator.post(
            "/v1/clients", json=integration(desk, keys=sent)
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"].startswith("/keys")
    path = f"/v1/clients/{made['id']}"
    gone = await desk.world.administrator.patch(path, json={"keys": None})
    assert gone.json()["keys"] is None
    assert (await desk.me(out.json()["access_token"])).status_code == 401
    refused = await desk.token(keyed.form(keyed.signed()))
    assert refused.json()["error"] == "invalid_client"


async def test_a_disabled_client_gets_nothing_and_stays_on_the_list(desk: Desk) -> None:
    made = await register(desk, portal(desk), by="operator")
    path, send = f"/v1/clients/{made['id']}", desk.world.administrator
    app = App(UUID(made["id"]), REDIRECT, made["secret"])
    theirs = await desk.browser.tokens(app, desk.email)
    own = (await own_token(desk, made["id"], made["secret"])).json()
    done = await send.post(f"{path}/disabling")
    assert done.json()["disabled_at"] is not None
    for out in (theirs, own):
        assert (await desk.me(out["access_token"])).status_code == 401
    assert not await lets_in(desk, made["id"], made["secret"])
    again = await desk.token(app.refresh(theirs["refresh_token"]))
    assert again.json()["error"] == "invalid_client"
    assert (await desk.browser.open(app.request())).status_code == 400
    for refused in (
        await send.post(f"{path}/disabling"),
        await send.post(f"{path}/secrets"),
        await desk.world.operator.patch(path, json={"name": "Back again"}),
    ):
        assert refused.status_code == 409
    assert (await send.get(path)).status_code == 200
    assert (await send.delete(path)).status_code == 405


async def test_what_is_done_to_a_schools_clients_is_in_its_audit(desk: Desk) -> None:
    made = await register(desk, integration(desk))
    path, send = f"/v1/clients/{made['id']}", desk.world.administrator
    for change in (
        {"name": "Renamed"},
        {"scopes": ["goals:read", "people:read"]},
        {"scopes": ["people:read"]},
        {"scopes": ["people:read"]},
    ):
        assert (await send.patch(path, json=change)).status_code == 200
    await send.post(f"{path}/secrets")
    await send.delete(f"{path}/secrets/{made['secrets'][0]['fingerprint']}")
    await send.post(f"{path}/disabling")
    audit = f"/v1/organisations/{desk.world.school}/audit"
    rows = (await send.get(audit, params={"limit": 200})).json()["items"]
    mine = [row for row in rows if row["resource_id"] == made["id"]]
    assert [(row["action"], row["changed"], row["resource_version"]) for row in mine[::-1]] == [
        ("created", [], 1),
        ("changed", ["name"], 2),
        ("widened", ["scopes"], 3),
        ("narrowed", ["scopes"], 4),
        ("secret_added", [], 5),
        ("secret_removed", [], 6),
        ("disabled", ["disabled_at"], 7),
    ]
    assert {row["by"]["id"] for row in mine} == {str(send.id)}
    assert {row["kind"] for row in mine} == {"client"}


async def test_nobody_makes_themself_a_leader_through_a_client_of_theirs(app: Any) -> None:
    async with made_once(app) as desk:
        world = desk.world
        made = await register(desk, integration(desk, scopes=["people:read", "people:write"]))
        out = (await own_token(desk, made["id"], made["secret"])).json()["access_token"]
        mine = Actor(world.http, UUID(made["id"]), out)
        role = {
            "person_id": str(world.administrator.id),
            "organisation_id": str(world.school),
            "starts_on": today().isoformat(),
        }
        for leading in ("head_teacher", "professional_learning_lead", "administrator"):
            refused = await mine.post("/v1/affiliations", json={**role, "role": leading})
            assert refused.status_code == 403, refused.text
        teaches = await mine.post("/v1/affiliations", json={**role, "role": "teacher"})
        assert teaches.status_code == 201
        path = f"/v1/affiliations/{teaches.json()['id']}"
        assert (await mine.patch(path, json={"role": "head_teacher"})).status_code == 403
        assert (await mine.patch(path, json={"fraction": 0.5})).status_code == 200
        other = {**role, "person_id": str(world.coach.id), "role": "head_teacher"}
        assert (await mine.post("/v1/affiliations", json=other)).status_code == 201


async def test_the_list_goes_on_from_page_to_page(app: Any, world: Any) -> None:
    desk = await make_desk(world)
    made = [(await register(desk, integration(desk)))["id"] for _ in range(3)]
    found, query = [], {"organisation_id": str(world.school), "limit": 2}
    while True:
        page = (await world.administrator.get("/v1/clients", params=query)).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == [*made[::-1], str(world.client.id)]
