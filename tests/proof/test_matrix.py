"""Every operation of the OpenAPI document, asked for by every kind of actor, gives what the table says."""

import json
from typing import Any

import pytest

from app.main import create_app
from tests.proof.asked import Asked
from tests.proof.asking import asked
from tests.proof.notation import ACTORS, ROWS, Row
from tests.proof.stage import Scene
from tests.proof.unmade import unmade

pytestmark = pytest.mark.anyio

_LISTED = {
    "/v1/goals": "goal",
    "/v1/evidence-items": "evidence",
    "/v1/shares": "share",
    "/v1/learning-agreements": "agreement",
    "/v1/people": "person",
    "/v1/affiliations": "affiliation",
    "/v1/organisations": "organisation",
    "/v1/networks": "network",
    "/v1/networks/{network_id}/members": "member",
    "/v1/openings": "opening",
    "/v1/invitations": "invitation",
    "/v1/me/address-changes": "address_change",
    "/v1/learning-agreements/{learning_agreement_id}/openings": "opening",
}


def test_the_table_names_every_operation_and_none_that_is_gone() -> None:
    document = json.loads(create_app().state.openapi_json())
    there = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    named = {row.operation for row in ROWS}
    assert named - there == set()
    assert there - named == set()


def test_the_table_speaks_of_every_actor_and_contradicts_itself_nowhere() -> None:
    assert all(set(row.expected) == set(ACTORS) for row in ROWS)
    assert len({str(row) for row in ROWS}) == len(ROWS)


async def status(scene: Scene, row: Row, actor: str) -> str:
    """What the service answers, in the table's words."""
    request = asked(scene, row.operation, row.record, scene.me(actor))
    listed = row.method == "GET" and _LISTED.get(row.path)
    if not listed:
        return str((await scene.ask(actor, request)).status)
    found, query = set(), "limit=200"
    while True:
        answer = await scene.ask(actor, Asked(row.method, request.path, query))
        if answer.status != 200:
            return str(answer.status)
        found |= {item["id"] for item in answer.json()["items"]}
        if answer.json()["next"] is None:
            break
        query = f"limit=200&cursor={answer.json()['next']}"
    # Of `main:asked` the first half says whose list it is.
    wanted = scene.ids[listed][row.record.rpartition(":")[2].replace("_with_", " with ")]
    return f"200{'+' if wanted in found else '-'}"


async def test_every_actor_gets_what_the_table_says_of_every_operation(
    scene: Scene, record_property: Any
) -> None:
    cells, wrong = 0, []
    with unmade():
        for row in ROWS:
            for actor, expected in row.expected.items():
                cells += 1
                got = await status(scene, row, actor)
                if got != expected:
                    wrong.append(f"{row} by {actor}: {got}, and should be {expected}")
    operations = len({row.operation for row in ROWS})
    for name, number in (("operations", operations), ("rows", len(ROWS)), ("cells", cells)):
        record_property(name, number)
    print(f"\nMatrix: {operations} operations, {len(ROWS)} rows, {cells:,} cells")
    assert not wrong, f"{len(wrong)} of {cells} cells:\n" + "\n".join(wrong)
