"""What every table has in common: metadata, column types, the base of the entities."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Index, MetaData, String, TypeDecorator, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from app.core.clock import now

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Id(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, its 36 characters on SQLite (as the wire shows it)."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = postgresql.UUID(as_uuid=True)
        return dialect.type_descriptor(native if dialect.name == "postgresql" else String(36))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # Straight, without TypeDecorator's layers: every statement binds several ids.
        return None if dialect.name == "postgresql" else _text_or_none

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return UUID(value) if isinstance(value, str) else value


def _text_or_none(value: UUID | str | None) -> str | None:
    return None if value is None else str(value)


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, RFC 3339 text on SQLite."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = postgresql.TIMESTAMP(timezone=True)
        return dialect.type_descriptor(native if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        if dialect.name == "postgresql":
            return value
        # Not strftime: before the year 1000 its year has fewer than four digits.
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class Base(DeclarativeBase):
    """Base of the entities.

    A new entity is a bag of column values for one INSERT (`Unit.insert`): it is filled at once, not
    attribute by attribute under SQLAlchemy's watch, which costs as much as a statement.
    """

    metadata = metadata

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - self.__mapper__.column_attrs.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no column {', '.join(sorted(unknown))}")
        self.__dict__.update(_defaults(type(self)))
        self.__dict__.update(values)


@cache
def _defaults(kind: type[Base]) -> dict[str, Any]:
    """The plain default values of a kind's columns."""
    return {
        column.key: column.default.arg
        for column in kind.__mapper__.columns
        if isinstance(column.default, ScalarElementColumnDefault)
    }


class Versioned:
    """`id`, `version` (1, then +1 a write), `created_at`, `updated_at` of a resource."""

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    def touch(self) -> None:
        """Marks the row as written: its version rises when the transaction is flushed."""
        self.updated_at = now()


def one_of(column: str, values: type[Any]) -> str:
    """Text of a CHECK that holds `column` to the members of a string enumeration."""
    return f"{column} IN ({', '.join(repr(str(member.value)) for member in values)})"


def ticked_index(name: str, tick: str, *columns: str, unless: str | None = None) -> Index:
    """A partial index on the rows where the boolean column `tick` is true (and `unless` false)."""
    but_sqlite, but_postgresql = (
        (f" AND {unless} = 0", f" AND NOT {unless}") if unless else ("", "")
    )
    return Index(
        name,
        *columns,
        sqlite_where=text(f"{tick} = 1{but_sqlite}"),
        postgresql_where=text(f"{tick}{but_postgresql}"),
    )
