"""scim2-tester, in full, against the running application on both databases."""

import anyio
import pytest
from scim2_tester import Status, check_server

from tests.scim import LoopClient, directory_of
from tests.worlds import World

pytestmark = pytest.mark.anyio


async def test_scim2_tester_passes_in_full(world: World) -> None:
    school = await directory_of(world, world.school)
    results = await anyio.to_thread.run_sync(lambda: check_server(LoopClient(school)))
    wrong = [f"{r.title}: {r.reason}" for r in results if r.status is not Status.SUCCESS]
    assert wrong == []
    assert len(results) > 30
