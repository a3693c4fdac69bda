"""From the cells of a row to the values of an organisation, under the limits of the API."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple
from unicodedata import is_normalized, normalize

from pydantic import Field, TypeAdapter, ValidationError

from app.core.text import Line
from app.jobs.imports.mapping import KindColumn, Mapping
from app.jobs.imports.problems import Problem
from app.jobs.imports.table import BLANK, Table
from app.models.organisations import OrganisationKind

LONGEST = {"external_id": 100, "phone": 40, "postcode": 20}
"""Characters, where a text may not have 300: as in app/api/organisations.py (a test compares)."""
LINE = 300
ADDRESS_LINES = 10

_LINE_BREAK = re.compile(r"\r\n?|\n")

Check = Callable[[str], Any]
"""Gives a cell's value; ValueError says what is wrong and what to do."""


class Cell(NamedTuple):
    """One column, and what its cells must be."""

    column: str
    check: Check
    plain: int = 0
    """Plain text of at most so many characters needs no check."""
    required: bool = False


class Row(NamedTuple):
    """A row; `fine` unless one of its cells has a problem (an empty text stands for it here)."""

    line: int
    fine: bool
    external_id: str | None
    parent: str | None
    """The external identifier of the organisation above."""
    parent_name: str | None
    values: list[Any]
    """Of `Reader.fields`, in their order."""


class Reader:
    """Reads rows as the mapping says; what is wrong with cells joins `problems`."""

    def __init__(self, mapping: Mapping, problems: list[Problem]) -> None:
        self._mapping, self._problems = mapping, problems
        self._none = frozenset(("", *(value.strip(BLANK) for value in mapping.none)))
        self._check_line = line_of(LINE)
        self._ahead = [_text("external_id", mapping.external_id, required=True)]
        if mapping.parent is not None:
            self._ahead.append(_text("external_id", mapping.parent.external_id))
            if mapping.parent.name is not None:
                self._ahead.append(_text("name", mapping.parent.name))
        self._cells = {"name": _text("name", mapping.name, required=True)}
        for field in ("name_cy", "sector", "postcode", "phone"):
            if column := getattr(mapping, field):
                self._cells[field] = _text(field, column)
        for field in ("opened_on", "closed_on"):
            if column := getattr(mapping, field):
                self._cells[field] = Cell(column, day_of(mapping.date_format))
        self._constant: dict[str, str] = {}
        if isinstance(mapping.kind, KindColumn):
            check = kind_of(mapping.kind.values or {kind.value: kind for kind in OrganisationKind})
            self._cells["kind"] = Cell(mapping.kind.column, check, required=True)
        else:
            self._constant["kind"] = mapping.kind.value

    @property
    def fields(self) -> tuple[str, ...]:
        """What the mapping speaks of, but for the parent."""
        address = ("address",) if self._mapping.address else ()
        return (*self._cells, *self._constant, *address)

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the fields that come from one each."""
        named = {"external_id": self._mapping.external_id}
        return named | {field: cell.column for field, cell in self._cells.items()}

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of `table`."""
        problems, none, constant = self._problems, self._none, self._constant.values()
        single: list[tuple[int, Cell]] = []
        address: list[tuple[int, str]] = []
        ahead = len(self._ahead)
        for line, cells in table.rows(self._mapping.columns()):
            if not single:
                place_of = table.columns.index
                single = [(place_of(c.column), c) for c in (*self._ahead, *self._cells.values())]
                address = [(place_of(column), column) for column in self._mapping.address or ()]
            before, plain = len(problems), is_plain("".join(cells))
            values: list[Any] = []
            for place, (column, check, longest, required) in single:
                cell = cells[place].strip(BLANK)
                if cell in none:
                    values.append(None)
                    if required:
                        problems.append(Problem(line, column, "is needed: fill the cell"))
                elif plain and len(cell) <= longest:
                    values.append(cell)
                else:
                    values.append(self._checked(line, column, cell, check))
            own = [*values[ahead:], *constant]
            if address:
                own.append(self._address(line, plain, [(c, cells[place]) for place, c in address]))
            external_id, parent, parent_name, *_ = (*values[:ahead], None, None)
            fine = len(problems) == before
            yield Row(line, fine, external_id, parent, parent_name, own)

    def _checked(self, line: int, column: str, cell: str, check: Check) -> Any:
        try:
            return check(cell)
        except ValueError as error:
            self._problems.append(Problem(line, column, str(error)))
            return ""

    def _address(self, line: int, plain: bool, cells: list[tuple[str, str]]) -> list[str]:
        """The lines of an address; a cell with line breaks holds several."""
        found: list[str] = []
        for column, cell in cells:
            for part in (cell,) if plain else _LINE_BREAK.split(cell):
                text = part.strip(BLANK)
                if text not in self._none:
                    if not plain or len(text) > LINE:
                        text = self._checked(line, column, text, self._check_line)
                    found.append(text)
        if len(found) > ADDRESS_LINES:
            text = f"the address has {len(found)} lines, {ADDRESS_LINES} fit: join some"
            self._problems.append(Problem(line, cells[0][0], text))
        return found


def is_plain(text: str) -> bool:
    """Whether every part of `text` is NFC without controls, line breaks or surrogates."""
    return text.isprintable() and (text.isascii() or is_normalized("NFC", text))


def _text(field: str, column: str, *, required: bool = False) -> Cell:
    longest = LONGEST.get(field, LINE)
    return Cell(column, line_of(longest), longest, required)


def line_of(longest: int) -> Check:
    """Checks one line of at most so many characters, with the type that the API has for it."""
    validated = TypeAdapter(Annotated[Line, Field(max_length=longest)]).validate_python

    def line(cell: str) -> str:
        try:
            return validated(cell)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] in ("string_too_long", "too_long"):
                length = len(normalize("NFC", cell))
                raise ValueError(f"has {length} characters, {longest} fit: shorten it") from None
            words = first["msg"].removeprefix("Value error, ")
            raise ValueError(f"{words}: correct the cell") from None

    return line


def day_of(form: str) -> Check:
    """Reads a date in the format of `strptime`."""
    known: dict[str, date] = {}

    def day(cell: str) -> date:
        if cell not in known:
            try:
                known[cell] = datetime.strptime(cell, form).date()
            except ValueError:
                sample = date(2026, 1, 31).strftime(form)
                raise ValueError(f"{cell!r} is not a date: write it as in {sample}") from None
        return known[cell]

    return day


def kind_of(known: Dictionary[str, OrganisationKind]) -> Check:
    """Finds the kind that a cell stands for."""

    def kind(cell: str) -> str:
        found = known.get(normalize("NFC", cell))
        if found is None:
            raise ValueError(f"{cell!r} is none of {', '.join(known)}: correct it, or map it")
        return found.value

    return kind
