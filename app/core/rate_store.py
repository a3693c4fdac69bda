"""What several processes have counted together, by a Redis (the extra `redis`).

Once a second each process tells what it has counted and learns what all have: no request waits for
Redis, and while it is away each process counts for itself.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from app.core.rates import Limit

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

_PAUSE = 1.0
_AT_ONCE = 200  # keys, so that other requests go on in between


def connect(url: str) -> "Redis":
    """The store at `url`, which need not be there yet; SystemExit where the extra is missing."""
    try:
        from redis.asyncio import Redis
    except ModuleNotFoundError:
        raise SystemExit("TANDEM_RATE_STORE needs the extra: install tandem[redis].") from None
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)


async def tell(store: "Redis", limit: Limit) -> None:
    """Tells what `limit` has counted since the last time, and learns what all have."""
    number, untold = limit.untold()
    keys = list(untold)
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        async with store.pipeline(transaction=False) as pipeline:
            for key in some:
                name = f"tandem:rate:{limit.name}:{number}:{key}"
                pipeline.incrby(name, untold[key])
                pipeline.expire(name, limit.window)
            totals = (await pipeline.execute())[::2]
        limit.learn(number, dict(zip(some, totals, strict=True)))


async def keep_telling(store: "Redis", limits: Iterable[Limit]) -> None:
    """Shares what `limits` count, until it is cancelled."""
    from redis.exceptions import RedisError

    shared = [limit for limit in limits if limit.most]
    for limit in shared:
        limit.shared = True
    away = False
    try:
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await store.ping()  # type: ignore[misc]  # a wrong address is told at once
                for limit in shared:
                    await tell(store, limit)
            except (RedisError, OSError) as error:
                if not away:
                    log.warning(
                        "rate_store_away",
                        kind=type(error).__name__,
                        advice="each process counts for itself until it answers",
                    )
                away = True
            else:
                if away:
                    log.info("rate_store_back")
                away = False
    finally:
        await store.aclose()
