"""Brings a database to the schema of this version. Kept out of the serving path: alembic is slow to
import."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from app.core.sqlite import create_private


def sync_url(url: str) -> Any:
    """The URL for a synchronous driver: pysqlite or psycopg."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            create_private(parsed.database)
        return parsed.set(drivername="sqlite+pysqlite")
    return parsed.set(drivername="postgresql+psycopg")


def configuration(url: str) -> Config:
    """alembic's configuration for the database at `url`."""
    root = Path(__file__).resolve().parent.parent
    config = Config(str(root / "alembic.ini"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database at `url` up to `revision`."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrates the database at `url` down to `revision`; what the newer schema alone can hold goes."""
    command.downgrade(configuration(url), revision)
