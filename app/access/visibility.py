"""One definition of visibility, two compilations.

A resource lists its *ways of seeing*: owner, party, leader, client and so on. For one record they
become one predicate. For a list they become a UNION of keyset branches, one a way, each walking its
own index from the cursor and stopping at the page's size: one OR over all ways makes both planners
walk the whole table (measured: 20-36 ms against 0.3 ms).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    false,
    insert,
    not_,
    null,
    or_,
    select,
    true,
    union,
)

from app.access.caller import CallerKind
from app.core.query import Query
from app.core.search import Pieces, has_words
from app.core.sql import each_id, there_is, wire
from app.core.tables import Id, Moment


def parameter(name: str, type_: Any) -> BindParameter[Any]:
    """A value that the request brings."""
    return bindparam(name, type_=type_, required=True)


_LIMIT = parameter("limit", Integer)


Conditions = Callable[[Any], list[ColumnElement[bool]]]


@dataclass(frozen=True)
class Way:
    """One way in which a caller sees a row.

    `condition` is what the row itself must fulfil. When rows are reached through another table
    (my agreements, the schools I lead), `through` is that table, `mine` says which of its rows are
    the caller's, and `link` ties the row to it; `condition` may speak of both.

    When a table names the single rows (shares), `along` is that table, `key` its column with the
    row's id, and `link` says which of its rows count: a page then walks it instead of the rows.
    """

    name: str
    condition: ColumnElement[bool]
    through: FromClause | None = None
    mine: ColumnElement[bool] = field(default_factory=true)
    link: ColumnElement[bool] = field(default_factory=true)
    along: FromClause | None = None
    key: ColumnElement[Any] | None = None

    def predicate(self, row: Any) -> ColumnElement[bool]:
        """The way as a condition on one row."""
        met = and_(self.link, self.condition)
        if self.along is not None:
            assert self.key is not None
            met = there_is(self.along, self.key == row.c.id, met)
        return met if self.through is None else there_is(self.through, self.mine, met)

    def newest(self, row: Any, filters: Conditions, before: Conditions) -> Select[Any]:
        """Ids of the rows that are seen by this way, newest first. `filters` are conditions on the
        row, `before` on the column of its id."""
        if self.along is None:
            key, source = row.c.id, row
            met = [self.condition, *filters(row)]
        else:
            assert self.key is not None
            key, source = self.key, self.along
            # Asked as a value: a planner turns a join round, and walks the rows that it could name.
            outer = (self.along,) if self.through is None else (self.along, self.through)
            asked = select(and_(true(), self.condition, *filters(row))).where(row.c.id == key)
            met = [asked.select_from(row).correlate(*outer).scalar_subquery()]
        found = (
            select(key.label("id"))
            .select_from(source)
            .where(self.link, *met, *before(key))
            .order_by(key.desc())
            .limit(_LIMIT)
        )
        # What another table names twice would be counted twice against the page.
        return found if self.along is None else found.distinct()


Ways = Callable[[Any, CallerKind], list[Way]]
"""The ways of seeing a row of the given table (or alias), for a kind of caller."""


def by_moment(row: Any, kind: CallerKind, way: Way, since: Any) -> ColumnElement[bool]:
    """`changed` of what shows everybody who sees it when it was last written."""
    return row.c.updated_at >= since  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Resource:
    """What the door needs to know of a kind of record."""

    kind: str
    path: str
    table: Table
    entity: type[Any]
    ways: Ways
    columns: Callable[[Any, CallerKind], list[ColumnElement[Any]]]
    """The columns of an answer; `version` and `id` are among them."""
    relations: Callable[[Any, CallerKind], dict[Any, ColumnElement[bool]]]
    """How the caller stands to a row, for the grants."""
    filters: Mapping[str, Callable[[Any, BindParameter[Any]], ColumnElement[bool]]] = field(
        default_factory=dict
    )
    filter_types: Mapping[str, Any] = field(default_factory=dict)
    search: Callable[[Any, CallerKind, Way, BindParameter[Any]], ColumnElement[bool]] | None = None
    """Whether the words asked for (`q`) stand in what the caller is shown of a row by a way."""
    changed: Callable[[Any, CallerKind, Way, BindParameter[Any]], ColumnElement[bool]] = by_moment
    """Whether a row is of those that were written since a moment (`updated_since`), told by what the
    caller is shown of it by a way, and by nothing else."""
    owes_receipt: Callable[[Any, CallerKind], ColumnElement[bool]] | None = None
    prepare: Callable[[dict[str, Any]], None] | None = None
    """Finishes a row that was read, in place: what SQL says less well."""
    holds: Query | None = None
    """Keeps the record's agreement (by the record's `id`) as it is until the commit."""
    over: Callable[[Any], ColumnElement[bool]] | None = None
    """Whether nothing more is written under the row's agreement."""
    kept: Callable[[Any, ColumnElement[bool]], ColumnElement[Any]] | None = None
    """The row as it stood when the caller left, unless they see it as it is (the condition)."""
    opened: Callable[[Any], Way] | None = None
    """The one way in which an opener sees a row; what says nothing here is opened to nobody."""

    def seen_by(self, row: Any, kind: CallerKind) -> list[Way]:
        """The ways in which a caller of this kind sees `row`."""
        if kind is CallerKind.OPENER:
            return [] if self.opened is None else [self.opened(row)]
        return self.ways(row, kind)

    def __hash__(self) -> int:
        return hash(self.kind)

    def __eq__(self, other: object) -> bool:
        return self is other


RESOURCES: dict[str, Resource] = {}
"""Every resource by its kind; a kind joins by being registered."""


def register(resource: Resource) -> Resource:
    """Adds a resource to the registry."""
    assert resource.kind not in RESOURCES
    RESOURCES[resource.kind] = resource
    return resource


QUESTION = "q"
"""Name of the filter by words."""

SINCE = "updated_since"
"""Name of the filter by the moment of the last write."""


def by_words(row: Any, kind: CallerKind, way: Way, asked: Any) -> ColumnElement[bool]:
    """`search` of what looks the same to everybody who sees it."""
    return has_words(row.c.folded, asked)


KEPT = "kept"
"""Name of the way of seeing of those who read a record as it stood when they left."""

WRITTEN = "author"
"""Name of the way of seeing of those who read no more of a record than what they typed."""

_PARTLY = (KEPT, WRITTEN)
# By words and by the moment each way is asked for what it shows.
_NEVER_CHANGE = frozenset(("agreement_id", "owner_id", QUESTION, SINCE))


def visible(
    resource: Resource, row: Any, kind: CallerKind, *, as_it_is: bool = False
) -> ColumnElement[bool]:
    """Whether a caller of this kind sees `row`, or (`as_it_is`) sees it as it is today."""
    ways = [w for w in resource.seen_by(row, kind) if not (as_it_is and w.name in _PARTLY)]
    return or_(*(way.predicate(row) for way in ways)) if ways else false()


def shown_columns(resource: Resource, row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    """The columns of an answer, in the form in which answers show them."""
    return [
        wire(column).label(column.name) if isinstance(column, Column) else column
        for column in resource.columns(row, kind)
    ]


def _columns(resource: Resource, row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    columns = shown_columns(resource, row, kind)
    if resource.kept is not None and kind is CallerKind.PERSON:
        as_it_is = visible(resource, row, kind, as_it_is=True)
        columns.append(resource.kept(row, as_it_is).label("kept"))
        if any(way.name == WRITTEN for way in resource.ways(row, kind)):
            typed = and_(
                row.c.created_by == parameter("me", Id), row.c.created_by != row.c.owner_id
            )
            # CASE, so that the other ways are asked only about what the caller typed for another.
            columns.append(case((typed, not_(as_it_is)), else_=false()).label("only_written"))
    if resource.owes_receipt is not None:
        columns.append(resource.owes_receipt(row, kind).label("owes_receipt"))
    return columns


@cache
def insert_query(resource: Resource, kind: CallerKind) -> Query:
    """Inserts a row and returns it as its readers see it: its columns must be its own."""
    table = resource.table
    values = {c.name: bindparam(c.name, type_=c.type, required=True) for c in table.columns}
    return Query(insert(table).values(values).returning(*shown_columns(resource, table, kind)))


@cache
def item_query(resource: Resource, kind: CallerKind) -> Query:
    """One row by `id`, if the caller sees it."""
    row = resource.table.alias("this")
    statement = select(*_columns(resource, row, kind)).where(
        row.c.id == parameter("id", Id), visible(resource, row, kind)
    )
    return Query(statement, scoped=True)


@cache
def locked_statement(resource: Resource, kind: CallerKind) -> Select[Any]:
    """The entity by `id`, if the caller sees it, with the relations of the caller, locked."""
    row = resource.table
    relations = [
        condition.label(relation.name)
        for relation, condition in resource.relations(row, kind).items()
    ]
    if resource.over is not None:
        relations.append(resource.over(row).label("over"))
    return (
        select(resource.entity, *relations)
        .where(row.c.id == parameter("id", Id), visible(resource, row, kind, as_it_is=True))
        .with_for_update(of=row)
        .execution_options(scoped=True)
    )


@cache
def standing_query(resource: Resource, kind: CallerKind) -> Query:
    """The relations of the caller to the row `id`, if the caller sees it; reads without locking."""
    row = resource.table.alias("this")
    relations = [
        condition.label(relation.name)
        for relation, condition in resource.relations(row, kind).items()
    ]
    if resource.over is not None:
        relations.append(resource.over(row).label("over"))
    statement = select(*_columns(resource, row, kind), *relations).where(
        row.c.id == parameter("id", Id), visible(resource, row, kind)
    )
    return Query(statement, scoped=True)


@cache
def page_query(
    resource: Resource, kind: CallerKind, filters: frozenset[str], *, continued: bool
) -> Query:
    """One page, newest id first: `limit` rows below `cursor` that pass the filters."""

    told = {QUESTION: (resource.search, Pieces()), SINCE: (resource.changed, Moment())}
    by_way = [(name, *told[name]) for name in sorted(filters & told.keys()) if told[name][0]]
    plain = sorted(filters - {name for name, *_ in by_way})

    def narrowed(way: Way) -> Conditions:
        def conditions(row: Any) -> list[ColumnElement[bool]]:
            found = [
                resource.filters[name](row, parameter(name, resource.filter_types[name]))
                for name in plain
            ]
            for name, condition, type_ in by_way:
                assert condition is not None
                found.append(condition(row, kind, way, parameter(name, type_)))
            return found

        return conditions

    def before(key: Any) -> list[ColumnElement[bool]]:
        return [key < parameter("cursor", Id)] if continued else []

    row = resource.table.alias("this")
    branches = []
    for way in resource.seen_by(row, kind):
        if way.name in _PARTLY and filters - _NEVER_CHANGE:
            continue  # a filter on what has changed since would tell of the change
        newest = way.newest(row, narrowed(way), before)
        if way.through is not None:
            # The newest of each of the caller's agreements or schools, not of all together.
            each = each_id(newest.correlate(way.through))
            newest = select(each.c.value.label("id")).select_from(way.through, each).where(way.mine)
        branches.append(select(newest.subquery(f"by_{way.name}").c.id))
    if not branches:
        branches.append(select(null().label("id")).where(false()))
    ids = union(*branches).subquery("seen") if len(branches) > 1 else branches[0].subquery("seen")
    page = select(ids.c.id).order_by(ids.c.id.desc()).limit(_LIMIT).subquery("page")
    statement = (
        select(*_columns(resource, row, kind))
        .join_from(page, row, row.c.id == page.c.id)
        .order_by(row.c.id.desc())
    )
    return Query(statement, scoped=True)
