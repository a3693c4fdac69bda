"""Tells the story to a live server: sends each documented example and compares the answer.

What cannot be the same twice is compared by its kind: moments (`MOMENT`), ids that only the server makes
and cursors (they must stand for the same thing throughout), digests of these in ETags and of the files
that a page loads, and the few members of `VARY`.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.core.ids import uuid7
from app.core.tokens import Tokens
from app.openapi.examples import Step, read
from tests.servers import Server

PUBLIC_URL = "https://tandem.example"
SETTINGS = {
    "PUBLIC_URL": PUBLIC_URL,
    "BREAK_GLASS": "true",
    # The story is one caller at one address, who does not pause.
    "RATE_ADDRESS": "100000",
    "RATE_CALLER": "100000",
}

VARY = {
    "browser_address": "with a ticket of its own",
    "access_token": "signed anew",
    "kid": "the server's own key",
    "x": "the same",
    "y": "the same",
    "sequence": "the databases count differently",
    "secret": "random, and shown once",
    "otpauth_uri": "holds the secret",
    "recovery_codes": "random, and shown once",
}
"""Members compared by their type alone, and why."""

SERVER_MADE = (
    "notes", "file_to_delete", "cursor", "confirmation", "leaver_confirmation", "first_fingerprint",
    "second_fingerprint", "invitation", "second_invitation", "address_change", "join_code",
)  # fmt: skip
"""Names of the story for what only the server makes: ids, what is sealed with its own keys, and what
tells random secrets apart."""

KEPT_APART = ("next", "confirmation", "fingerprint", "join_code")
"""Members of which each value is the server's own, and stands for the same thing throughout."""

HEADERS = (
    "Accept-Ranges", "Content-Disposition", "Content-Language", "Content-Range", "ETag", "Idempotency-Replayed", "Link",
    "Location", "Repr-Digest", "Retry-After", "WWW-Authenticate",
)  # fmt: skip
"""What an answer's headers say of its record; the others are the same on every answer."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_MADE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r'(?<=")[0-9a-f]{20}(?=\.)|(?<=\d-)[0-9a-f]{1,8}(?=\.)')
# No reader of an example wants to read how a page looks.
_STYLE = re.compile(r"(?<=<style>).*?(?=</style>)", re.DOTALL)
# Digests of the files that a page loads, and what ties a form to a browser.
_ASSET = re.compile(r"(?<=\?v=)[0-9a-f]{12}(?=\")|(?<=value=\")[\w-]{43}(?=\")")


class Different(AssertionError):
    """An answer is not the documented one."""


@dataclass
class Likeness:
    """Compares, and remembers what a documented value stands for at this server."""

    stands_for: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_the_story(cls) -> "Likeness":
        names: dict[str, str] = read("names.yaml")
        return cls({v: v for name, v in names.items() if name not in SERVER_MADE})

    def here(self, value: Any) -> Any:
        """`value` with every documented value replaced by what it stands for."""
        if isinstance(value, str):
            for documented, actual in self.stands_for.items():
                if documented in value:
                    value = value.replace(documented, actual)
            return value
        if isinstance(value, dict):
            return {name: self.here(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.here(inner) for inner in value]
        return value

    def check(self, documented: Any, actual: Any, where: str = "", name: str = "") -> None:
        """Different unless `actual` is what `documented` says, or of its kind."""
        if type(documented) is not type(actual):
            raise Different(f"{where}: documented {documented!r}, answered {actual!r}")
        if isinstance(documented, dict):
            if documented.keys() != actual.keys():
                odd = sorted(documented.keys() ^ actual.keys())
                raise Different(f"{where}: {odd} are only documented or only answered")
            for name in documented:
                self.check(documented[name], actual[name], f"{where}/{name}", name)
        elif isinstance(documented, list):
            if len(documented) != len(actual):
                raise Different(f"{where}: documented {len(documented)}, answered {len(actual)}")
            for index, pair in enumerate(zip(documented, actual, strict=True)):
                self.check(*pair, f"{where}/{index}", name)
        elif not self._alike(documented, actual, name):
            raise Different(f"{where}: documented {documented!r}, answered {actual!r}")

    def _alike(self, documented: Any, actual: Any, name: str) -> bool:
        if name in VARY or not isinstance(documented, str):
            return name in VARY or bool(documented == actual)
        if MOMENT.fullmatch(documented):
            return MOMENT.fullmatch(actual) is not None
        if name in KEPT_APART or (_MADE_ID.fullmatch(documented) and _MADE_ID.fullmatch(actual)):
            known = self.stands_for.setdefault(documented, actual)
            taken = [d for d, a in self.stands_for.items() if a == actual]
            return known == actual and taken == [documented]
        if name == "ETag":
            return _DIGEST.sub("*", documented) == _DIGEST.sub("*", actual)
        return bool(_ASSET.sub("*", self.here(documented)) == _ASSET.sub("*", actual))


@dataclass
class Telling:
    """One telling of the story to one server."""

    server: Server
    http: httpx.Client
    document: dict[str, Any]
    likeness: Likeness = field(default_factory=Likeness.of_the_story)
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names: dict[str, str] = read("names.yaml")
        self.tokens = Tokens(
            self.server.folder / "keys",
            issuer=PUBLIC_URL,
            audience=PUBLIC_URL,
            algorithm="ES256",
            minutes=15,
        )
        self.addresses = {
            operation["operationId"]: (method.upper(), path)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def token(self, step: Step) -> str:
        assert step.by is not None
        subject = UUID(self.names[step.by])
        client = subject if step.by == "system" else PUBLIC_CLIENT
        scopes = frozenset(SCOPES if step.scopes is None else step.scopes)
        session = None if subject == client else self._session(step.by)
        return self.tokens.issue(
            subject=subject,
            client=client,
            scopes=scopes,
            session=session,
            signed_in=None if session is None else int(time.time()),
        )

    def _session(self, who: str) -> UUID:
        """The session that somebody has in the database; most of the story needs none there."""
        return UUID(self.names.get(f"{who}_signed_in") or str(uuid7()))

    def send(self, step: Step) -> httpx.Response:
        """Sends the example as it stands in the document."""
        if step.settings != self.settings:
            self.settings = step.settings
            self.server.restart({**SETTINGS, **step.settings})
        method, path = self.addresses[step.operation]
        sent: dict[str, Any] = self.likeness.here(
            {"path": step.path, "query": step.query, "headers": step.headers, "body": step.body}
        )
        # Compressed it has another ETag.
        headers = {"Accept-Encoding": "identity", **sent["headers"]}
        if step.by is not None:
            headers = {"Authorization": f"Bearer {self.token(step)}", **headers}
        named: dict[str, Any] = {}
        if step.form is not None:
            named["data"] = step.form
        elif step.file is not None:
            named["files"] = {"file": (step.file["name"], step.file["content"].encode())}
        elif step.raw is not None:
            named["content"] = step.raw.encode() + b" " * step.padding
        elif step.body is not None:
            named["content"] = json.dumps(sent["body"], ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", **headers}
        url = path.format(**{name: str(value) for name, value in sent["path"].items()})
        return self.http.request(method, url, params=sent["query"], headers=headers, **named)

    def told(self, answer: httpx.Response) -> tuple[dict[str, str], Any]:
        """The headers and the body of an answer as the story writes them."""
        headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        media_type = answer.headers.get("content-type", "")
        if not answer.content:
            if media_type:
                raise Different(f"an answer without a body says that it is {media_type}")
            return headers, None
        return headers, (answer.json() if "json" in media_type else _STYLE.sub("...", answer.text))

    def compare(self, step: Step, answer: httpx.Response) -> None:
        """Different unless the answer is the documented one."""
        headers, body = self.told(answer)
        if answer.status_code != step.status:
            raise Different(f"documented {step.status}, answered {answer.status_code} {body}")
        self.likeness.check(step.answer, body)
        self.likeness.check(step.answer_headers, headers, "headers")


def staged(server: Server) -> Iterator[Server]:
    """The server, started on a migrated database that is prepared for the story."""
    done = server.command("stage")
    assert done.returncode == 0, done.stdout + done.stderr
    server.start()
    try:
        yield server
    finally:
        server.stop()


def server_of_the_story(url: str, folder: Path) -> Server:
    """Not yet started: on the day of the story, with everything switched on that it uses."""
    return Server(url, folder, module="tests.documented.clocked", settings=SETTINGS)
