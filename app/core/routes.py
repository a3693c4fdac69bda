"""The way of every request: authentication, authorization, the row, the body; then one commit.

`Route` is the route class of every router. It admits the caller through the endpoint's gate
(`may(...)` or `one(...)` of app.access) before the body is read, reads the body under its limit,
and commits the request's transaction after the answer is made and before it is sent. FastAPI runs
the dependencies, among them the one that fetches the row, before it validates the body.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.core import idempotency, strict_json
from app.core.db import Unit
from app.core.errors import (
    Invalid,
    MalformedRequest,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.settings import settings

_JSON_TYPES = ("application/json", "application/merge-patch+json")
_KEPT_HEADERS = ("location", "etag", "link", "content-type")


class Admitted(Protocol):
    """What a gate hands over: who asks, and the unit of work of the request."""

    unit: Unit
    etag: str | None
    location: str | None
    created: bool | None

    @property
    def caller_key(self) -> str: ...
    async def still_reads(self, kind: str, resource_id: UUID) -> bool: ...
    async def before_answer(self) -> None: ...


class Gate(Protocol):
    """What `may` and `one` put on a route."""

    takes_key: bool

    async def admit(self, request: Request) -> Admitted: ...


def gates_of(dependant: Dependant) -> list[Gate]:
    """The gates on an endpoint; a route that is not public has exactly one."""
    found = [
        call.gate
        for dependency in dependant.dependencies
        if (call := dependency.call) is not None and hasattr(call, "gate")
    ]
    return [*found, *(gate for d in dependant.dependencies for gate in gates_of(d))]


class _Request(Request):
    """A request whose body is read and parsed already."""

    parsed: Any = None
    unread: MalformedRequest | None = None

    async def json(self) -> Any:
        # A text is no JSON object: a body that could not be read is never taken for an empty one.
        return self.parsed if self.unread is None else ""


async def read_body(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is known to be larger than `limit` bytes."""
    refusal = TooLarge(f"A body may have at most {limit:,} bytes.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise refusal
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise refusal
        chunks.append(chunk)
    return b"".join(chunks)


def _check_media_type(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _JSON_TYPES:
        raise UnsupportedMediaType("Send the body as Content-Type: application/json.")


def _refuse_repeated_parameters(request: Request) -> None:
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise Invalid(errors=[{"parameter": name, "detail": "is there twice"} for name in repeated])


class Route(APIRoute):
    """A route with at most one gate; see the module's text for the order of things."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        gates = gates_of(self.dependant)
        gate = gates[0] if gates else None
        takes_json = self.body_field is not None
        query_model = bool(self.dependant.query_params)

        async def public(request: Request) -> Response:
            return await answer(request)

        async def gated(request: Request) -> Response:
            assert gate is not None
            admitted = await gate.admit(request)
            request.scope["admitted"] = admitted
            if request.scope["query_string"]:
                if query_model:
                    _refuse_repeated_parameters(request)
                else:
                    raise Invalid(
                        errors=[
                            {"parameter": name, "detail": "is not a parameter here"}
                            for name in dict.fromkeys(request.query_params)
                        ]
                    )
            parsed: Any = None
            if request.method in ("POST", "PUT", "PATCH"):
                body = await read_body(request, settings().body_limit)
                inner = _Request(request.scope, request.receive)
                inner._body = body
                if body and takes_json:
                    _check_media_type(request.headers.get("content-type", ""))
                    try:
                        parsed = inner.parsed = strict_json.parse(body)
                    except MalformedRequest as problem:
                        inner.unread = problem
                elif body:
                    parsed = body.hex()
                request = inner
            unit = admitted.unit
            try:
                return await _in_transaction(request, admitted, gate, answer, parsed)
            finally:
                await unit.close()
                # The admitted request knows its scope: without this each request would leave a
                # circle behind for the garbage collector.
                del request.scope["admitted"]

        return gated if gate is not None else public


async def _in_transaction(
    request: Request,
    admitted: Admitted,
    gate: Gate,
    answer: Callable[[Request], Coroutine[Any, Any, Response]],
    parsed: Any,
) -> Response:
    guard = None
    unread = getattr(request, "unread", None)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    try:
        if key is not None and gate.takes_key and unread is None:
            guard = idempotency.Guard(
                admitted.unit,
                caller=admitted.caller_key,
                key=idempotency.valid_key(key),
                fingerprint=idempotency.fingerprint(request.method, request.url.path, parsed),
            )
            # Looked up when the write begins: whatever is refused before that was never answered.
            admitted.unit.before_first_write = guard.enter
        response = await answer(request)
    except RequestValidationError:
        if unread is not None:
            raise unread from None
        raise
    except idempotency.Replay as replay:
        stored = replay.answer
        kind, resource_id = stored.kind, stored.resource_id
        if kind and resource_id and not await admitted.still_reads(kind, resource_id):
            raise NotFound() from None
        headers = {**stored.headers, "Idempotency-Replayed": "true"}
        return Response(stored.body, status_code=stored.status, headers=headers)
    _complete(request, response, admitted)
    if guard is not None and admitted.unit.begun and response.status_code < 300:
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await guard.store(response.status_code, kept, bytes(response.body))
    await admitted.before_answer()
    await admitted.unit.commit()
    if request.method == "GET" and _not_modified(request, admitted.etag):
        kept = {name: value for name, value in response.headers.items() if name in ("etag", "link")}
        return Response(status_code=304, headers=kept)
    return response


def _complete(request: Request, response: Response, admitted: Admitted) -> None:
    if admitted.created is False:
        response.status_code = 200
    if admitted.etag is not None:
        response.headers["ETag"] = admitted.etag
    if admitted.location is not None:
        response.headers["Location"] = settings().base_url + admitted.location


def _not_modified(request: Request, etag: str | None) -> bool:
    sent = request.headers.get("if-none-match")
    if sent is None or etag is None:
        return False
    candidates = [tag.strip().removeprefix("W/") for tag in sent.split(",")]
    return "*" in candidates or etag in candidates
