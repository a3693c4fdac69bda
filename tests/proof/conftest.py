"""One scene a worker and database for all proofs: they leave nothing behind."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.proof.scene import make_scene
from tests.proof.stage import Scene


@pytest.fixture(scope="session")
async def scene(app: Any) -> AsyncIterator[Scene]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        yield await make_scene(app, http)
