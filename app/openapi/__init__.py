"""The OpenAPI document: what FastAPI finds in the routes, and what it cannot know."""

import copy
import json
import re
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.access.caller import OPENING_HEADER
from app.access.gates import ActionGate
from app.access.grants import GRANTS, SCOPES
from app.core.routes import gates_of
from app.openapi import answers as answers_of
from app.openapi.headers import HEADERS, Json, headers_of_all, refs
from app.openapi.links import add_links
from app.openapi.shown import add_examples, answers_with_etag, problem_examples

DESCRIPTION = """\
Learning agreements, goals, evidence and networks, and the frameworks that they refer to.
**The agreement that the parties signed is the access policy**: it decides every read, everywhere.

Sign in with *Authorize*, open a group, and try an operation with *Execute*. Every change of a record needs its `ETag` in `If-Match`; a `PATCH` is a JSON
Merge Patch (RFC 7396), as `application/json` or `application/merge-patch+json`; a `POST` may carry an
`Idempotency-Key` so that it can be sent again when its answer was lost. Errors are problems
(RFC 9457): `type` leads to a page that explains them. On every answer `RateLimit` and `RateLimit-Policy` say
how many requests remain; after a 429 or 503 wait for `Retry-After`.

Frameworks, the titles of problems, and the pages for people are there in Welsh too: send
`Accept-Language: cy`. `Content-Language` says what the answer is in, and `translation` whether anybody
has reviewed the Welsh. Records come back in the language in which they were written.
"""

# In the order in which a newcomer reads; the operations follow it.
TAGS = [
    {"name": "Sign in", "description": "Signing people and integrations in; public keys."},
    {"name": "People", "description": "Who you are; people and their affiliations."},
    {
        "name": "Account",
        "description": "Where you are signed in, second factors, ways in, and how an account ends.",
    },
    {
        "name": "Identity providers",
        "description": "Signing in with an account of the school, authority or country.",
    },
    {"name": "Organisations", "description": "Schools, authorities, consortia and the rest."},
    {
        "name": "Clients",
        "description": "Integrations and apps: what they may ask for, and their secrets.",
    },
    {"name": "Learning agreements", "description": "What the parties sign, and who may read what."},
    {"name": "Goals", "description": "What a learner sets out to do."},
    {"name": "Evidence", "description": "What was captured, what it shows, and its files."},
    {"name": "Shares", "description": "A record shown to a named person, or to a network."},
    {"name": "Networks", "description": "Who learns together: members, leads, facilitators."},
    {"name": "Access", "description": "Who could read a record, and why you may or may not."},
    {"name": "Break-glass", "description": "Opening one agreement in an emergency, by two people."},
    {"name": "Audit", "description": "What was done to accounts and rights; nothing of coaching."},
    {"name": "Frameworks", "description": "The 10+2 coaching principles and other catalogues."},
    {"name": "Service", "description": "What this is, what problems mean, and its health."},
]


def _parameter(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string", **schema},
        "description": description,
    }


_KEY = _parameter(
    "Idempotency-Key",
    {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "Makes the request safe to send again for 24 hours.",
)
_TAG = {"maxLength": 200, "pattern": "^[ -~]+$"}
_CHANGED = _parameter("If-Match", _TAG, "ETag of the record as you read it.", required=True)
_MAY_MATCH = _parameter(
    "If-Match", _TAG, "ETag of the record as you read it: 412 when it has changed since."
)
_KNOWN = _parameter("If-None-Match", _TAG, "ETag that you have; 304 when nothing has changed.")
_OPENED = _parameter(
    OPENING_HEADER,
    {"format": "uuid"},
    "Reads under this opening, which is open to you, and by nothing else.",
)


def _headers_taken(operation: Json, gate: ActionGate | None, method: str) -> list[Json]:
    """The request's own headers, as parameters."""
    found: list[Json] = []
    if gate is None:
        return found
    if method == "POST" and gate.takes_key:
        found.append(_KEY)
    if method in ("PATCH", "DELETE"):
        found.append(_CHANGED)
    elif gate.locks is not None:
        found.append(_MAY_MATCH)
    if method == "GET" and answers_with_etag(operation["operationId"]):
        found.append(_KNOWN)
    if GRANTS[gate.action].opened:
        found.append(_OPENED)
    return [dict(parameter) for parameter in found]


def _sendable(schema: Json) -> Json:
    """A parameter that may be left out is never sent as null."""
    others = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(others) != 1:
        return schema
    return {**others[0], **{name: v for name, v in schema.items() if name != "anyOf"}}


def _complete(operation: Json, route: APIRoute, method: str, components: Json) -> None:
    gates = gates_of(route.dependant)
    gate = gates[0] if gates else None
    assert gate is None or isinstance(gate, ActionGate)
    operation["security"] = [] if gate is None else [{"tandem": [GRANTS[gate.action].scope]}]
    parameters = operation.get("parameters", []) + _headers_taken(operation, gate, method)
    for parameter in parameters:
        schema = parameter["schema"] = _sendable(parameter["schema"])
        parameter.setdefault("description", schema.pop("description", ""))
        schema.pop("title", None)
    if parameters:
        operation["parameters"] = parameters
    answers = operation["responses"]
    answers.pop("422", None)
    claims = answers_of.claims_an_id(operation, components["schemas"])
    if claims:
        content = answers["201"]["content"]
        answers["200"] = {
            "description": "It was there already, from the same request.",
            "content": {kind: dict(media) for kind, media in content.items()},
        }
    if any(parameter["name"] == "If-None-Match" for parameter in parameters):
        answers["304"] = {"description": "", "headers": refs("ETag")}
    for status, answer in answers.items():
        answer.setdefault("headers", {}).update(refs(*headers_of_all(route)))
        if int(status) < 400:
            if answer["description"] in ("", "Successful Response"):
                answer["description"] = answers_of.SUCCESS[int(status)]
            if method == "POST" and gate is not None and gate.takes_key:
                answer["headers"] |= refs("Idempotency-Replayed")
            if any(parameter["name"] == "cursor" for parameter in parameters):
                answer["headers"] |= refs("Link")
            if status == "200" and any(p["name"] == "Accept-Language" for p in parameters):
                answer["headers"] |= refs("Content-Language")
    add_examples(operation)
    if claims:
        answers["200"]["headers"] = {**answers["201"]["headers"]}
    kinds = answers_of.problems(route, method, claims=claims)
    answers.update(answers_of.refusals(kinds, components["responses"]))
    operation["responses"] = {status: answers[status] for status in sorted(answers)}


_LENGTHS = {"uuid": 36, "date": 10, "date-time": 40}


def _complete_schemas(node: Any) -> None:
    """What FastAPI leaves out of every schema: the size of an integer, the length of a format."""
    if isinstance(node, dict):
        if node.get("format") in _LENGTHS:
            node.setdefault("maxLength", _LENGTHS[node["format"]])
        for name, inner in node.get("properties", {}).items():
            if inner.get("title") == name.replace("_", " ").title():
                del inner["title"]  # it says nothing that the name does not
        if node.get("type") == "integer":
            small = node.get("minimum", -(2**63)) >= -(2**31) and node.get("maximum", 2**63) < 2**31
            node.setdefault("format", "int32" if small else "int64")
        for name, inner in node.items():
            if name not in ("example", "examples", "default"):
                _complete_schemas(inner)
    elif isinstance(node, list):
        for inner in node:
            _complete_schemas(inner)


def _first_place(path: tuple[str, Json], order: dict[str, int]) -> tuple[int, bool]:
    """By tag; among people, who you are comes first. The rest stays as the routers have it."""
    address, operations = path
    return min(order[o["tags"][0]] for o in operations.values()), not address.startswith("/v1/me")


def document(app: FastAPI) -> Json:
    """The document as plain JSON values; the same for every installation."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name
    found = get_openapi(
        title=app.title,
        version=version("tandem"),
        summary="The coaching record behind every school's front end.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        contact={"name": "Whoever runs the installation that serves this document"},
        servers=[
            {
                "url": "/",
                "description": "The installation that serves this document: production or a local one.",
                "x-internal": False,
            }
        ],
    )
    components = found["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"] |= answers_of.problem_schemas()
    components["responses"] = {}
    components["headers"] = copy.deepcopy(HEADERS)
    components["examples"] = problem_examples()
    components["securitySchemes"] = {
        "tandem": {
            "type": "oauth2",
            "description": "People sign in on the service's own pages (authorization code with PKCE); a system "
            "with its client's id and secret. By e-mail address and password alone only where a setting "
            "allows it: the demonstration does, and prints its accounts. Without a scope a token has all "
            "that are open to it. Access tokens are JWT (RFC 9068, held to RFC8725) that live for at most "
            "15 minutes.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/oauth/authorize",
                    "tokenUrl": "/oauth/token",
                    "refreshUrl": "/oauth/token",
                    "scopes": SCOPES,
                },
                "password": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
                "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
            },
        }
    }
    order = {tag["name"]: place for place, tag in enumerate(TAGS)}
    found["paths"] = dict(
        sorted(found["paths"].items(), key=lambda item: _first_place(item, order))
    )
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = found["paths"][route.path_format][method.lower()]
                _complete(operation, route, method, components)
    add_links(found["paths"])
    _complete_schemas(components)
    _complete_schemas(found["paths"])
    return _renamed(found)


def _renamed(document: Json) -> Json:
    """Lists by the name of what is on them: `ShareOutPage` for FastAPI's `Page_ShareOut_`."""
    text = json.dumps(document)
    for made, schema in document["components"]["schemas"].items():
        if found := _LIST.fullmatch(made):
            name = f"{found[2]}{_LISTS[found[1]]}"
            text = text.replace(f'{made}"', f'{name}"').replace(f'"{schema["title"]}"', f'"{name}"')
    named: Json = json.loads(text)
    return named


_LISTS = {"Page": "Page", "Whole": "List"}
_LIST = re.compile(r"(Page|Whole)_(\w+)_")


def as_json(app: FastAPI) -> str:
    """The document as it is served and committed."""
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
