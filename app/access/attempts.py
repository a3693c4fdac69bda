"""How often somebody may be wrong: passwords, links, secrets (docs/decisions/guessing.md).

Failures are rows, so that all processes count together and a restart forgets none. Those of a known
and of an unknown account are counted alike, under a hash of what was typed.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import String, delete, func, select

from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.errors import TooManyRequests
from app.core.ids import uuid7
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.settings import settings
from app.core.tables import Moment, as_moment
from app.models.ways_in import FailedAttempt

ACCOUNT_WINDOW = timedelta(minutes=30)
ADDRESS_WINDOW = timedelta(minutes=5)

FAILED = "Too many attempts have failed. Wait, or have a link to set a new password sent."

_failed: Any = FailedAttempt.__table__
_SINCE = Query(
    select(func.count().label("number"), func.min(_failed.c.at).label("oldest")).where(
        _failed.c.key_hash == parameter("key", String), _failed.c.at > parameter("since", Moment)
    )
)
_CLEAR = Query(delete(_failed).where(_failed.c.key_hash == parameter("key", String)))


class Key(NamedTuple):
    """What failures are counted for."""

    name: str
    most: int
    window: timedelta

    @property
    def hash(self) -> str:
        """What the database keeps of it."""
        return hash_secret(self.name)


def for_account(address: str) -> Key:
    """Wrong passwords for an account, from wherever it has not been used before."""
    return Key(f"account:{address}", settings().failures_account, ACCOUNT_WINDOW)


def for_device(device: str) -> Key:
    """Wrong passwords for an account in a browser in which it has been used before."""
    return Key(f"device:{device}", settings().failures_account, ACCOUNT_WINDOW)


def for_network(network: str, what: str = "") -> Key:
    """Whatever is wrong that comes from one address."""
    return Key(f"network:{what}:{network}", settings().failures_address, ADDRESS_WINDOW)


class _Underway:
    """Attempts that have not ended: each may become a failure, so it takes a place meanwhile."""

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()
        self.ends = 0
        self.ended = asyncio.Event()

    def end(self, hashes: Sequence[str]) -> None:
        self.places.subtract(hashes)
        for each in hashes:
            if not self.places[each]:
                del self.places[each]
        self.ends += 1
        self.ended.set()
        self.ended = asyncio.Event()


_underway: WeakKeyDictionary[Database, _Underway] = WeakKeyDictionary()


class Attempt:
    """One attempt, for the keys that it counts for."""

    def __init__(self, keys: Sequence[Key], counts: Sequence[int] = ()) -> None:
        self.keys, self._counts = keys, dict(zip(keys, counts, strict=False))

    async def failed(self, unit: Unit, *keys: Key) -> None:
        """Counts it as a failure (of other keys, if some are named), with what else is written of it."""
        moment = now()
        for key in keys or self.keys:
            await unit.insert(FailedAttempt(id=uuid7(), key_hash=key.hash, at=moment))

    def counted(self, *keys: Key) -> list[Key]:
        """Those of the keys that have failures."""
        return [key for key in keys if self._counts.get(key)]


@contextlib.asynccontextmanager
async def attempt(database: Database, keys: Sequence[Key]) -> AsyncIterator[Attempt]:
    """Admits an attempt; TooManyRequests when one of `keys` has had its failures.

    So many at once wait for each other: a hundred guesses in one moment are not a hundred guesses,
    and thirty teachers behind one address who are right keep nobody out.
    """
    underway = _underway.setdefault(database, _Underway())
    hashes = [key.hash for key in keys]
    while True:
        before, ended = underway.ends, underway.ended
        counts = [await check_number(database, key, FAILED) for key in keys]
        if underway.ends != before:
            continue  # what ended meanwhile may be a failure that was not counted yet
        free = all(
            count + underway.places[key.hash] < key.most
            for key, count in zip(keys, counts, strict=True)
        )
        if free:
            break
        await ended.wait()
    underway.places.update(hashes)
    try:
        yield Attempt(keys, counts)
    finally:
        underway.end(hashes)


async def check_number(database: Database, key: Key, detail: str) -> int:
    """How often it was counted for a key; TooManyRequests, with `detail`, when that is enough."""
    moment = now()
    rows = await database.rows(_SINCE, {"key": key.hash, "since": moment - key.window})
    number, oldest = int(rows[0][0]), rows[0][1]
    if number >= key.most:
        raise _too_many(key, as_moment(oldest), moment, detail)
    return number


async def is_used_up(database: Database, key: Key) -> bool:
    """Whether a key has had its number, where that is told to nobody."""
    rows = await database.rows(_SINCE, {"key": key.hash, "since": now() - key.window})
    return int(rows[0][0]) >= key.most


def _too_many(key: Key, oldest: datetime, moment: datetime, detail: str) -> TooManyRequests:
    # Until the oldest counts no longer.
    seconds = max(1, ceil((oldest + key.window - moment).total_seconds()))
    return TooManyRequests(
        key.name.partition(":")[0],
        key.most,
        int(key.window.total_seconds()),
        seconds,
        detail=detail,
    )


async def forgive(unit: Unit, keys: Iterable[Key]) -> None:
    """Forgets the failures: who is right has only mistyped before."""
    await unit.begin()
    for key in keys:
        await unit.rows(_CLEAR, {"key": key.hash})
