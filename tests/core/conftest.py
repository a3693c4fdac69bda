"""Both stores of files: a folder, and a bucket of a server that speaks S3."""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from app.core import files
from app.core.settings import settings


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of an S3-compatible server, for this worker alone."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Settings that this test may change, with a folder of its own."""
    monkeypatch.setenv("TANDEM_VAR", str(tmp_path / "var"))
    settings.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def in_bucket(configured: pytest.MonkeyPatch, s3: str, request: pytest.FixtureRequest) -> str:
    """Files are kept in an empty bucket; its address."""
    bucket = f"tandem-{abs(hash(request.node.nodeid))}"
    httpx.put(f"{s3}/{bucket}").raise_for_status()
    for name, value in {
        "BUCKET": bucket,
        "ENDPOINT": s3,
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
    }.items():
        configured.setenv(f"TANDEM_FILES_S3_{name}", value)
    return f"{s3}/{bucket}"


@pytest.fixture(params=["folder", "bucket"])
def store(configured: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> files.Store:
    """The store of the settings, empty: each test runs once on each kind."""
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
    return files.store()
