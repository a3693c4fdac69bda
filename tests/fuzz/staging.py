"""A live server on a world of its own, for schemathesis."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.callers import Callers, tokens_of
from tests.fuzz.reaching import told
from tests.servers import Server

PUBLIC_URL = "https://tandem.example"
SETTINGS = {"BREAK_GLASS": "true", "RATE_ADDRESS": "0", "RATE_CALLER": "0"}
"""Everything is switched on. The limits have tests of their own; here they would hide what is behind."""


@dataclass
class Staged:
    """The server, and what schemathesis is told of its world."""

    server: Server
    people: dict[str, str]
    told: dict[str, Any]

    def callers(self, only: str | None = None) -> Callers:
        """Who sends the requests."""
        return Callers(tokens_of(self.server.folder, PUBLIC_URL), self.people, only)


@contextmanager
def staged(url: str, folder: Path, module: str = "app.cli") -> Iterator[Staged]:
    """A server on a migrated database that nobody else uses."""
    server = Server(url, folder, public=PUBLIC_URL, settings=SETTINGS, module=module)
    made = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.fuzz.stage"],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    world = json.loads(made.stdout.splitlines()[-1])
    server.start()
    try:
        yield Staged(server, world["callers"], told(world["pools"]))
    finally:
        server.stop()
