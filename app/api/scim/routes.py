"""The addresses of SCIM, behind the same bearer check as everything else.

What the protocol says is scim2-server's (`protocol`), loaded with the first request and beside the
loop; what is read and written is ours.
"""

import asyncio
from functools import cache
from types import ModuleType
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from app.access.grants import Action
from app.access.scim import Directory, directory
from app.core.routes import Route
from app.core.scim import BASE, MEDIA_TYPE


class ScimRoute(Route):
    """A route that takes SCIM's media type. A user has two thousand bytes, not a million."""

    media_types = (MEDIA_TYPE, "application/json")
    body_limit = 65_536


router = APIRouter(prefix=BASE, route_class=ScimRoute, include_in_schema=False)

_Count = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Names = Annotated[str, Field(max_length=1000)]


class ScimQuery(BaseModel):
    """Parameters of RFC 7644, section 3.4.2; others are passed over."""

    filter: Annotated[str, Field(max_length=1000)] | None = None
    attributes: _Names | None = None
    excludedAttributes: _Names | None = None
    sortBy: _Names | None = None
    sortOrder: _Names | None = None
    startIndex: _Count | None = None
    count: _Count | None = None


_Query = Annotated[ScimQuery, Query()]
_Body = Annotated[Any, Body()]
_Reader = Annotated[Directory, directory(Action.SIGN_IN_IDENTITY_READ)]
_Writer = Annotated[Directory, directory(Action.SIGN_IN_IDENTITY_WRITE)]


@cache
def _protocol() -> ModuleType:
    from app.api.scim import protocol

    return protocol


async def _serve(request: Request, found: Directory | None) -> Response:
    protocol = (
        await asyncio.to_thread(_protocol) if not _protocol.cache_info().hits else _protocol()
    )
    answer: Response = await protocol.serve(request, found)
    return answer


@router.get("/Users")
async def list_directory_users(request: Request, found: _Reader, query: _Query) -> Response:
    """The users that the organisation's directory brought."""
    return await _serve(request, found)


@router.post("/Users")
async def create_directory_user(
    request: Request, found: _Writer, query: _Query, body: _Body
) -> Response:
    """A person, a way in and affiliations, in one."""
    return await _serve(request, found)


@router.get("/")
async def search_directory(request: Request, found: _Reader, query: _Query) -> Response:
    """The same as the list of users: there is nothing else."""
    return await _serve(request, found)


@router.post("/.search")
async def search_directory_by_post(
    request: Request, found: _Reader, query: _Query, body: _Body
) -> Response:
    """As `GET /`, with the parameters in the body."""
    return await _serve(request, found)


@router.post("/Users/.search")
async def search_directory_users_by_post(
    request: Request, found: _Reader, query: _Query, body: _Body
) -> Response:
    """As `GET /Users`, with the parameters in the body."""
    return await _serve(request, found)


@router.get("/Users/{user_id}")
async def read_directory_user(request: Request, found: _Reader, query: _Query) -> Response:
    """One user."""
    return await _serve(request, found)


@router.put("/Users/{user_id}")
async def replace_directory_user(
    request: Request, found: _Writer, query: _Query, body: _Body
) -> Response:
    """All that the directory says of a user, anew."""
    return await _serve(request, found)


@router.patch("/Users/{user_id}")
async def change_directory_user(
    request: Request, found: _Writer, query: _Query, body: _Body
) -> Response:
    """Some of what the directory says of a user."""
    return await _serve(request, found)


@router.delete("/Users/{user_id}")
async def delete_directory_user(request: Request, found: _Writer, query: _Query) -> Response:
    """The way in is closed for good; the person and their records stay."""
    return await _serve(request, found)


@router.get("/ServiceProviderConfig")
@router.get("/ResourceTypes")
@router.get("/ResourceTypes/{name}")
@router.get("/Schemas")
@router.get("/Schemas/{name}")
async def describe_scim(request: Request) -> Response:
    """What is offered here: the same for everybody, without a token."""
    return await _serve(request, None)


@router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def refuse_scim(request: Request) -> Response:
    """What is not offered, in the words of SCIM."""
    return await _serve(request, None)
