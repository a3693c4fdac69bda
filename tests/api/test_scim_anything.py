"""Random bodies and queries made of SCIM's own words: every answer is one that SCIM knows."""

import json
import random
from typing import Any
from uuid import uuid4

import pytest

from tests.scim import ENTERPRISE, PATCH, USER, School, directory_of
from tests.worlds import World

pytestmark = pytest.mark.anyio

NAMES = [
    "userName", "externalId", "active", "name", "name.givenName", "name.formatted", "emails", "emails.value",
    'emails[type eq "work"].value', 'emails[type eq "work"]', "emails[value pr]", "roles", 'roles[primary eq "True"].value',
    "roles.value", "roles.value.x", "displayName", "meta", "meta.version", "id", "schemas", "groups", ENTERPRISE, f"{ENTERPRISE}:employeeNumber",
    f"{USER}:active", USER, "urn:other:x", "", " ", "emails[", 'emails[type eq "a" and value eq "b"].primary', "not (a pr)",
    "$ref", "Operations", "path", "value", "op", "name[formatted pr]", "active[value eq true]", "emails[0]", "emails[primary eq true].type",
    f"{ENTERPRISE}:manager.value", 'emails[not (type eq "work")].value', "EMAILS[TYPE EQ \"work\"].VALUE",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, "True", "false", 0, -1, 2**63 - 1, 1.5, "", " ", "x", "a@b.example", "teacher", "Head teacher", [],
    {}, [None], [[]], [{}], "\ud83d\ude00", "x" * 300, {"value": "a@b.example", "type": "work"}, [{"value": "teacher"}],
    [{"value": "a@b.example", "primary": True}, {"value": "c@d.example", "primary": True}], {"primary": "True"},
    {"formatted": None}, {"employeeNumber": 5}, {ENTERPRISE: None}, [USER], [ENTERPRISE], [USER, ENTERPRISE, "urn:x"], "1e999",
]  # fmt: skip
KNOWN = {200, 201, 204, 304, 400, 404, 409, 412}


def value(chance: random.Random, depth: int = 0) -> Any:
    """A value, or an object or list of values."""
    kind = chance.random()
    if kind < 0.15 and depth < 3:
        return {name(chance): value(chance, depth + 1) for _ in range(chance.randrange(4))}
    if kind < 0.25 and depth < 3:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return chance.choice(VALUES)


def name(chance: random.Random) -> str:
    return chance.choice(NAMES)


def operation(chance: random.Random) -> Any:
    made = {"op": chance.choice(["add", "Replace", "remove", "replace", "Add", "move"])}
    if chance.random() < 0.8:
        made["path"] = name(chance)
    if chance.random() < 0.85:
        made["value"] = value(chance)
    return made


def user(chance: random.Random) -> dict[str, Any]:
    made = {name(chance): value(chance) for _ in range(chance.randrange(8))}
    if chance.random() < 0.8:
        made |= {"schemas": [USER, ENTERPRISE], "userName": uuid4().hex}
    return made


def filter_(chance: random.Random) -> str:
    terms = [
        f"{name(chance)} {chance.choice(['eq', 'ne', 'co', 'pr', 'gt', 'EQ'])} {json.dumps(value(chance))}"
        for _ in range(chance.randrange(1, 4))
    ]
    return chance.choice([" and ", " or ", " "]).join(terms)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_sent_is_answered_in_the_words_of_scim(world: World, seed: int) -> None:
    chance = random.Random(seed)
    school: School = await directory_of(world, world.school)
    made = await school.brings()
    path = f"/Users/{made['id']}"
    for _ in range(20):
        operations = [operation(chance) for _ in range(chance.randrange(1, 4))]
        asked: list[tuple[str, str, Any, dict[str, str]]] = [
            ("PATCH", path, {"schemas": [PATCH], "Operations": operations}, {}),
            ("PUT", path, user(chance), {}),
            ("POST", "/Users", user(chance), {}),
            ("GET", "/Users", None, {"filter": filter_(chance)[:1000]}),
            ("GET", path, None, {"attributes": name(chance), "excludedAttributes": name(chance)}),
            ("POST", "/Users/.search", {"filter": filter_(chance), "count": value(chance)}, {}),
        ]
        for method, where, body, query in asked:
            content = None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/scim+json"}
            answer = await school.call(
                method, where, content=content, params=query, headers=headers
            )
            said = f"{method} {where} {query} {body}: {answer.text}"
            assert answer.status_code in KNOWN, said
            if answer.status_code >= 400:
                assert answer.json()["status"] == str(answer.status_code), said
        assert (await school.get(made["id"]))["id"] == made["id"]
