"""The real server, and callers as they should not be: slow, half there, too many; and its end.

On SQLite alone: no database has a part in it.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.core.test_rates import Redis, redis
from tests.servers import Server

__all__ = ["redis"]

PATIENCE = 20.0
"""Seconds, many more than anything here needs: what hangs is told from what is slow."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A migrated server that the test starts, with its own settings."""
    made = Server(f"sqlite:///{tmp_path / 'tandem.db'}", tmp_path)
    done = made.command("migrate")
    assert done.returncode == 0, done.stderr
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


FORM = b"grant_type=client_credentials"


class Slow:
    """A caller who has sent the head of a request, and perhaps some of its body."""

    def __init__(self, server: Server, sent: bytes = b"grant_type=") -> None:
        self.rest = FORM.removeprefix(sent)
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        self.socket.sendall(
            b"POST /oauth/token HTTP/1.1\r\nHost: tandem.example\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(FORM), sent)
        )

    def __enter__(self) -> "Slow":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def finish(self) -> None:
        self.socket.sendall(self.rest)

    def answer(self) -> str:
        """Everything until the server closes the connection or nothing more comes of the answer."""
        found = b""
        while b"\r\n\r\n" not in found or not found.rstrip().endswith(b"}"):
            piece = self.socket.recv(65_536)
            if not piece:
                break
            found += piece
        return found.decode()

    def is_closed(self) -> bool:
        return self.socket.recv(65_536) == b""


def get(server: Server, path: str, **headers: str) -> httpx.Response:
    return httpx.get(server.base + path, headers=headers, timeout=PATIENCE)


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refuses(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    except ConnectionRefusedError:
        return True
    return False


def ended(server: Server) -> float:
    """Seconds until the process has ended."""
    assert server.process is not None
    began = time.monotonic()
    server.process.wait(PATIENCE)
    return time.monotonic() - began


def test_half_open_connections_keep_nobody_out(server: Server) -> None:
    server.start()
    with contextlib.ExitStack() as stack:
        for number in range(200):
            half = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            stack.enter_context(half)
            # A third has said nothing, one has begun its head, one has begun its body.
            if number % 3 == 1:
                half.sendall(b"GET /health/live HTTP/1.1\r\nHost: tandem.exam")
            if number % 3 == 2:
                half.sendall(b"POST /v1/goals HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        for path, status in (("/health/live", 200), ("/health/ready", 200), ("/v1/goals", 401)):
            for _ in range(20):
                assert get(server, path).status_code == status
        server.process.terminate()  # type: ignore[union-attr]
        # They are not waited for either.
        assert ended(server) < 15


def test_a_body_that_is_too_slow_is_408_and_the_connection_ends(server: Server) -> None:
    server.settings = {"BODY_SECONDS": "1"}
    server.start()
    with Slow(server) as slow:
        answer = slow.answer()
        assert answer.startswith("HTTP/1.1 408 ")
        assert "connection: close" in answer.lower()
        assert "/problems/too-slow" in answer
        assert slow.is_closed()


def test_too_many_at_once_are_503_and_room_comes_back(server: Server) -> None:
    server.settings = {"CONCURRENT_REQUESTS": "1"}
    server.start()
    with Slow(server) as slow:
        until(lambda: get(server, "/.well-known/jwks.json").status_code == 503)
        refused = get(server, "/v1/goals")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert (
            get(server, "/health/live").status_code
            == get(server, "/health/ready").status_code
            == 200
        )
        slow.finish()
        assert slow.answer().startswith("HTTP/1.1 401 ")
        assert get(server, "/.well-known/jwks.json").status_code == 200


def test_an_address_is_that_of_the_connection_unless_a_proxy_is_trusted(server: Server) -> None:
    server.settings = {"RATE_ADDRESS": "2"}
    server.start()
    statuses = [
        get(server, "/problems/failure", **{"X-Forwarded-For": f"192.0.2.{n}"}).status_code
        for n in range(3)
    ]
    assert statuses == [200, 200, 429]
    server.stop()

    server.settings |= {"TRUSTED_PROXIES": "127.0.0.0/8"}
    server.start()

    def seen(*forwarded: str) -> int:
        sent = {"X-Forwarded-For": ", ".join(forwarded)}
        return get(server, "/problems/failure", **sent).status_code

    assert [seen("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert seen("192.0.2.2") == 200
    # What a caller puts before the proxy's own word is not believed.
    assert seen("192.0.2.99", "192.0.2.1") == 429
    # Nor is a name or address that the proxy reports taken for the service's own.
    answer = get(
        server,
        "/problems/none-such",
        **{"X-Forwarded-For": "192.0.2.3", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "http"},
    )
    assert "evil" not in answer.text


def test_on_sigterm_it_is_not_ready_then_takes_nobody_new_and_finishes_what_it_has(
    server: Server,
) -> None:
    server.settings = {"STOP_NOTICE_SECONDS": "2"}
    server.start()
    with Slow(server) as slow:
        server.process.terminate()  # type: ignore[union-attr]
        until(lambda: get(server, "/health/ready").status_code == 503)
        assert get(server, "/health/live").status_code == 200
        assert get(server, "/.well-known/jwks.json").status_code == 200
        until(lambda: refuses(server))
        assert server.process.poll() is None  # type: ignore[union-attr]
        slow.finish()
        assert slow.answer().startswith("HTTP/1.1 401 ")
        assert slow.is_closed()
        ended(server)


def test_what_does_not_end_in_time_is_cut_off(server: Server) -> None:
    server.settings = {"STOP_SECONDS": "1"}
    server.start()
    with Slow(server) as slow:
        get(server, "/health/live")
        server.process.terminate()  # type: ignore[union-attr]
        answer = slow.answer()
        assert answer.startswith("HTTP/1.1 503 ")
        assert "The service is stopping." in answer
        assert ended(server) < 15
        log = (server.folder / "server.log").read_text()
        assert '"event": "cut_off"' in log
        assert "Traceback" not in log


def test_processes_share_a_redis_and_do_without_it(
    server: Server, tmp_path: Path, redis: Redis
) -> None:
    server.settings = {"RATE_ADDRESS": "50", "RATE_STORE": redis.url}
    other = Server(server.url, tmp_path / "other", settings=server.settings)
    other.folder.mkdir()
    # A window of the clock must not end in between.
    if time.time() % 60 > 35:
        time.sleep(60 - time.time() % 60)
    server.start()
    other.start()
    try:
        for _ in range(50):
            assert get(server, "/problems/failure").status_code == 200
        # Each of these counts too, but not to 50.
        tried = 0

        def is_limited() -> bool:
            nonlocal tried
            tried += 1
            time.sleep(0.2)
            return get(other, "/problems/failure").status_code == 429

        until(is_limited)
        assert tried < 40
        redis.stop()
        assert get(server, "/health/ready").status_code == 200
        assert get(other, "/problems/failure").status_code in (200, 429)
    finally:
        other.stop()


def test_a_store_that_is_away_at_the_start_is_no_reason_not_to_serve(server: Server) -> None:
    server.settings = {"RATE_STORE": "redis://:secret@127.0.0.1:1/0"}
    server.start()
    log = server.folder / "server.log"
    until(lambda: "rate_store_away" in log.read_text())
    assert get(server, "/problems/failure").status_code == 200
    assert "secret" not in log.read_text()
    server.stop()


def test_several_processes_end_together_and_refuse_who_comes_late(
    server: Server, fresh_url: str
) -> None:
    """They need PostgreSQL."""
    if fresh_url.startswith("sqlite"):
        refused = server.command("serve", "--workers", "2")
        assert refused.returncode == 2
        assert "PostgreSQL" in refused.stderr
        return
    server.url = fresh_url
    server.workers = 2
    server.start()
    with Slow(server) as slow:
        assert get(server, "/health/ready").status_code == 200
        server.process.terminate()  # type: ignore[union-attr]
        until(lambda: refuses(server))
        assert server.process.poll() is None  # type: ignore[union-attr]
        slow.finish()
        assert slow.answer().startswith("HTTP/1.1 401 ")
        ended(server)
