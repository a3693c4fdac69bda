"""Runs migrations on the configured database, in one transaction, by a synchronous driver."""

from alembic import context
from sqlalchemy import create_engine, event, pool

from app.core.settings import settings
from app.migrations import sync_url
from app.models.registry import metadata

url = context.config.attributes.get("url") or settings().database_url
engine = create_engine(sync_url(url), poolclass=pool.NullPool)

if engine.dialect.name == "sqlite":
    # pysqlite would commit before each CREATE TABLE: the transaction is begun in words instead.
    @event.listens_for(engine, "connect")
    def _connect(connection, record):  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=5000")

    @event.listens_for(engine, "begin")
    def _begin(connection):  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        # One transaction for everything: a migration that fails leaves nothing half done.
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
