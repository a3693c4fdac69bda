"""SQL that the two databases spell differently."""

from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Date,
    FromClause,
    Join,
    Select,
    exists,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from app.core.tables import Id, Moment


class json_object(FunctionElement[Any]):
    """A JSON object of alternating names and values."""

    type = JSON()
    inherit_cache = True


@compiles(json_object, "sqlite")
def _sqlite_object(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **kw)})"


@compiles(json_object, "postgresql")
def _postgresql_object(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_build_object({compiler.process(element.clauses, **kw)})"


class json_array_of(FunctionElement[Any]):
    """All values of a group as one JSON array, as text; `[]` for none."""

    type = JSON()
    inherit_cache = True


@compiles(json_array_of, "sqlite")
def _sqlite_array(element: Any, compiler: Any, **kw: Any) -> str:
    (column,) = element.clauses
    value = compiler.process(column, **kw)
    # A subquery's column is text to SQLite even when it holds JSON.
    return f"json_group_array({f'json({value})' if isinstance(column.type, JSON) else value})"


@compiles(json_array_of, "postgresql")
def _postgresql_array(element: Any, compiler: Any, **kw: Any) -> str:
    return f"coalesce(json_agg({compiler.process(element.clauses, **kw)}), '[]'::json)"


def json_list(rows: Select[Any]) -> ColumnElement[Any]:
    """The rows of a one-column select as a JSON array, in the select's order."""
    inner = rows.subquery()
    (column,) = inner.columns
    return select(json_array_of(column)).scalar_subquery()


def there_is(source: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """EXISTS over `source` alone; whatever else the conditions name belongs to the query around it.

    A bare `exists(select(…))` inside another one is tied only to its nearest neighbour: a table
    that is named two levels up would quietly be joined afresh, and the condition would hold for
    everybody.
    """
    found = select(literal(1)).select_from(source).where(*conditions)
    return exists(found.correlate_except(*_joined(source)))


def _joined(source: FromClause) -> list[FromClause]:
    if isinstance(source, Join):
        return [*_joined(source.left), *_joined(source.right)]
    return [source]


class wire(FunctionElement[Any]):
    """A column as answers show it: ids, dates and moments as text, on both databases alike.

    Text passes through the drivers and into JSON at once; objects are made, and looked at again,
    fifty rows a page. SQLite keeps them as text already.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(wire, "sqlite")
def _sqlite_wire(element: Any, compiler: Any, **kw: Any) -> str:
    (column,) = element.clauses
    return str(compiler.process(column, **kw))


@compiles(wire, "postgresql")
def _postgresql_wire(element: Any, compiler: Any, **kw: Any) -> str:
    (column,) = element.clauses
    value = compiler.process(column, **kw)
    if isinstance(column.type, Moment):
        return f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"{value}::text" if isinstance(column.type, (Id, Date)) else str(value)


class _each_id(FunctionElement[Any]):
    type = Id()
    inherit_cache = True


@compiles(_each_id, "sqlite")
def _sqlite_each(element: Any, compiler: Any, **kw: Any) -> str:
    (ids,) = element.clauses
    rows = compiler.process(ids, **kw)
    # `rows` is SQL that the compiler made, with its parameters bound.
    return f"json_each((SELECT json_group_array(each_of.id) FROM {rows} AS each_of))"  # noqa: S608


@compiles(_each_id, "postgresql")
def _postgresql_each(element: Any, compiler: Any, **kw: Any) -> str:
    (ids,) = element.clauses
    return f"unnest(ARRAY{compiler.process(ids, **kw)})"


def each_id(ids: Select[Any]) -> FromClause:
    """The ids that a correlated select gives for each row of the table before it, as a table.

    LATERAL by means that SQLite has too. The column is `value`.
    """
    # One name for table and column: PostgreSQL names the column of a function after its table.
    return _each_id(ids.scalar_subquery()).table_valued(Column("value", Id), name="value")
