"""Statements built at import, compiled once for each database and run on its driver.

SQLAlchemy's own execution costs several times what the statement does; see
docs/decisions/databases.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Dialect, Executable, Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler


class Parameter(NamedTuple):
    """One value that a statement takes: the caller's, by name, or a constant of the statement."""

    name: str
    process: Callable[[Any], Any] | None
    constant: bool
    value: Any


class Plan(NamedTuple):
    """A statement compiled for one database."""

    sql: str
    parameters: tuple[Parameter, ...]


class UnscopedError(AssertionError):
    """A statement reads an owned table without coming through `access`."""


def owned_tables(statement: Any) -> set[str]:
    """Names of the owned tables (`info={"access": "owned…"}`) that `statement` reads."""
    return {
        element.name
        for element in visitors.iterate(statement)
        if isinstance(element, Table) and str(element.info.get("access", "")).startswith("owned")
    }


class Query:
    """A statement built at import and compiled once for each database.

    `columns` names the selected columns in order. A select on an owned table must come through
    `access` (`scoped=True`) or say why it need not (`unscoped="…"`).
    """

    def __init__(self, statement: Executable, *, scoped: bool = False, unscoped: str = "") -> None:
        reads = statement.is_select and not scoped and not unscoped
        if reads and (tables := owned_tables(statement)):
            raise UnscopedError(f"this statement reads {sorted(tables)} around app.access")
        self.statement = statement
        # Of a select, or what an insert returns.
        exported: Any = getattr(statement, "exported_columns", None)
        self.columns: tuple[str, ...] = () if exported is None else tuple(exported.keys())
        self._plans: dict[str, Plan] = {}

    def plan(self, dialect: Dialect) -> Plan:
        """SQL text and parameters for `dialect`."""
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = self._compile(dialect)
        return plan

    def _compile(self, dialect: Dialect) -> Plan:
        compiled = self.statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        parameters = []
        for name in compiled.positiontup or ():
            bind: BindParameter[Any] = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            value = bind.effective_value
            if not bind.required and process is not None:
                value = process(value)
            parameters.append(Parameter(bind.key, process, not bind.required, value))
        return Plan(str(compiled), tuple(parameters))

    def dicts(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """`rows` by column name."""
        columns = self.columns
        return [dict(zip(columns, row, strict=True)) for row in rows]


def arguments(plan: Plan, values: Mapping[str, Any]) -> list[Any]:
    """The values of a plan in the order in which the driver takes them."""
    return [
        p.value
        if p.constant
        else (values[p.name] if p.process is None else p.process(values[p.name]))
        for p in plan.parameters
    ]
