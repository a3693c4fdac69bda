"""Whatever the OpenAPI document has, the proofs ask for: they fail when something new is left out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.ids import uuid7
from app.main import create_app
from tests.proof.asking import KINDS
from tests.proof.everything import FILTERS
from tests.proof.references import BODIES, FREE, in_body
from tests.proof.stage import Scene
from tests.scene import ENDPOINTS
from tests.shapes import Schema, resolve

pytestmark = pytest.mark.anyio

HEADERS = {
    "Accept-Language": "what is hidden is asked for with and without it",
    "Break-Glass": "the opener sends it with everything",
    "Idempotency-Key": "what the learner has sent is sent again by everybody",
    "If-Match": "changes are sent with it, without it and with a stale one",
    "If-None-Match": "what is hidden is asked for with and without it",
    "Range": "so with this",
}
"""How the proofs send each header of the document."""


def test_every_header_of_the_document_is_sent() -> None:
    paths = json.loads(create_app().state.openapi_json())["paths"]
    named = {
        parameter["name"]
        for path in paths.values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert named == set(HEADERS)


def test_every_list_is_filtered_by_every_kind_of_record() -> None:
    named = {
        name
        for endpoint in ENDPOINTS
        for name, schema in endpoint.query.items()
        if schema.get("format") == "uuid"
    }
    assert named == set(FILTERS)
    kinds = {kind for kinds in FILTERS.values() for kind in kinds}
    assert kinds <= {*KINDS.values(), "framework_item"}


def _ids(schema: Schema, root: Schema, pointer: str = "") -> Iterator[str]:
    """Where a body of this shape has ids of records; `*` is any item of a list."""
    inner = resolve(schema, root)
    if inner.get("type") == "object":
        for name, field in inner.get("properties", {}).items():
            yield from _ids(field, root, f"{pointer}/{name}")
    elif inner.get("type") == "array":
        yield from _ids(inner["items"], root, f"{pointer}/*")
    elif inner.get("format") == "uuid" and pointer != "/id":
        yield pointer


def _places(value: Any, id_: str, pointer: str = "") -> Iterator[str]:
    """Where an id stands in a body."""
    if value == id_:
        yield pointer
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _places(part, id_, f"{pointer}/{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _places(part, id_, f"{pointer}/*")


async def test_every_id_in_a_body_is_tried_with_what_is_hidden(scene: Scene) -> None:
    """But for the `id` of a new record (docs/decisions/identifiers.md), and organisations in their tree."""
    taken = {
        (str(endpoint), pointer)
        for endpoint in ENDPOINTS
        if endpoint.shape and not endpoint.route.path.startswith("/v1/organisations")
        for pointer in _ids(endpoint.shape, endpoint.shape)
        if not set(pointer.split("/")) & set(FREE)
    }
    tried = set()
    for reference in BODIES:
        id_ = str(uuid7())
        body = json.loads(in_body(scene, reference, scene.me("learner"), id_).body)
        tried |= {(reference.operation, pointer) for pointer in _places(body, id_)}
    assert taken == tried
