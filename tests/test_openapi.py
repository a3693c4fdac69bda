"""The OpenAPI document: committed and equal, complete, bounded."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import APIRoute

from app.access.gates import ActionGate
from app.access.grants import GRANTS, SCOPES
from app.core.limits import HEALTH
from app.core.routes import gates_of
from app.main import ROUTERS, create_app

FOLDER = Path(__file__).parent.parent / "openapi"
PUBLIC = {
    "ask_to_sign_in", "describe_service", "explain", "introspect_token", "issue_token", "list_problems",
    "live", "read_keys", "read_metadata", "ready", "revoke_token",
}  # fmt: skip
"""Operations without a token."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(create_app().state.openapi_json())
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def names(operation: dict[str, Any], place: str) -> set[str]:
    return {p["name"] for p in operation.get("parameters", []) if p["in"] == place}


def test_the_committed_document_is_the_running_one(document: dict[str, Any]) -> None:
    advice = "run `make openapi` and commit what it writes"
    assert json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8")) == document, advice
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / "openapi.yaml").read_text(encoding="utf-8")
    assert yaml.load(text, loader) == document, advice


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert all(tag["description"] for tag in document["tags"])
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert tags == {tag for _, _, operation in operations(document) for tag in operation["tags"]}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), where
        assert operation["summary"], where
        assert operation["description"], where
        assert len(operation["tags"]) == 1, where
        assert set(re.findall(r"{(\w+)}", path)) == names(operation, "path"), where
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{where}: {parameter['name']}"
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), where


def test_every_operation_names_its_scope_or_is_public(document: dict[str, Any]) -> None:
    gates = {
        route.name: gates_of(route.dependant)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    }
    public = set()
    for _, _, operation in operations(document):
        found = gates[operation["operationId"]]
        if not found:
            assert operation["security"] == []
            public.add(operation["operationId"])
        else:
            (gate,) = found
            assert isinstance(gate, ActionGate)
            assert operation["security"] == [{"tandem": [GRANTS[gate.action].scope]}]
    assert public == PUBLIC
    for flow in document["components"]["securitySchemes"]["tandem"]["flows"].values():
        assert flow["scopes"] == SCOPES


def test_every_operation_says_how_it_fails(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        where, answers = f"{method} {path}", set(operation["responses"])
        assert {"500", "503"} <= answers, where
        if operation["operationId"] in PUBLIC:
            continue
        assert {"401", "403", "422"} <= answers, where
        assert ("404" in answers) == ("{" in path), where
        assert ("409" in answers) == (method != "get"), where
        assert {"400", "413", "415"} & answers == (
            {"400", "413", "415"} if method in ("post", "patch", "put") else set()
        ), where
        assert ("428" in answers) == (method in ("patch", "delete")), where
        assert ("412" in answers) == ("If-Match" in names(operation, "header")), where
        assert ("304" in answers) == ("If-None-Match" in names(operation, "header")), where
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(resolved(answer, document)["content"]) == ["application/problem+json"]


def test_every_answer_has_its_headers(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        taken = names(operation, "header")
        for status, answer in operation["responses"].items():
            found = set(resolved(answer, document).get("headers", {}))
            at = f"{where} {status}"
            assert "X-Request-Id" in found, at
            if status == "401" and operation["security"]:
                assert "WWW-Authenticate" in found, at
            if status in ("304", "412"):
                assert "ETag" in found, at
            if status == "201" and "200" in operation["responses"]:
                assert {"ETag", "Location"} <= found, at
            if status in ("200", "201"):
                assert ("Idempotency-Replayed" in found) == ("Idempotency-Key" in taken), at
                assert ("Link" in found) == ("cursor" in names(operation, "query")), at
        if method in ("patch", "delete"):
            (match,) = (p for p in operation["parameters"] if p["name"] == "If-Match")
            assert match["required"], where
        if method == "patch":
            assert "ETag" in operation["responses"]["200"]["headers"], where


def test_reads_of_what_can_be_opened_take_the_opening(document: dict[str, Any]) -> None:
    taking = {
        o["operationId"] for _, _, o in operations(document) if "Break-Glass" in names(o, "header")
    }
    assert {"read_goal", "list_goals", "read_agreement", "read_evidence_item"} <= taking
    assert not {"record_goal", "list_shares", "read_me"} & taking


def test_every_operation_but_health_may_be_too_much_and_names_what_to_obey(
    document: dict[str, Any],
) -> None:
    rate = {"RateLimit", "RateLimit-Policy"}
    for path, method, operation in operations(document):
        answers = operation["responses"]
        limited = path not in HEALTH
        assert ("429" in answers) == limited, path
        assert ("408" in answers) == (method in ("post", "put", "patch")), path
        for status, answer in answers.items():
            found = set(resolved(answer, document)["headers"])
            at = f"{method} {path} {status}"
            assert found & rate == (rate if limited and int(status) < 500 else set()), at
            assert ("Retry-After" in found) == (status in ("409", "429", "503")), at


def test_what_there_is_in_two_languages_says_so(document: dict[str, Any]) -> None:
    asked = set()
    for path, method, operation in operations(document):
        found = operation["responses"].get("200", {}).get("headers", {})
        in_both = "Accept-Language" in names(operation, "header")
        assert ("Content-Language" in found) == in_both, f"{method} {path}"
        if in_both:
            asked.add(operation["operationId"])
    assert {"explain", "list_problems", "read_framework", "read_principle"} <= asked


def schemas(node: Any, document: dict[str, Any], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Every schema below `node`, references followed once."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference not in seen:
                seen.add(reference)
                yield from schemas(resolved(node, document), document, seen)
            return
        if isinstance(node.get("type"), str):
            yield node
        for key, value in node.items():
            if key not in ("default", "example", "examples"):
                yield from schemas(value, document, seen)
    elif isinstance(node, list):
        for item in node:
            yield from schemas(item, document, seen)


def test_everything_that_is_sent_or_answered_has_a_bound(document: dict[str, Any]) -> None:
    seen: set[str] = set()
    count = 0
    for path, method, operation in operations(document):
        for schema in schemas(operation, document, seen):
            count += 1
            where = f"{method} {path}: {schema}"
            kind = schema["type"]
            if kind == "string":
                bounds = ("maxLength", "enum", "const")
                assert any(b in schema for b in bounds) or schema["format"] == "binary", where
            elif kind == "array":
                assert "maxItems" in schema, where
            elif kind in ("integer", "number"):
                assert {"minimum", "maximum"} <= set(schema), where
                assert kind == "number" or schema["format"] in ("int32", "int64"), where
    assert count > 500


def test_what_is_sent_is_closed(document: dict[str, Any]) -> None:
    """Unknown members are refused, and the document says so."""
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        for schema in schemas(content.get("application/json", {}), document, set()):
            if schema["type"] == "object":
                assert schema["additionalProperties"] is False, f"{method} {path}: {schema}"
