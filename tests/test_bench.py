"""`make bench` measures what is there: its raw server and its world follow the tables."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_short_measurement_writes_by_the_raw_server_and_by_the_service(tmp_path: Path) -> None:
    """No figure is judged: a request that fails ends the run."""
    short = ["--goals", "4000", "--rounds", "1", "--seconds", "1", "--generator", "own"]
    only = ["--only", "sqlite", "raw", "service", "W1"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *short, *only, "--out", str(tmp_path)],
        # The settings of the tests are not those under measurement.
        env={k: v for k, v in os.environ.items() if not k.startswith("TANDEM_")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text(encoding="utf-8"))
