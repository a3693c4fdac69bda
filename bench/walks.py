"""Measures long walks and the questions about access; never passes or fails.

A client pages through 100,000 records of its school: with the first reads of a day, which write a
receipt each; again; and by a process that remembers nothing. The owner and the coach ask who could
read a goal, and why they may.

python -m bench.walks
"""

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.load import BenchError, Request, ask
from bench.seed import World, seed
from bench.servers import Server, migrate, postgresql, service

GOALS = 400_000
"""A quarter of them are the client's."""
PAGE = 200
_ASKED = 200


def walk(server: Server, bearer: str) -> tuple[float, int]:
    """Seconds, and goals read, of a walk through the whole list."""
    headers, cursor, read = {"Authorization": f"Bearer {bearer}"}, "", 0
    start = time.perf_counter()
    while True:
        page = ask(server.port, Request("GET", f"/v1/goals?limit={PAGE}{cursor}", headers))
        read += len(page["items"])
        if page["next"] is None:
            return time.perf_counter() - start, read
        cursor = f"&cursor={page['next']}"


def asking(server: Server, bearer: str, path: str) -> float:
    """Milliseconds of one question, the median."""
    headers, times = {"Authorization": f"Bearer {bearer}"}, []
    for _ in range(_ASKED):
        start = time.perf_counter()
        ask(server.port, Request("GET", path, headers))
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def walks(name: str, url: str, folder: Path) -> None:
    """The figures of one database."""
    folder.mkdir()
    migrate(url, folder / "var")
    world: World = seed(url, GOALS)
    log = folder / "service.log"
    with service(url, folder / "var", log) as server:
        bearers = world.tokens(folder / "var")
        for what in ("first of the day", "again"):
            seconds, read = walk(server, bearers.client)
            _say(
                name, f"{read:,} goals, {what}", f"{seconds:.1f} s, {read / seconds:,.0f} a second"
            )
        goal = f"goal:{world.owner_goals[0]}"
        for who in ("owner", "coach"):
            bearer = getattr(bearers, who)
            for path in (
                f"/v1/goals/{world.owner_goals[0]}",
                f"/v1/access/audience?resource={goal}",
                f"/v1/access/explanation?resource={goal}&action=goal:read",
                "/v1/me/permissions",
            ):
                _say(
                    name,
                    f"{who}: {path.partition('?')[0]}",
                    f"{asking(server, bearer, path):.2f} ms",
                )
    with service(url, folder / "var", log) as server:
        bearers = world.tokens(folder / "var")
        seconds, read = walk(server, bearers.client)
        _say(
            name, f"{read:,} goals, cold memory", f"{seconds:.1f} s, {read / seconds:,.0f} a second"
        )


def _say(database: str, what: str, figure: str) -> None:
    sys.stdout.write(f"{database:<12}{what:<60}{figure}\n")
    sys.stdout.flush()


def main() -> int:
    """The command; 0 unless something could not be measured."""
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-walks-")))
            walks("sqlite", f"sqlite:///{folder / 'tandem.db'}", folder / "sqlite")
            url = stack.enter_context(postgresql(folder / "pg"))
            walks("postgresql", url, folder / "postgresql")
    except BenchError as error:
        sys.stderr.write(f"Could not measure: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
