"""Whether the database answers and is the one that this code was written for."""

import sqlite3

import asyncpg
from sqlalchemy import column, select, table

from app.core.db import SCHEMA, Database
from app.core.query import Query

_SCHEMA = Query(select(column("version_num")).select_from(table("alembic_version")))


async def schema_of(database: Database) -> str | None:
    """The schema's name, None for an empty database."""
    try:
        rows = await database.rows(_SCHEMA, {})
    except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
        return None
    return str(rows[0][0]) if rows else None


async def check_ready(database: Database) -> bool:
    """Whether requests can be answered; Unavailable when the database does not answer."""
    try:
        return await schema_of(database) == SCHEMA
    except (sqlite3.Error, asyncpg.PostgresError):
        # Dropped, damaged, or closed to us: nothing that asking again soon would mend.
        return False
