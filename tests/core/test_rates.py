"""Counting requests: windows, keys, and what several processes count together by a real Redis."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from app.core import rate_store, rates
from app.core.errors import TooManyRequests
from app.core.rates import Limit, network
from app.core.settings import Settings
from tests.servers import free_port


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A clock that the test moves: `moment(seconds)`."""
    now = 6_000_000.0

    def move(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(rates.time, "time", lambda: now)
    return move


def counted(limit: Limit, key: str = "me") -> str:
    scope: dict[str, Any] = {}
    limit.count(scope, key)
    return str(scope["rate"][1].decode())


def test_a_window_ends_and_everybody_has_the_whole_again(moment: Any) -> None:
    limit = Limit("caller", 2)
    assert counted(limit) == '"caller";r=1;t=60'
    moment(20.5)
    assert counted(limit) == '"caller";r=0;t=40'
    scope: dict[str, Any] = {}
    with pytest.raises(TooManyRequests) as refused:
        limit.count(scope, "me")
    assert refused.value.headers == {"Retry-After": "40"}
    assert "2 requests in 60 seconds" in refused.value.detail
    assert scope["rate"] == (b'"caller";q=2;w=60', b'"caller";r=0;t=40')
    assert counted(limit, "another") == '"caller";r=1;t=40'
    moment(39.5)
    assert counted(limit) == '"caller";r=1;t=60'


def test_no_limit_counts_nothing_and_says_nothing() -> None:
    scope: dict[str, Any] = {}
    for _ in range(5):
        Limit("caller", 0).count(scope, "me")
    assert scope == {}


def test_a_flood_from_everywhere_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST_KEYS", 10)
    limit = Limit("address", 5)
    limit.shared = True
    for number in range(1000):
        limit.count({}, str(number))
        assert len(limit._counted) <= 10
        assert len(limit._untold) <= 10


@pytest.mark.parametrize(
    ("host", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a name", "none"),
        ("", "none"),
    ],
)
def test_what_one_connection_has_of_ipv6_is_one_address(host: str, counts_as: str) -> None:
    assert network(host) == counts_as


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "*"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "10.0.0.1, proxy.example"),
        ("rate_store", "memcached://host"),
        ("rate_caller", "-1"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TANDEM_{name.upper()}", value)
    with pytest.raises(ValueError, match=name):
        Settings()


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_TRUSTED_PROXIES", "127.0.0.1, 172.16.0.0/12 ,fd00::/8")
    assert Settings().trusted_proxies == ["127.0.0.1", "172.16.0.0/12", "fd00::/8"]


class Redis:
    """A real server of the test's own, which can go away and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--save", "", "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: apt-get install redis-server")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def store(redis: Redis, anyio_backend: str) -> AsyncIterator[Any]:
    connected = rate_store.connect(redis.url)
    async with asyncio.timeout(10):
        while True:
            try:
                await connected.ping()
                break
            except RedisError:
                await asyncio.sleep(0.02)
    yield connected
    await connected.aclose()


def shared(most: int) -> Limit:
    limit = Limit("caller", most, window=3600)
    limit.shared = True
    return limit


def left(limit: Limit, key: str = "me") -> int:
    """What remains for `key`, without counting."""
    return limit.most - limit._counted.get(key, 0)


@pytest.mark.anyio
async def test_processes_learn_what_the_others_have_counted(store: Any) -> None:
    one, two = shared(100), shared(100)
    for _ in range(30):
        counted(one)
    for _ in range(20):
        counted(two)
    await rate_store.tell(store, one)
    assert (left(one), left(two)) == (70, 80)
    await rate_store.tell(store, two)
    assert left(two) == 50
    counted(one)
    await rate_store.tell(store, one)
    assert left(one) == 49
    # Told once, it is not told again.
    await rate_store.tell(store, one)
    assert left(one) == 49
    (key,) = await store.keys("*")
    assert key.startswith(b"tandem:rate:caller:")
    assert 0 < await store.ttl(key) <= 3600


@pytest.mark.anyio
async def test_who_has_hardly_begun_is_told_of_later_and_in_full(store: Any) -> None:
    one, two = shared(1000), shared(1000)
    for _ in range(9):
        counted(one)
    await rate_store.tell(store, one)
    assert await store.keys("*") == []
    counted(one)
    await rate_store.tell(store, one)
    for _ in range(10):
        counted(two)
    await rate_store.tell(store, two)
    assert left(two) == 980


@pytest.mark.anyio
async def test_what_is_learned_too_late_is_not_counted_in_the_next_window(
    store: Any, moment: Any
) -> None:
    limit = Limit("caller", 10)
    limit.shared = True
    for _ in range(4):
        counted(limit)
    number, untold = limit.untold()
    assert untold == {"me": 4}
    moment(60)
    counted(limit)
    limit.learn(number, {"me": 9})
    assert left(limit) == 9


@pytest.mark.anyio
async def test_without_redis_each_counts_for_itself_and_says_so_once(
    redis: Redis, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_store, "_PAUSE", 0.01)
    # A logger that has been used keeps the settings of that time; this one is new.
    monkeypatch.setattr(rate_store, "log", structlog.get_logger())
    limit, other = Limit("caller", 100, window=3600), shared(100)
    redis.stop()
    with capture_logs() as logs:
        task = asyncio.create_task(rate_store.keep_telling(rate_store.connect(redis.url), [limit]))

        async def until(event: str) -> None:
            async with asyncio.timeout(20):
                while event not in [entry["event"] for entry in logs]:
                    if left(limit) > 10:  # however long it takes
                        counted(limit)
                    await asyncio.sleep(0.01)

        await until("rate_store_away")
        assert left(limit) < 100
        redis.start()
        await until("rate_store_back")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [entry["event"] for entry in logs] == ["rate_store_away", "rate_store_back"]
    counted(other)
    await rate_store.tell(store, other)
    assert left(other) < 99


@pytest.mark.anyio
async def test_counting_costs_next_to_nothing_whoever_calls() -> None:
    """Not a benchmark: a storage that walks all keys for each request would take minutes here."""
    limit = Limit("caller", 1_000_000)
    began = time.process_time()
    for number in range(100_000):
        limit.count({}, str(number % 20_000))
    assert time.process_time() - began < 5
