"""What the columns of a file mean: a small TOML, flags of the command line, or both."""

import tomllib
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from unicodedata import normalize

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from app.core.text import Code
from app.core.wire import Shape
from app.models.organisations import OrganisationKind

Normal = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(partial(normalize, "NFC"))
]
ColumnName = Annotated[Normal, Field(min_length=1)]


class KindColumn(Shape):
    """A column that says what each row is; without `values` its cells are our own words."""

    column: ColumnName
    values: dict[Normal, OrganisationKind] = {}


class Parent(Shape):
    """Where the organisation above stands in the row.

    With `kind` and `name` it is created and kept up to date from the row; without them an
    organisation with that identifier must exist.
    """

    source: Code
    external_id: ColumnName
    kind: OrganisationKind | None = None
    name: ColumnName | None = None

    @model_validator(mode="after")
    def _made_or_found(self) -> "Parent":
        if (self.kind is None) != (self.name is None):
            raise ValueError("needs both kind and name, or neither (then it must exist already)")
        return self


_CONSTANT, _BY_COLUMN = "one kind", "kind by column"

Kind = Annotated[
    Annotated[OrganisationKind, Tag(_CONSTANT)] | Annotated[KindColumn, Tag(_BY_COLUMN)],
    Discriminator(lambda value: _BY_COLUMN if isinstance(value, dict) else _CONSTANT),
]


class Mapping(Shape):
    """How a row becomes an organisation. What is left out, an import leaves alone."""

    delimiter: Literal[",", ";", "\t", "|"] = ","
    none: list[Normal] = []
    """Cells that mean the same as an empty one."""
    date_format: str = "%Y-%m-%d"
    kind: Kind
    source: Code
    external_id: ColumnName
    name: ColumnName
    name_cy: ColumnName | None = None
    sector: ColumnName | None = None
    address: Annotated[list[ColumnName], Field(min_length=1, max_length=10)] | None = None
    postcode: ColumnName | None = None
    phone: ColumnName | None = None
    opened_on: ColumnName | None = None
    closed_on: ColumnName | None = None
    parent: Parent | None = None

    @model_validator(mode="after")
    def _format(self) -> "Mapping":
        sample = date(1987, 11, 23)
        try:
            kept = datetime.strptime(sample.strftime(self.date_format), self.date_format).date()
        except ValueError:
            kept = None
        if kept != sample:
            raise ValueError("date_format must hold a whole date, as in %d/%m/%Y")
        return self

    def columns(self) -> list[str]:
        """Every column that the mapping names, once."""
        kind = self.kind.column if isinstance(self.kind, KindColumn) else None
        parent = (self.parent.external_id, self.parent.name) if self.parent else ()
        single = (
            self.external_id, self.name, self.name_cy, kind, self.sector, self.postcode,
            self.phone, self.opened_on, self.closed_on, *parent,
        )  # fmt: skip
        named = [*(name for name in single if name is not None), *(self.address or ())]
        return list(dict.fromkeys(named))


class WrongMapping(ValueError):
    """The mapping cannot be used; the text says what to change."""


def shipped() -> list[str]:
    """Names of the mappings that come with Tandem."""
    folder = files("app").joinpath("data", "mappings")
    names = (file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return sorted(name.removesuffix(".toml") for name in names)


def read_mapping(
    named: str | None,
    *,
    columns: Sequence[str] = (),
    kind_values: Sequence[str] = (),
    **flags: Any,
) -> Mapping:
    """The mapping `named` (one that ships, or a TOML file), where the flags take precedence.

    `columns` are FIELD=COLUMN pairs, `kind_values` CELL=KIND pairs; `flags` are fields of `Mapping`,
    with `parent_kind` and `parent_source` for those of its parent; None and empty ones say nothing.
    WrongMapping tells what does not fit.
    """
    found = _load(named) if named else {}
    given = {name: value for name, value in flags.items() if value}
    parent = {n.removeprefix("parent_"): given.pop(n) for n in list(given) if n[:7] == "parent_"}
    address = []
    for pair in columns:
        field, separator, column = pair.partition("=")
        if not separator or not column:
            raise WrongMapping(f"--column {pair!r} must be FIELD=COLUMN, as in name='School Name'")
        if field == "address":
            address.append(column)
        elif field.startswith("parent."):
            parent[field.removeprefix("parent.")] = column
        else:
            given[field] = {"column": column} if field == "kind" else column
    if address:
        given["address"] = address
    if kind_values:
        kind = given.get("kind", found.get("kind"))
        if not isinstance(kind, dict):
            raise WrongMapping("--kind-value needs the column of the kind: --column kind=COLUMN")
        given["kind"] = {**kind, "values": {**(kind.get("values") or {}), **_pairs(kind_values)}}
    if parent:
        above = found.get("parent")
        given["parent"] = {**(above if isinstance(above, dict) else {}), **parent}
    try:
        return Mapping.model_validate({**found, **given})
    except ValidationError as error:
        raise WrongMapping(_explained(error)) from error


def _load(named: str) -> dict[str, Any]:
    path = Path(named)
    if path.is_file():
        source: Any = path
    elif named in shipped():
        source = files("app").joinpath("data", "mappings", f"{named}.toml")
    else:
        raise WrongMapping(f"there is no file {named!r}; with Tandem come: {', '.join(shipped())}")
    try:
        return tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongMapping(f"{named} is not TOML: {error}") from error
    except OSError as error:
        raise WrongMapping(f"{named} cannot be read: {error.strerror}") from error


def _pairs(texts: Sequence[str]) -> Dictionary[str, str]:
    pairs = {}
    for text in texts:
        cell, separator, kind = text.rpartition("=")
        if not separator:
            raise WrongMapping(f"--kind-value {text!r} must be CELL=KIND, as in 'Primary=school'")
        pairs[cell] = kind
    return pairs


_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not a field of a mapping",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
}


def _explained(error: ValidationError) -> str:
    found: dict[str, str] = {}
    for item in error.errors():
        place = ".".join(str(p) for p in item["loc"] if p not in (_CONSTANT, _BY_COLUMN))
        words = _WORDS.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")
        found.setdefault(place or "the mapping", words[:1].lower() + words[1:])
    return "; ".join(f"{place} {words}" for place, words in found.items())
