"""Organisations over HTTP: the tree, the names, who may write."""

from uuid import uuid4

import pytest

from tests.worlds import World

pytestmark = pytest.mark.anyio


async def make(world: World, **fields: object) -> dict[str, object]:
    body = {"kind": "school", "name": "Ysgol Newydd", "parent_id": str(world.authority), **fields}
    made = await world.operator.post("/v1/organisations", json=body)
    assert made.status_code == 201, made.text
    found: dict[str, object] = made.json()
    return found


async def test_everyone_signed_in_reads_organisations(world: World) -> None:
    for actor in world.actors.values():
        assert (await actor.get(f"/v1/organisations/{world.school}")).status_code == 200


async def test_a_bilingual_name_is_found_in_either_language(world: World) -> None:
    mark = uuid4().hex[:8]
    made = await make(world, name=f"Valley School {mark}", name_cy=f"Ysgol y Dyffryn Wên {mark}")
    for q in (f"valley school {mark}", f"dyffryn wen {mark}", f"DYFFRYN WÊN {mark}"):
        page = await world.learner.get("/v1/organisations", params={"q": q})
        assert [o["id"] for o in page.json()["items"]] == [made["id"]]


async def test_filters_by_kind_parent_and_identifier(world: World) -> None:
    number = uuid4().hex
    identifiers = [{"source": "wales.school-number", "external_id": number}]
    made = await make(world, identifiers=identifiers)
    assert made["identifiers"] == identifiers

    async def ids(**query: str) -> set[object]:
        page = await world.learner.get("/v1/organisations", params=query)
        return {o["id"] for o in page.json()["items"]}

    children = {made["id"], str(world.school)}
    assert await ids(parent_id=str(world.authority)) == children
    assert await ids(parent_id=str(world.authority), kind="trust") == set()
    assert await ids(source="wales.school-number", external_id=number) == {made["id"]}
    taken = await world.operator.post(
        "/v1/organisations", json={"kind": "school", "name": "Two", "identifiers": identifiers}
    )
    assert taken.status_code == 409


async def test_source_and_external_id_are_of_one_identifier(world: World) -> None:
    number, other = uuid4().hex, uuid4().hex
    pairs = [
        [("ours", number), ("theirs", other)],
        [("ours", other), ("theirs", number)],
    ]
    made = [
        await make(world, identifiers=[{"source": s, "external_id": e} for s, e in pair])
        for pair in pairs
    ]
    for source, found in (("ours", made[0]), ("theirs", made[1])):
        query = {"source": source, "external_id": number}
        page = await world.learner.get("/v1/organisations", params=query)
        assert [one["id"] for one in page.json()["items"]] == [found["id"]]
    either = await world.learner.get("/v1/organisations", params={"external_id": number})
    assert {one["id"] for one in either.json()["items"]} == {one["id"] for one in made}


async def test_a_closed_organisation_has_successors(world: World) -> None:
    new = await make(world)
    old = await make(world, opened_on="1999-09-01")
    closed = await world.operator.patch(
        f"/v1/organisations/{old['id']}",
        json={"closed_on": "2025-08-31", "successor_ids": [new["id"]]},
    )
    assert closed.json()["successor_ids"] == [new["id"]]
    wrong = await world.operator.patch(
        f"/v1/organisations/{old['id']}", json={"closed_on": "1990-01-01"}
    )
    assert wrong.json()["errors"][0]["pointer"] == "/closed_on"
    itself = await world.operator.patch(
        f"/v1/organisations/{old['id']}", json={"successor_ids": [old["id"]]}
    )
    assert itself.json()["errors"][0]["pointer"] == "/successor_ids/0"


async def test_the_tree_has_no_circles(world: World) -> None:
    below = await make(world, parent_id=str(world.school))
    circle = await world.operator.patch(
        f"/v1/organisations/{world.authority}", json={"parent_id": below["id"]}
    )
    assert circle.json()["errors"][0]["pointer"] == "/parent_id"


async def test_who_writes_organisations(world: World) -> None:
    path = f"/v1/organisations/{world.school}"
    for who, status in (
        ("administrator", 200), ("client", 200), ("operator", 200),
        ("head", 403), ("learner", 403), ("stranger", 403),
    ):  # fmt: skip
        answer = await world.actors[who].patch(path, json={"phone": "01248 000000"})
        assert answer.status_code == status, who
    child = {"kind": "school", "name": "Annexe", "parent_id": str(world.school)}
    assert (await world.administrator.post("/v1/organisations", json=child)).status_code == 201
    assert (await world.client.post("/v1/organisations", json=child)).status_code == 201
    for who in ("administrator", "client", "head"):
        top = await world.actors[who].post("/v1/organisations", json={**child, "parent_id": None})
        assert top.status_code == 403
    moved = await world.administrator.patch(path, json={"parent_id": None})
    assert moved.status_code == 200
    back = await world.administrator.patch(path, json={"parent_id": str(world.authority)})
    assert back.status_code == 403
