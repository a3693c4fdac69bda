"""Around every request: its id, the headers of every answer, problems instead of tracebacks."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import (
    Failure,
    Invalid,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from app.core.ids import uuid7
from app.core.negotiation import DEFAULT, Language, language_of
from app.core.scim import as_scim, speaks_scim
from app.core.settings import settings
from app.core.text import PATTERNS
from app.core.translations import words_of_problem

log = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_MOST_ERRORS = 100
_LONGEST_NAME = 200
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Envelope:
    """The outermost layer: request id, default headers, a problem for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else str(uuid7()).encode()
        scope["request_id"] = request_id.decode()
        started = False
        # HEAD is GET without its body (RFC 9110, 9.3.2).
        headless = scope["method"] == "HEAD"
        if headless:
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"] = list(message.get("headers", []))
                headers.append((b"x-request-id", request_id))
                headers.extend(_HEADERS)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
            elif headless:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            # The server has been told to stop and waits no longer.
            log.warning("cut_off", request_id=scope["request_id"])
            if started:
                raise
            language = language_of(Request(scope))
            stopping = Unavailable("The service is stopping.")
            response = told(stopping, scope, language)
            await response(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("caller_gone", request_id=scope["request_id"])
        except Exception as error:
            # The last net: whatever nobody foresaw is logged in full and answered without detail.
            log.error("failure", request_id=scope["request_id"], exc_info=error)
            if started:
                raise
            language = language_of(Request(scope))
            response = told(Failure("The service failed."), scope, language)
            await response(scope, receive, send_with_headers)


def told(problem: Problem, scope: Scope, language: Language = DEFAULT) -> Response:
    """The problem in the words of the address that was asked."""
    if speaks_scim(scope["path"]):
        return as_scim(problem)
    return render(problem, scope.get("request_id", ""), language)


def render(problem: Problem, request_id: str, language: Language = DEFAULT) -> Response:
    """RFC 9457: the problem as an answer; its title in `language`, the detail in English."""
    title, _, translation = words_of_problem(problem, language)
    spoken = "cy, en" if translation else "en"
    body = {
        "type": f"{settings().base_url}/problems/{problem.slug}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
        **({"translation": translation} if translation else {}),
        **({"errors": _bounded(problem.errors)} if problem.errors else {}),
        **problem.members,
    }
    return Response(
        to_json(body),
        status_code=problem.status,
        headers={**problem.headers, "Content-Language": spoken, "Vary": "Accept-Language"},
        media_type="application/problem+json",
    )


def _bounded(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first errors, with names and words cut: a caller cannot make an answer of any size."""
    return [
        {
            name: text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"
            for name, text in error.items()
        }
        for error in errors[:_MOST_ERRORS]
    ]


_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not a field here",
    "string_type": "must be a text",
    "json_invalid": "is not JSON",
    "none_required": "must be null",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "uuid_parsing": "must be a UUID",
}


_SHOULD = re.compile(r"^\w+ should\b")
"""How pydantic begins: "Input should be greater than 0"."""


def pointer(location: Iterable[Any]) -> str:
    """The JSON pointer (RFC 6901) to a place in a body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _steps(error: Any, body: Any) -> Iterator[Any]:
    """The steps of an error's place that lead into `body`.

    pydantic also names the alternative of a union, which is no step: the type of a value.
    """
    steps = error["loc"][1:]
    for index, step in enumerate(steps):
        holds = step in body if isinstance(body, dict) else isinstance(body, list)
        if holds and (isinstance(body, dict) or type(step) is int):
            body = body[step]
        elif error["type"] != "missing" or index < len(steps) - 1:
            continue
        yield step


def _validation_errors(errors: Sequence[Any], body: Any) -> list[dict[str, str]]:
    """pydantic's findings as JSON pointers and plain words; each place once."""
    found: dict[tuple[str, str], str] = {}
    for error in errors:
        place, *rest = error["loc"] or ("body",)
        kind = error["type"]
        said = _SHOULD.sub("must", str(error["msg"])).removeprefix("Value error, ")
        detail = _WORDS.get(kind) or said
        if kind == "string_pattern_mismatch":
            detail = PATTERNS.get(error["ctx"]["pattern"], detail)
        if kind == "too_short" and error["input"] == "":
            detail = "must not be empty"
        detail = detail[:1].lower() + detail[1:]
        if kind == "missing_sentinel_error":
            continue  # the alternative "not sent" of an optional field of a change
        if place == "body":
            key = ("pointer", pointer(_steps(error, body)))
        elif place == "header":
            key = ("header", "-".join(str(part) for part in rest))
        else:
            key = ("parameter", ".".join(str(part) for part in rest) or place)
        found.setdefault(key, detail)
        if len(found) == _MOST_ERRORS:
            break
    return [{name: where, "detail": detail} for (name, where), detail in found.items()]


def invalid_body(error: ValidationError, body: Any) -> Invalid:
    """What a model says of `body`, as the problem that names its fields."""
    found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
    return Invalid(
        "Some fields break a rule; `errors` names them.", errors=_validation_errors(found, body)
    )


def problem_of(error: Exception) -> Problem:
    """The problem that stands for what FastAPI or Starlette raised."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return Invalid(
            "Some fields break a rule; `errors` names them.",
            errors=_validation_errors(error.errors(), error.body),
        )
    assert isinstance(error, HTTPException)
    headers = error.headers or {}
    by_status: dict[int, Problem] = {
        400: MalformedRequest(str(error.detail)),
        404: NotFound(),
        405: MethodNotAllowed(headers=headers),
        413: TooLarge(),
        415: UnsupportedMediaType(),
        503: Unavailable(),
    }
    return by_status.get(error.status_code, Failure())


async def handle(request: Request, error: Exception) -> Response:
    """Exception handler of the application."""
    problem = problem_of(error)
    if isinstance(problem, MethodNotAllowed):
        # Starlette names the methods of the first route with this address only.
        problem.headers["Allow"] = ", ".join(_allowed(request))
    return told(problem, request.scope, language_of(request))


def _allowed(request: Request) -> list[str]:
    found = {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)


def install(app: FastAPI) -> None:
    """Makes problems the answer to every refused request of `app`."""
    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def to_current(value: Any) -> Any:
    """`value` as plain JSON, for a problem that shows a record."""
    return json.loads(to_json(value))


def as_uuid(value: Any) -> UUID:
    """An id as the driver gave it."""
    return value if type(value) is UUID else UUID(str(value))
