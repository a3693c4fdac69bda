"""People and affiliations over HTTP: there is no open directory."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core.clock import today
from app.core.ids import uuid7
from tests.worlds import Actor, World, token

pytestmark = pytest.mark.anyio


async def names(actor: Actor, **query: str) -> set[str]:
    items = (await actor.get("/v1/people", params={"limit": 200, **query})).json()["items"]
    return {item["name"] for item in items}


def new_person(world: World, **changes: object) -> dict[str, object]:
    return {
        "name": "Llinos Ffŵc",
        "email": "llinos@school.example",
        "affiliation": {
            "organisation_id": str(world.school),
            "role": "teacher",
            "fraction": 0.6,
            "starts_on": today().isoformat(),
        },
        **changes,
    }


async def test_colleagues_see_each_other_and_nobody_sees_strangers(world: World) -> None:
    everyone = {actor.name for actor in world.actors.values() if actor.name}
    school = everyone - {world.operator.name, world.stranger.name}
    assert await names(world.learner) == school
    assert await names(world.stranger) == {world.stranger.name}
    assert await names(world.client) == school
    assert (await world.learner.get(f"/v1/people/{world.stranger.id}")).status_code == 404
    assert (await world.stranger.get(f"/v1/people/{world.learner.id}")).status_code == 404


async def test_fellow_parties_see_each_other_across_schools(world: World) -> None:
    await world.agreement()
    moved = {"ends_on": today().isoformat()}
    path = f"/v1/affiliations/{world.affiliations['tutor']}"
    assert (await world.administrator.patch(path, json=moved)).status_code == 200
    seen = (await world.learner.get(f"/v1/people/{world.tutor.id}")).json()
    assert (seen["name"], seen["organisations"], seen["email"]) == (world.tutor.name, [], None)
    assert (await world.head.get(f"/v1/people/{world.tutor.id}")).status_code == 404


async def test_an_address_is_for_the_person_and_their_administrators(world: World) -> None:
    path = f"/v1/people/{world.learner.id}"
    for who, shown in (
        ("learner", True), ("administrator", True), ("client", True),
        ("coach", False), ("head", False), ("operator", False),
    ):  # fmt: skip
        person = (await world.actors[who].get(path)).json()
        assert (person["email"] is not None) is shown, who


async def test_a_name_is_found_without_its_accents(world: World) -> None:
    first = world.learner.name.split()[-1].split("-")[-1]
    assert await names(world.coach, q=f"wyn-{first}") == {world.learner.name}
    assert await names(world.coach, q="%") == set()


async def test_an_administrator_creates_a_person_with_their_affiliation(world: World) -> None:
    body = new_person(world, identifiers=[{"source": "sims", "external_id": str(uuid4())}])
    made = await world.administrator.post("/v1/people", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["organisations"] == [{"id": str(world.school), "name": "Ysgol Tŷ Gwyn"}]
    assert made.json()["identifiers"] == body["identifiers"]
    assert (await world.learner.get(made.headers["Location"])).json()["identifiers"] == []
    again = await world.client.post("/v1/people", json=body)
    assert again.status_code == 409


async def test_a_wrong_address_or_code_is_told_in_words(world: World) -> None:
    body = new_person(
        world, email="nobody", identifiers=[{"source": "our system", "external_id": "1"}]
    )
    refused = await world.administrator.post("/v1/people", json=body)
    told = {error["pointer"]: error["detail"] for error in refused.json()["errors"]}
    assert told == {
        "/email": "must be an e-mail address, like name@school.example",
        "/identifiers/0/source": "must be letters, digits and _ . : / - and begin with a letter or digit",
    }


async def test_nobody_creates_a_person_whom_they_would_not_see(world: World) -> None:
    """Before the answer to that was 404, as if something were missing."""
    tomorrow = (today() + timedelta(days=1)).isoformat()
    affiliation = {
        "organisation_id": str(world.school),
        "role": "teacher",
        "starts_on": "2020-09-01",
        "ends_on": today().isoformat(),
    }
    body = {"name": "Was Here", "affiliation": affiliation}
    for who in (world.administrator, world.client):
        refused = await who.post("/v1/people", json=body)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == "/affiliation/ends_on"
        leaving = {**affiliation, "ends_on": tomorrow}
        made = await who.post("/v1/people", json={**body, "affiliation": leaving})
        assert made.status_code == 201, made.text
    assert (await world.operator.post("/v1/people", json=body)).status_code == 201


async def test_only_administrators_and_clients_of_that_organisation_create_people(
    world: World,
) -> None:
    body = new_person(world)
    for who in ("learner", "head", "stranger"):
        assert (await world.actors[who].post("/v1/people", json=body)).status_code == 403
    assert (await world.client.post("/v1/people", json=body)).status_code == 201
    alone = await world.administrator.post("/v1/people", json={"name": "Alone"})
    assert alone.json()["errors"][0]["pointer"] == "/affiliation"
    assert (await world.operator.post("/v1/people", json={"name": "Alone"})).status_code == 201


async def test_people_change_their_own_name_and_nobody_elses(world: World) -> None:
    path = f"/v1/people/{world.learner.id}"
    changed = await world.learner.patch(path, json={"name": "Siân Tŷ"})
    assert (changed.status_code, changed.json()["name"]) == (200, "Siân Tŷ")
    assert (await world.coach.patch(path, json={"name": "No"})).status_code == 403
    assert (await world.administrator.patch(path, json={"email": None})).status_code == 200


async def test_nobody_gives_themself_an_affiliation(world: World) -> None:
    body = {
        "person_id": str(world.administrator.id),
        "organisation_id": str(world.school),
        "role": "head_teacher",
        "starts_on": today().isoformat(),
    }
    assert (await world.administrator.post("/v1/affiliations", json=body)).status_code == 403
    own = f"/v1/affiliations/{world.affiliations['administrator']}"
    refused = await world.administrator.patch(own, json={"role": "head_teacher"})
    assert refused.status_code == 403
    other = {**body, "person_id": str(world.coach.id)}
    assert (await world.administrator.post("/v1/affiliations", json=other)).status_code == 201
    assert (await world.head.post("/v1/affiliations", json=other)).status_code == 403


async def test_affiliations_are_for_the_person_and_their_administrators(world: World) -> None:
    path = f"/v1/affiliations/{world.affiliations['learner']}"
    for who, status in (
        ("learner", 200), ("administrator", 200), ("client", 200), ("operator", 200),
        ("coach", 404), ("head", 404), ("stranger", 404),
    ):  # fmt: skip
        assert (await world.actors[who].get(path)).status_code == status, who
    mine = (await world.learner.get("/v1/affiliations")).json()["items"]
    assert [a["id"] for a in mine] == [str(world.affiliations["learner"])]


async def test_several_affiliations_at_once_and_dates_that_make_sense(world: World) -> None:
    body = {
        "person_id": str(world.learner.id),
        "organisation_id": str(world.school),
        "role": "supply_teacher",
        "fraction": 0.4,
        "starts_on": today().isoformat(),
        "ends_on": (today() - timedelta(days=1)).isoformat(),
    }
    refused = await world.administrator.post("/v1/affiliations", json=body)
    assert refused.json()["errors"][0]["pointer"] == "/ends_on"
    body["ends_on"] = (today() + timedelta(days=30)).isoformat()
    made = await world.administrator.post("/v1/affiliations", json=body)
    assert (made.status_code, made.json()["fraction"]) == (201, 0.4)
    assert len((await world.learner.get("/v1/affiliations")).json()["items"]) == 2


async def test_me_is_the_caller_whoever_that_is(world: World) -> None:
    me = (await world.learner.get("/v1/me")).json()
    assert me["person"]["id"] == str(world.learner.id)
    assert [a["role"] for a in me["affiliations"]] == ["teacher"]
    assert "goals:read" in me["scopes"]
    client = (await world.client.get("/v1/me")).json()
    assert (client["person"], client["client"]["organisation_id"]) == (None, str(world.school))
    nobody = Actor(world.http, uuid7(), token(world.app, uuid7()))
    assert (await nobody.get("/v1/me")).json()["person"] is None
