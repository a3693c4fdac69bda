"""How a message is made, and how it leaves: by SMTP, or, where none is set, into a folder.

Every message is in English and Welsh, as public bodies in Wales write; the first half is in the
language that its reader was using. The Welsh has not been reviewed by a translator yet.
"""

import os
import sys
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from importlib.resources import files
from string import Template
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog

from app.core.clock import now
from app.core.settings import settings
from app.core.text import domain_in_ascii

log = structlog.get_logger()

_SECONDS = 30
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NotSent(Exception):
    """It was not sent, and may be sent later. Says why in a word, without an address."""


class Refused(NotSent):
    """It will never be taken."""


class InDoubt(NotSent):
    """Nobody knows whether it was taken."""


class Letter(NamedTuple):
    """A message for one reader."""

    id: UUID
    address: str
    subject: str
    text: str
    link: str | None


@cache
def _template(name: str, language: str) -> tuple[Template, Template]:
    file = files("app").joinpath("data", "mail", f"{name}.{language}.txt")
    subject, _, text = file.read_text(encoding="utf-8").partition("\n\n")
    return Template(subject.strip()), Template(text.strip())


def write(
    mail_id: UUID,
    template: str,
    language: str,
    address: str,
    facts: Mapping[str, str],
    link: str | None,
) -> Letter:
    """The message, in both languages."""
    values = {**facts, "link": link or "", "service": settings().base_url}
    halves = [
        _template(template, first) for first in (language, "en" if language == "cy" else "cy")
    ]
    return Letter(
        mail_id,
        address,
        " / ".join(subject.substitute(values) for subject, _ in halves),
        "\n\n* * *\n\n".join(text.substitute(values) for _, text in halves) + "\n",
        link,
    )


def _sender() -> str:
    return settings().mail_from or f"tandem@{urlsplit(settings().base_url).hostname}"


def _reachable(address: str) -> str:
    """An address as mail servers take it: a domain with letters of its own in ASCII."""
    user, _, domain = address.rpartition("@")
    return f"{user}@{domain_in_ascii(domain)}"


def _header(address: str) -> Address:
    user, _, domain = address.rpartition("@")
    return Address(username=user, domain=domain)


def message_of(letter: Letter) -> EmailMessage:
    """The message as it is sent."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _header(_reachable(_sender()))
    message["To"] = _header(_reachable(letter.address))
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now())
    # The same at each attempt: a mailbox that got it twice shows it once.
    message["Message-ID"] = f"<{letter.id}@{domain_in_ascii(_sender().rpartition('@')[2])}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "en, cy"
    message.set_content(letter.text, cte="quoted-printable")
    return message


async def send(letter: Letter) -> None:
    """Sends a message; NotSent."""
    url = settings().smtp_url.get_secret_value()
    if url:
        await _by_smtp(letter, url)
    else:
        _into_folder(letter)


def _into_folder(letter: Letter) -> None:
    folder = settings().var / "outbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{letter.id}.eml"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(bytes(message_of(letter)))
    except FileExistsError:
        return  # a process that was lost had got so far
    shown = letter.link or letter.subject
    # For the person who tries the service out: no mail server is set, and they wait for a link.
    sys.stdout.write(f"{shown}\n    mail for {letter.address}, kept in {file}\n")
    sys.stdout.flush()


async def _by_smtp(letter: Letter, url: str) -> None:
    import aiosmtplib  # loaded with the first message

    parts = urlsplit(url)
    client = aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps",
        start_tls=parts.scheme == "smtp+starttls",
        timeout=_SECONDS,
    )
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotSent(type(error).__name__) from None
    try:
        message, reader = message_of(letter), _reachable(letter.address)
        await client.send_message(message, sender=_reachable(_sender()), recipients=[reader])
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [refused.code for refused in error.recipients]
        raise (Refused if all(code >= 500 for code in codes) else NotSent)(
            f"SMTP {codes}"
        ) from None
    except aiosmtplib.SMTPResponseException as error:
        raise (Refused if error.code >= 500 else NotSent)(f"SMTP {error.code}") from None
    except aiosmtplib.SMTPNotSupported as error:
        # An address with letters of its own, and a server that knows none.
        raise Refused(type(error).__name__) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise InDoubt(type(error).__name__) from None
    finally:
        client.close()
