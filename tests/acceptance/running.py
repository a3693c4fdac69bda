"""Runs other people's programs: generators, compilers, clients."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ROOT / "openapi" / "clients" / "typescript"
BUILT = ROOT / "build" / "clients"
"""Where `make clients` puts the generator's environment; what is generated stands beside it."""


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """What a command prints, of both kinds; it must succeed."""
    path = f"{BUILT / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
