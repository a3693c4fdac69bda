"""The load generator for machines without wrk, a process of its own: keep-alive connections that
each send the next prepared request as soon as the answer to the last is whole."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

from bench.load import COUNTER, HOST

_MARK = COUNTER.encode()


def read_requests(path: str) -> list[list[bytes]]:
    """The prepared requests of a file, each split where its number goes."""
    data, at, requests = Path(path).read_bytes(), 0, []
    while at < len(data):
        line = data.index(b"\n", at)
        at = line + 1 + int(data[at:line])
        requests.append(data[line + 1 : at].split(_MARK))
    return requests


class Run:
    """What the connections share."""

    def __init__(self, requests: list[list[bytes]], start: int) -> None:
        self.requests, self.counter, self.at = requests, start, -1
        self.latencies: list[float] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.over = False

    def following(self) -> bytes:
        """Bytes of the next request."""
        self.at = (self.at + 1) % len(self.requests)
        parts = self.requests[self.at]
        if len(parts) == 1:
            return parts[0]
        self.counter += 1
        return (b"%012d" % self.counter).join(parts)

    def fail(self, why: str) -> None:
        """Stops the run: its figure would mean nothing."""
        if not self.over and not self.failure.done():
            self.failure.set_result(why)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way."""

    def __init__(self, run: Run) -> None:
        self.run, self.buffer, self.size = run, b"", -1
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        # uvloop's transports are no subclass of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self.buffer, self.size = b"", -1
        self.sent_at = time.perf_counter()
        self.transport.write(self.run.following())

    def data_received(self, data: bytes) -> None:
        """Collects an answer; a whole one is counted and the next request sent."""
        buffer = self.buffer = self.buffer + data if self.buffer else data
        if self.size < 0 and not self._read_head(buffer):
            return
        if len(buffer) < self.size or (self.size == 0 and not buffer.endswith(b"0\r\n\r\n")):
            return
        if buffer[9:10] != b"2":
            self.run.fail(buffer[:800].decode("latin-1"))
            return
        if not self.run.over:
            self.run.latencies.append(time.perf_counter() - self.sent_at)
            self._send()

    def _read_head(self, buffer: bytes) -> bool:
        """Finds the size of the whole answer (0: it comes in chunks); False until the head is."""
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = buffer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self.size = end + 4 + int(head[at + 17 :].partition(b"\r\n")[0])
        else:
            self.size = 0 if b"\r\ntransfer-encoding: chunked" in head else end + 4
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """A server that closes a connection spoils the run."""
        self.run.fail(f"the server closed a connection: {error}")


async def generate(path: str, start: int, port: int, seconds: int, connections: int) -> str:
    """Runs the load; the result as JSON."""
    run, loop = Run(read_requests(path), start), asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: run.fail(repr(context)))
    began = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: Connection(run), HOST, port)
        for _ in range(connections)
    ]
    await asyncio.wait([run.failure], timeout=seconds)
    took, run.over = time.perf_counter() - began, True
    for transport, _ in opened:
        transport.close()
    if run.failure.done():
        raise SystemExit(run.failure.result())
    ordered = sorted(run.latencies) or [0.0]
    result = {
        "requests": len(run.latencies),
        "seconds": took,
        "p50_ms": ordered[len(ordered) // 2] * 1e3,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
        "refused": 0,
        "broken": 0,
    }
    return json.dumps(result)


if __name__ == "__main__":
    print("RESULT", uvloop.run(generate(sys.argv[1], *map(int, sys.argv[2:]))))
