"""SCIM on the wire: Microsoft Entra's dialect, whose users are seen, what is refused and how."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from app.access.grants import SCOPES
from app.actions import accounts
from app.core import journal
from app.core.clock import now
from app.core.rates import Limit
from app.core.routes import gates_of
from app.main import MOUNTED
from app.models.organisations import OrganisationKind
from tests.api.test_shares import network_of
from tests.scim import BASE, ENTERPRISE, PATCH, USER, School, directory_of
from tests.worlds import World, add_organisation, token

pytestmark = pytest.mark.anyio

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
WORK = 'emails[type eq "work"].value'
ADDRESS = "sian@school.example"
Operation = dict[str, Any]


@pytest.fixture
async def school(world: World) -> School:
    return await directory_of(world, world.school)


@pytest.fixture
async def other(world: World) -> School:
    async with world.database.work() as unit:
        place = await add_organisation(unit, OrganisationKind.SCHOOL, "Ysgol Arall")
    return await directory_of(world, place)


def refusal(answer: httpx.Response, status: int, keyword: str | None = None) -> dict[str, Any]:
    """What SCIM says of a refused request."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/scim+json")
    assert answer.headers["x-request-id"]
    found: dict[str, Any] = answer.json()
    assert found["schemas"] == [ERROR]
    assert found["status"] == str(status)
    assert found.get("scimType") == keyword
    assert found.keys() <= {"schemas", "status", "scimType", "detail"}
    assert "pydantic" not in answer.text
    return found


# As Microsoft Entra sends it

SENT_BY_ENTRA: dict[str, tuple[list[Operation], dict[str, Any]]] = {
    "capital letters, and a truth as a text": (
        [{"op": "Replace", "path": "active", "value": "False"}],
        {"active": False},
    ),
    "a truth as a truth": (
        [{"op": "replace", "path": "active", "value": False}],
        {"active": False},
    ),
    "no path, a truth as a text": (
        [{"op": "replace", "value": {"active": "False"}}],
        {"active": False},
    ),
    "the address of one type, which is not there yet": (
        [{"op": "Add", "path": WORK, "value": ADDRESS}],
        {"emails": [{"type": "work", "value": ADDRESS}]},
    ),
    "the same by Replace": (
        [{"op": "Replace", "path": WORK, "value": ADDRESS}],
        {"emails": [{"type": "work", "value": ADDRESS}]},
    ),
    "paths as names, without a path": (
        [{"op": "Replace", "value": {"displayName": "S Ŵ", "name.givenName": "Siân"}}],
        {"displayName": "S Ŵ", "name": {"givenName": "Siân"}},
    ),
    "parts of a name": (
        [
            {"op": "Add", "path": "name.givenName", "value": "Siân"},
            {"op": "Add", "path": "name.familyName", "value": "Ŵyn"},
        ],
        {"name": {"givenName": "Siân", "familyName": "Ŵyn"}},
    ),
    "the whole name of an attribute": (
        [{"op": "Replace", "path": f"{USER}:displayName", "value": "S"}],
        {"displayName": "S"},
    ),
    "an attribute of the extension by its path": (
        [{"op": "Add", "path": f"{ENTERPRISE}:employeeNumber", "value": "4711"}],
        {ENTERPRISE: {"employeeNumber": "4711"}},
    ),
    "an attribute of the extension as a name": (
        [{"op": "Add", "value": {f"{ENTERPRISE}:employeeNumber": "4711"}}],
        {ENTERPRISE: {"employeeNumber": "4711"}},
    ),
    "what means nothing here": (
        [
            {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "01a2"},
            {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Maths"},
            {"op": "Replace", "path": 'addresses[type eq "work"].locality', "value": "Bangor"},
            {"op": "Replace", "path": "title", "value": "Head of year"},
            {"op": "Replace", "value": {"preferredLanguage": "cy", "externalId": "7"}},
        ],
        {"externalId": "7"},
    ),
    "a role, to the primary one": (
        [{"op": "Add", "path": 'roles[primary eq "True"].value', "value": "teacher"}],
        {"roles": [{"value": "teacher", "primary": True}]},
    ),
    "roles with what they are called": (
        [{"op": "Add", "path": "roles", "value": [{"value": "tutor", "display": "Tutor"}]}],
        {"roles": [{"value": "tutor", "display": "Tutor"}]},
    ),
    "another name to sign in by": (
        [{"op": "Replace", "path": "userName", "value": "new-name@school.example"}],
        {"userName": "new-name@school.example"},
    ),
    "an attribute taken away": (
        [
            {"op": "Add", "path": "displayName", "value": "S"},
            {"op": "Remove", "path": "displayName"},
        ],
        {"displayName": None},
    ),
    "an address taken away by its value": (
        [
            {"op": "Add", "path": WORK, "value": ADDRESS},
            {"op": "Remove", "path": "emails", "value": [{"value": ADDRESS}]},
        ],
        {"emails": None},
    ),
    "several things at once": (
        [
            {"op": "Replace", "path": WORK, "value": ADDRESS},
            {"op": "Replace", "value": {"externalId": "8", "active": "True"}},
            {"op": "Add", "path": "displayName", "value": "S"},
        ],
        {"externalId": "8", "active": True, "displayName": "S"},
    ),
}


@pytest.mark.parametrize("name", SENT_BY_ENTRA)
async def test_a_change_as_entra_sends_it(school: School, name: str) -> None:
    operations, expected = SENT_BY_ENTRA[name]
    made = await school.brings()
    answer = await school.patch(made["id"], *operations)
    assert answer.status_code in (200, 204), answer.text
    shown = await school.get(made["id"])
    assert {key: shown.get(key) for key in expected} == expected
    assert "Bangor" not in json.dumps(shown)


async def test_a_new_user_as_entra_sends_one(school: School) -> None:
    name = f"{uuid4().hex}@school.example"
    body = {
        "schemas": [USER, ENTERPRISE],
        "externalId": str(uuid4()),
        "userName": name,
        "active": True,
        "displayName": "Siân Ŵyn",
        "emails": [{"primary": True, "type": "work", "value": ADDRESS}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Siân Ŵyn", "familyName": "Ŵyn", "givenName": "Siân"},
        "roles": [],
        "title": "Head of year",
        "phoneNumbers": [{"type": "work", "value": "01248 000000"}],
        ENTERPRISE: {"employeeNumber": "4711", "department": "Maths"},
    }
    answer = await school.call("POST", "/Users", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == made["meta"]["location"]
    assert answer.headers["etag"] == made["meta"]["version"]
    assert made[ENTERPRISE] == {"employeeNumber": "4711"}
    assert "title" not in made
    assert "phoneNumbers" not in made
    assert await school.found(f'userName eq "{name.upper()}"') == [made["id"]]


async def test_entra_asks_whether_somebody_is_there_before_it_brings_them(school: School) -> None:
    answer = await school.call("GET", "/Users", params={"filter": 'userName eq "nobody"'})
    assert answer.status_code == 200
    assert answer.json()["totalResults"] == 0
    # It tests its credentials with a user that cannot be there.
    answer = await school.call(
        "GET", "/Users", params={"filter": f'id eq "{uuid4()}"', "startIndex": 1, "count": 1}
    )
    assert answer.json()["totalResults"] == 0


# Finding


async def test_users_are_found_by_what_the_database_can_look_up(school: School) -> None:
    number, address = uuid4().hex, f"{uuid4().hex}@School.example"
    emails = [{"value": address, "type": "work"}, {"value": "100%_\\@x.example", "type": "home"}]
    made = await school.brings(externalId=number, emails=emails)
    me, name = [made["id"]], made["userName"]
    for filter_, found in (
        (f'id eq "{me[0]}"', me),
        (f'userName eq "{name.upper()}"', me),
        (f'{USER}:userName eq "{name}"', me),
        (f'externalId eq "{number}"', me),
        (f'externalId eq "{number.upper()}"', []),
        (f'emails.value eq "{address.lower()}"', me),
        (f'emails eq "{address}"', me),
        (f'emails[type eq "work"].value eq "{address}"', me),
        (f'emails[type eq "work" and value eq "{address}"]', me),
        (f'emails[type eq "home" and value eq "{address}"]', []),
        ('emails.value eq "100%_\\\\@x.example"', me),
        ('emails.value eq "%"', []),
        ('emails.value eq "100x_\\\\@x.example"', []),
        (f'externalId eq "{number}" and active eq true', me),
        (f'externalId eq "{number}" and active eq "False"', []),
        (f'externalId eq "{number}" and userName eq "{name}" and id eq "{me[0]}"', me),
        ('id eq "no id"', []),
    ):
        assert await school.found(filter_) == found, filter_


async def test_users_are_found_by_when_they_were_last_written(school: School) -> None:
    made = await school.brings()
    at = made["meta"]["lastModified"]
    before, after = (now() + timedelta(hours=h) for h in (-1, 1))
    assert made["id"] in await school.found(f'meta.lastModified ge "{at}"')
    assert made["id"] in await school.found(f'meta.lastModified gt "{before.isoformat()}"')
    assert await school.found(f'meta.lastModified gt "{after.isoformat()}"') == []
    assert made["id"] in await school.found(f'meta.lastModified lt "{after.isoformat()}"')


@pytest.mark.parametrize(
    "filter_",
    [
        'userName co "a"',
        'userName sw "a"',
        "userName pr",
        'not (userName eq "a")',
        'userName eq "a" or userName eq "b"',
        'displayName eq "a"',
        'name.givenName eq "a"',
        'emails.type eq "work"',
        'emails[type eq "work"]',
        'emails[value eq "a" or type eq "work"]',
        "userName eq 5",
        "active eq 5",
        'active eq "perhaps"',
        'meta.lastModified gt "yesterday"',
        'meta.lastModified gt "0001-01-01T00:00:00+14:00"',
        'meta.created gt "2026-01-01T00:00:00Z"',
        'nothing eq "a"',
        'password eq "a"',
        'userName eq "a',
        "userName",
        "",
        "(" * 300,
        "a" * 1000,
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        " and ".join(['userName eq "a"'] * 6),
        f'{ENTERPRISE}:employeeNumber eq "1"',
        'urn:other:userName eq "a"',
    ],
)
async def test_any_other_filter_is_refused(school: School, filter_: str) -> None:
    answer = await school.call("GET", "/Users", params={"filter": filter_})
    refusal(answer, 400, "invalidFilter")
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter_}
    answer = await school.call("POST", "/Users/.search", body)
    assert answer.status_code == 400


async def test_pages(school: School, other: School) -> None:
    made = [(await other.brings())["id"] for _ in range(5)]
    await school.brings()

    async def page(**parameters: int) -> dict[str, Any]:
        answer = await other.call("GET", "/Users", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["totalResults"] == 5
        return found

    def ids(found: dict[str, Any]) -> list[str]:
        return [user["id"] for user in found.get("Resources", [])]

    assert ids(await page()) == made
    assert ids(await page(startIndex=1, count=2)) == made[:2]
    assert ids(await page(startIndex=4, count=2)) == made[3:]
    assert (await page(startIndex=4, count=9))["itemsPerPage"] == 2
    assert ids(await page(count=0)) == []
    assert ids(await page(count=-1)) == []
    assert ids(await page(startIndex=-7)) == made
    assert ids(await page(startIndex=2**31 - 1)) == []
    for wrong in ({"startIndex": "x"}, {"count": 2**63}, {"startIndex": 10**30}):
        refusal(await other.call("GET", "/Users", params=wrong), 400, "invalidValue")
    body = {"startIndex": 2**62, "count": 2**62}
    answer = await other.call("POST", "/.search", body)
    assert answer.status_code in (200, 400)


async def test_only_what_is_asked_for_is_shown(school: School) -> None:
    made = await school.brings(displayName="D", externalId="9")
    path = f"/Users/{made['id']}"
    some = (await school.call("GET", path, params={"attributes": "displayName"})).json()
    assert some.keys() == {"schemas", "id", "displayName"}
    rest = (await school.call("GET", path, params={"excludedAttributes": "displayName"})).json()
    assert rest["externalId"] == "9"
    assert "displayName" not in rest


# Whose users they are


async def test_another_schools_users_are_not_there(school: School, other: School) -> None:
    theirs = await other.brings(externalId="x", roles=[{"value": "teacher"}])
    path, nobody = f"/Users/{theirs['id']}", f"/Users/{uuid4()}"
    body = {"schemas": [USER], "userName": "taken-over"}
    change = {
        "schemas": [PATCH],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    for method, sent in (("GET", None), ("PUT", body), ("PATCH", change), ("DELETE", None)):
        answers = [await school.call(method, where, sent) for where in (path, nobody)]
        told = [refusal(answer, 404) for answer in answers]
        assert told[0] == told[1]
    for filter_ in (
        f'id eq "{theirs["id"]}"',
        f'userName eq "{theirs["userName"]}"',
        'externalId eq "x"',
    ):
        assert await school.found(filter_) == []
    for way in ("/Users", "/"):
        listed = (await school.call("GET", way)).json()
        assert theirs["id"] not in json.dumps(listed)
        assert listed["totalResults"] == len(listed.get("Resources", []))
    assert await other.get(theirs["id"]) == theirs


@pytest.mark.parametrize("text", ["{%s}", "%s ", "urn:uuid:%s", "x", "%%00", "..", "1" * 300])
async def test_what_is_no_id_is_not_there(school: School, text: str) -> None:
    made = await school.brings()
    where = text % made["id"] if "%s" in text else text
    answer = await school.call("GET", f"/Users/{where}")
    assert answer.status_code == 404


# Who may ask


async def test_only_a_client_of_an_organisation_with_the_scope_may_ask(
    world: World, school: School
) -> None:
    made = await school.brings()
    asked: list[tuple[str, str, str]] = [
        ("GET", "/Users", "identities:read"),
        ("GET", "/", "identities:read"),
        ("POST", "/.search", "identities:read"),
        ("POST", "/Users/.search", "identities:read"),
        ("GET", f"/Users/{made['id']}", "identities:read"),
        ("POST", "/Users", "identities:write"),
        ("PUT", f"/Users/{made['id']}", "identities:write"),
        ("PATCH", f"/Users/{made['id']}", "identities:write"),
        ("DELETE", f"/Users/{made['id']}", "identities:write"),
    ]
    # Each that is not open to all (tests/test_house.py lists those).
    gated = {
        (method, route.path.removeprefix("/scim/v2").replace("{user_id}", made["id"]))
        for router in MOUNTED
        for route in router.routes
        if isinstance(route, APIRoute) and gates_of(route.dependant)
        for method in route.methods
    }
    assert gated == {(method, path) for method, path, _ in asked}
    network = await network_of(world, "head")
    async with world.database.work() as unit:
        of_network, _ = await accounts.create_client(
            unit,
            actor=journal.COMMAND_LINE,
            name="Of a network",
            organisation_id=None,
            network_id=UUID(network),
            scopes=sorted(SCOPES),
        )
    app = world.app
    for method, path, scope in asked:
        without = await world.http.request(method, f"{BASE}{path}")
        refusal(without, 401)
        assert without.headers["www-authenticate"] == "Bearer"
        lacking = set(SCOPES) - {scope}
        for bearer, headers in (
            (token(app, school.client, school.client, lacking), "insufficient_scope"),
            (world.administrator.token, ""),
            (world.operator.token, ""),
            (token(app, of_network, of_network), ""),
        ):
            sent = {"Authorization": f"Bearer {bearer}"}
            answer = await world.http.request(method, f"{BASE}{path}", headers=sent)
            refusal(answer, 403)
            assert headers in answer.headers.get("www-authenticate", "")
    bad = await world.http.get(f"{BASE}/Users", headers={"Authorization": "Bearer x.y.z"})
    refusal(bad, 401)
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    assert (await school.get(made["id"])) == made


async def test_a_directory_signs_in_by_client_credentials(world: World) -> None:
    """As Microsoft Entra does: with the secret in a header or in the body, and scopes or none."""
    async with world.database.work() as unit:
        client, secret = await accounts.create_client(
            unit,
            actor=journal.COMMAND_LINE,
            name="Entra",
            organisation_id=world.school,
            scopes=["identities:read", "identities:write"],
        )
    form = {"grant_type": "client_credentials"}
    in_body = {"client_id": str(client), "client_secret": secret}
    for data, auth in (
        (form, (str(client), secret)),
        (form | in_body, None),
        (form | in_body | {"scope": "identities:read identities:write"}, None),
    ):
        given = await world.http.post("/oauth/token", data=data, auth=auth)
        assert given.status_code == 200, given.text
        assert given.json()["scope"] == "identities:read identities:write"
        school = School(world, world.school, client, given.json()["access_token"])
        await school.brings()
        assert await school.found(f'userName eq "{uuid4()}"') == []


async def test_too_many_requests_are_refused_in_the_words_of_scim(
    world: World, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.app.state.rates, "caller", Limit("caller", 1, window=3600))
    assert (await school.call("GET", "/Users")).status_code == 200
    refused = await school.call("GET", "/Users")
    refusal(refused, 429)
    assert int(refused.headers["retry-after"]) > 0
    monkeypatch.setattr(world.app.state.rates, "address", Limit("address", 0, window=3600))
    monkeypatch.setattr(world.app.state.rates, "caller", Limit("caller", 0, window=3600))


async def test_the_row_speaks_before_the_body(school: School) -> None:
    made = await school.brings()
    for method in ("PUT", "PATCH"):
        broken = {"content": b"{", "headers": {"Content-Type": "application/scim+json"}}
        refusal(await school.call(method, f"/Users/{uuid4()}", **broken), 404)
        broken["headers"]["If-Match"] = 'W/"99"'
        refusal(await school.call(method, f"/Users/{made['id']}", **broken), 412)
        broken["headers"].pop("If-Match")
        refusal(await school.call(method, f"/Users/{made['id']}", **broken), 400, "invalidSyntax")


# What is offered


async def test_what_is_offered_is_told_to_everybody(world: World) -> None:
    async def read(path: str) -> Any:
        answer = await world.http.get(f"{BASE}{path}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/scim+json")
        return answer.json()

    config = await read("/ServiceProviderConfig")
    supported = {
        name for name, value in config.items() if isinstance(value, dict) and value.get("supported")
    }
    assert supported == {"patch", "filter", "etag"}
    types = await read("/ResourceTypes")
    assert [found["name"] for found in types["Resources"]] == ["User"]
    schemas = await read("/Schemas")
    assert {found["id"] for found in schemas["Resources"]} == {USER, ENTERPRISE}
    assert (await read(f"/Schemas/{USER}"))["name"] == "User"
    assert (await read("/ResourceTypes/User"))["endpoint"] == "/Users"
    assert "password" not in json.dumps(schemas)
    assert config["meta"]["location"] == f"{BASE}/ServiceProviderConfig"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Groups", 404),
        ("POST", "/Groups", 404),
        ("GET", "/Nothing/such", 404),
        ("GET", "/Users/a/b", 404),
        ("POST", "/Bulk", 501),
        ("GET", "/Me", 501),
        ("PUT", "/Users", 405),
        ("DELETE", "/Schemas", 405),
        ("GET", "/Schemas/urn:other", 404),
        ("GET", "/ResourceTypes/Group", 404),
    ],
)
async def test_what_is_not_offered_is_refused_in_its_words(
    school: School, method: str, path: str, status: int
) -> None:
    answer = await school.call(method, path)
    refusal(answer, status)
    if status == 405:
        assert "GET" in answer.headers["allow"]


async def test_sorting_is_not_offered(school: School) -> None:
    refusal(await school.call("GET", "/Users", params={"sortBy": "userName"}), 501)


# What is refused


def patch(*operations: Any) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def user(**said: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": uuid4().hex, **said}


REFUSED_USERS: dict[str, Any] = {
    "nothing": {},
    "other schemas": {"schemas": ["urn:x"], "userName": "x"},
    "no name": {"schemas": [USER]},
    "an empty name": user(userName=""),
    "a blank name": user(userName="  "),
    "a long name": user(userName="x" * 255),
    "a name on two lines": user(userName="a\nb"),
    "a bell": user(userName="a\x07b"),
    "a name that is a number": user(userName=5),
    "a name that is a list": user(userName=["a"]),
    "no truth": user(active="perhaps"),
    "an unknown role": user(roles=[{"value": "king"}]),
    "a role that is a text": user(roles="teacher"),
    "too many roles": user(roles=[{"value": "teacher"}] * 21),
    "two that are primary": user(
        roles=[{"value": "teacher", "primary": True}, {"value": "tutor", "primary": True}]
    ),
    "no address": user(emails=[{"value": "nobody"}]),
    "an address that is an object": user(emails=[{"value": {"a": 1}}]),
    "a long number": user(externalId="x" * 101),
    "a number on two lines": user(externalId="a\nb"),
    "a password": user(password="secret"),
    "a password by its whole name": user(**{f"{USER}:password": "secret"}),
    "a password in other letters": user(PassWord="secret"),
    "a list": [],
    "a text": "x",
    "null": None,
    "a name that is deep": user(name={"formatted": {"a": {"b": {}}}}),
    "a name that is a text": user(name="Siân"),
    "an extension that is a text": user(**{"schemas": [USER, ENTERPRISE], ENTERPRISE: "x"}),
}

REFUSED_CHANGES: dict[str, Any] = {
    "nothing": {},
    "no operations": {"schemas": [PATCH]},
    "an empty list": patch(),
    "operations that are no list": {"schemas": [PATCH], "Operations": {}},
    "an operation that is none": patch({"op": "shout", "path": "active"}),
    "an operation that is a text": patch("replace"),
    "an operation that is a number": patch({"op": 5, "path": "active", "value": True}),
    "no value": patch({"op": "replace", "path": "displayName"}),
    "no truth": patch({"op": "replace", "path": "active", "value": "perhaps"}),
    "the name away": patch({"op": "remove", "path": "userName"}),
    "the name to nothing": patch({"op": "replace", "path": "userName", "value": None}),
    "the id": patch({"op": "replace", "path": "id", "value": "x"}),
    "the id without a path": patch({"op": "replace", "value": {"id": "x"}}),
    "an unknown role": patch({"op": "add", "path": "roles", "value": [{"value": "king"}]}),
    "an unknown role by a path": patch(
        {"op": "add", "path": 'roles[primary eq "True"].value', "value": "king"}
    ),
    "a password": patch({"op": "replace", "path": "password", "value": "x"}),
    "a password by its whole name": patch(
        {"op": "replace", "path": f"{USER}:password", "value": "x"}
    ),
    "a password without a path": patch({"op": "replace", "value": {"password": "x"}}),
    "a broken path": patch({"op": "replace", "path": "emails[", "value": "x"}),
    "a path of brackets": patch({"op": "replace", "path": "emails[" * 100, "value": "x"}),
    "a long path": patch({"op": "replace", "path": "a" * 1001, "value": "x"}),
    "a long name": patch({"op": "replace", "value": {"a" * 1001: "x"}}),
    "a path that is an object": patch({"op": "replace", "path": {}, "value": "x"}),
    "too many operations": patch(*[{"op": "remove", "path": "displayName"}] * 51),
    "a text for an address": patch({"op": "add", "path": "emails", "value": "x"}),
    "no address": patch({"op": "add", "path": WORK, "value": "nobody"}),
    "a list where there is one": patch({"op": "replace", "path": "displayName", "value": ["x"]}),
    "an object where there is a text": patch({"op": "replace", "path": "userName", "value": {}}),
    "a list without a path": patch({"op": "replace", "value": [1]}),
    "a list": [],
}


async def sent(school: School, method: str, path: str, body: Any) -> httpx.Response:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/scim+json"}
    return await school.call(method, path, content=content, headers=headers)


@pytest.mark.parametrize("name", REFUSED_USERS)
async def test_a_user_that_is_refused(school: School, name: str) -> None:
    made = await school.brings()
    for method, path in (("POST", "/Users"), ("PUT", f"/Users/{made['id']}")):
        answer = await sent(school, method, path, REFUSED_USERS[name])
        assert answer.json().get("scimType") in ("invalidSyntax", "invalidValue"), answer.text
        refusal(answer, 400, answer.json()["scimType"])
    assert await school.get(made["id"]) == made


@pytest.mark.parametrize("name", REFUSED_CHANGES)
async def test_a_change_that_is_refused(school: School, name: str) -> None:
    made = await school.brings()
    answer = await sent(school, "PATCH", f"/Users/{made['id']}", REFUSED_CHANGES[name])
    refusal(answer, 400, answer.json().get("scimType"))
    assert await school.get(made["id"]) == made


DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
BROKEN: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"{", 400),
    "not UTF-8": (b'{"userName": "\xff"}', 400),
    "NUL": (b'{"userName": "a\\u0000b"}', 400),
    "half a pair": (b'{"userName": "\\ud800"}', 400),
    "a name twice": (b'{"userName": "a", "userName": "b"}', 400),
    "NaN": (b'{"userName": NaN}', 400),
    "deep": (DEEP, 400),
    "large": (b'{"userName": "' + b"x" * 70_000 + b'"}', 413),
    "many members": (b"{" + b",".join(b'"a%d":1' % n for n in range(401)) + b"}", 400),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_body_that_is_no_body(school: School, name: str) -> None:
    content, status = BROKEN[name]
    made = await school.brings()
    headers = {"Content-Type": "application/scim+json"}
    for method, path in (
        ("POST", "/Users"),
        ("PUT", f"/Users/{made['id']}"),
        ("PATCH", f"/Users/{made['id']}"),
        ("POST", "/Users/.search"),
    ):
        answer = await school.call(method, path, content=content, headers=headers)
        refusal(answer, status, answer.json().get("scimType"))
    plain = await school.call(
        "POST", "/Users", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    refusal(plain, 415)


async def test_names_of_every_script_come_back_as_they_were_sent(school: School) -> None:
    for name in ("Ŵyn Tŷ", "İ" * 254, "😀" * 254, "ẞ" * 100, "نور", "a'b\"c\\d%_"):
        made = await school.brings(name + uuid4().hex[:8] if len(name) < 200 else name)
        assert (await school.get(made["id"]))["userName"] == made["userName"]
        await school.call("DELETE", f"/Users/{made['id']}")


async def test_answers_are_kept_nowhere(school: School) -> None:
    made = await school.brings()
    for path in ("/Users", f"/Users/{made['id']}", "/Schemas"):
        assert (await school.call("GET", path)).headers["cache-control"] == "no-store"
