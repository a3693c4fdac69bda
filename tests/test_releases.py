"""No change of the interface breaks the clients of the last release."""

import copy
import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from tests.compatibility import Comparison

RELEASES = Path(__file__).parent.parent / "openapi" / "releases"

Json = dict[str, Any]


def number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def series(name: str) -> tuple[int, ...]:
    """Within which nothing breaks: the major version, before 1.0 the minor (Semantic Versioning)."""
    parts = number(name)
    return parts[: 2 if parts[0] == 0 else 1]


@pytest.fixture(scope="module")
def running() -> Json:
    found: Json = json.loads(create_app().state.openapi_json())
    return found


def test_every_release_is_named_by_its_version() -> None:
    assert list(RELEASES.iterdir())
    for file in RELEASES.iterdir():
        assert re.fullmatch(r"\d+\.\d+\.\d+\.json", file.name)
        document = json.loads(file.read_text(encoding="utf-8"))
        assert document["info"]["version"] == file.stem
        assert number(file.stem) <= number(version("tandem"))


def test_nothing_breaks_the_clients_of_the_last_release(running: Json) -> None:
    of_the_series = [f for f in RELEASES.iterdir() if series(f.stem) == series(version("tandem"))]
    if not of_the_series:
        return  # the first of a new series may break
    last = max(of_the_series, key=lambda file: number(file.stem))
    breaking = Comparison(json.loads(last.read_text(encoding="utf-8")), running).breaks()
    assert not breaking, f"against {last.name}:\n" + "\n".join(breaking)


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def goals(document: Json, method: str = "post") -> Json:
    found: Json = document["paths"]["/v1/goals"][method]
    return found


def parameter(document: Json, name: str) -> Json:
    found: Json = next(p for p in goals(document, "get")["parameters"] if p["name"] == name)
    return found


def drop_parameter(document: Json) -> None:
    goals(document, "get")["parameters"].remove(parameter(document, "state"))


def null_in_answer(document: Json) -> None:
    properties = schema(document, "GoalOut")["properties"]
    properties["statement"] = {"anyOf": [properties["statement"], {"type": "null"}]}


def no_null_in_request(document: Json) -> None:
    properties = schema(document, "GoalNew")["properties"]
    properties["baseline"] = properties["baseline"]["anyOf"][0]


PLANTED: dict[str, tuple[Callable[[Json], Any], str]] = {
    "a path": (lambda d: d["paths"].pop("/v1/shares"), "GET /v1/shares: is gone"),
    "a method": (lambda d: d["paths"]["/v1/goals"].pop("post"), "POST /v1/goals: is gone"),
    "an id": (lambda d: goals(d).update(operationId="make_goal"), "operationId was record_goal"),
    "a scope": (lambda d: goals(d).update(security=[{"tandem": ["all"]}]), "security was"),
    "a status": (
        lambda d: goals(d)["responses"].update({"202": goals(d)["responses"].pop("201")}),
        "201 is no answer any more",
    ),
    "a header": (
        lambda d: goals(d)["responses"]["201"]["headers"].pop("Location"),
        "header Location is gone",
    ),
    "a parameter": (drop_parameter, "parameter state is gone"),
    "a needed parameter": (
        lambda d: parameter(d, "state").update(required=True),
        "parameter state is needed now",
    ),
    "a smaller page": (
        lambda d: parameter(d, "limit")["schema"].update(maximum=100),
        "parameter limit: maximum was 200, is 100",
    ),
    "a kind of body": (
        lambda d: goals(d)["requestBody"]["content"].pop("application/json"),
        "application/json is not taken any more",
    ),
    "a member that is sent": (
        lambda d: schema(d, "GoalNew")["properties"].pop("stage"),
        "body/stage is gone",
    ),
    "a needed member": (
        lambda d: schema(d, "GoalNew")["required"].append("stage"),
        "body/stage is needed now",
    ),
    "no null any more": (no_null_in_request, "body/baseline was of type null, is string"),
    "a shorter text": (
        lambda d: schema(d, "GoalNew")["properties"]["statement"].update(maxLength=500),
        "body/statement: maxLength was 10000, is 500",
    ),
    "a new pattern": (
        lambda d: schema(d, "GoalNew")["properties"]["statement"].update(pattern="^[A-Z]"),
        "is ^[A-Z]",
    ),
    "a value that is sent": (
        lambda d: schema(d, "Stage")["enum"].remove("expert"),
        "value 'expert' is gone",
    ),
    "a member of an answer": (
        lambda d: schema(d, "GoalOut")["properties"].pop("statement"),
        "/statement is gone",
    ),
    "a member no longer always there": (
        lambda d: schema(d, "GoalOut")["required"].remove("statement"),
        "/statement is not always there any more",
    ),
    "another type in an answer": (
        lambda d: schema(d, "GoalOut")["properties"]["version"].update(type="string"),
        "/version was of type integer, is string",
    ),
    "null in an answer": (null_in_answer, "/statement was of type string, is null"),
    "another format": (
        lambda d: schema(d, "GoalOut")["properties"]["created_at"].update(format="date"),
        "/created_at: format was date-time, is date",
    ),
    "deep in a list": (
        lambda d: schema(d, "EvidenceFileOut")["properties"].pop("sha256"),
        "/items[]/files[]/sha256 is gone",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_breaking_change_is_found(running: Json, what: str) -> None:
    plant, said = PLANTED[what]
    changed = copy.deepcopy(running)
    plant(changed)
    found = Comparison(running, changed).breaks()
    assert any(said in line for line in found), found


def test_what_breaks_nobody_is_let_through(running: Json) -> None:
    changed = copy.deepcopy(running)
    assert Comparison(running, changed).breaks() == []
    changed["paths"]["/v1/new"] = {"get": goals(changed, "get")}
    goals(changed, "get")["parameters"].append(
        {"in": "query", "name": "new", "required": False, "schema": {"type": "string"}}
    )
    goals(changed)["responses"]["429"] = {"description": "Too many."}
    schema(changed, "GoalNew")["properties"]["new"] = {"type": "string"}
    schema(changed, "GoalNew")["properties"]["statement"]["maxLength"] = 20_000
    schema(changed, "GoalOut")["properties"]["new"] = {"type": "string"}
    schema(changed, "GoalState")["enum"].append("resting")
    schema(changed, "GoalOut")["description"] = "Another text."
    assert Comparison(running, changed).breaks() == []
