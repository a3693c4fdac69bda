"""What every process follows without being told: sessions that have ended, keys that have changed."""

import asyncio

import structlog

from app.access.sessions import ended_lately, tokens_since
from app.core.db import Database
from app.core.errors import Problem
from app.core.tokens import Tokens

EVERY_SECONDS = 10.0
"""What ends in another process, or on the command line, ends here within this time."""

log = structlog.get_logger()


async def follow(database: Database, tokens: Tokens) -> None:
    """Takes up once what has changed."""
    tokens.follow()
    tokens.set_ended(await ended_lately(database))
    tokens.set_since(await tokens_since(database))


async def keep_following(
    database: Database, tokens: Tokens, *, every: float = EVERY_SECONDS
) -> None:
    """Takes up what has changed, at once and then again and again."""
    while True:
        try:
            await follow(database, tokens)
        except Problem as problem:
            # The database is away: so is every answer, and what was known goes on.
            log.warning("following_delayed", reason=problem.detail)
        except Exception as error:  # whatever it was: the next time does what was missed
            log.error("following_failed", kind=type(error).__name__, exc_info=True)
        await asyncio.sleep(every)
