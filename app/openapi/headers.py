"""The headers of answers, and which of them every answer has."""

from typing import Any

from fastapi.routing import APIRoute

from app.core.limits import HEALTH

Json = dict[str, Any]

_TEXT = {"type": "string", "maxLength": 500}

HEADERS: dict[str, Json] = {
    "ETag": {
        "description": "Version of the record as it is shown here. Send it back whole, in `If-Match` or "
        "`If-None-Match`.",
        "schema": {"type": "string", "pattern": '^(W/)?"[!-~]+"$', "maxLength": 200},
        "example": '"3.full.en"',
    },
    "Location": {
        "description": "Address of the record.",
        "schema": {"type": "string", "format": "uri", "maxLength": 500},
        "example": "https://tandem.example/v1/goals/01a07ae1-9800-7000-8000-000000000001",
    },
    "Link": {
        "description": 'Leads to the next page (`rel="next"`); not there on the last.',
        "schema": {"type": "string", "maxLength": 4000},
        "example": '<https://tandem.example/v1/goals?cursor=T6rMr81vP>; rel="next"',
    },
    "Idempotency-Replayed": {
        "description": "The answer was given before, to the first request with this key.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "Content-Language": {
        "description": "What the answer is in. Of a refusal in Welsh the detail is in English.",
        "schema": {"type": "string", "enum": ["cy", "cy, en", "en"]},
        "example": "cy",
    },
    "RateLimit": {
        "description": "Where you stand: the limit's name, the requests that remain (`r`), and the seconds "
        "until it begins anew (`t`).",
        "schema": {"type": "string", "maxLength": 100, "pattern": '^"[a-z]+";r=[0-9]+;t=[0-9]+$'},
        "example": '"caller";r=2941;t=37',
    },
    "RateLimit-Policy": {
        "description": "The limit that was counted: its name, the requests that it allows (`q`) in so many "
        "seconds (`w`). Absent where it is switched off.",
        "schema": {"type": "string", "maxLength": 100, "pattern": '^"[a-z]+";q=[0-9]+;w=[0-9]+$'},
        "example": '"caller";q=3000;w=60',
    },
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 3600},
        "example": 2,
    },
    "WWW-Authenticate": {
        "description": "What is wrong with the token (RFC 6750).",
        "schema": _TEXT,
        "example": 'Bearer error="invalid_token"',
    },
    "X-Request-Id": {
        "description": "Names the request in the logs; your own, if you sent one.",
        "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        "example": "01a07ae1-9800-7000-8000-000000000009",
    },
    "Accept-Ranges": {
        "description": "A part of it can be asked for.",
        "schema": {"type": "string", "enum": ["bytes"]},
        "example": "bytes",
    },
    "Content-Disposition": {
        "description": "Has a browser save it under its name (RFC 6266).",
        "schema": {"type": "string", "maxLength": 2000},
        "example": 'attachment; filename="nodiadau.txt"',
    },
    "Content-Range": {
        "description": "Which bytes these are, and of how many.",
        "schema": _TEXT,
        "example": "bytes 10-17/18",
    },
    "Repr-Digest": {
        "description": "SHA-256 of the whole file (RFC 9530).",
        "schema": _TEXT,
        "example": "sha-256=:Aux4rYcjaUs9kEzBEpSnp15eZPdhsZRllgoS9sPuCtE=:",
    },
}
"""Every header of an answer that a client may act on."""

RATE = ("RateLimit", "RateLimit-Policy")


def headers_of_all(route: APIRoute) -> tuple[str, ...]:
    """Headers of every answer of an operation, except where the service itself fails."""
    return ("X-Request-Id", *(() if route.path in HEALTH else RATE))


def refs(*names: str) -> Json:
    """Headers of an answer, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
