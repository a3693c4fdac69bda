"""The way of every request: authentication, authorization, the row, the body; then one commit.

`Route` is the route class of every router. It admits the caller through the endpoint's gate
(`may(...)` or `one(...)` of app.access) before the body is read, reads the body under its limit,
and commits the request's transaction after the answer is made and before it is sent. FastAPI runs
the dependencies, among them the one that fetches the row, before it validates the body. Where the
gate says `streams`, the endpoint itself reads the body, a file, as it comes (app.core.uploads).
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
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
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from app.core.http import pointer
from app.core.limits import arriving
from app.core.settings import settings

_JSON_TYPES = ("application/json", "application/merge-patch+json")
_KEPT_HEADERS = ("location", "etag", "link", "content-type")
_KEPT_UNCHANGED = ("etag", "link", "vary")


class Admitted(Protocol):
    """What a gate hands over: who asks, and the unit of work of the request."""

    unit: Unit
    refusal: Problem | None
    etag: str | None
    location: str | None
    created: bool | None
    about: tuple[str, UUID] | None

    @property
    def caller_key(self) -> str: ...
    async def still_reads(self, kind: str, resource_id: UUID, etag: str | None) -> bool: ...
    async def before_answer(self) -> None: ...


class Gate(Protocol):
    """What `may` and `one` put on a route."""

    takes_key: bool
    streams: bool

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

    async def json(self) -> Any:
        return self.parsed


async def read_body(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is known to be larger than `limit` bytes or to be too slow."""
    refusal = TooLarge(f"A body may have at most {limit:,} bytes.")
    if set(request.headers.getlist("content-encoding")) - {"identity"}:
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise refusal
    chunks, size = [], 0
    async for chunk in arriving(request, settings().body_seconds):
        size += len(chunk)
        if size > limit:
            raise refusal
        chunks.append(chunk)
    return b"".join(chunks)


def _parse(body: bytes, content_type: str, taken: Sequence[str]) -> Any:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in taken:
        raise UnsupportedMediaType(f"Send the body as Content-Type: {taken[0]}.")
    return strict_json.parse(body)


def _check_empty(parsed: Any) -> None:
    if isinstance(parsed, dict):
        wrong = [pointer([name]) for name in parsed]
    else:
        wrong = [] if parsed is None else [""]
    if wrong:
        raise Invalid(errors=[{"pointer": p, "detail": "no body is taken here"} for p in wrong])


def _check_parameters(request: Request, *, known: bool) -> None:
    """Refuses repeated parameters, and any at all where none is known."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    detail = "is there twice" if known else "is not a parameter here"
    if wrong := [name for name, count in counts.items() if count > known]:
        raise Invalid(errors=[{"parameter": name, "detail": detail} for name in wrong])


def _idempotency_key(request: Request) -> str | None:
    sent = request.headers.getlist("idempotency-key") if request.method == "POST" else []
    # Two headers are joined by a comma and a space (RFC 9110, 5.2), which no key has.
    return idempotency.valid_key(", ".join(sent)) if sent else None


class Route(APIRoute):
    """A route with at most one gate; see the module's text for the order of things."""

    media_types: Sequence[str] = _JSON_TYPES
    """What a body may be sent as; the first is the one that is asked for."""
    body_limit: int | None = None
    """Most bytes of a body, where it is less than what the settings say."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        gates = gates_of(self.dependant)
        gate = gates[0] if gates else None
        takes_json = self.body_field is not None
        assert not (takes_json and gate is not None and gate.streams), f"{self.path} has two bodies"
        query_model = bool(self.dependant.query_params)

        async def public(request: Request) -> Response:
            return await answer(request)

        async def gated(request: Request) -> Response:
            assert gate is not None
            admitted = await gate.admit(request)
            request.scope["admitted"] = admitted
            body, key, parsed = b"", None, None
            if request.method in ("POST", "PUT", "PATCH") and not gate.streams:
                limit = settings().body_limit
                body = await read_body(request, min(limit, self.body_limit or limit))
                inner = _Request(request.scope, request.receive)
                inner._body = body
                request = inner
            try:
                if request.scope["query_string"]:
                    _check_parameters(request, known=query_model)
                if gate.takes_key:
                    key = _idempotency_key(request)
                if body:
                    parsed = inner.parsed = _parse(
                        body, request.headers.get("content-type", ""), self.media_types
                    )
                    if not takes_json:
                        _check_empty(parsed)
            except (Invalid, MalformedRequest, UnsupportedMediaType) as problem:
                # Not yet: the gate's dependency raises it when the row has spoken.
                admitted.refusal = problem
            unit = admitted.unit
            try:
                return await _in_transaction(request, admitted, key, answer, parsed)
            finally:
                await unit.close()
                if (received := request.scope.pop("received", None)) is not None:
                    await received.discard()
                # The admitted request knows its scope: without this each request would leave a
                # circle behind for the garbage collector.
                del request.scope["admitted"]

        return gated if gate is not None else public


async def _in_transaction(
    request: Request,
    admitted: Admitted,
    key: str | None,
    answer: Callable[[Request], Coroutine[Any, Any, Response]],
    parsed: Any,
) -> Response:
    guard = None
    try:
        if key is not None and admitted.refusal is None:
            guard = idempotency.Guard(
                admitted.unit,
                caller=admitted.caller_key,
                key=key,
                fingerprint=idempotency.fingerprint(request.method, request.scope["path"], parsed),
            )
            # Looked up when the write begins: whatever is refused before that was never answered.
            admitted.unit.before_first_write = partial(_enter, guard, request)
        response = await answer(request)
    except RequestValidationError as invalid:
        # An address that is none is a row that is not there: it speaks before the body.
        if in_path := [error for error in invalid.errors() if error["loc"][0] == "path"]:
            raise RequestValidationError(in_path) from None
        raise
    except idempotency.Replay as replay:
        stored = replay.answer
        etag = stored.headers.get("etag")
        if not await admitted.still_reads(stored.kind, stored.resource_id, etag):
            raise NotFound() from None
        headers = {**stored.headers, "Idempotency-Replayed": "true"}
        return Response(stored.body, status_code=stored.status, headers=headers)
    except Unavailable:
        raise  # asking the database again would double the wait
    except Problem as problem:
        if guard is not None:
            await guard.check_unanswered()
        if problem.recorded:
            await admitted.unit.commit()
        raise
    _complete(request, response, admitted)
    journaled = admitted.unit.journaled
    about = admitted.about or (journaled[0] if journaled else None)
    if guard is not None and about is not None and response.status_code < 300:
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await guard.store(response.status_code, kept, bytes(response.body), about=about)
    await admitted.before_answer()
    # From here on the database knows whether a row names the file: it is no longer ours to remove.
    request.scope.pop("received", None)
    await admitted.unit.commit()
    if request.method == "GET" and _not_modified(request, response.headers.get("etag")):
        kept = {n: value for n, value in response.headers.items() if n in _KEPT_UNCHANGED}
        return Response(status_code=304, headers=kept)
    return response


async def _enter(guard: idempotency.Guard, request: Request) -> None:
    """When the write begins: only now is the digest of a body known that the endpoint has read."""
    received = request.scope.get("received")
    if received is not None:
        method, path = request.method, request.scope["path"]
        guard.fingerprint = idempotency.fingerprint(method, path, received.identity)
    await guard.enter()


def _complete(request: Request, response: Response, admitted: Admitted) -> None:
    if admitted.created is False:
        response.status_code = 200
    # A file has an ETag of its own, which is not that of the record it belongs to.
    if admitted.etag is not None and "etag" not in response.headers:
        response.headers["ETag"] = admitted.etag
    if admitted.location is not None:
        response.headers["Location"] = settings().base_url + admitted.location
    if response.status_code == 204:
        # FastAPI names the type of the body that is not there.
        del response.headers["Content-Type"]


def _not_modified(request: Request, etag: str | None) -> bool:
    sent = request.headers.getlist("if-none-match")
    if not sent or etag is None:
        return False
    candidates = [tag.strip() for tag in ",".join(sent).split(",")]
    return "*" in candidates or etag in candidates or f"W/{etag}" in candidates
