"""The token endpoint: RFC 6749 to the letter, and the same answer for every wrong secret."""

import base64
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import httpx
import pytest

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts
from app.core import journal
from app.core.ids import uuid7
from app.core.settings import settings
from tests.raw import LEAKS, Answer, send
from tests.worlds import World

pytestmark = pytest.mark.anyio

FORM = ("Content-Type", "application/x-www-form-urlencoded")
OWN = ["goals:read", "organisations:read", "people:read"]
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749, 5.2: what an error_description may hold."""


@dataclass
class Desk:
    """A world with a client that has a secret, a disabled one, and a person with a password."""

    world: World
    client: str
    secret: str
    disabled: str
    disabled_secret: str
    email: str
    password: str = "correct horse battery staple"

    async def ask(
        self, form: Any, *headers: tuple[str, str | bytes], query: str = "", method: str = "POST"
    ) -> Answer:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        sent = (
            [*headers] if any(name == "Content-Type" for name, _ in headers) else [FORM, *headers]
        )
        return await send(self.world.app, method, f"/oauth/token{query}", headers=sent, body=body)

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": self.secret,
        }

    @property
    def person(self) -> dict[str, str]:
        return {"grant_type": "password", "username": self.email, "password": self.password}


def basic(name: str, secret: str) -> tuple[str, str]:
    encoded = base64.b64encode(f"{quote(name)}:{quote(secret)}".encode()).decode()
    return ("Authorization", f"Basic {encoded}")


@pytest.fixture(scope="module")
async def desk(app: Any) -> AsyncIterator[Desk]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        world = await World.create(app, http)
        made = []
        async with world.database.work() as unit:
            for name in ("Own", "Disabled"):
                made += await accounts.create_client(
                    unit,
                    actor=journal.COMMAND_LINE,
                    name=name,
                    organisation_id=world.school,
                    scopes=OWN,
                )
            found = await unit.session.get(_client(), made[2])
            found.disabled_at = found.created_at
        found = Desk(world, *(str(part) for part in made), f"Mair.{uuid4().hex}@school.example")
        async with world.database.work() as unit:
            await accounts.create_identity(
                unit,
                actor=journal.COMMAND_LINE,
                person_id=world.learner.id,
                email=found.email,
                password=found.password,
            )
        yield found


def _client() -> Any:
    from app.models.people import Client

    return Client


def granted(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    assert answer.header("content-type") == "application/json"
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")
    found: dict[str, Any] = answer.json()
    assert set(found) == {"access_token", "token_type", "expires_in", "scope"}
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 900)
    return found


def refused(answer: Answer, error: str, status: int = 400) -> str:
    assert answer.status == status, answer.text
    assert answer.header("content-type") == "application/json"
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")
    found = answer.json()
    assert set(found) == {"error", "error_description"}
    assert found["error"] == error, found
    assert DESCRIPTION.fullmatch(found["error_description"]), found
    assert not LEAKS.search(answer.text)
    if status == 401:
        assert answer.header("www-authenticate") == 'Basic realm="tandem"'
    return str(found["error_description"])


async def test_a_client_authenticates_by_form_or_by_basic(desk: Desk) -> None:
    by_form = granted(await desk.ask(desk.credentials))
    by_basic = granted(
        await desk.ask({"grant_type": "client_credentials"}, basic(desk.client, desk.secret))
    )
    assert by_form["scope"] == by_basic["scope"] == " ".join(OWN)
    for found in (by_form, by_basic):
        me = await desk.world.http.get(
            "/v1/me", headers={"Authorization": f"Bearer {found['access_token']}"}
        )
        assert me.json()["person"] is None
        assert me.json()["client"]["id"] == desk.client
        assert me.json()["scopes"] == OWN


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("goals:read", "goals:read"),
        ("people:read goals:read", "goals:read people:read"),
        ("goals:read goals:read", "goals:read"),
        ("  goals:read  ", "goals:read"),
        ("", " ".join(OWN)),
    ],
)
async def test_a_client_may_ask_for_less(desk: Desk, asked: str, given: str) -> None:
    found = granted(await desk.ask({**desk.credentials, "scope": asked}))
    assert found["scope"] == given


@pytest.mark.parametrize(
    "asked",
    ["goals:write", "goals:read goals:write", "admin", "*", "GOALS:READ", "goals:read,people:read", "openid",
     'x"y\\z', "\u00e9", "goals:read\ngoals:write", "x" * 5000, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")],
)  # fmt: skip
async def test_a_client_gets_no_more_than_it_is_registered_for(desk: Desk, asked: str) -> None:
    description = refused(await desk.ask({**desk.credentials, "scope": asked}), "invalid_scope")
    assert len(description) < 200


async def test_a_person_gets_no_scope_that_there_is_not(desk: Desk) -> None:
    refused(await desk.ask({**desk.person, "scope": "goals:read nothing"}), "invalid_scope")


async def test_every_wrong_client_gets_the_same_answer(desk: Desk) -> None:
    wrong = [
        (desk.client, "x"),
        (desk.client, ""),
        (desk.client, desk.secret[:-1]),
        (desk.client, desk.secret + "x"),
        (desk.client, desk.secret.swapcase()),
        (desk.client, "\x7f\u00e9"),
        (desk.client, "x" * 10_000),
        (str(uuid7()), desk.secret),
        (str(uuid4()), desk.secret),
        ("", ""),
        ("nobody", desk.secret),
        ("' OR 1=1 --", desk.secret),
        (desk.disabled, desk.disabled_secret),
        (str(PUBLIC_CLIENT), "x"),
        (str(desk.world.learner.id), desk.secret),
    ]
    answers = set()
    for name, secret in wrong:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
        by_form = await desk.ask(form)
        by_basic = await desk.ask({"grant_type": "client_credentials"}, basic(name, secret))
        for answer in (by_form, by_basic):
            refused(answer, "invalid_client", 401)
            answers.add(answer.body)
    assert len(answers) == 1
    no_secret = {"grant_type": "client_credentials", "client_id": desk.client}
    refused(await desk.ask(no_secret), "invalid_client", 401)
    refused(await desk.ask({"grant_type": "client_credentials"}), "invalid_client", 401)


async def test_a_public_client_does_not_speak_for_itself(desk: Desk) -> None:
    form = {"grant_type": "client_credentials", "client_id": str(PUBLIC_CLIENT)}
    refused(await desk.ask(form), "unauthorized_client")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic \xe9",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"%00:%00").decode(),
        "Basic " + base64.b64encode(b"%:%zz").decode(),
        "Basic " + "A" * 100_000,
        "Bearer x",
        "Digest username=x",
        "basicAAAA",
        "Basic\tQTpC",
        "Basic QTpC, Basic QTpC",
    ],
)
async def test_a_header_that_is_no_basic_is_refused(desk: Desk, header: str) -> None:
    answer = await desk.ask({"grant_type": "client_credentials"}, ("Authorization", header))
    refused(answer, "invalid_client", 401)


async def test_a_client_authenticates_once(desk: Desk) -> None:
    right = basic(desk.client, desk.secret)
    refused(await desk.ask(desk.credentials, right), "invalid_request")
    wrong = {**desk.credentials, "client_secret": ""}
    refused(await desk.ask(wrong, right), "invalid_request")
    plain = {"grant_type": "client_credentials"}
    refused(await desk.ask(plain, right, right), "invalid_request")
    other = {**plain, "client_id": str(uuid7())}
    refused(await desk.ask(other, right), "invalid_request")
    granted(await desk.ask({**plain, "client_id": desk.client}, right))
    granted(await desk.ask({**plain, "client_id": desk.client.upper()}, right))


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "CLIENT_CREDENTIALS"}, "unsupported_grant_type"),
        ({"grant_type": " client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"grant_type": "x" * 10_000}, "unsupported_grant_type"),
        ({"grant_type": "\x00"}, "invalid_request"),
        ({"Grant_Type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "x"}, "invalid_request"),
        ({"grant_type": "password", "password": "x"}, "invalid_request"),
    ],
    ids=str,
)
async def test_a_grant_that_is_not_offered_is_refused(
    desk: Desk, form: dict[str, str], error: str
) -> None:
    refused(await desk.ask(form), error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=client_credentials&grant_type=password",
        b"grant_type=client_credentials&scope=goals:read&scope=goals:write",
        b"grant_type=client_credentials&client_id=x&client_id=y",
        b"grant_type=client_credentials&%67rant_type=password",
        b"grant_type=client_credentials&x=%00",
        b"grant_type=client_credentials&client_secret=a%00b",
        b"grant_type=client_credentials&x=%FF",
        b"grant_type=client_credentials&x=%ED%A0%80",
        b"grant_type=client_credentials&%FF=x",
        b"grant_type=client_credentials&x=\xff",
        b"grant_type=client_credentials&x=\xc3\xa9",
        b"&".join(b"x%d=1" % number for number in range(1000)),
        b"&" * 10_000,
        b"=",
        b"\x00",
        b'{"grant_type": "client_credentials"}',
        b"x" * 16_000,
    ],
    ids=lambda body: repr(body)[:60],
)
async def test_a_form_that_cannot_be_read_is_refused(desk: Desk, body: bytes) -> None:
    refused(await desk.ask(body), "invalid_request")


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded-x",
     "application/x-www-form-urlencoded, application/json", "\xe9"],
)  # fmt: skip
async def test_only_a_form_is_read(desk: Desk, kind: str) -> None:
    answer = await desk.ask(desk.credentials, ("Content-Type", kind))
    refused(answer, "invalid_request")
    as_json = await desk.ask(json.dumps(desk.credentials).encode(), ("Content-Type", kind))
    refused(as_json, "invalid_request")


async def test_a_form_with_a_charset_is_read(desk: Desk) -> None:
    kind = ("Content-Type", "Application/X-WWW-Form-URLEncoded; charset=UTF-8")
    granted(await desk.ask(desk.credentials, kind))


async def test_a_form_that_is_too_large_or_coded_is_refused(desk: Desk) -> None:
    large = {**desk.credentials, "x": "y" * 20_000}
    refused(await desk.ask(large), "invalid_request", 413)
    refused(await desk.ask(b"x", ("Content-Length", "99999999")), "invalid_request", 413)
    coded = await desk.ask(desk.credentials, ("Content-Encoding", "gzip"))
    refused(coded, "invalid_request", 415)


@pytest.mark.parametrize(
    "query", ["?grant_type=client_credentials", "?client_secret=x", "?x", "?&"]
)
async def test_nothing_is_taken_from_the_address(desk: Desk, query: str) -> None:
    refused(await desk.ask(desk.credentials, query=query), "invalid_request")


async def test_unknown_parameters_are_ignored_as_the_standard_asks(desk: Desk) -> None:
    granted(await desk.ask({**desk.credentials, "resource": "x", "audience": "y", "state": ""}))


async def test_the_password_grant_signs_a_person_in(desk: Desk) -> None:
    for name in (desk.email, desk.email.upper(), f" {desk.email} "):
        found = granted(await desk.ask({**desk.person, "username": name}))
        assert found["scope"] == " ".join(sorted(SCOPES))
    bearer = {"Authorization": f"Bearer {found['access_token']}"}
    me = await desk.world.http.get("/v1/me", headers=bearer)
    assert me.json()["person"]["id"] == str(desk.world.learner.id)
    assert UUID(me.json()["client"]["id"]) == PUBLIC_CLIENT
    less = granted(await desk.ask({**desk.person, "scope": "goals:read"}))
    assert less["scope"] == "goals:read"


async def test_known_and_unknown_people_are_refused_alike(desk: Desk) -> None:
    answers, took = set(), {}
    for label, changed in {
        "wrong password": {"password": "x"},
        "password in another case": {"password": desk.password.upper()},
        "password with a space": {"password": desk.password + " "},
        "long password": {"password": "x" * 15_000},
        "emoji": {"password": "😀"},
        "unknown": {"username": "nobody@school.example"},
        "no address": {"username": "x"},
        "long address": {"username": "x" * 10_000},
        "wildcard": {"username": "%"},
        "SQL": {"username": "' OR 1=1 --"},
        "half an address": {"username": desk.email[:10]},
    }.items():
        started = time.perf_counter()
        answer = await desk.ask({**desk.person, **changed})
        took[label] = time.perf_counter() - started
        refused(answer, "invalid_grant")
        answers.add(answer.body)
    assert len(answers) == 1
    # Both are compared with a hash; without that an unknown person would be a hundred times faster.
    assert took["unknown"] > took["wrong password"] / 10


async def test_the_password_grant_can_be_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "password_grant", False)
    refused(await desk.ask(desk.person), "unsupported_grant_type")
    wrong = {**desk.person, "password": "x"}
    refused(await desk.ask(wrong), "unsupported_grant_type")
    granted(await desk.ask(desk.credentials))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_tokens_are_asked_for_by_post(desk: Desk, method: str) -> None:
    answer = await desk.ask(desk.credentials, method=method)
    assert (answer.status, answer.header("allow")) == (405, "POST")
