"""Who sends the requests: for each operation the one who may do most with it, or one for all."""

import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from schemathesis.auths import AuthContext
from schemathesis.generation.case import Case
from schemathesis.wfc.escalation import EscalatingAuthProvider

from app.access.caller import OPENING_HEADER
from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.core.ids import uuid7
from app.core.tokens import Tokens

PEERS = ("learner", "stranger")
"""Whose records the other must not see, unless they are shared: what one reads is asked for by the other."""

FRESH = 600
"""Seconds that a token is used: it lives for 900."""


class Bearer:
    """The access tokens of one caller."""

    def __init__(self, tokens: Tokens, subject: UUID, *, is_client: bool) -> None:
        self._issue = lambda: tokens.issue(
            subject=subject,
            client=subject if is_client else PUBLIC_CLIENT,
            scopes=frozenset(SCOPES),
            session=None if is_client else uuid7(),
            # Lately: what opens an account asks for that.
            signed_in=None if is_client else int(time.time()),
        )
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def get(self, case: Case, context: AuthContext) -> str:
        with self._lock:
            if time.monotonic() > self._until:
                self._token, self._until = self._issue(), time.monotonic() + FRESH
            return self._token

    def set(self, case: Case, data: str, context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
        # Somebody else's opening refuses whatever is asked: only what is no id stays, and is refused as such.
        if _is_id(case.headers.get(OPENING_HEADER, "")):
            del case.headers[OPENING_HEADER]


def _is_id(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


class Callers(EscalatingAuthProvider):
    """Everybody of the world; schemathesis asks it who sends a request, and asks as the peers too.

    `only`: that one sends all. Otherwise whoever may do most with an operation sends it, always the same, so that
    who has made a record reads, changes and deletes it."""

    __slots__ = ("_only",)

    def __init__(self, tokens: Tokens, people: dict[str, str], only: str | None = None) -> None:
        names = list(people)
        bearers: list[Any] = [
            Bearer(tokens, UUID(people[name]), is_client=name == "client") for name in names
        ]
        super().__init__(bearers, names, peers=PEERS)
        self._only = only

    def index_for(self, label: str) -> int:
        return self.names.index(self._only or caller_of(label))

    def record(self, label: str, identity: str | None, status_code: int) -> None:
        """What is answered changes nothing: schemathesis would try others after a 403."""


def caller_of(label: str) -> str:
    """Who may do most with an operation (`POST /v1/goals`)."""
    path = label.partition(" ")[2]
    if path.startswith("/v1/openings"):
        return "second" if path.endswith("/confirmation") else "operator"
    if path.startswith(("/v1/organisations", "/v1/audit", "/v1/identity-providers")):
        return "operator"
    if path.endswith(("/disabling", "/enabling")) or path.startswith("/v1/people/{person_id}/anon"):
        return "administrator" if path.startswith("/v1/clients") else "operator"
    if path.startswith("/v1/invitations"):
        return "learner" if path.endswith("/agreement") else "administrator"
    if path.endswith(("/acceptance", "/refusal")):
        return "learner"
    if path.startswith(("/v1/people", "/v1/affiliations", "/v1/clients", "/v1/sign-in-identities")):
        return "administrator"
    return "learner"


def tokens_of(folder: Path, public_url: str) -> Tokens:
    """The server's own keys."""
    return Tokens(
        folder / "keys", issuer=public_url, audience=public_url, algorithm="ES256", minutes=15
    )
