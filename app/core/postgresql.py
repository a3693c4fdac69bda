"""PostgreSQL through asyncpg, with JSON as text and every date a date.

SQLAlchemy has asyncpg parse JSON while it fetches. Answers pass stored JSON on as it is, so here it
stays text, as on SQLite, and the ORM's own JSON type parses it where an entity is loaded.

asyncpg writes the first and the last date of Python as PostgreSQL's infinities; other systems send
9999-12-31, and get it back.
"""

from datetime import date
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

_DAY_ZERO = date(2000, 1, 1).toordinal()


class TextJsonDialect(PGDialect_asyncpg):
    """`postgresql+textjson://`."""

    driver = "textjson"
    supports_statement_cache = True
    supports_native_json_deserialization = False
    dialect_injects_custom_json_deserializer = False

    async def setup_asyncpg_json_codec(self, conn: Any) -> None:
        """JSON stays text; dates are counted in days."""
        await conn._connection.set_type_codec(
            "date",
            schema="pg_catalog",
            format="tuple",
            encoder=lambda day: (day.toordinal() - _DAY_ZERO,),
            decoder=lambda found: date.fromordinal(found[0] + _DAY_ZERO),
        )

    async def setup_asyncpg_jsonb_codec(self, conn: Any) -> None:
        """JSON stays text."""


registry.register("postgresql.textjson", __name__, "TextJsonDialect")
