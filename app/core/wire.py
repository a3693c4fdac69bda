"""Types of answers. Values come from our own database as the drivers give them (text on SQLite,
objects on PostgreSQL) and need no second validation: both serialise to the same JSON."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

from fastapi import Query
from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from pydantic_core import core_schema

from app.core.schema import Says as Says
from app.core.text import Code, Line

WireId = Annotated[Any, WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID."""
WireIdOrNull = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]})
]
"""A UUID or null."""
WireMoment = Annotated[Any, WithJsonSchema({"type": "string", "format": "date-time"})]
"""An RFC 3339 moment in UTC."""
WireMomentOrNull = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]})
]
"""A moment or null."""
WireDay = Annotated[Any, WithJsonSchema({"type": "string", "format": "date"})]
"""A date."""
WireDayOrNull = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]})
]
"""A date or null."""


Name = Annotated[str, Says(maxLength=300)]
"""One line, as `Line` takes it."""
Text = Annotated[str, Says(maxLength=10_000)]
"""Free text, as `Prose` takes it."""
Word = Annotated[str, Says(maxLength=100)]
"""A word of the service's own, or of a framework: an action, a kind, a rule, a code."""
Digest = Annotated[str, Says(maxLength=64, pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hexadecimal."""
Number = Annotated[int, Says(minimum=1, maximum=2**31 - 1)]
"""A version, or a number that counts up from 1."""
Count = Annotated[int, Says(minimum=0, maximum=2**53 - 1)]
"""How many, or how large: exact in every JSON reader."""


def at_most(items: int) -> Says:
    """The bound of a list."""
    return Says(maxItems=items)


class _Shown:
    """The document's schema of `kind`, by reference, for a value that is not validated as one."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """A reference; handed over bare it would stand there inline, and be a type of its own in
        every client that is generated."""
        shown: dict[str, Any] = handler(
            core_schema.chain_schema([TypeAdapter(self.kind).core_schema])
        )
        return shown


def member_of(kind: type[StrEnum], *, or_null: bool = False) -> Any:
    """Marks a value that is a member of `kind` and came from our own database, as text."""
    return _Shown(kind | None if or_null else kind)


def like(model: type[BaseModel]) -> Any:
    """Marks JSON of our own database that has the form of `model`."""
    return _Shown(model)


def _written_as_day(value: object) -> object:
    # Left to itself pydantic takes numbers for seconds since 1970, and a midnight for its day.
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    if type(value) is date:
        return value
    raise ValueError("must be a date like 2026-09-01")


_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

Day = Annotated[date, BeforeValidator(_written_as_day)]
"""A date that a caller sends: RFC 3339, full-date."""


def _written_as_moment(value: object) -> object:
    # Left to itself pydantic takes numbers, days, and moments of nobody knows which zone.
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError(
            "must be a moment with its zone, like 2026-09-01T09:00:00Z (in an address the + of a "
            "zone is written %2B)"
        )
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 of UTC") from None


_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

SentMoment = Annotated[datetime, BeforeValidator(_written_as_moment), AfterValidator(_in_utc)]
"""A moment that a caller sends: RFC 3339, date-time, in UTC; beyond microseconds it is cut."""


def _whole(value: object) -> object:
    # JSON has one kind of number, and some programs write all of theirs with a point.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Marks a strict whole number that a caller sends: 45 may be written 45.0; no text, and no true."""


class Shape(BaseModel):
    """Base of what callers send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ExternalIdentifier(Shape):
    """What another system calls the same thing."""

    source: Code
    external_id: Annotated[Line, StringConstraints(max_length=100)]


class Named(BaseModel):
    """A person, client or organisation by name."""

    id: WireId
    name: Name


class Resource(BaseModel):
    """What every single record shows."""

    id: WireId
    version: Number
    created_at: WireMoment
    updated_at: WireMoment


Parameters = Query()
"""Marks a model whose fields are the parameters of a request; unknown ones are refused."""


def changes_of(model: type[BaseModel], name: str) -> type[BaseModel]:
    """The shape of a JSON Merge Patch for `model`: every field may be left out, null clears it.

    Fields that are models become patches themselves, as RFC 7396 wants it.
    """
    fields: dict[str, Any] = {}
    for field_name, field in model.model_fields.items():
        inner = field.annotation
        nested = next(
            (
                t
                for t in (inner, *get_args(inner))
                if isinstance(t, type) and issubclass(t, BaseModel)
            ),
            None,
        )
        if nested is not None and get_origin(inner) is not list:
            inner = changes_of(nested, f"{nested.__name__}Change")
        annotated = Annotated[inner, *field.metadata] if field.metadata else inner
        fields[field_name] = (annotated | None | MISSING, MISSING)  # type: ignore[operator]
    return create_model(
        name, __base__=Shape, __doc__=f"What to change of it ({model.__name__}).", **fields
    )


def merged(target: Any, patch: Any) -> Any:
    """`target` after the merge patch `patch` (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
