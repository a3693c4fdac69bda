"""Load on one server of this machine: requests a second, and what each costs its processor.

`wrk` generates the load when it is installed, else bench/generator.py does. The second may need
more processor time than a fast server, so every figure also says how many microseconds of its own
processor time (user and system) the server took for a request.
"""

import http.client
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
CONNECTIONS = 16
COUNTER = "{counter}"
"""In a path, header or body of a request: replaced by a number that is fresh for each sending."""
_DIGITS = 12
_TRIED = 3
_STEP = 10_000_000
_counters = itertools.count(1)
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class BenchError(Exception):
    """The measurement itself went wrong: a figure would mean nothing."""


@dataclass(frozen=True)
class Request:
    """One request, sent as often as its turn comes."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def wire(self) -> bytes:
        """Its bytes, COUNTER still in them."""
        headers = {"Host": HOST, **self.headers}
        if self.body:
            sent = self.body.replace(COUNTER, "0" * _DIGITS)
            headers |= {
                "Content-Type": "application/json",
                "Content-Length": str(len(sent.encode())),
            }
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", self.body]).encode()


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    generator: str
    requests: int
    seconds: float
    cpu_us: float
    """Processor time of the server process for each request, in microseconds."""
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def pick_generator(asked: str = "auto") -> str:
    """`wrk` or `own`."""
    if asked == "auto":
        return "wrk" if shutil.which("wrk") else "own"
    if asked == "wrk" and not shutil.which("wrk"):
        raise BenchError("wrk is not installed")
    return asked


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, its children's excluded."""
    # The command's name, in brackets, may itself contain spaces and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask(port: int, request: Request) -> Any:
    """Sends one request and gives the JSON (or text) of its answer; anything but 2xx is an error."""
    number = str(next(_counters) * _STEP).zfill(_DIGITS)
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        headers = {name: value.replace(COUNTER, number) for name, value in request.headers.items()}
        if request.body:
            headers["Content-Type"] = "application/json"
        body = request.body.replace(COUNTER, number).encode() or None
        connection.request(request.method, request.path.replace(COUNTER, number), body, headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise BenchError(f"{request.method} {request.path} -> {response.status}: {text[:600]}")
    is_json = response.headers.get_content_type() == "application/json"
    return json.loads(text) if is_json else text


def measure(
    requests: Iterable[Request],
    *,
    port: int,
    pid: int,
    seconds: int,
    generator: str,
    connections: int = CONNECTIONS,
) -> Figure:
    """Sends `requests` in turn for some seconds; any answer that is not 2xx is an error."""
    variants = list(requests)
    for variant in variants[:_TRIED]:
        ask(port, variant)
    with tempfile.NamedTemporaryFile(prefix="tandem-bench-", suffix=".requests") as file:
        for variant in variants:
            wire = variant.wire()
            file.write(b"%d\n%s" % (len(wire), wire))
        file.flush()
        run = _wrk if generator == "wrk" else _own
        before = cpu_seconds(pid)
        result = run(file.name, next(_counters) * _STEP, port, seconds, connections)
        cpu = cpu_seconds(pid) - before
    if result["refused"] or result["broken"]:
        raise BenchError(
            f"{variants[0].method} {variants[0].path}: of {result['requests']} answers "
            f"{result['refused']} were not 2xx; {result['broken']} connections failed"
        )
    if not result["requests"] or not cpu:
        raise BenchError(f"process {pid} answered {result['requests']} requests in {cpu} s of CPU")
    return Figure(
        generator=generator,
        requests=result["requests"],
        seconds=result["seconds"],
        cpu_us=cpu * 1e6 / result["requests"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
    )


def _wrk(file: str, start: int, port: int, seconds: int, connections: int) -> dict[str, Any]:
    script = str(Path(__file__).with_name("wrk.lua"))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script]
    return _result([*command, f"http://{HOST}:{port}/", "--", file, str(start)])


def _own(file: str, start: int, port: int, seconds: int, connections: int) -> dict[str, Any]:
    numbers = [str(n) for n in (start, port, seconds, connections)]
    return _result([sys.executable, "-m", "bench.generator", file, *numbers])


def _result(command: list[str]) -> dict[str, Any]:
    root = Path(__file__).parent.parent
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    for line in finished.stdout.splitlines():
        if line.startswith("RESULT "):
            result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
            return result
    raise BenchError(f"{command[0]} gave no result:\n{finished.stdout}{finished.stderr}")
