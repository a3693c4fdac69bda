"""Gates: `may` and `one` put the door on a route, and decide who comes in."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Path
from pydantic import TypeAdapter
from starlette.requests import Request

from app.access.caller import (
    OPENING_HEADER,
    Caller,
    CallerKind,
    authenticate,
    under_opening,
)
from app.access.door import Access, Held
from app.access.grants import BREAK_GLASS, GRANTS, READ_OPENED, Action, allows
from app.access.opened import MINE_AND_OPEN
from app.access.visibility import Resource
from app.core.errors import (
    Forbidden,
    InsufficientScope,
    NotFound,
    PreconditionRequired,
    StaleVersion,
    SwitchedOff,
)
from app.core.http import as_uuid, to_current
from app.core.settings import settings

Entity = TypeVar("Entity")


class ActionGate:
    """Authenticates and checks scope and kind of caller, before the body is read."""

    def __init__(
        self,
        action: Action,
        *,
        takes_key: bool = True,
        locks: Resource | None = None,
        streams: bool = False,
    ) -> None:
        self.action, self.takes_key, self.locks, self.streams = action, takes_key, locks, streams

    async def admit(self, request: Request) -> Access:
        """The admitted request, or 401, 429 or 403."""
        caller = authenticate(request, request.app.state.tokens)
        request.app.state.rates.count_caller(request.scope, caller.key)
        scope = GRANTS[self.action].scope
        if scope not in caller.scopes:
            raise InsufficientScope(scope)
        named = [value for name, value in request.scope["headers"] if name == _OPENING]
        if (named or scope in BREAK_GLASS) and not settings().break_glass:
            raise SwitchedOff("Break-glass is switched off here.")
        if named:
            return await self._admit_opener(request, under_opening(caller, named))
        if not allows(self.action, caller.kind):
            raise Forbidden(
                "This is for people who have signed in, not for integration clients."
                if caller.kind is CallerKind.CLIENT
                else "This is for integration clients, not for people."
            )
        return Access(request.app.state.database.unit(), caller, self.action, request=request)

    async def _admit_opener(self, request: Request, caller: Caller) -> Access:
        if READ_OPENED not in caller.scopes:
            raise InsufficientScope(READ_OPENED)
        if not allows(self.action, caller.kind):
            raise Forbidden(
                "Under an opening agreements, goals and evidence are read, and nothing else."
            )
        access = Access(request.app.state.database.unit(), caller, self.action, request=request)
        # Said here, so that nobody takes an empty list for a learner without records.
        if not await access.read(MINE_AND_OPEN):
            raise Forbidden("That is no opening that is open to you now.")
        return access


_OPENING = OPENING_HEADER.lower().encode()


def gated(gate: ActionGate, dependency: Callable[..., Any]) -> Any:
    """The dependency, marked with the gate that its route has."""
    dependency.gate = gate  # type: ignore[attr-defined]
    return Depends(dependency)


def may(action: Action, *, takes_key: bool = True) -> Any:
    """Marks a route that acts on no single row; hands over the Access. What answers secrets takes no
    Idempotency-Key: the answer would be stored."""

    async def admitted(request: Request) -> Access:
        access: Access = request.scope["admitted"]
        access.check_request()
        return access

    return gated(ActionGate(action, takes_key=takes_key), admitted)


class Row:
    """One row that the caller sees, by column name, with the Access that found it."""

    def __init__(self, access: Access, data: dict[str, Any]) -> None:
        self.access, self.data = access, data

    @property
    def id(self) -> UUID:
        """The row's id."""
        return as_uuid(self.data["id"])


class Owned(Generic[Entity]):
    """An entity locked for this request's write, with the Access that found it."""

    def __init__(self, access: Access, held: Held) -> None:
        self.access, self.held = access, held
        self.entity: Entity = held.entity


_PRECONDITION = ("PATCH", "PUT", "DELETE")


def one(
    action: Action,
    resource: Resource,
    shows: Any = None,
    *,
    streams: bool = False,
    takes_key: bool = True,
) -> Any:
    """Marks a route on one row: 404, 403, then for changes 428 and 412, all before the body.

    Reading hands over a Row. Writing hands over an Owned, locked; `shows` is the shape in which a
    412 shows the record as it is now.

    With `streams` the endpoint reads the body itself (`app.core.uploads.receive`), which may take
    minutes: it is given a Row, judged by the grants but not locked, and asks for
    `row.access.locked(...)` when the file is there. `takes_key`: as for `may`.
    """
    writing = shows is not None
    assert not (writing and streams), "no transaction is open while a body arrives"
    name = f"{resource.kind}_id"

    async def found(request: Request, **path: Any) -> Row | Owned[Any]:
        access: Access = request.scope["admitted"]
        row = await fetch(request, access, path[name])
        access.check_request()
        return row

    async def fetch(request: Request, access: Access, resource_id: UUID) -> Row | Owned[Any]:
        if not writing:
            if GRANTS[action].by:
                return Row(access, await access.standing(resource, resource_id))
            return Row(access, await access.one(resource, resource_id))
        held = await access.locked(resource, resource_id)
        if request.method in _PRECONDITION or "if-match" in request.headers:
            await _check_version(request, access, resource, held, shows)
        return Owned(access, held)

    described = Path(description=f"Id of the {resource.kind.replace('_', ' ')}.")
    parameters = [
        inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[UUID, described]
        ),
    ]
    found.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    locks = resource if writing else None
    gate = ActionGate(action, takes_key=takes_key, locks=locks, streams=streams)
    return gated(gate, found)


@cache
def _adapter(shows: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shows)


async def _check_version(
    request: Request,
    access: Access,
    resource: Resource,
    held: Held,
    shows: Any,
) -> None:
    sent = request.headers.getlist("if-match")
    if not sent:
        raise PreconditionRequired("Send the record's ETag in If-Match.")
    # Weak where the answer came compressed: what is compared is the version, never the bytes.
    tags = {tag.strip().removeprefix("W/") for tag in ",".join(sent).split(",")}
    versions = {tag.strip('"').partition(".")[0] for tag in tags}
    if not hasattr(held.entity, "version"):
        return  # what is made and ended, and never changed
    if "*" in versions or str(held.entity.version) in versions:
        return
    row = await access.find(resource, held.entity.id)
    if row is None or shows is None:
        raise NotFound()
    access.show(row)
    if access.etag in tags:
        # A view that tells of no version has an ETag without one.
        access.etag = None
        return
    raise StaleVersion(
        "The record has changed since you read it.",
        headers={"ETag": access.etag or ""},
        current=to_current(_adapter(shows).validate_python(row)),
    )
