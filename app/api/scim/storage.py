"""Where scim2-server reads and writes: the door and the actions, in the request's transaction."""

from typing import Any
from uuid import UUID

from scim2_models import Resource, ResourceType, ResponseParameters, SearchRequest
from scim2_server.storage import AsyncScimStorage, SearchPage

from app.access.scim import Brought, Directory
from app.actions import scim
from app.api.scim.filters import terms_of
from app.api.scim.users import shown, told_by

MOST = 100
"""Users on a page."""
_LAST = 2**31 - 1


class Storage(AsyncScimStorage):
    """The users of one directory, as one request sees them.

    The user that the address names is there already, and locked if it may be changed: its version
    was compared before the body was looked at.
    """

    def __init__(self, directory: Directory | None) -> None:
        self._directory = directory

    @property
    def directory(self) -> Directory:
        """The directory; what needs no token has none."""
        assert self._directory is not None
        return self._directory

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """The user that the address names."""
        assert self.directory.row is not None
        return shown(self.directory.row)  # type: ignore[no-any-return]

    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """One page, and how many there are."""
        count = MOST if search_request.count is None else search_request.count
        total, rows = await self.directory.search(
            terms_of(search_request.filter),
            offset=min(search_request.start_index_0 or 0, _LAST),
            limit=max(0, min(count, MOST)),
        )
        return SearchPage(total, [shown(row) for row in rows])

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """A new user."""
        user_id = await scim.create_user(self.directory, told_by(resource))
        return await self._written(user_id)

    async def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """The user after the change."""
        brought = self._brought
        await scim.change_user(self.directory, brought, told_by(resource))
        return await self._written(brought.user.id)

    async def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        """The user is no more."""
        await scim.remove_user(self.directory, self._brought)

    @property
    def _brought(self) -> Brought:
        assert self.directory.brought is not None
        return self.directory.brought

    async def _written(self, user_id: UUID) -> Resource[Any]:
        await self.directory.unit.flush()
        return shown(await self.directory.find(user_id))  # type: ignore[no-any-return]
