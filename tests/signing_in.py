"""A browser that signs somebody in, and an app that waits for the code."""

import base64
import contextlib
import hashlib
import html
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx

from app.access.sign_in import PUBLIC_CLIENT, documentation_redirect
from app.actions import accounts
from app.core import journal
from tests.worlds import World

PASSWORD = "correct horse battery staple"


def challenge_of(verifier: str) -> str:
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


@dataclass
class App:
    """A client through which people sign in, as its makers would write it."""

    id: UUID = PUBLIC_CLIENT
    redirect_uri: str = ""
    secret: str | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(8))

    def __post_init__(self) -> None:
        self.redirect_uri = self.redirect_uri or documentation_redirect()

    def request(self, **changed: Any) -> dict[str, str]:
        """The authorization request; None takes a parameter away."""
        right = {
            "response_type": "code",
            "client_id": str(self.id),
            "redirect_uri": self.redirect_uri,
            "scope": "goals:read people:read",
            "state": self.state,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {k: v for k, v in {**right, **changed}.items() if v is not None}

    def credentials(self) -> dict[str, str]:
        found = {"client_id": str(self.id)}
        return found if self.secret is None else {**found, "client_secret": self.secret}

    def exchange(self, its_code: str, **changed: Any) -> dict[str, str]:
        """The token request with a code; None takes a parameter away."""
        right = {
            "grant_type": "authorization_code",
            "code": its_code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **self.credentials(),
        }
        return {k: v for k, v in {**right, **changed}.items() if v is not None}

    def refresh(self, token: str, **more: str) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": token, **self.credentials(), **more}


def answer_of(response: httpx.Response) -> dict[str, str]:
    """The parameters with which a browser is sent back to the app."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


class Browser:
    """What a person does on the pages; keeps its cookies."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def open(self, parameters: dict[str, str], **headers: str) -> httpx.Response:
        return await self.http.get(f"/oauth/authorize?{urlencode(parameters)}", headers=headers)

    async def sign_in(
        self, page: httpx.Response, email: str, password: str = PASSWORD, **changed: str
    ) -> httpx.Response:
        form = {**hidden(page.text), "email": email, "password": password, **changed}
        return await self.http.post("/oauth/authorize", data=form)

    async def decide(
        self, page: httpx.Response, decision: str = "allow", **more: str
    ) -> httpx.Response:
        form = {**hidden(page.text), "decision": decision, **more}
        return await self.http.post("/oauth/consent", data=form)

    async def code(self, app: App, email: str, **changed: Any) -> str:
        """The code for a person who signs in, and allows what they are asked."""
        page = await self.open(app.request(**changed))
        assert page.status_code == 200, page.text
        after = await self.sign_in(page, email)
        if after.status_code == 200:
            after = await self.decide(after)
        return answer_of(after)["code"]

    async def tokens(self, app: App, email: str, **changed: Any) -> dict[str, Any]:
        """The tokens of a person who signs in."""
        code = await self.code(app, email, **changed)
        answer = await self.http.post("/oauth/token", data=app.exchange(code))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class Desk:
    """A world, somebody in it who can sign in, and a browser."""

    world: World
    browser: Browser
    email: str
    identity: UUID
    app: App

    @property
    def http(self) -> httpx.AsyncClient:
        return self.world.http

    async def token(self, form: dict[str, str]) -> httpx.Response:
        return await self.http.post("/oauth/token", data=form)

    async def tokens(self, **changed: Any) -> dict[str, Any]:
        return await self.browser.tokens(self.app, self.email, **changed)

    async def me(self, access_token: str) -> httpx.Response:
        return await self.http.get("/v1/me", headers={"Authorization": f"Bearer {access_token}"})

    async def journaled(self, **values: Any) -> list[dict[str, Any]]:
        """Rows of the journal with these values, the oldest first."""
        from sqlalchemy import select

        from app.core.query import Query

        columns = journal.journal.c
        query = Query(
            select(*columns)
            .where(*(columns[name] == value for name, value in values.items()))
            .order_by(columns.sequence)
        )
        return query.dicts(await self.world.database.rows(query, {}))

    async def confidential(self, *uris: str, **named: Any) -> App:
        """An app that keeps a secret."""
        uri = uris[0] if uris else "https://portal.example/cb"
        async with self.world.database.work() as unit:
            client_id, secret = await accounts.create_client(
                unit,
                actor=journal.COMMAND_LINE,
                name="Portal",
                organisation_id=self.world.school,
                scopes=["goals:read", "people:read"],
                redirect_uris=uris or [uri],
                **named,
            )
        return App(client_id, uri, secret)

    async def public(
        self, *uris: str, scopes: tuple[str, ...] = ("goals:read", "people:read")
    ) -> App:
        """An app that keeps no secret."""
        async with self.world.database.work() as unit:
            client_id = await accounts.create_app(
                unit,
                actor=journal.COMMAND_LINE,
                name="Tandem <b>mobile</b>",
                scopes=list(scopes),
                redirect_uris=uris,
            )
        return App(client_id, uris[0])


async def make_desk(world: World) -> Desk:
    email = f"mair.{uuid4().hex}@school.example"
    async with world.database.work() as unit:
        identity = await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=email,
            password=PASSWORD,
            organisation_id=world.school,
        )
    return Desk(world, Browser(world.http), email, identity, App())


@contextlib.asynccontextmanager
async def made_once(app: Any) -> AsyncIterator[Desk]:
    """A desk for a whole module."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        yield await make_desk(await World.create(app, http))
