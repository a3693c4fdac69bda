"""Where a body or a parameter may name a record: one request for each, with the id put in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from tests.proof.asked import Asked
from tests.proof.asking import KINDS, asked
from tests.proof.everything import FILTERS
from tests.proof.notation import ROWS
from tests.proof.stage import Scene
from tests.scene import ENDPOINTS

_PLAIN = "/v1/learning-agreements/{learning_agreement_id}"


class Reference(NamedTuple):
    """`put` takes the right body of the row and the id, and changes the body."""

    operation: str
    record: str
    kind: str
    put: Callable[[Scene, Any, str], Any]


def _set(**fields: Any) -> Callable[[Scene, Any, str], Any]:
    def put(scene: Scene, body: Any, id_: str) -> Any:
        return {**body, **{name: [id_] if many else id_ for name, many in fields.items()}}

    return put


def _party(role: str, home: str | None = None) -> Callable[[Scene, Any, str], Any]:
    """The text names somebody more; perhaps with another home, where they might be."""

    def put(scene: Scene, body: Any, id_: str) -> Any:
        text = body.get("changes", body)
        here = text.get("parties") or scene.world.text()["parties"]
        text = {**text, "parties": [*here, {"person_id": id_, "role": role}]}
        if home is not None:
            text["home_organisation_id"] = scene.ids["organisation"][home]
        return {"changes": text} if "changes" in body else text

    return put


def _dual_role(field: str) -> Callable[[Scene, Any, str], Any]:
    """Somebody is said to have a second role: towards a learner, or as the learner."""

    def put(scene: Scene, body: Any, id_: str) -> Any:
        ids = scene.ids["person"]
        role = {
            "person_id": ids["coach"], "learner_id": ids["learner"], field: id_,
            "relation": "line_manages", "safeguards": "None.",
        }  # fmt: skip
        return {"changes": {"dual_roles": [role]}} if "changes" in body else {
            **body, "dual_roles": [role],
        }  # fmt: skip

    return put


def _changed(scene: Scene, body: Any, id_: str) -> Any:
    return {"changes": {"networks": [id_]}}


def _evidence_shared(scene: Scene, body: Any, id_: str) -> Any:
    return {**{k: v for k, v in body.items() if k != "goal_id"}, "evidence_item_id": id_}


def _with_network(scene: Scene, body: Any, id_: str) -> Any:
    return {"goal_id": body["goal_id"], "network_id": id_}


BODIES = (
    Reference("POST /v1/goals", "own", "agreement", _set(agreement_id=False)),
    Reference("POST /v1/goals", "main", "person", _set(owner_id=False)),
    Reference("POST /v1/goals", "own", "person", _set(owner_id=False)),
    Reference("POST /v1/evidence-items", "own", "agreement", _set(agreement_id=False)),
    Reference("POST /v1/evidence-items", "own", "goal", _set(goal_ids=True)),
    Reference("PATCH /v1/evidence-items/{evidence_item_id}", "shut", "goal", _set(goal_ids=True)),
    Reference("POST /v1/shares", "shut", "goal", _set(goal_id=False)),
    Reference("POST /v1/shares", "shut", "evidence", _evidence_shared),
    Reference("POST /v1/shares", "shut", "person", _set(person_id=False)),
    Reference("POST /v1/shares", "shut", "network", _with_network),
    Reference("POST /v1/learning-agreements", "own", "person", _party("coach")),
    Reference("POST /v1/learning-agreements", "own", "network", _set(networks=True)),
    Reference(f"PATCH {_PLAIN}", "draft", "person", _party("mentor")),
    Reference(f"PATCH {_PLAIN}", "draft", "network", _set(networks=True)),
    Reference(f"POST {_PLAIN}/amendments", "plain", "person", _party("mentor")),
    Reference(f"POST {_PLAIN}/amendments", "plain", "person", _party("learner", "college")),
    Reference(f"POST {_PLAIN}/amendments", "plain", "person", _party("learner", "elsewhere")),
    Reference(f"POST {_PLAIN}/amendments", "plain", "network", _changed),
    *(
        Reference(operation, record, "person", _dual_role(field))
        for field in ("person_id", "learner_id")
        for operation, record in (
            ("POST /v1/learning-agreements", "own"),
            (f"PATCH {_PLAIN}", "draft"),
            (f"POST {_PLAIN}/amendments", "plain"),
        )
    ),
    Reference(f"POST {_PLAIN}/detachments", "plain", "network", _set(network_id=False)),
    Reference("POST /v1/affiliations", "at_school", "person", _set(person_id=False)),
    Reference("POST /v1/invitations", "newcomer", "person", _set(person_id=False)),
    Reference("POST /v1/networks", "own", "network", _set(parent_id=False)),
    Reference("PATCH /v1/networks/{network_id}", "network", "network", _set(parent_id=False)),
    Reference("POST /v1/networks/{network_id}/members", "network", "person", _set(person_id=False)),
    Reference("POST /v1/openings", "main", "agreement", _set(agreement_id=False)),
)  # fmt: skip
"""Every reference in a body to something that can be hidden."""
FREE = ("home_organisation_id", "controller_organisation_id", "organisation_id", "framework_items")
"""Fields that name what is everybody's: organisations and frameworks."""


def in_body(scene: Scene, reference: Reference, me: str, id_: str) -> Asked:
    """The request that names `id_`."""
    request = asked(scene, reference.operation, reference.record, me)
    body = reference.put(scene, json.loads(request.body), id_)
    return replace(request, body=json.dumps(body).encode())


def may_name(reference: Reference, actor: str) -> set[str]:
    """Names of the records that an actor may name though they are hidden: those that the table lets
    the operator's administrators ask to open."""
    return {
        row.record
        for row in ROWS
        if row.operation == reference.operation == "POST /v1/openings"
        and row.expected[actor] == "201"
    }


def in_parameters() -> Iterator[tuple[str, str, str]]:
    """Each list, each of its filters by id, and the kind that it names."""
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET" and "{" not in endpoint.route.path:
            for name in endpoint.query:
                for kind in FILTERS.get(name, ()):
                    if kind in KINDS.values():
                        yield endpoint.route.path, name, kind


@cache
def hidden(kind: str, actor: str) -> list[str]:
    """Names of the records that the table hides from an actor: who may read none of them is told so
    (403), whether or not there is one."""
    if kind not in KINDS.values():
        return []
    shown = {kind: f"{{{parameter}}}" for parameter, kind in KINDS.items()}
    return [
        row.record.replace("_with_", " with ")
        for row in ROWS
        if row.method == "GET"
        and row.path.endswith(shown[kind])
        and row.expected[actor] in ("403", "404")
    ]
