"""Every documented example is sent to a live server, and gets the documented answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from app.core.errors import problem_types
from app.core.http import render
from app.main import create_app
from app.openapi.examples import Step, story
from app.openapi.shown import UNSENT
from tests.documented.telling import Different, Likeness, Telling, server_of_the_story, staged
from tests.servers import Server

EVERYWHERE = {"RateLimit", "RateLimit-Policy", "X-Request-Id"}
"""Headers of every answer, which no example names."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(create_app().state.openapi_json())
    return found


@pytest.fixture
def server(fresh_url: str, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "var"
    folder.mkdir()
    yield from staged(server_of_the_story(fresh_url, folder))


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def check_schema(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    whole = {**schema, "components": {"schemas": document["components"]["schemas"]}}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(whole, format_checker=checker).validate(value)


def check_against_document(
    telling: Telling, step: Step, answer: httpx.Response, documented: dict[str, Any]
) -> None:
    """The answer's status, type, shape and headers are among those that the operation documents."""
    document = telling.document
    found = resolved(documented["responses"][str(answer.status_code)], document)
    headers, body = telling.told(answer)
    assert set(headers) <= set(found["headers"]), f"undocumented: {set(headers)}"
    assert {n for n in EVERYWHERE if n in answer.headers} == EVERYWHERE & set(found["headers"])
    if body is None:
        assert "content" not in found or answer.status_code in (204, 304)
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    content = found["content"].get(media_type) or found["content"]["application/octet-stream"]
    check_schema(body, content["schema"], document)
    if step.body is not None and answer.status_code < 300:
        sent = documented["requestBody"]["content"]["application/json"]["schema"]
        check_schema(step.body, sent, document)


def test_every_example_gets_its_documented_answer(server: Server, document: dict[str, Any]) -> None:
    documented = operations(document)
    wrong = []
    with httpx.Client(base_url=server.base, timeout=30) as http:
        telling = Telling(server, http, document)
        for step in story():
            answer = telling.send(step)
            try:
                telling.compare(step, answer)
                check_against_document(telling, step, answer, documented[step.operation])
            except (AssertionError, KeyError, jsonschema.ValidationError) as error:
                found = str(error).partition("\n\nFailed validating")[0][:600]
                wrong.append(f"{step.operation}/{step.name}: {type(error).__name__} {found}")
    assert len(story()) > 100
    advice = "if the service is right: python -m tests.documented.record, and read what it changes"
    assert not wrong, "\n".join([advice, *wrong])


def test_every_operation_has_an_example_of_its_success(document: dict[str, Any]) -> None:
    told = {step.operation for step in story() if step.status < 300}
    assert set(operations(document)) == told


def shown(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The names of the examples in an operation, wherever they stand."""
    parameters = [p.get("examples", {}) for p in operation.get("parameters", [])]
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    content = [media.get("examples", {}) for b in bodies for media in b.get("content", {}).values()]
    return {name for examples in (*parameters, *content) for name in examples}


def test_every_example_of_the_document_is_one_that_is_sent(document: dict[str, Any]) -> None:
    """And none stands under a name that is another's."""
    for operation_id, operation in operations(document).items():
        names = [step.name for step in story() if step.operation == operation_id]
        assert len(names) == len(set(names)), operation_id
        assert shown(document, operation), operation_id
        assert shown(document, operation) <= set(names), operation_id


def test_every_parameter_that_is_needed_and_every_body_has_an_example(
    document: dict[str, Any],
) -> None:
    for operation_id, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert parameter["examples"], f"{operation_id}: {parameter['name']}"
        answers = operation["responses"]
        # The same as 201, told by one operation for all.
        repeated = answers.get("200") if "201" in answers else None
        for body in (operation.get("requestBody", {}), *answers.values()):
            content = body.get("content", {})
            if content and body is not repeated:
                assert any("examples" in m for m in content.values()), f"{operation_id}: {body}"


def test_every_problem_of_the_document_has_one_example(document: dict[str, Any]) -> None:
    used = {
        name
        for answer in document["components"]["responses"].values()
        for media in answer["content"].values()
        for name in media["examples"]
    }
    examples = document["components"]["examples"]
    assert used == set(examples)
    # Of an address, not of an operation.
    assert set(problem_types()) - used == {"method-not-allowed"}
    for slug, example in examples.items():
        assert example["value"]["type"].endswith(f"/{slug}")
        check_schema(example["value"], {"$ref": "#/components/schemas/Problem"}, document)


def test_what_is_not_sent_is_as_the_service_would_say_it(document: dict[str, Any]) -> None:
    for problem in UNSENT:
        example = document["components"]["examples"][problem.slug]["value"]
        said = json.loads(bytes(render(problem, example["request_id"]).body))
        assert said == example


def test_a_difference_is_found() -> None:
    """What is compared by its kind is no blank cheque."""
    here, there = (f"01a07ae1-9800-7000-8000-00000000000{end}" for end in "ab")
    same = [
        ({"at": "2026-09-07T08:00:00.1Z"}, {"at": "2027-01-01T00:00:00Z"}),
        ({"id": here, "owner_id": here}, {"id": there, "owner_id": there}),
        ({"sequence": 1}, {"sequence": 7}),
        ({"ETag": f'"{"a" * 20}.version.en"'}, {"ETag": f'"{"b" * 20}.version.en"'}),
        (f'href="/a.css?v={"a" * 12}"', f'href="/a.css?v={"b" * 12}"'),
    ]
    different: list[tuple[Any, Any]] = [
        ({"at": "2026-09-07T08:00:00Z"}, {"at": "yesterday"}),
        ({"at": "2026-09-07T08:00:00Z"}, {"at": None}),
        ({"day": "2026-09-07"}, {"day": "2026-09-08"}),
        ({"id": here, "owner_id": here}, {"id": there, "owner_id": here}),
        ({"id": here, "owner_id": there}, {"id": here, "owner_id": here}),
        ({"version": 1}, {"version": 2}),
        ({"version": 1}, {"version": True}),
        ({"name": "Siân"}, {"name": "Sian"}),
        ({"items": [1]}, {"items": []}),
        ({"items": []}, {"items": [], "next": None}),
        ({"sequence": 1}, {"sequence": "1"}),
        ({"ETag": f'"{"a" * 20}.version.en"'}, {"ETag": f'"{"b" * 20}.text.en"'}),
        ({"ETag": '"1.full.en"'}, {"ETag": '"2.full.en"'}),
        (f'href="/a.css?v={"a" * 12}"', f'href="/b.css?v={"a" * 12}"'),
    ]
    for documented, actual in same:
        Likeness().check(documented, actual)
    for documented, actual in different:
        with pytest.raises(Different):
            Likeness().check(documented, actual)
