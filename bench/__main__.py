"""Measures the service beside a raw hello and raw drivers, on both databases; never passes or fails.

python -m bench                                    everything, about seven minutes
python -m bench --only sqlite service R1 --rounds 1
python -m bench --compare var/bench/A.json var/bench/B.json
"""

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from bench import report
from bench.load import (
    CONNECTIONS,
    BenchError,
    Figure,
    Request,
    measure,
    pick_generator,
    resident_mb,
)
from bench.measures import FIRST_READS, MEASURES, RAW, Measure, raw_requests, service_requests
from bench.report import Results
from bench.seed import World, forget_receipts, seed
from bench.servers import ROOT, Server, asgi, migrate, postgresql, service

DATABASES = ("sqlite", "postgresql")
SIDES = ("raw", "service")
KINDS = ("R1", "R2", "W1")
_WARM_SECONDS = 1
_WIDTH = 124  # of the tables


def chosen(words: Iterable[str], among: tuple[str, ...]) -> list[str]:
    """Those of `among` that `words` names; all of them when it names none."""
    return [name for name in among if name in words] or list(among)


class Bench:
    """One run of the harness."""

    def __init__(self, options: argparse.Namespace, console: Console, folder: Path) -> None:
        self.console, self.folder = console, folder
        self.rounds, self.seconds, self.goals = options.rounds, options.seconds, options.goals
        self.generator = pick_generator(options.generator)
        self.sides = chosen(options.only, SIDES)
        self.kinds = chosen(options.only, KINDS)
        self.var = folder / "var"
        self.log = folder / "servers.log"
        self.worlds: dict[str, tuple[str, World]] = {}
        self.results: dict[str, Results] = {}

    def prepare(self, status: Status, database: str, url: str) -> None:
        """Makes a database and fills it."""
        status.update(f"{database}: {self.goals:,} goals")
        migrate(url, self.var)
        self.worlds[database] = (url, seed(url, self.goals))
        self.results[database] = Results()

    def round(self, status: Status, number: int) -> None:
        """Measures everything once."""
        for database, (url, world) in self.worlds.items():
            results, where = self.results[database], f"round {number}/{self.rounds}, {database}"
            with asgi("bench.hello:app", self.log, {}) as server:
                status.update(f"{where}: hello")
                results.hello.append(self._measure([Request("GET", "/")], server))
            if "raw" in self.sides:
                with asgi("bench.raw:app", self.log, {"BENCH_DATABASE_URL": url}) as server:
                    for wanted in self._of(RAW):
                        status.update(f"{where}: raw {wanted.name}")
                        figure = self._measure(raw_requests(wanted, server, world), server)
                        results.raw.setdefault(wanted.name, []).append(figure)
            if "service" in self.sides:
                forget_receipts(url)
                with service(url, self.var, self.log) as server:
                    results.start_seconds.append(server.start_seconds)
                    self._service(status, where, server, results, world)
                    results.resident_mb.append(resident_mb(server.pid))

    def _service(
        self, status: Status, where: str, server: Server, results: Results, world: World
    ) -> None:
        bearers = world.tokens(self.var)
        for wanted in self._of(MEASURES):
            status.update(f"{where}: {wanted.name}")
            requests = service_requests(wanted, server, world, bearers, self.seconds)
            figure = self._measure(requests, server, warm=wanted != FIRST_READS)
            results.service.setdefault(wanted.name, []).append(figure)

    def _of(self, measures: Iterable[Measure]) -> list[Measure]:
        return [wanted for wanted in measures if wanted.kind in self.kinds]

    def _measure(self, requests: list[Request], server: Server, *, warm: bool = True) -> Figure:
        def run(seconds: int) -> Figure:
            return measure(
                requests,
                port=server.port,
                pid=server.pid,
                seconds=seconds,
                generator=self.generator,
            )

        if warm:
            run(_WARM_SECONDS)
        return run(self.seconds)

    def settings(self) -> dict[str, Any]:
        """What the run was made with, for its file."""
        return {
            "rounds": self.rounds,
            "seconds": self.seconds,
            "goals": self.goals,
            "connections": CONNECTIONS,
            "generator": self.generator,
        }

    def tell(self, out: Path) -> None:
        """Prints and keeps the figures."""
        with_wrk = self.generator == "wrk"
        basis = (
            "requests/s"
            if with_wrk
            else "processor time a request (its own generator shares the machine)"
        )
        self.console.print(
            f"{CONNECTIONS} connections from {'wrk' if with_wrk else 'bench/generator.py'}, one worker, "
            f"medians of {self.rounds} x {self.seconds} s; shares of hello by {basis}. CPU is the "
            "server process's own: waiting for the disk, and PostgreSQL's processes, are not in it.\n"
        )
        for database, results in self.results.items():
            report.show(self.console, database, results)
        self.console.print(f"Kept in {report.save(out, self.results, self.settings())}")


def run(options: argparse.Namespace, console: Console) -> None:
    """Makes the databases, measures, prints; whatever was started is stopped, come what may."""
    wanted = chosen(options.only, DATABASES)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        bench = Bench(options, console, folder)
        status = stack.enter_context(console.status("starting"))
        if "sqlite" in wanted:
            bench.prepare(status, "sqlite", f"sqlite:///{folder / 'tandem.db'}")
        if "postgresql" in wanted:
            status.update("postgresql: starting")
            bench.prepare(status, "postgresql", stack.enter_context(postgresql(folder / "pg")))
        for number in range(1, options.rounds + 1):
            bench.round(status, number)
        status.stop()
        bench.tell(options.out)


def main() -> int:
    """The command; 0 unless something could not be measured."""
    words = [*DATABASES, *SIDES, *KINDS]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (3)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds for each figure (4)")
    parser.add_argument("--only", nargs="+", default=[], choices=words, help="leave out the rest")
    parser.add_argument("--goals", type=int, default=200_000, help="rows of goals (200,000)")
    parser.add_argument("--generator", choices=("auto", "wrk", "own"), default="auto")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench", help="folder for files")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args()
    console = Console()
    console.width = max(console.width, _WIDTH)
    if options.compare:
        report.compare(console, *options.compare)
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        run(options, console)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was kept.")
        return 130
    except BenchError as error:
        console.print(f"Could not measure: {error}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
