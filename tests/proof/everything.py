"""Everything that can be asked for with all ids known: reads with every filter, writes with every fault."""

import json
import string
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import urlencode

from app.access.explanation import actions_on
from tests.proof.asked import Asked
from tests.proof.asking import KINDS, RESOURCES, asked
from tests.proof.notation import ROWS
from tests.proof.stage import Scene
from tests.scene import ENDPOINTS, Endpoint

FILTERS = {
    "agreement_id": ("agreement",),
    "owner_id": ("person",),
    "person_id": ("person",),
    "network_id": ("network",),
    "goal_id": ("goal",),
    "evidence_item_id": ("evidence",),
    "home_organisation_id": ("organisation",),
    "organisation_id": ("organisation",),
    "parent_id": ("organisation", "network"),
    "framework_item": ("framework_item",),
}
"""The kinds of record that each filter by id is tried with."""


def _addresses(scene: Scene, path: str) -> Iterator[str]:
    """The path with every combination of ids that the attacker knows, and with nonsense."""
    names = [name for _, name, _, _ in string.Formatter().parse(path) if name]
    if "file_id" in names:
        # Each file below its own item, and below one that more people read.
        for file, id_ in scene.ids["file"].items():
            for item in (file.split()[0], "open"):
                yield path.format(evidence_item_id=scene.ids["evidence"][item], file_id=id_)
        return
    known = {
        "network_member_id": list(scene.ids["member"].values()),
        "number": ["1", "2", "3"],
        "code": ["coaching-principles", "1"],
        "version": ["1"],
        "slug": ["not-found"],
        "page": ["forgotten", "password", "invitation", "address", "nothing"],
    }
    values = [known.get(name) or list(scene.ids[KINDS[name]].values()) for name in names]
    for chosen in product(*values):
        yield path.format(**dict(zip(names, chosen, strict=True)))
    if names:
        yield path.format(**dict.fromkeys(names, "nonsense"))


def _filters(scene: Scene, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """No filter, each filter with every value that it takes, and wrong ones."""
    if not endpoint.query:
        yield from ({}, {"unknown": "1"})
        return
    if "resource" in endpoint.query:
        for word, kind in RESOURCES.items():
            actions = actions_on(word) if "action" in endpoint.query else [None]
            for id_, action in product(scene.ids[kind].values(), actions):
                asked = {} if action is None else {"action": action}
                yield {"resource": f"{word}:{id_}", **asked}
        return
    yield from ({"limit": 200}, {"limit": 0}, {"cursor": "nonsense"}, {"unknown": "1"})
    for name, schema in endpoint.query.items():
        values: list[Any] = []
        if name in FILTERS:
            values = [id_ for kind in FILTERS[name] for id_ in scene.ids[kind].values()]
        elif "enum" in schema:
            values = schema["enum"]
        elif schema.get("type") == "boolean":
            values = ["true", "false"]
        elif name in ("q", "source", "external_id"):
            values = ["canary", "mis", "e"]
        elif name == "updated_since":
            values = ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday"]
        elif name not in ("limit", "cursor"):
            raise AssertionError(f"{endpoint}: with what is {name} tried?")
        for value in values:
            yield {"limit": 200, name: value}


def reads(scene: Scene) -> Iterator[Asked]:
    """Every GET."""
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET":
            continue
        for address in _addresses(scene, endpoint.route.path.replace("{name}", "{slug}")):
            for query in _filters(scene, endpoint):
                yield Asked("GET", address, urlencode(query))


def pages() -> Iterator[str]:
    """The lists that go on from page to page."""
    for endpoint in ENDPOINTS:
        if "cursor" in endpoint.query and "{" not in endpoint.route.path:
            yield endpoint.route.path


FAULTS = ("stale", "careless", "broken", "unexpected", "mistyped", "empty")


def with_fault(request: Asked, fault: str) -> Asked:
    """The request with one thing wrong."""
    if fault == "stale":
        return replace(request, if_match='"0.full.en"')
    if fault == "careless":
        return replace(request, if_match=None)
    if not request.body or not request.content_type.startswith("application/json"):
        return replace(request, content_type="application/json", body=b'{"unexpected": 1}')
    if fault == "broken":
        return replace(request, body=request.body[:-1])
    if fault == "empty":
        return replace(request, body=b"{}")
    body = json.loads(request.body)
    if fault == "mistyped":
        return replace(request, body=json.dumps(dict.fromkeys(body, 7)).encode())
    return replace(request, body=json.dumps({**body, "unexpected": 1}).encode())


def writes(scene: Scene, me: str, turn: int) -> Iterator[Asked]:
    """Every write on every record: as it should be, and each time with another fault, from the
    `turn`th on."""
    for operation in dict.fromkeys(row.operation for row in ROWS if row.method != "GET"):
        for record in _records(scene, operation):
            request = asked(scene, operation, record, me)
            yield request
            yield with_fault(request, FAULTS[turn % len(FAULTS)])
            turn += 1


def _records(scene: Scene, operation: str) -> list[str]:
    """Every record of the kind that an operation writes; where none is named, what the table sends."""
    _, _, path = operation.partition(" ")
    told = [row.record for row in ROWS if row.operation == operation]
    if "{network_member_id}" in path:
        return list(scene.ids["member"])
    if "{file_id}" in path or path.endswith("/members"):
        return told
    for parameter, kind in KINDS.items():
        if f"{{{parameter}}}" in path:
            return [name.replace(" with ", "_with_") for name in scene.ids[kind]]
    return told
