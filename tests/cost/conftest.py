"""What is counted here depends on how a planner sees the tables: each test has them to itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import started


@pytest.fixture
async def app(anyio_backend: str, fresh_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The application, on a database that nobody else fills."""
    async with started(fresh_url, tmp_path) as made:
        yield made
