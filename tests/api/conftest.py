"""One scene for a module of hostile callers, and their findings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.scene import Findings, Scene, make_scene


@pytest.fixture(scope="module")
async def scene(app: Any) -> AsyncIterator[Scene]:
    async with make_scene(app) as made:
        yield made


@pytest.fixture
async def findings(scene: Scene) -> AsyncIterator[Findings]:
    """Every case is refused: at the end nothing has been written."""
    before, made = await scene.written(), Findings()
    yield made
    made.report()
    assert await scene.written() == before
