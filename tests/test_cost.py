"""What a read costs: rows that the caller may not see cost nothing, however many there are."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.access.caller import CallerKind
from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.visibility import SINCE, Resource, item_query, page_query
from app.core.clock import today
from app.core.ids import uuid7
from app.core.query import Query
from tests.counting import Read, tidy, visited
from tests.crowds import ACTORS, GUEST, RECORDS, VISIBLE, Crowded, gather, hide
from tests.worlds import World

pytestmark = pytest.mark.anyio

LIMIT = 20


def reads(crowded: Crowded) -> Iterator[Read]:
    """A page, the whole list, one record that is seen and some that are not, for every actor."""
    for resource, _ in RECORDS:
        actors = (*ACTORS, GUEST) if resource is EVIDENCE_ITEMS else ACTORS
        for who in actors:
            kind = CallerKind.CLIENT if who.endswith("client") else CallerKind.PERSON
            caller = str(crowded.world.actors[who].id)
            values = {"me": caller, "client": caller, "today": today(), "cursor": uuid7()}
            page = page_query(resource, kind, frozenset(), continued=True)
            one = item_query(resource, kind)
            changed = page_query(resource, kind, frozenset((SINCE,)), continued=True)

            def read(
                what: str,
                query: Query,
                rows: int,
                resource: Resource = resource,
                who: str = who,
                values: dict[str, Any] = values,
                **more: Any,
            ) -> Read:
                return Read(who, f"{resource.kind}, {what}", query, {**values, **more}, rows)

            yield read("page", page, LIMIT + 1, limit=LIMIT + 1)
            # No branch stops before its end.
            yield read("whole list", page, VISIBLE, limit=VISIBLE + 1)
            # Hidden rows are newer than the seen ones, and so the only ones that were written since.
            since = {SINCE: crowded.gathered_at, "limit": LIMIT + 1}
            yield read("written since", changed, 0, **since)
            if resource is GOALS:
                narrowed = page_query(resource, kind, frozenset(("state",)), continued=True)
                yield read("in a state", narrowed, 0, state="agreed", limit=LIMIT + 1)
            yield read("one seen", one, 1, id=crowded.seen[resource.kind][7])
            for number, hidden in enumerate(crowded.hidden[resource.kind]):
                yield read(f"hidden {number}", one, 0, id=hidden)


async def costs(crowded: Crowded) -> dict[str, int]:
    database = crowded.world.database
    tidy(database)
    return {f"{r.who}: {r.what}": await visited(database, r) for r in reads(crowded)}


async def test_hidden_rows_cost_a_read_nothing(world: World) -> None:
    crowded = await gather(world)
    await hide(crowded, 200)
    before = await costs(crowded)
    await hide(crowded, 1800)
    after = await costs(crowded)
    # PostgreSQL may take another of two indexes that both lead to a few rows.
    most = 1.1 if world.database.is_sqlite else 1.5
    grown = [f"{r}: {before[r]} -> {after[r]}" for r in before if after[r] > before[r] * most + 20]
    assert grown == []
