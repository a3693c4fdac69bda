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
from app.core.routes import gates_of

DESCRIPTION = """\
Learning agreements, goals, and the frameworks that they refer to.
**The agreement that the parties signed is the access policy**: it decides every read, everywhere.

Sign in with *Authorize*. Every change of a record needs its `ETag` in `If-Match`; a `POST` may carry an
`Idempotency-Key` so that it can be sent again when its answer was lost. Errors are problems
(RFC 9457): `type` leads to a page that explains them.
"""

TAGS = [
    {"name": "Sign in", "description": "Access tokens and public keys."},
    {"name": "People", "description": "People, their affiliations, and who you are."},
    {"name": "Organisations", "description": "Schools, authorities, consortia and the rest."},
    {"name": "Frameworks", "description": "The 10+2 coaching principles and other catalogues."},
    {"name": "Learning agreements", "description": "What the parties sign, and who may read what."},
    {"name": "Goals", "description": "What a learner sets out to do."},
    {"name": "Evidence", "description": "What was captured, what it shows, and its files."},
    {"name": "Access", "description": "Who could read a record, and why you may or may not."},
    {"name": "Shares", "description": "A record shown to a named person, or to a network."},
    {"name": "Break-glass", "description": "Opening one agreement in an emergency, by two people."},
    {"name": "Audit", "description": "What was done to accounts and rights; nothing of coaching."},
    {"name": "Networks", "description": "Who learns together: members, leads, facilitators."},
    {"name": "Service", "description": "Health and problem pages."},
]


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
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


def _statuses(route: APIRoute, method: str) -> list[int]:
    """The statuses of the problems that an operation can answer with."""
    gated = bool(gates_of(route.dependant))
    found = {503} | ({401, 403} if gated else set())
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
    titles: dict[int, str] = {}
    for kind in problem_types().values():
        titles.setdefault(kind.status, kind.title)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = operation["responses"]
    responses.pop("422", None)
    for status in _statuses(route, method):
        responses[str(status)] = {"description": titles[status], "content": content}
    parameters = operation.setdefault("parameters", [])
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
    found["components"]["securitySchemes"] = {
        "tandem": {
            "type": "oauth2",
            "description": "The password grant works where a setting turns it on (the demonstration).",
            "flows": {
                "password": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
                "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
            },
        }
    }
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(found["paths"][route.path_format][method.lower()], route, method)
    return found


def as_json(app: FastAPI) -> str:
    """The document as it is served and committed."""
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
