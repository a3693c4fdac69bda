"""The OpenAPI document: committed and equal, complete, bounded."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.access.grants import SCOPES
from app.main import create_app

FOLDER = Path(__file__).parent.parent / "openapi"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(create_app().state.openapi_json())
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_document_is_the_running_one(document: dict[str, Any]) -> None:
    advice = "run `make openapi` and commit what it writes"
    assert json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8")) == document, advice
    assert yaml.safe_load((FOLDER / "openapi.yaml").read_text(encoding="utf-8")) == document, advice


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert set(operation["tags"]) <= tags, where
        assert {"401", "403"} <= set(operation["responses"]) or "security" not in operation, where
        for scopes in operation.get("security", []):
            assert set(scopes["tandem"]) <= set(SCOPES), where
        if method in ("patch", "put", "delete"):
            assert {"412", "428"} <= set(operation["responses"]), where
        for name in re.findall(r"{(\w+)}", path):
            parameters = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert name in parameters, where


def test_every_operation_but_health_may_be_too_much_and_names_what_to_obey(
    document: dict[str, Any],
) -> None:
    headers, refusals = (document["components"][name] for name in ("headers", "responses"))
    for path, method, operation in operations(document):
        responses = operation["responses"]
        assert ("429" in responses) == (not path.startswith("/health/")), path
        assert ("408" in responses) == (method in ("post", "put", "patch")), path
        assert responses["503"]["$ref"] == "#/components/responses/Problem503"
    assert set(refusals["Problem503"]["headers"]) == {"Retry-After"}
    assert set(refusals["Problem429"]["headers"]) == set(headers)
    assert set(headers) == {"RateLimit", "RateLimit-Policy", "Retry-After"}


def schemas(node: Any, document: dict[str, Any], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Every schema below `node`, references followed once."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference not in seen:
                seen.add(reference)
                name = reference.rpartition("/")[2]
                yield from schemas(document["components"]["schemas"][name], document, seen)
            return
        if "type" in node:
            yield node
        for key, value in node.items():
            if key not in ("default", "example", "examples"):
                yield from schemas(value, document, seen)
    elif isinstance(node, list):
        for item in node:
            yield from schemas(item, document, seen)


def test_every_text_and_list_that_is_sent_has_an_upper_bound(document: dict[str, Any]) -> None:
    bounds = ("maxLength", "enum", "const", "format", "pattern")
    for path, method, operation in operations(document):
        if path == "/oauth/token":
            continue  # bounded as a whole: 16 kB, twenty parameters
        sent = [
            operation.get("requestBody", {}).get("content", {}),
            operation.get("parameters", []),
        ]
        for schema in schemas(sent, document, set()):
            where = f"{method} {path}: {schema}"
            if schema["type"] == "string":
                assert any(bound in schema for bound in bounds), where
            if schema["type"] == "array":
                assert "maxItems" in schema, where
