"""What the clients of others are made of."""

from pathlib import Path

import pytest

from tests.acceptance.running import TYPESCRIPT, run


@pytest.fixture(scope="session")
def typescript_client() -> Path:
    """The folder with the compiled programs."""
    said = run("npm", "run", "--silent", "build", cwd=TYPESCRIPT)
    assert "warning" not in said.lower(), said
    return TYPESCRIPT / "build"
