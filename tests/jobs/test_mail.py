"""Messages are sent once, tried again, given up visibly; by a real mail server and into a folder."""

import asyncio
import contextlib
import datetime
import email
import email.policy
import ssl
import stat
import warnings
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from app.core import mail
from app.core.clock import now
from app.core.db import Database
from app.core.links import LinkKind
from app.core.outbox import OutgoingMail, queue
from app.core.settings import Settings, settings
from app.jobs.mail import LEASE, given_up, send_due, try_again
from tests.mailboxes import change_rows

pytestmark = pytest.mark.anyio


class Mailbox:
    """What a mail server has taken, and what it answers."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answer = "250 OK"
        self.recipient = "250 OK"
        self.breaks_off = False

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.breaks_off:
            server.transport.abort()
        elif self.answer.startswith("250"):
            self.taken.append(envelope)
        return self.answer

    def message(self) -> EmailMessage:
        (envelope,) = self.taken
        assert isinstance(envelope.content, bytes)
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


def _login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        b"tandem",
        b"p@ss w",
    )
    return AuthResult(success=right)


@contextlib.asynccontextmanager
async def listening(
    box: Mailbox, *, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """A mail server on this loop."""
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        with warnings.catch_warnings():
            # That TLS is around the connection, or that a test has none, it does not know.
            warnings.simplefilter("ignore")
            return SMTP(box, enable_SMTPUTF8=True, hostname="mx.example", loop=loop, **options)

    server = await loop.create_server(
        made,
        "127.0.0.1",
        ssl=tls,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    moment = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - datetime.timedelta(days=1))
        .not_valid_after(moment + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def by_smtp(app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(url: str) -> None:
        monkeypatch.setattr(settings(), "smtp_url", SecretStr(url))

    return use


@pytest.fixture(autouse=True)
async def nothing_else_waits(request: pytest.FixtureRequest) -> None:
    from sqlalchemy import delete

    if "app" not in request.fixturenames:
        return
    database = request.getfixturevalue("app").state.database
    async with database.work() as unit:
        await unit.begin()
        await unit.session.execute(delete(OutgoingMail))


async def wait_to_be_sent(database: Database, address: str = "sian@school.example") -> UUID:
    async with database.work() as unit:
        link = (LinkKind.INVITATION, uuid4())
        await queue(
            unit, "invitation", address, language="cy", link=link, organisation="Ysgol Tŷ Gwyn"
        )
    return (await rows(database))[-1].id


async def rows(database: Database) -> list[OutgoingMail]:
    async with database.work() as unit:
        await unit.begin()
        found = await unit.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))
        return list(found)


async def let_it_be_due(database: Database) -> None:
    await change_rows(database, OutgoingMail, where=OutgoingMail.gave_up_at.is_(None), due_at=now())


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
async def test_a_message_leaves_by_a_real_server(
    database: Database,
    box: Mailbox,
    by_smtp: Any,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    options: dict[str, Any] = {"authenticator": _login, "auth_required": True}
    if scheme == "smtp+starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options["auth_require_tls"] = False
    await wait_to_be_sent(database)
    async with listening(box, tls=context if scheme == "smtps" else None, **options) as port:
        by_smtp(f"{scheme}://tandem:p%40ss%20w@localhost:{port}")
        assert await send_due(database) == 1
    message = box.message()
    assert message["To"] == "sian@school.example"
    assert message["From"] == "tandem@tandem.example"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    # The half that its reader understands comes first.
    assert text.startswith("Mae Ysgol Tŷ Gwyn yn eich gwahodd")
    assert "Ysgol Tŷ Gwyn invites you" in text
    assert await rows(database) == []
    # Where there is a mail server, no link is printed.
    assert "token=" not in "".join(capsys.readouterr())


async def test_a_certificate_of_nobodys_is_not_trusted(
    database: Database, box: Mailbox, by_smtp: Any, certificate: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    await wait_to_be_sent(database)
    async with listening(box, tls=context) as port:
        by_smtp(f"smtps://localhost:{port}")
        assert await send_due(database) == 0
    (row,) = await rows(database)
    assert (row.attempts, row.gave_up_at) == (1, None)
    assert box.taken == []


async def test_a_server_that_is_away_is_asked_again_and_again_and_less_often(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    await wait_to_be_sent(database)
    by_smtp("smtp://localhost:1")
    pauses = []
    for _ in range(4):
        assert await send_due(database) == 0
        (row,) = await rows(database)
        pauses.append(round((row.due_at - now()).total_seconds(), -1))
        await let_it_be_due(database)
    assert pauses == [30, 60, 120, 240]
    assert row.doubts == 0
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        assert await send_due(database) == 1
    assert len(box.taken) == 1


async def test_a_refusal_for_good_is_given_up_and_shown(
    database: Database, box: Mailbox, by_smtp: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_id = await wait_to_be_sent(database)
    box.recipient = "550 no such mailbox"
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        assert await send_due(database) == 0
        assert await send_due(database) == 0
        (found,) = await given_up(database)
        assert (str(found[0]), found[1], found[3]) == (str(mail_id), "invitation", "SMTP [550]")
        told = "".join(capsys.readouterr())
        assert "mail_given_up" in told
        assert "token=" not in told
        assert "sian@" not in told
        box.recipient = "250 OK"
        assert await try_again(database) == 1
        assert await send_due(database) == 1


async def test_a_server_that_is_busy_is_asked_later(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    await wait_to_be_sent(database)
    for box.answer in ("451 busy", "250 OK"):
        async with listening(box) as port:
            by_smtp(f"smtp://localhost:{port}")
            await send_due(database)
            await let_it_be_due(database)
    assert len(box.taken) == 1
    assert await rows(database) == []


async def test_an_answer_that_never_came_is_asked_once_more_and_no_more(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    await wait_to_be_sent(database)
    box.breaks_off = True
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        for _ in range(4):
            await send_due(database)
            await let_it_be_due(database)
    (row,) = await rows(database)
    assert (row.attempts, row.doubts) == (2, 2)
    assert row.gave_up_at is not None


async def test_a_lost_process_sends_it_once_more_at_most(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wait_to_be_sent(database)
    sent = []

    async def send_and_be_lost(letter: mail.Letter) -> None:
        sent.append(letter.id)
        raise asyncio.CancelledError

    monkeypatch.setattr(mail, "send", send_and_be_lost)
    for _ in range(4):
        with contextlib.suppress(asyncio.CancelledError):
            await send_due(database)
        # Within the lease nobody else touches it.
        (row,) = await rows(database)
        if row.gave_up_at is None:
            assert LEASE / 2 < row.due_at - now() <= LEASE
            assert await send_due(database) == 0
        await let_it_be_due(database)
    assert len(sent) == 2
    assert len(set(sent)) == 1, "the message has the same Message-ID each time"
    assert row.gave_up_at is not None


async def test_several_processes_send_it_once(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    for _ in range(5):
        await wait_to_be_sent(database)
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        await asyncio.gather(*(send_due(database) for _ in range(4)))
        await send_due(database)
    assert len(box.taken) == 5
    ids = {email.message_from_bytes(e.content)["Message-ID"] for e in box.taken}  # type: ignore[arg-type]
    assert len(ids) == 5


async def test_what_is_of_no_use_any_more_is_not_sent(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    await wait_to_be_sent(database)
    await change_rows(
        database, OutgoingMail, where=OutgoingMail.gave_up_at.is_(None), useful_until=now()
    )
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        await send_due(database)
    assert box.taken == []
    assert len(await given_up(database)) == 1
    assert await try_again(database) == 0


async def test_an_address_with_letters_of_its_own(
    database: Database, box: Mailbox, by_smtp: Any
) -> None:
    await wait_to_be_sent(database, "siân@tŷ-gwyn.example")
    async with listening(box) as port:
        by_smtp(f"smtp://localhost:{port}")
        assert await send_due(database) == 1
    assert box.taken[0].rcpt_tos == ["siân@" + "tŷ-gwyn".encode("idna").decode() + ".example"]


async def test_without_a_server_it_is_kept_and_its_link_printed(
    database: Database, app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_id = await wait_to_be_sent(database)
    assert await send_due(database) == 1
    file = settings().var / "outbox" / f"{mail_id}.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    printed = capsys.readouterr().out
    assert printed.startswith("https://tandem.example/account/invitation?token=")
    assert str(file) in printed


async def test_neither_the_database_nor_what_waits_holds_a_links_secret(
    database: Database, app: Any
) -> None:
    from app.core.links import secret_of

    await wait_to_be_sent(database)
    (row,) = await rows(database)
    assert row.link_id is not None
    secret = secret_of(LinkKind.INVITATION, row.link_id)
    assert secret not in str([getattr(row, column.key) for column in row.__table__.columns])
    assert secret != secret_of(LinkKind.PASSWORD, row.link_id)


async def test_every_message_is_whole_in_both_languages() -> None:
    from importlib.resources import files

    folder = files("app").joinpath("data", "mail")
    names = {f.name.split(".")[0] for f in folder.iterdir()}
    assert {f"{n}.{lang}.txt" for n in names for lang in ("en", "cy")} == {
        f.name for f in folder.iterdir()
    }
    organisation = "Ysgol $x {y}\r\nBcc: a@b.example"
    facts = {"organisation": organisation, "address": "a@b.example", "provider": "Hwb"}
    for name in names:
        letter = mail.write(
            uuid4(), name, "cy", "sian@school.example", facts, "https://x.example/l"
        )
        for part in (letter.subject, letter.text):
            assert "$" not in part.replace("$x", "")
        message = mail.message_of(letter)
        assert message["Bcc"] is None
        assert message.get_content_charset() == "utf-8"


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example", "smtp://u:p@mail.example"])
async def test_a_setting_that_makes_no_sense_stops_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(smtp_url=SecretStr(url))
