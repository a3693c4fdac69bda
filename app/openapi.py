"""The OpenAPI document: what FastAPI finds in the routes, and what it cannot know."""

import json
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.access.caller import OPENING_HEADER
from app.access.gates import ActionGate
from app.access.grants import GRANTS, SCOPES
from app.core.errors import problem_types
from app.core.limits import HEALTH
from app.core.routes import gates_of

DESCRIPTION = """\
Learning agreements, goals, evidence and networks, and the frameworks that they refer to.
**The agreement that the parties signed is the access policy**: it decides every read, everywhere.

Sign in with *Authorize*, open a group, and try an operation with *Execute*. Every change of a record needs its `ETag` in `If-Match`; a `POST` may carry an
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
    {"name": "Organisations", "description": "Schools, authorities, consortia and the rest."},
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


HEADERS = {
    "RateLimit": {
        "description": "Where you stand: the limit's name, the requests that remain (`r`), and the seconds "
        "until it begins anew (`t`).",
        "schema": {"type": "string"},
        "example": '"caller";r=2941;t=37',
    },
    "RateLimit-Policy": {
        "description": "The limit that was counted: its name, the requests that it allows (`q`) in so many "
        "seconds (`w`). Absent where it is switched off.",
        "schema": {"type": "string"},
        "example": '"caller";q=3000;w=60',
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer"},
        "example": 2,
    },
}


# On every answer there are RateLimit and its policy: said once, in the description.
_HEADERS_OF = {429: ("RateLimit", "RateLimit-Policy", "Retry-After"), 503: ("Retry-After",)}


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {
                "type": "string",
                "description": "In English, or in Welsh by `Accept-Language`.",
            },
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "translation": {
                "enum": ["unreviewed", "reviewed"],
                "description": "With a title in Welsh: whether anybody has reviewed our translation.",
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {
                        "pointer": {"type": "string", "description": "JSON pointer into the body."},
                        "parameter": {"type": "string"},
                        "header": {"type": "string"},
                        "detail": {"type": "string"},
                    },
                },
            },
            "current": {"description": "With 412: the record as it is now."},
        },
        "title": "Problem",
        "description": "A refused request (RFC 9457).",
    }


def _problem_responses() -> dict[str, Any]:
    """The refusals, by the name under which operations refer to them: one for each status."""
    found: dict[str, Any] = {}
    for slug, kind in problem_types().items():
        example = {
            "type": f"https://tandem.example/problems/{slug}",
            "title": kind.title,
            "status": kind.status,
            "detail": f"{kind.title}.",
            "request_id": "01a203c0-ebc4-7b09-ac5f-b75589400b6c",
        }
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        response = {"description": kind.title, "content": {"application/problem+json": content}}
        if named := _HEADERS_OF.get(kind.status):
            response["headers"] = {n: {"$ref": f"#/components/headers/{n}"} for n in named}
        found.setdefault(f"Problem{kind.status}", response)
    return found


def _statuses(route: APIRoute, method: str) -> list[int]:
    """The statuses of the problems that an operation can answer with."""
    gated = bool(gates_of(route.dependant))
    found = {503} | ({401, 403} if gated else set())
    if route.path not in HEALTH:
        found.add(429)
    if method in ("POST", "PATCH", "PUT"):
        found.add(408)
    if "{" in route.path:
        found |= {404, 422}
    if route.dependant.query_params:
        found.add(422)
    if method in ("POST", "PATCH", "PUT", "DELETE") and gated:
        found |= {400, 409, 413, 415, 422}
    if method in ("PATCH", "PUT", "DELETE"):
        found |= {412, 428}
    return sorted(found)


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status in _statuses(route, method):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    # A list of its own: what a route adds by `openapi_extra` is shared.
    parameters = operation["parameters"] = [*operation.get("parameters", [])]
    gates = gates_of(route.dependant)
    if gates and isinstance(gates[0], ActionGate):
        operation["security"] = [{"tandem": [GRANTS[gates[0].action].scope]}]
        if method == "POST" and gates[0].takes_key:
            parameters.append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                    "description": "Makes the request safe to send again for 24 hours.",
                }
            )
    if method in ("PATCH", "PUT", "DELETE"):
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "maxLength": 200},
                "description": "ETag of the record as you read it.",
            }
        )
    if method == "GET" and gates:
        parameters.append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 200},
                "description": "ETag that you have; 304 when nothing has changed.",
            }
        )
    if gates and isinstance(gates[0], ActionGate) and GRANTS[gates[0].action].opened:
        parameters.append(
            {
                "name": OPENING_HEADER,
                "in": "header",
                "required": False,
                "schema": {"type": "string", "format": "uuid"},
                "description": "Reads under this opening, which is open to you, and by nothing else.",
            }
        )
    if not parameters:
        del operation["parameters"]


def _first_place(path: tuple[str, dict[str, Any]], order: dict[str, int]) -> tuple[int, bool]:
    """By tag; among people, who you are comes first. The rest stays as the routers have it."""
    address, operations = path
    return min(order[o["tags"][0]] for o in operations.values()), not address.startswith("/v1/me")


def document(app: FastAPI) -> dict[str, Any]:
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
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _problem_schema()
    found["components"]["headers"] = HEADERS
    found["components"]["responses"] = _problem_responses()
    found["components"]["securitySchemes"] = {
        "tandem": {
            "type": "oauth2",
            "description": "A person signs in with an e-mail address and a password where a setting allows "
            "it: the demonstration does, and prints its accounts. A system has a client's id and secret. "
            "Leave every scope unticked to get all that are open to you.",
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
                _complete(found["paths"][route.path_format][method.lower()], route, method)
    return found


def as_json(app: FastAPI) -> str:
    """The document as it is served and committed."""
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
