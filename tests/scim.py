"""A directory that speaks SCIM to the application in this process."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
from scim2_client.client import BaseSyncSCIMClient
from scim2_client.engines.inprocess import Headers, InProcessResponse
from sqlalchemy import select, update

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts
from app.core import journal
from app.core.passwords import hash_password
from app.models.people import Affiliation, SignInIdentity
from tests.worlds import Actor, World, token

BASE = "https://tandem.example/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class School:
    """The directory of an organisation."""

    world: World
    organisation: UUID
    client: UUID
    token: str

    async def call(self, method: str, path: str, body: Any = None, **named: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **named.pop("headers", {})}
        if body is not None:
            headers.setdefault("Content-Type", "application/scim+json; charset=utf-8")
            named["json"] = body
        return await self.world.http.request(method, f"{BASE}{path}", headers=headers, **named)

    async def brings(self, called: str = "", /, **said: Any) -> dict[str, Any]:
        """A user, created."""
        user_name = called or f"{uuid4().hex}@school.example"
        body = {"schemas": [USER], "userName": user_name, "active": True, **said}
        made = await self.call("POST", "/Users", body)
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    async def patch(self, user_id: str, *operations: Any, **named: Any) -> httpx.Response:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.call("PATCH", f"/Users/{user_id}", body, **named)

    async def get(self, user_id: str) -> dict[str, Any]:
        found = await self.call("GET", f"/Users/{user_id}")
        assert found.status_code == 200, found.text
        user: dict[str, Any] = found.json()
        return user

    async def found(self, filter_: str) -> list[str]:
        answer = await self.call("GET", "/Users", params={"filter": filter_})
        assert answer.status_code == 200, answer.text
        return [user["id"] for user in answer.json().get("Resources", [])]


async def directory_of(world: World, organisation: UUID, scopes: Any = SCOPES) -> School:
    """A client of the organisation, as its directory."""
    async with world.database.work() as unit:
        client, _ = await accounts.create_client(
            unit,
            actor=journal.COMMAND_LINE,
            name="Directory",
            organisation_id=organisation,
            scopes=sorted(scopes),
        )
    return School(world, organisation, client, token(world.app, client, client, scopes))


class LoopClient(BaseSyncSCIMClient):
    """scim2-client in a worker thread, whose requests run on the application's loop."""

    def __init__(self, school: School, **named: Any) -> None:
        super().__init__(**named)
        self.school = school

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return endpoint.startswith((BASE, "/"))

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **named: Any) -> InProcessResponse:
        headers = {
            "Authorization": f"Bearer {self.school.token}",
            **(named.pop("headers", None) or {}),
        }
        whole = url if url.startswith("https://") else f"{BASE}/{url.lstrip('/')}"

        async def ask() -> httpx.Response:
            return await self.school.world.http.request(method, whole, headers=headers, **named)

        answer = anyio.from_thread.run(ask)
        return InProcessResponse(
            answer.status_code, Headers(list(answer.headers.items())), answer.content
        )


async def identity_of(world: World, user_id: str) -> SignInIdentity:
    """The way in that a user is."""
    async with world.database.work() as unit:
        await unit.begin()
        found = await unit.session.get(SignInIdentity, UUID(user_id))
        assert found is not None
        return found


async def person_of(world: World, user_id: str) -> UUID:
    """Whose way in a user is."""
    return (await identity_of(world, user_id)).person_id


async def ties(world: World, person_id: UUID, organisation: UUID) -> dict[str, bool]:
    """The roles that somebody has had at an organisation, and whether each still counts."""
    async with world.database.work() as unit:
        await unit.begin()
        rows = await unit.session.scalars(
            select(Affiliation)
            .where(Affiliation.person_id == person_id, Affiliation.organisation_id == organisation)
            .order_by(Affiliation.id)
            .execution_options(unscoped="a test looks at what was written")
        )
        return {row.role: row.ends_on is None for row in rows}


async def signed_in(world: World, user_id: str) -> Actor:
    """Somebody who has come in by a user's way in, as if its provider had let them."""
    email, password = f"{uuid4().hex}@school.example", "correct horse battery staple"
    hashed = await hash_password(password)
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(SignInIdentity)
            .where(SignInIdentity.id == UUID(user_id))
            .values(email=email, password_hash=hashed)
        )
    form = {"grant_type": "password", "username": email, "password": password}
    answer = await world.http.post("/oauth/token", data={**form, "client_id": str(PUBLIC_CLIENT)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return Actor(world.http, await person_of(world, user_id), found["access_token"])
