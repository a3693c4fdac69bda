"""Idempotency-Key: a POST whose answer was lost can be sent again and makes one record.

The key is looked up when the request's transaction begins and its answer is stored before the
transaction commits, so the record and its key are there together or not at all. Answers are kept
for 24 hours, for each caller apart. A replay is authorised anew by the route.
"""

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.core.clock import now
from app.core.db import Unit, lock_number
from app.core.errors import Invalid, KeyReused, RequestInProgress
from app.core.query import Query
from app.core.tables import Id, Moment, metadata

LIFETIME = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

answers = Table(
    "idempotency_answers",
    metadata,
    Column("caller", String(80), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("resource_id", Id, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "expires_at"),
    info={"access": "mechanism"},
)

_mine = and_(
    answers.c.caller == bindparam("caller", required=True),
    answers.c.key == bindparam("key", required=True),
)
_SHOWN = (
    answers.c.fingerprint,
    answers.c.status,
    answers.c.headers,
    answers.c.body,
    answers.c.kind,
    answers.c.resource_id,
    (answers.c.expires_at <= bindparam("now", type_=Moment, required=True)).label("expired"),
)
# SQLite writes one transaction at a time: the open one is the lock. PostgreSQL takes an advisory
# lock and looks in one statement; an answer that was committed in between is met when storing.
_lock = select(
    func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger, required=True)).label(
        "taken"
    )
).subquery("lock_of_key")
_ENTER = {
    "sqlite": Query(select(true().label("taken"), *_SHOWN).where(_mine)),
    "postgresql": Query(
        select(_lock.c.taken, *_SHOWN).select_from(_lock.outerjoin(answers, _mine))
    ),
}
_values = {c.name: bindparam(c.name, type_=c.type, required=True) for c in answers.columns}
_STORE = {
    name: Query(kind(answers).values(_values).on_conflict_do_nothing().returning(answers.c.status))
    for name, kind in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_ANSWERED = Query(
    select(answers.c.status).where(
        _mine, answers.c.expires_at > bindparam("now", type_=Moment, required=True)
    )
)
EXPIRE = Query(
    delete(answers).where(answers.c.expires_at <= bindparam("now", type_=Moment, required=True))
)
"""Removes the answers whose time is over."""
_SWEEP_EVERY = timedelta(minutes=1)
_swept_at: dict[int, datetime] = {}
"""When this process last removed old answers, for each database."""


class Answer(NamedTuple):
    """A stored 2xx answer and the record that it is about."""

    status: int
    headers: dict[str, str]
    body: bytes
    kind: str
    resource_id: UUID


class Replay(Exception):
    """The request was answered before: send this."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def valid_key(value: str) -> str:
    """The key, or Invalid: 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(value):
        raise Invalid(
            errors=[
                {
                    "header": "Idempotency-Key",
                    "detail": "must be 1 to 255 visible ASCII characters",
                }
            ]
        )
    return value


def fingerprint(method: str, path: str, body: Any) -> str:
    """Digest of what the request asks for; the order of keys in the body does not matter."""
    canonical = json.dumps([method, path, body], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Guard:
    """Watches one request that carries an Idempotency-Key."""

    def __init__(self, unit: Unit, *, caller: str, key: str, fingerprint: str) -> None:
        self.unit, self.caller, self.key, self.fingerprint = (
            unit,
            caller,
            key,
            fingerprint,
        )
        self._mine = {"caller": caller, "key": key}
        self.renews = False
        self._entered = False

    async def enter(self) -> None:
        """At the start of the transaction: one request with this key at a time.

        Raises Replay when the request was answered before, KeyReused when another was, and
        RequestInProgress while the first still runs.
        """
        rows = await self.unit.rows(
            _ENTER[self.unit.database.dialect.name],
            {
                **self._mine,
                "now": now(),
                "lock": lock_number(f"idempotency:{self.caller}:{self.key}"),
            },
        )
        if not rows:
            return  # SQLite: whoever was first has committed, and there is nothing
        taken, digest, status, headers, body, kind, resource_id, expired = rows[0]
        if not taken:
            raise RequestInProgress()
        self.renews = bool(expired)
        if digest is None or expired:
            self._entered = True
            return
        if digest != self.fingerprint:
            raise KeyReused(
                errors=[{"header": "Idempotency-Key", "detail": "was sent with another request"}]
            )
        answer = Answer(status, json.loads(headers), bytes(body), kind, UUID(str(resource_id)))
        raise Replay(answer)

    async def check_unanswered(self) -> None:
        """RequestInProgress when the first request was answered while this one was let in.

        PostgreSQL looks at the rows a moment before it tries the lock. Who slips through there meets
        what the first has done, and would be refused for it; the next repeat finds the answer.
        """
        if self._entered and await self.unit.database.rows(_ANSWERED, self._mine | {"now": now()}):
            raise RequestInProgress()

    async def store(
        self, status: int, headers: dict[str, str], body: bytes, *, about: tuple[str, UUID]
    ) -> None:
        """Keeps the answer, in the request's transaction; `about` is the record that it shows."""
        kind, resource_id = about
        moment = now()
        swept = _swept_at.get(id(self.unit.database))
        if swept is None or moment - swept > _SWEEP_EVERY or self.renews:
            await self.unit.rows(EXPIRE, {"now": moment})
            _swept_at[id(self.unit.database)] = moment
        stored = await self.unit.rows(
            _STORE[self.unit.database.dialect.name],
            {
                "caller": self.caller,
                "key": self.key,
                "fingerprint": self.fingerprint,
                "status": status,
                "headers": headers,
                "body": body,
                "kind": kind,
                "resource_id": resource_id,
                "expires_at": moment + LIFETIME,
            },
        )
        if not stored:
            raise RequestInProgress()
