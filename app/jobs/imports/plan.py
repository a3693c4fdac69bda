"""What an import would do to the organisations that are there: decided before anything is written."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from app.actions.organisations import (
    FIELDS,
    Found,
    Identifier,
    Wanted,
    circles,
    folded,
    moves_of,
    organisations_of,
)
from app.core.db import Unit
from app.core.ids import uuid7
from app.jobs.imports.cells import Reader, Row
from app.jobs.imports.mapping import Mapping, Parent
from app.jobs.imports.problems import Problem

_PLACE = {name: place for place, name in enumerate(FIELDS)}
_BARE: list[Any] = [[] if name == "address" else None for name in FIELDS]


def check_within(mapping: Mapping, rows: Sequence[Row]) -> list[Problem]:
    """What is wrong with rows beside each other, whatever the database holds."""
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    for row in rows:
        if row.external_id:
            first = lines.setdefault(row.external_id, row.line)
            if first != row.line:
                text = f"{row.external_id!r} is on line {first} too: keep one of the two rows"
                problems.append(Problem(row.line, mapping.external_id, text))
    if mapping.parent is not None and mapping.parent.name is not None:
        shared = lines if mapping.parent.source == mapping.source else {}
        problems += _check_parents(mapping.parent, mapping.parent.name, rows, shared)
    return problems


def _check_parents(
    above: Parent, column: str, rows: Sequence[Row], lines: dict[str, int]
) -> list[Problem]:
    problems: list[Problem] = []
    names: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.parent and row.parent_name:
            names.setdefault(row.parent, {}).setdefault(row.parent_name, row.line)
        elif row.parent and row.parent_name is None:
            text = f"is needed beside a {above.external_id}: fill the cell"
            problems.append(Problem(row.line, column, text))
        elif row.parent is None and row.parent_name:
            text = f"is needed beside a {column}: fill the cell"
            problems.append(Problem(row.line, above.external_id, text))
    for code, found in names.items():
        (name, first), *others = found.items()
        for other, line in others:
            text = f"{code!r} is {other!r} here and {name!r} on line {first}: give it one name"
            problems.append(Problem(line, column, text))
        if code in lines:
            text = f"{code!r} is also that of the row on line {lines[code]}: correct one of them"
            problems.append(Problem(first, above.external_id, text))
    return problems


class _Subject(NamedTuple):
    """What the mapping says of one sort of organisation: those of the rows, or those above."""

    source: str
    columns: dict[str, str]
    """The column of a field, for problems."""
    places: list[int]
    """Of the fields that it speaks of, among `FIELDS`."""
    known: dict[str, Found]


class Plan:
    """What is to be created and changed, what stays, and what stands in the way."""

    def __init__(self, mapping: Mapping, reader: Reader) -> None:
        self.created: list[Wanted] = []
        self.changed: list[Wanted] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        """By kind and outcome."""
        self.problems: list[Problem] = []
        self._mapping, self._reader = mapping, reader
        self._lines: dict[UUID, int] = {}
        """Where each organisation that is there already was first named."""

    async def make(self, unit: Unit, rows: Sequence[Row]) -> None:
        """Compares `rows` with what is there; rows with a problem of their own are passed over."""
        mapping, above = self._mapping, self._mapping.parent
        known = await organisations_of(unit, mapping.source)
        fields, parents = self._reader.fields, dict[str, UUID]()
        if above is not None:
            fields = (*fields, "parent_id")
            same = above.source == mapping.source
            parents = self._parents(
                above, known if same else await organisations_of(unit, above.source), rows
            )
        subject = _Subject(
            mapping.source, self._reader.columns, [_PLACE[field] for field in fields], known
        )
        seen: set[str] = set()
        for row in rows:
            if not row.fine or row.external_id is None or row.external_id in seen:
                continue
            seen.add(row.external_id)
            values = row.values
            if above is not None:
                if row.parent is not None and row.parent not in parents:
                    continue
                values = [*values, row.parent and parents[row.parent]]
            self._settle(subject, row.line, row.external_id, values)
        if above is not None:
            for organisation_id in await circles(unit, moves_of(self.changed)):
                text = "this would put the organisation below itself: name another one above it"
                self.problems.append(Problem(self._lines[organisation_id], above.external_id, text))

    def _parents(
        self, above: Parent, known: dict[str, Found], rows: Sequence[Row]
    ) -> dict[str, UUID]:
        """Ids of the organisations above, by code; with a name in the mapping also of new ones."""
        parents: dict[str, UUID] = {}
        if above.kind is None or above.name is None:
            for row in rows:
                if row.parent and row.parent not in known:
                    text = f"no organisation is {row.parent!r} of {above.source}: import it first"
                    self.problems.append(Problem(row.line, above.external_id, text))
            return {code: found.id for code, found in known.items()}
        columns = {"external_id": above.external_id, "name": above.name}
        subject = _Subject(above.source, columns, [_PLACE["kind"], _PLACE["name"]], known)
        for row in rows:
            if row.parent and row.parent_name and row.parent not in parents:
                values = (above.kind.value, row.parent_name)
                parents[row.parent] = self._settle(subject, row.line, row.parent, values)
        return parents

    def _settle(
        self, subject: _Subject, line: int, external_id: str, values: Sequence[Any]
    ) -> UUID:
        """Puts one organisation among those to be created, changed or left; its id."""
        found = subject.known.get(external_id)
        new = list(_BARE if found is None else found.values)
        changed = []
        for place, value in zip(subject.places, values, strict=True):
            if found is None:
                new[place] = value
            elif new[place] != value:
                new[place] = value
                changed.append(FIELDS[place])
        kind, name, name_cy = new[:3]
        if found is not None:
            first = self._lines.setdefault(found.id, line)
            if first != line:
                text = f"names the same organisation as line {first}: keep one of the two rows"
                self.problems.append(Problem(line, subject.columns["external_id"], text))
            if not changed:
                self.counts[kind, "unchanged"] += 1
                return found.id
        wanted = Wanted(
            uuid7() if found is None else found.id,
            1 if found is None else found.version + 1,
            new,
            folded(name, name_cy),
            changed,
            Identifier(subject.source, external_id),
        )
        self._check_days(subject.columns, line, new)
        (self.changed if found else self.created).append(wanted)
        self.counts[kind, "changed" if found else "created"] += 1
        return wanted.id

    def _check_days(self, columns: dict[str, str], line: int, values: Sequence[Any]) -> None:
        """Both days together, also where the file speaks of one of them only."""
        opened, closed = values[_PLACE["opened_on"]], values[_PLACE["closed_on"]]
        if opened and closed and closed < opened:
            column = columns.get("closed_on") or columns.get("opened_on")
            text = f"it would close on {closed}, before it opened on {opened}: correct the dates"
            self.problems.append(Problem(line, column, text))
