"""What a person finds in their mailbox, and does with it."""

import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.core.settings import settings
from app.jobs.mail import send_due
from tests.signing_in import PASSWORD, hidden


class Post:
    """The mailboxes of everybody, when what waits has been sent."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen: set[str] = set()

    async def to(self, address: str) -> list[EmailMessage]:
        """New messages to an address, the oldest first."""
        await send_due(self.app.state.database)
        found = []
        for file in sorted((settings().var / "outbox").glob("*.eml")):
            if file.name in self.seen:
                continue
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            if message["To"].addresses[0].addr_spec == address:
                self.seen.add(file.name)
                found.append(message)
        return found

    async def one(self, address: str) -> EmailMessage:
        """The one new message to an address."""
        found = await self.to(address)
        assert len(found) == 1, [message["Subject"] for message in found]
        return found[0]

    async def link(self, address: str) -> str:
        """The link in the one new message to an address."""
        return link_in(await self.one(address))


def link_in(message: EmailMessage) -> str:
    """The link in a message, as path and query."""
    links = set(
        re.findall(r"^https://tandem\.example(/account/\S+)\r?$", message.get_content(), re.M)
    )
    assert len(links) == 1, message.get_content()
    return links.pop()


def token_in(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


async def answer(
    http: httpx.AsyncClient, link: str, page: httpx.Response | None = None, **fields: str
) -> httpx.Response:
    """Fills in the form of a link's page."""
    page = page or await http.get(link)
    assert page.status_code in (200, 403), page.text
    return await http.post(urlsplit(link).path, data={**hidden(page.text), **fields})


NEW = "tri gair ar y bont"
assert NEW != PASSWORD


async def change_rows(database: Any, model: Any, **values: Any) -> None:
    """Sets columns of every row of `model` that `where` names: how time passes in a test."""
    from sqlalchemy import update

    where = values.pop("where")
    async with database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(model).where(where).values(**values).execution_options(synchronize_session=False)
        )
