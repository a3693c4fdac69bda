"""The configured database for a command: opened, used, closed."""

import contextlib
from collections.abc import AsyncIterator

from app.core.db import Database
from app.core.settings import settings


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """The database of the settings."""
    database = Database(settings().database_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
