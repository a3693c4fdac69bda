"""PostgreSQL through asyncpg, with JSON as text.

SQLAlchemy has asyncpg parse JSON while it fetches. Answers pass stored JSON on as it is, so here it
stays text, as on SQLite, and the ORM's own JSON type parses it where an entity is loaded.
"""

from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg


class TextJsonDialect(PGDialect_asyncpg):
    """`postgresql+textjson://`."""

    driver = "textjson"
    supports_statement_cache = True
    supports_native_json_deserialization = False
    dialect_injects_custom_json_deserializer = False

    async def setup_asyncpg_json_codec(self, conn: Any) -> None:
        """JSON stays text."""

    async def setup_asyncpg_jsonb_codec(self, conn: Any) -> None:
        """JSON stays text."""


registry.register("postgresql.textjson", __name__, "TextJsonDialect")
