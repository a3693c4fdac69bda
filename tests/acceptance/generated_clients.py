"""The clients that others generate from the committed document: every operation is in them, they compile,
and they walk the main journey against a live server, on each database. `make clients` runs this; it needs
node, and what the lock files beside the programs bring."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import BUILT, ROOT, TYPESCRIPT, run
from tests.conftest import postgresql_database
from tests.servers import Server, serving

DOCUMENT = ROOT / "openapi" / "openapi.json"
PYTHON = ROOT / "openapi" / "clients" / "python"
STEPS = 8


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="session")
def python_client() -> Path:
    """The folder with the generated package."""
    folder = BUILT / "python"
    said = run(
        "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none", "--overwrite",
        "--fail-on-warning", "--output-path", folder / "tandem_client",
    )  # fmt: skip
    assert "WARNING" not in said.upper(), said
    return folder


@pytest.fixture(scope="module")
def server(
    backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("clients")
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder / 'tandem.db'}"
        if backend == "postgresql":
            url = stack.enter_context(postgresql_database(f"clients_{worker_id}"))
        yield stack.enter_context(serving(url, folder))


def test_no_operation_is_left_out_of_the_python_client(python_client: Path) -> None:
    """The generator would rather leave one out than stop."""
    made = {file.stem for file in python_client.glob("tandem_client/api/*/*.py")} - {"__init__"}
    assert made == {operation["operationId"] for _, _, operation in operations()}


def test_names_in_the_python_client_are_those_of_the_document(python_client: Path) -> None:
    """What has no name of its own gets one like `translation_type_0`, and a type for each place."""
    named = [file.stem for file in python_client.glob("tandem_client/models/*.py")]
    assert len(named) > 100
    assert [name for name in named if "_type_" in name and name[-1].isdigit()] == []


def test_the_python_journey_is_typed(python_client: Path) -> None:
    arguments = ("--config-file", PYTHON / "mypy.ini", "--cache-dir", BUILT / "mypy")
    checked = (PYTHON / "journey.py", python_client / "tandem_client")
    said = run("mypy", *arguments, *checked, MYPYPATH=str(python_client))
    assert said.startswith("Success"), said


def test_the_python_client_walks_the_main_journey(python_client: Path, server: Server) -> None:
    journey = (PYTHON / "journey.py", server.base, server.folder / "demo.json")
    said = run(BUILT / "venv/bin/python", *journey, PYTHONPATH=str(python_client))
    assert len(said.splitlines()) == STEPS, said


def test_every_operation_is_in_the_types(typescript_client: Path) -> None:
    types = (TYPESCRIPT / "tandem.d.ts").read_text(encoding="utf-8")
    missing = [
        operation["operationId"]
        for path, method, operation in operations()
        if f'{method}: operations["{operation["operationId"]}"]' not in types
        or f'    "{path}": {{' not in types
    ]
    assert missing == []


def test_the_typescript_client_walks_the_main_journey(
    typescript_client: Path, server: Server
) -> None:
    arguments = (typescript_client / "journey.js", server.base, server.folder / "demo.json")
    said = run("node", *arguments)
    assert len(said.splitlines()) == STEPS, said
