"""The protocol: scim2-server's service over our storage, and its refusals as problems."""

import asyncio
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    Error,
    ETag,
    Filter,
    InvalidFilterException,
    InvalidPathException,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    NotImplementedException,
    Patch,
    ResourceType,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
)
from scim2_server.errors import MethodNotAllowedException
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService
from scim2_server.storage import SearchPage
from starlette.requests import Request
from starlette.responses import Response

from app.access.scim import Directory
from app.api.scim.storage import MOST, Storage
from app.api.scim.users import EnterpriseUser, Model, User, shown
from app.core.scim import BASE, Refusal
from app.core.settings import settings

_MOST_OPERATIONS = 50
_MOST_MEMBERS = 400
_LONGEST = 1000
_DISCOVERY = (
    Operation.service_provider_config,
    Operation.resource_types,
    Operation.resource_type,
    Operation.schemas,
    Operation.schema,
)


class _Service(ScimService):
    def search_response(
        self,
        base_url: str,
        resource_types: list[ResourceType],
        page: SearchPage,
        search_request: SearchRequest[Any],
    ) -> ScimResponse:
        """As the library's, without reading again what it has just written."""
        found = [
            self.publish(base_url, user).model_dump(
                scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search_request
            )
            for user in page.resources
        ]
        body = {
            "schemas": [str(ListResponse.__schema__)],
            "totalResults": page.total,
            "startIndex": search_request.start_index,
            "itemsPerPage": len(found),
            **({"Resources": found} if found else {}),
        }
        return ScimResponse(HTTPStatus.OK, body)


class _Handler(AsyncScimHandler):
    """The library's, but a page is written beside the loop: a hundred users take fifty milliseconds."""

    async def search(self, request: ScimRequest) -> ScimResponse:
        """Searches by parameters."""
        return await self._page(
            request, lambda types: self.service.read_search_query(types, request.query)
        )

    async def search_with_body(self, request: ScimRequest) -> ScimResponse:
        """Searches by a body."""
        sent = request.header("Content-Type")
        return await self._page(
            request, lambda types: self.service.read_search_body(types, request.body, sent)
        )

    async def _page(
        self,
        request: ScimRequest,
        read: Callable[[list[ResourceType]], tuple[SearchRequest[Any], Any]],
    ) -> ScimResponse:
        with self.service.provider:
            types = list(self.service.provider.resource_types)
            asked, _ = read(types)
            page = await self.storage.search(types, asked)
            write = self.service.search_response
            return await asyncio.to_thread(write, request.base_url, types, page, asked)


SERVICE = _Service(
    ScimProvider(
        models=[User, EnterpriseUser],
        resource_types=[ResourceType.from_resource(Model)],
        config=ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MOST),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="OAuth 2.0 bearer token",
                    description="An access token of a client of the organisation, from /oauth/token "
                    "by the client credentials grant.",
                    primary=True,
                )
            ],
        ),
        # What directories send beyond the letter, Microsoft Entra's above all.
        policy=ScimPolicy(
            unknown=ScimPolicy.Unknown.ignore,
            remove_value_as_filter=ScimPolicy.RemoveValue.apply,
            unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
        ),
    )
)


async def serve(request: Request, directory: Directory | None) -> Response:
    """The answer to a request that was admitted, or that needs no token; a Problem otherwise."""
    asked = ScimRequest(
        method=request.method,
        base_url=settings().base_url + BASE,
        path=request.scope["path"].removeprefix(BASE),
        query=dict(request.query_params),
        headers=request.headers.items(),
    )
    try:
        if directory is None:
            _check_public(asked)
        else:
            if directory.row is not None:
                user, conditions = shown(directory.row), SERVICE.read_conditions(asked)
                SERVICE.check_preconditions(user, asked.method, conditions)
            directory.access.check_request()
            asked.body = await request.body()
            if asked.body:
                _check_body(await request.json())
        answer = await _Handler(SERVICE, Storage(directory)).handle(asked)
    except SCIMException as refused:
        raise _problem(refused) from refused
    body = b"" if answer.body is None else to_json(answer.body)
    return Response(body, status_code=int(answer.status), headers=answer.headers)


def _check_public(asked: ScimRequest) -> None:
    target = SERVICE.match(asked)
    if target.operation is Operation.bulk or target.me:
        raise NotImplementedException(detail="This is not supported.")
    if target.operation not in _DISCOVERY:
        raise NotFoundException(detail="There is nothing at this address.")


def _problem(refused: SCIMException) -> Refusal:
    cause = refused.__cause__
    detail = str(refused)
    if isinstance(cause, ValidationError):
        # pydantic's own text names pydantic.
        detail = Error.from_validation_errors(cause)[0].detail or ""
    headers = {}
    if isinstance(refused, MethodNotAllowedException):
        headers["Allow"] = ", ".join(refused.allowed)
    return Refusal(refused.status, detail[:300], refused.scim_type or None, headers=headers)


def _check_body(body: Any) -> None:
    """Refuses a password, and what only serves to keep the parser busy."""
    if not isinstance(body, dict):
        return
    operations = next((v for k, v in body.items() if k.lower() == "operations"), None)
    if isinstance(operations, list) and len(operations) > _MOST_OPERATIONS:
        raise InvalidValueException(detail=f"A PATCH has at most {_MOST_OPERATIONS} operations.")
    for number, (name, value) in enumerate(_named(body)):
        if number == _MOST_MEMBERS:
            raise InvalidValueException(detail=f"A body has at most {_MOST_MEMBERS} members.")
        if len(name) > _LONGEST:
            raise InvalidPathException(detail="A path is too long.")
        if name.lower() in ("path", "filter") and isinstance(value, str):
            if len(value) > _LONGEST:
                too_long = (
                    InvalidPathException if name.lower() == "path" else InvalidFilterException
                )
                raise too_long(detail=f"A {name} has at most {_LONGEST} characters.")
            name = value
        if name.lower().removeprefix(f"{str(User.__schema__).lower()}:") == "password":
            raise InvalidValueException(
                detail="No password is taken: people sign in with their organisation's provider."
            )


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of the objects in a body."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from _named(member)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)
