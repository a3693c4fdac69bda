"""PostgreSQL plans a statement once a connection, however long it is (docs/decisions/databases.md)."""

import pytest

from tests.worlds import World

pytestmark = pytest.mark.anyio

# What is longer than this the driver keeps only if it is told to.
LONG = "SELECT generic_plans FROM pg_prepared_statements WHERE length(statement) > 15 * 1024"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_long_reads_are_planned_once(world: World) -> None:
    readers = world.database._readers
    assert readers is not None
    for path in ("/v1/goals", "/v1/evidence-items", "/v1/learning-agreements"):
        for _ in range(3):
            answer = await world.learner.get(path, params={"q": "word"})
            assert answer.status_code == 200, answer.text
    uses = [row["generic_plans"] for c in readers._idle for row in await c.fetch(LONG)]
    assert len([times for times in uses if times >= 3]) >= 3, uses
