"""The two compilations of a way of seeing, as SQL: nothing is joined that was not meant."""

import re

import pytest

from app import main  # noqa: F401  (registers every resource)
from app.access.caller import CallerKind
from app.access.visibility import (
    KEPT,
    QUESTION,
    RESOURCES,
    WRITTEN,
    Resource,
    item_query,
    locked_statement,
    page_query,
    standing_query,
)
from app.core.postgresql import TextJsonDialect
from app.core.query import Query
from app.core.sqlite import LoopDialect

DIALECTS = {"sqlite": LoopDialect(paramstyle="qmark"), "postgresql": TextJsonDialect()}  # type: ignore[no-untyped-call]

cases = pytest.mark.parametrize(
    ("resource", "kind", "dialect"),
    [(r, k, d) for r in RESOURCES.values() for k in CallerKind for d in DIALECTS],
    ids=lambda value: value.kind if isinstance(value, Resource) else str(value),
)


def sources(query: Query, dialect: str) -> list[str]:
    """Every table or alias that stands in a FROM, as often as it does."""
    sql = query.plan(DIALECTS[dialect]).sql
    return re.findall(r'(?:FROM|JOIN|,) \w+ AS "?(\w+)\b', sql)


@cases
def test_the_row_stands_once_in_the_query_of_one_row(
    resource: Resource, kind: CallerKind, dialect: str
) -> None:
    for query in (item_query(resource, kind), standing_query(resource, kind)):
        assert sources(query, dialect).count("this") == 1


@cases
def test_the_row_stands_once_in_each_branch_of_a_page(
    resource: Resource, kind: CallerKind, dialect: str
) -> None:
    ways = resource.seen_by(resource.table, kind)
    # What somebody only keeps or typed is not found by what may have changed since.
    whole = [way for way in ways if way.name not in (KEPT, WRITTEN)]
    asked = frozenset({QUESTION} if resource.search else ())
    for continued in (False, True):
        for filters, walked in ((asked.union(resource.filters), whole), (asked, ways)):
            query = page_query(resource, kind, filters, continued=continued)
            expected = walked if filters - {"agreement_id", "owner_id", QUESTION} else ways
            assert sources(query, dialect).count("this") == len(expected) + 1


@cases
def test_only_an_opener_asks_for_openings(
    resource: Resource, kind: CallerKind, dialect: str
) -> None:
    """Break-glass costs no other read anything: its statements do not know of it."""
    queries = [item_query(resource, kind), standing_query(resource, kind)]
    queries += [
        page_query(resource, kind, frozenset(resource.filters), continued=c) for c in (0, 1)
    ]
    asks = ["openings AS opening" in query.plan(DIALECTS[dialect]).sql for query in queries]
    opened = kind is CallerKind.OPENER and resource.opened is not None
    assert asks == [opened] * 4


def test_what_an_opening_opens() -> None:
    opened = {resource.kind for resource in RESOURCES.values() if resource.opened is not None}
    assert opened == {"learning_agreement", "goal", "evidence_item"}


@cases
def test_the_row_stands_once_in_the_query_that_locks_it(
    resource: Resource, kind: CallerKind, dialect: str
) -> None:
    sql = str(locked_statement(resource, kind).compile(dialect=DIALECTS[dialect]))
    assert len(re.findall(rf"(?:FROM|JOIN|,) {resource.table.name}\b(?! AS|\.)", sql)) == 1
