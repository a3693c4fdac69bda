"""The README's tour, as a reader would run it: every block, in order, in one shell, on a real server."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, serving

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOUR = "## A ten-minute tour"
SHOWN = "# → "
MARK = "@@@ end of what the README shows @@@"


def blocks(heading: str) -> list[str]:
    """The bash blocks under a heading of the README."""
    section = re.split(r"^## ", README.partition(heading + "\n")[2], maxsplit=1, flags=re.MULTILINE)
    return re.findall(r"^```bash\n(.*?)^```$", section[0], flags=re.MULTILINE | re.DOTALL)


def steps(block: str) -> Iterator[tuple[str, list[str]]]:
    """Commands, each with the lines that the README shows below them."""
    commands: list[str] = []
    shown: list[str] = []
    for line in block.splitlines():
        if line.startswith(SHOWN):
            shown.append(line.removeprefix(SHOWN))
            continue
        if shown:
            yield "\n".join(commands), shown
            commands, shown = [], []
        commands.append(line)
    yield "\n".join(commands), shown


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """What `make run` starts, on a database and a port of its own."""
    folder = tmp_path / "var"
    folder.mkdir()
    with serving(f"sqlite:///{tmp_path / 'tandem.db'}", folder) as started:
        yield started


def test_the_tour_prints_what_the_readme_shows(server: Server) -> None:
    tour = blocks(TOUR)
    assert len(tour) > 5
    parts = [step for block in tour for step in steps(block)]
    script = "\n".join(f"{commands}\nprintf '%s\\n' '{MARK}'" for commands, _ in parts)
    variables = {
        "TANDEM": server.base,
        "DEMO": str(server.folder / "demo.json"),
        "NO_PROXY": "*",
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    printed = ran.stdout.split(MARK + "\n")
    for (commands, shown), output in zip(parts, printed, strict=False):
        assert output.splitlines() == shown, f"after:\n{commands}\n{ran.stderr}"
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(printed) == len(parts) + 1


def test_the_tour_needs_only_curl_and_python() -> None:
    text = "\n".join(blocks(TOUR))
    for tool in ("jq", "sed", "awk", "grep", "httpx", "wget"):
        assert not re.search(rf"\b{tool}\b", text), f"the tour uses {tool}"
