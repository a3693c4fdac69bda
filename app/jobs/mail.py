"""Sends what waits to be sent, and lets addresses take effect whose time has come.

A message is marked as begun and committed before it is sent, and its row goes when it was. Should the
process be lost in between, nobody knows whether it was sent: it is sent once more, and no more.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from app.access.addresses import expire_changes, take_effect
from app.access.visibility import parameter
from app.actions.accounts import FORGOTTEN, answer_forgotten
from app.core import mail
from app.core.clock import now
from app.core.db import Database
from app.core.errors import Problem
from app.core.links import LinkKind, url_of
from app.core.outbox import OutgoingMail
from app.core.query import Query
from app.core.tables import Moment
from app.models.ways_in import AddressChange, FailedAttempt, Invitation, PasswordReset

log = structlog.get_logger()

EVERY = 2.0
TIDY = 300.0
_AWAY = 30.0
_STOPPING = 10.0
LEASE = timedelta(minutes=5)
"""After so long a process that has begun a message is taken for lost."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
_MOST_DOUBTS = 1
_COUNTED = timedelta(minutes=30)
GIVEN_UP_KEPT = timedelta(days=30)
WISHES_KEPT = timedelta(days=90)
"""How long invitations and changes of address that are over can be looked up."""

_waiting: Any = OutgoingMail.__table__
_ANY_DUE = Query(
    select(_waiting.c.id)
    .where(_waiting.c.gave_up_at.is_(None), _waiting.c.due_at <= parameter("now", Moment))
    .limit(1)
)
_GIVEN_UP = Query(
    select(_waiting.c.id, _waiting.c.template, _waiting.c.gave_up_at, _waiting.c.error)
    .where(_waiting.c.gave_up_at.is_not(None))
    .order_by(_waiting.c.gave_up_at.desc())
    .limit(1000)
)
_AGAIN = Query(
    update(_waiting)
    .where(_waiting.c.gave_up_at.is_not(None), _waiting.c.useful_until > parameter("now", Moment))
    .values(gave_up_at=None, due_at=parameter("now", Moment), doubts=0, begun_at=None)
    .returning(_waiting.c.id)
)


def _older(table: Any, column: str) -> Query:
    return Query(delete(table).where(table.c[column] < parameter("before", Moment)))


_FORGET = (
    (_older(FailedAttempt.__table__, "at"), _COUNTED),
    (_older(PasswordReset.__table__, "expires_at"), timedelta()),
    (_older(_waiting, "gave_up_at"), GIVEN_UP_KEPT),
    (_older(Invitation.__table__, "expires_at"), WISHES_KEPT),
    (_older(AddressChange.__table__, "expires_at"), WISHES_KEPT),
)


async def send_due(database: Database) -> int:
    """Sends every message whose time has come, one after the other: how many were sent."""
    sent = 0
    while await database.rows(_ANY_DUE, {"now": now()}):
        begun = await _begin(database)
        if begun is None:
            break
        letter, attempts = begun
        if letter is not None:
            sent += await _to_the_end(_send(database, letter, attempts))
    return sent


async def _to_the_end(sending: Coroutine[Any, Any, bool]) -> bool:
    """What is being sent when the process is told to stop may end, so that nobody need send it again."""
    task = asyncio.ensure_future(sending)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_STOPPING)
        raise


async def _begin(database: Database) -> tuple[mail.Letter | None, int] | None:
    """The next message, marked as begun; None when another process is at all of them, and no letter
    where nothing is to be sent."""
    async with database.work() as unit:
        await unit.begin()
        row = await unit.session.scalar(
            select(OutgoingMail)
            .where(OutgoingMail.gave_up_at.is_(None), OutgoingMail.due_at <= now())
            .order_by(OutgoingMail.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        if row.begun_at is not None:
            row.doubts += 1
        if row.doubts > _MOST_DOUBTS or row.useful_until <= now():
            _give_up(row, row.error or "LostInBetween")
            return None, 0
        if row.template == FORGOTTEN and not await answer_forgotten(unit, row):
            await unit.session.delete(row)
            return None, 0
        row.attempts += 1
        row.begun_at, row.due_at = now(), now() + LEASE
        link = None
        if row.link_kind is not None and row.link_id is not None:
            link = url_of(LinkKind(row.link_kind), row.link_id)
        try:
            letter = mail.write(row.id, row.template, row.language, row.address, row.facts, link)
        except (KeyError, OSError) as error:  # of an older version: it must not keep others waiting
            _give_up(row, type(error).__name__)
            return None, 0
        return letter, row.attempts


def _give_up(row: OutgoingMail, error: str) -> None:
    row.gave_up_at, row.error = now(), error[:200]
    log.error("mail_given_up", id=str(row.id), template=row.template, error=row.error)


async def _send(database: Database, letter: mail.Letter, attempts: int) -> bool:
    failure: mail.NotSent | None = None
    try:
        await mail.send(letter)
    except mail.NotSent as error:
        failure = error
    async with database.work() as unit:
        await unit.begin()
        row = await unit.session.get(OutgoingMail, letter.id, with_for_update=True)
        # Another took it for lost while this one was slow, and it is theirs.
        if row is None or row.attempts != attempts:
            return failure is None
        if failure is None:
            await unit.session.delete(row)
            return True
        row.error, row.begun_at = str(failure)[:200], None
        if isinstance(failure, mail.InDoubt):
            row.doubts += 1
        if isinstance(failure, mail.Refused) or row.doubts > _MOST_DOUBTS:
            _give_up(row, str(failure))
            return False
        row.due_at = now() + min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
        log.warning("mail_waits", id=str(row.id), error=row.error, again=row.due_at.isoformat())
        return False


async def given_up(database: Database) -> list[tuple[Any, ...]]:
    """The messages that were given up: id, template, when, why; the newest first."""
    return [tuple(row) for row in await database.rows(_GIVEN_UP, {})]


async def try_again(database: Database) -> int:
    """Lets what was given up be sent after all, unless it is of no use any more: how many."""
    async with database.work() as unit:
        await unit.begin()
        return len(await unit.rows(_AGAIN, {"now": now()}))


async def tidy(database: Database) -> None:
    """Lets addresses take effect, and forgets what counts no longer."""
    await take_effect(database)
    async with database.work() as unit:
        await expire_changes(unit)
        for query, kept in _FORGET:
            await unit.rows(query, {"before": now() - kept})


async def keep_sending(database: Database, *, every: float = EVERY) -> None:
    """Sends again and again; a failure is logged, and the next time does what was missed."""
    tidied = float("-inf")
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        try:
            await send_due(database)
            if loop.time() - tidied >= TIDY:
                tidied = loop.time()
                await tidy(database)
        except Problem as problem:
            log.warning("mail_delayed", reason=problem.detail)
            await asyncio.sleep(_AWAY)
        except Exception as error:  # whatever it was: the next time does what was missed
            log.error("mail_failed", kind=type(error).__name__, exc_info=True)
