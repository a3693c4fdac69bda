"""The demonstration, running: made once, copied for each test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import postgresql_database
from tests.servers import Server


@contextmanager
def database(backend: str, worker: str, folder: Path, template: str | None) -> Iterator[str]:
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'var' / 'tandem.db'}"
    else:
        name = "guide" if template else "demonstrated"
        with postgresql_database(f"{name}_{worker}", template) as url:
            yield url


@pytest.fixture(scope="session")
def demonstrated(
    backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with the demonstration in it: made once, copied for each page."""
    folder = tmp_path_factory.mktemp("demonstrated")
    (folder / "var").mkdir()
    with database(backend, worker_id, folder, None) as url:
        done = Server(url, folder / "var").command("demonstrate")
        assert done.returncode == 0, done.stdout + done.stderr
        yield folder


@pytest.fixture
def server(backend: str, worker_id: str, demonstrated: Path, tmp_path: Path) -> Iterator[Server]:
    """What `make run` starts, in the folder `tmp_path`."""
    shutil.copytree(demonstrated, tmp_path, dirs_exist_ok=True)
    with database(backend, worker_id, tmp_path, f"demonstrated_{worker_id}") as url:
        started = Server(url, tmp_path / "var")
        try:
            started.start()
            yield started
        finally:
            started.stop()
