"""A provider's process, an account there, and a browser that goes there and back."""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.actions import identity_providers
from app.core import journal
from tests.openid_provider import CLIENT, SECRET
from tests.servers import free_port
from tests.signing_in import Desk, answer_of, hidden

CALLBACK = "https://tandem.example/oauth/callback"
PASSWORD = "at the provider"


@dataclass
class Provider:
    """A provider that runs, and what it is told."""

    port: int
    callback: str = CALLBACK
    switches: dict[str, Any] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, **switches: Any) -> None:
        """Sets its switches anew."""
        self._control(switches={"redirect_uris": [self.callback], **switches})
        self.switches = switches

    def _control(self, **told: Any) -> None:
        httpx.post(f"{self.issuer}/control", json=told, trust_env=False).raise_for_status()

    def account(self, email: str, /, **claims: Any) -> str:
        """Makes an account with this address; its subject, which is its user name too."""
        subject = f"sub-{uuid4().hex}"
        account = {
            "password": PASSWORD,
            "sub": subject,
            "name": "Mair Ŵyn",
            "email": email,
            "email_verified": True,
            **claims,
        }
        account = {name: value for name, value in account.items() if value is not None}
        self._control(
            switches={"redirect_uris": [self.callback], **self.switches},
            accounts={subject: account},
        )
        return subject

    def asked(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = httpx.get(f"{self.issuer}/asked", trust_env=False).json()
        return found


@contextlib.contextmanager
def running_provider(folder: Path) -> Iterator[Provider]:
    """The provider's process, as long as it is needed."""
    provider = Provider(free_port())
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.openid_provider", str(provider.port)],
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 30
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", provider.port), 1):  # fmt: skip
                    break
                assert process.poll() is None, (folder / "provider.log").read_text()
                assert time.monotonic() < deadline, "the provider did not start in 30 s"
                time.sleep(0.05)
            provider.tell()
            yield provider
        finally:
            process.terminate()
            process.wait(10)


@dataclass
class Away:
    """A browser on its way: the page that leads to a provider, and the address there."""

    page: httpx.Response

    @property
    def address(self) -> str:
        assert self.page.status_code == 200, self.page.text
        found = re.search(r'<a href="([^"]+)" rel="noreferrer">', self.page.text)
        assert found, self.page.text
        return unescape(found[1])


@dataclass
class Federation:
    """A desk, a provider that it knows, and how a person goes there."""

    desk: Desk
    provider: Provider
    id: UUID
    domain: str

    async def page(self, **changed: Any) -> httpx.Response:
        return await self.desk.browser.open(self.desk.app.request(**changed))

    async def leave(self, page: httpx.Response | None = None, **form: str) -> Away:
        """Presses the provider's button."""
        page = page or await self.page()
        sent = {**hidden(page.text), **({} if "address" in form else {"provider": str(self.id)})}
        return Away(await self.desk.http.post("/oauth/federated", data={**sent, **form}))

    async def there(self, address: str, subject: str, decision: str = "yes") -> str:
        """Signs in at the provider; the address to which it sends the browser back."""
        async with httpx.AsyncClient(trust_env=False) as http:
            form = {"user": subject, "password": PASSWORD, "decision": decision}
            answer = await http.post(address, data=form)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def back(self, location: str) -> httpx.Response:
        """Opens the address to which the provider has sent the browser."""
        assert location.startswith(CALLBACK), location
        return await self.desk.http.get(location.removeprefix("https://tandem.example"))

    async def sign_in(self, subject: str, **changed: Any) -> httpx.Response:
        """There and back; the page, or the way to the app."""
        away = await self.leave(await self.page(**changed))
        return await self.back(await self.there(away.address, subject))

    async def tokens(self, subject: str) -> dict[str, Any]:
        """The tokens of who signs in with an account there."""
        after = await self.sign_in(subject)
        if after.status_code == 200:
            after = await self.desk.browser.decide(after)
        code = answer_of(after)["code"]
        answer = await self.desk.token(self.desk.app.exchange(code))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def who(self, subject: str) -> str:
        """The person as whom an account signs in."""
        tokens = await self.tokens(subject)
        found: str = (await self.desk.me(tokens["access_token"])).json()["person"]["id"]
        return found


async def known_to(desk: Desk, issuer: str, **values: Any) -> UUID:
    """Registers the provider; its id."""
    async with desk.world.database.work() as unit:
        return await identity_providers.create_provider(
            unit,
            desk.world.app.state.seals,
            actor=journal.COMMAND_LINE,
            values={
                "organisation_id": desk.world.school,
                "name": "Ysgol Tŷ Gwyn",
                "name_cy": None,
                "issuer": issuer,
                "client_id": CLIENT,
                "client_secret": SECRET,
                "trusted_domains": [desk.email.partition("@")[2]],
                "required_claims": [],
                "vouches_for_addresses": False,
                "creates_people": False,
                "enabled": True,
                **values,
            },
        )


async def federate(desk: Desk, provider: Provider, **values: Any) -> Federation:
    """A provider of the desk's school, trusted for its domain; with the cache of what it said gone."""
    provider.tell()
    forget_what_it_said(desk.world.app)
    domain = desk.email.partition("@")[2]
    return Federation(desk, provider, await known_to(desk, provider.issuer, **values), domain)


def forget_what_it_said(app: Any) -> None:
    """As if an hour had passed."""
    app.state.providers._metadata.clear()
    app.state.providers._keys.clear()
