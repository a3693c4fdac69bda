"""Identity providers as their administrators look after them: who may do what, and what is never shown."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.identity_providers import find_provider, secret_of
from tests.servers import Server
from tests.worlds import Actor, World

pytestmark = pytest.mark.anyio

PATH = "/v1/identity-providers"
SECRET = "never-shown-again-~&/+"


def body(world: World, **changed: Any) -> dict[str, Any]:
    return {
        "organisation_id": str(world.school),
        "name": "Ysgol Tŷ Gwyn",
        "issuer": "https://login.example/tenant/v2.0",
        "client_id": "0198c0de",
        "client_secret": SECRET,
        "trusted_domains": ["School.example"],
        **changed,
    }


async def made(world: World, **changed: Any) -> dict[str, Any]:
    answer = await world.operator.post(PATH, json=body(world, **changed))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_operator_adds_one_and_its_secret_is_never_shown_again(world: World) -> None:
    answer = await world.operator.post(PATH, json=body(world))
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["trusted_domains"] == ["school.example"]
    assert (found["enabled"], found["creates_people"]) == (True, False)
    for who in (world.operator, world.administrator):
        read = await who.get(f"{PATH}/{found['id']}")
        assert read.json() == found
        listed = await who.get(PATH, params={"organisation_id": str(world.school)})
        assert found in listed.json()["items"]
        assert SECRET not in answer.text + read.text + listed.text
    assert "secret" not in answer.text
    known = await find_provider(world.database, UUID(found["id"]))
    assert known is not None
    assert SECRET not in known.sealed_secret
    opened = world.app.state.seals.open(known.sealed_secret, secret_of(known.id))
    assert opened == SECRET


@pytest.mark.parametrize("who", ["administrator", "head", "learner", "stranger", "client"])
async def test_nobody_else_names_a_provider(world: World, who: str) -> None:
    """A school's administrator could otherwise let themselves in as anybody with an address there."""
    answer = await world.actors[who].post(PATH, json=body(world))
    assert answer.status_code == 403


@pytest.mark.parametrize("who", ["head", "learner", "stranger"])
async def test_others_do_not_learn_of_it(world: World, who: str) -> None:
    found = await made(world)
    actor: Actor = world.actors[who]
    assert (await actor.get(f"{PATH}/{found['id']}")).status_code == 404
    assert (await actor.get(PATH)).json()["items"] == []
    refused = await actor.patch(f"{PATH}/{found['id']}", json={"enabled": False})
    assert refused.status_code == 404


async def test_its_administrator_renames_it_renews_its_secret_and_switches_it_off(
    world: World,
) -> None:
    found = await made(world)
    path = f"{PATH}/{found['id']}"
    change = {"name": "Our school", "name_cy": "Ein hysgol", "client_secret": "a-new-secret"}
    answer = await world.administrator.patch(path, json={**change, "enabled": False})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["name_cy"], answer.json()["enabled"]) == ("Ein hysgol", False)
    assert answer.json()["version"] == 2
    audit = await world.administrator.get(f"/v1/organisations/{world.school}/audit")
    rows = [row for row in audit.json()["items"] if row["resource_id"] == found["id"]]
    assert {row["action"] for row in rows} == {"created", "changed"}
    changed = next(row for row in rows if row["action"] == "changed")
    assert changed["changed"] == ["client_secret", "enabled", "name", "name_cy"]
    assert "a-new-secret" not in audit.text


@pytest.mark.parametrize(
    "change",
    [
        {"trusted_domains": ["another.example"]},
        {"vouches_for_addresses": True},
        {"creates_people": True},
        {"required_claims": []},
    ],
    ids=str,
)
async def test_whom_it_may_speak_for_is_the_operators_to_say(
    world: World, change: dict[str, Any]
) -> None:
    found = await made(world, required_claims=[{"claim": "hd", "value": "school.example"}])
    path = f"{PATH}/{found['id']}"
    refused = await world.administrator.patch(path, json={**change, "name": "Another"})
    assert refused.status_code == 403
    assert (await world.operator.get(path)).json() == found
    allowed = await world.operator.patch(path, json=change)
    assert allowed.status_code == 200, allowed.text
    ((name, value),) = change.items()
    assert allowed.json()[name] == value


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"issuer": "http://login.example"}, "/issuer"),
        ({"issuer": "login.example"}, "/issuer"),
        ({"issuer": "https://user:word@login.example"}, "/issuer"),
        ({"issuer": "https://login.example/?x=1"}, "/issuer"),
        ({"issuer": "https://login.microsoftonline.com/common/v2.0"}, "/issuer"),
        ({"issuer": "https://login.microsoftonline.com/organizations/v2.0"}, "/issuer"),
        ({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "/issuer"),
        ({"issuer": "x" * 501}, "/issuer"),
        ({"trusted_domains": ["example"]}, "/trusted_domains/0"),
        ({"trusted_domains": ["school.example", "*.example.org"]}, "/trusted_domains/1"),
        ({"trusted_domains": ["@school.example"]}, "/trusted_domains/0"),
        ({"trusted_domains": ["x.example"] * 101}, "/trusted_domains"),
        ({"organisation_id": "01a07ae1-9800-7000-8000-00000000dead"}, "/organisation_id"),
        ({"client_secret": "short"}, "/client_secret"),
        ({"client_secret": "with a space in it"}, "/client_secret"),
        ({"client_secret": None}, "/client_secret"),
        ({"required_claims": [{"claim": "a b", "value": "x"}]}, "/required_claims/0/claim"),
        ({"required_claims": [{"claim": "a", "value": "x"}] * 2}, "/required_claims"),
        ({"creates_people": "yes"}, "/creates_people"),
        ({"name": " "}, "/name"),
    ],
    ids=lambda case: str(case)[:80],
)
async def test_what_is_wrong_is_named(world: World, changed: dict[str, Any], pointer: str) -> None:
    answer = await world.operator.post(PATH, json=body(world, **changed))
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_the_same_request_again_makes_no_second_one(world: World) -> None:
    from app.core.ids import uuid7

    sent = body(world, id=str(uuid7()))
    first = await world.operator.post(PATH, json=sent)
    again = await world.operator.post(PATH, json=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = await world.operator.post(PATH, json={**sent, "name": "Another"})
    assert other.status_code == 409


def test_an_operator_adds_lists_and_disables_them_on_the_command_line(
    fresh_url: str, tmp_path: Path
) -> None:
    server = Server(fresh_url, tmp_path)
    added = server.command(
        "providers", "add", "Hwb", "https://login.example/hwb", "tandem",
        "--trusted-domain", "hwb.example", "--required-claim", "tid=1", "--name-cy", "Hwb",
        given=f"{SECRET}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert SECRET not in added.stdout
    words = added.stdout.split()
    assert words[-1] == f"{server.base}/oauth/callback"
    provider_id = words[words.index("id") + 1]
    listed = server.command("providers", "list").stdout
    assert listed.split() == [provider_id, "on", "hwb.example", "https://login.example/hwb", "Hwb"]
    assert server.command("providers", "disable", provider_id).returncode == 0
    assert " off " in server.command("providers", "list").stdout
    twice = server.command("providers", "disable", provider_id)
    assert twice.returncode == 1
    assert "disabled already" in twice.stderr
    unknown = server.command("providers", "disable", str(uuid4()))
    assert unknown.returncode == 1
    away = server.command("providers", "check", "https://127.0.0.1:9")
    assert away.returncode == 1
    assert "Traceback" not in twice.stderr + unknown.stderr + away.stderr
