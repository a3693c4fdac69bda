"""What an operation can answer: the problems, the headers, and the other way to succeed."""

from fastapi.routing import APIRoute

from app.access.gates import ActionGate
from app.access.grants import BREAK_GLASS, GRANTS
from app.core import errors
from app.core.errors import Problem
from app.core.limits import HEALTH
from app.core.routes import gates_of
from app.openapi.headers import RATE, Json, refs

_OF_STATUS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    409: ("Retry-After",),
    412: ("ETag",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

SUCCESS = {
    200: "As it is now.",
    201: "It is made.",
    202: "It has begun.",
    204: "It is done; there is nothing to show.",
    206: "The range that was asked for.",
    304: "Nothing has changed since that ETag.",
}


def claims_an_id(operation: Json, schemas: Json) -> bool:
    """Whether the client may name the new record: then the same request again is answered with 200."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return "id" in schemas.get(name, {}).get("properties", {})


def problems(route: APIRoute, method: str, *, claims: bool) -> list[type[Problem]]:
    """The problems that an operation can answer with."""
    found: list[type[Problem]] = [errors.Failure, errors.Unavailable]
    if route.path not in HEALTH:
        found.append(errors.TooManyRequests)
    if method in ("POST", "PATCH", "PUT"):
        found.append(errors.TooSlow)
    gates = gates_of(route.dependant)
    if not gates:
        if "{" in route.path:
            found.append(errors.NotFound)
        if "{" in route.path or route.dependant.query_params:
            found.append(errors.Invalid)
        return found
    gate = gates[0]
    assert isinstance(gate, ActionGate)
    grant = GRANTS[gate.action]
    found += [errors.Unauthenticated, errors.Forbidden, errors.InsufficientScope, errors.Invalid]
    if grant.opened or grant.scope in BREAK_GLASS:
        found.append(errors.SwitchedOff)
    if "{" in route.path:
        found.append(errors.NotFound)
    if method != "GET":
        found.append(errors.Conflict)
    if method in ("POST", "PATCH", "PUT"):
        found += [errors.MalformedRequest, errors.TooLarge, errors.UnsupportedMediaType]
    if gate.streams:
        found.append(errors.UnsupportedFile)
    if claims:
        found.append(errors.IdTaken)
    if method == "POST" and gate.takes_key:
        found += [errors.RequestInProgress, errors.KeyReused]
    if gate.locks is not None:
        found.append(errors.StaleVersion)
    if method in ("PATCH", "DELETE"):
        found.append(errors.PreconditionRequired)
    if route.path.endswith("/content"):
        found.append(errors.RangeNotSatisfiable)
    return found


def refusals(kinds: list[type[Problem]], components: Json) -> Json:
    """The answers that are problems, by status; each set of problems is described once."""
    slugs = list(errors.problem_types())
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.status, slugs.index(kind.slug))):
        by_status.setdefault(kind.status, []).append(kind)
    answers = {}
    for status, those in by_status.items():
        name = "Or".join(kind.__name__ for kind in those)
        components.setdefault(name, _refusal(status, those))
        answers[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return answers


def _refusal(status: int, kinds: list[type[Problem]]) -> Json:
    examples = {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds}
    schema = {"$ref": "#/components/schemas/Problem"}
    headers = ("X-Request-Id", "Content-Language", *_OF_STATUS.get(status, ()))
    return {
        "description": "; or: ".join(kind.title for kind in kinds) + ".",
        "headers": refs(*headers, *(RATE if status < 500 else ())),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }


def problem_schema() -> Json:
    """The shape of every problem."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri",
                "maxLength": 300,
                "description": "Leads to a page that explains it.",
            },
            "title": {
                "type": "string",
                "maxLength": 100,
                "description": "In English, or in Welsh by `Accept-Language`.",
            },
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {
                "type": "string",
                "maxLength": 10_000,
                "description": "For people; not part of the contract.",
            },
            "request_id": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "translation": {
                "type": "string",
                "enum": ["unreviewed", "reviewed"],
                "description": "With a title in Welsh: whether anybody has reviewed our translation.",
            },
            "errors": {
                "type": "array",
                "maxItems": 100,
                "items": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {
                        "pointer": {
                            "type": "string",
                            "maxLength": 201,
                            "description": "JSON pointer into the body.",
                        },
                        "parameter": {"type": "string", "maxLength": 201},
                        "header": {"type": "string", "maxLength": 201},
                        "detail": {"type": "string", "maxLength": 201},
                    },
                },
            },
            "scope": {
                "type": "string",
                "maxLength": 100,
                "description": "With insufficient-scope: the scope that is needed.",
            },
            "current": {"description": "With 412: the record as it is now."},
        },
        "title": "Problem",
        "description": "A refused request (RFC 9457).",
    }
