"""Search by words: what is kept of a text, what is asked, and how the two are compared.

A text is kept as its words, folded in Python, between single spaces; a question is a list of pieces
that must all stand in it. Both databases compare plain text with plain text, so both find the same.
See docs/decisions/search.md.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Boolean, Dialect, Text, TypeDecorator, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeEngine

from app.core.text import Line, fold

_WORD = re.compile(r"[^\W_]+")
_NOWHERE = "\n"
"""What stands in no text that is kept."""


def words(value: str) -> list[str]:
    """The words of `value`: runs of letters and digits, without accents and case."""
    # Some signs become capital letters only when they are taken apart.
    return _WORD.findall(fold(value).casefold())


def searchable(texts: Iterable[str | None]) -> str:
    """What is kept of texts for `has_words`: each word once, between single spaces; or nothing."""
    found = dict.fromkeys(words(" ".join([text for text in texts if text])))
    return f" {' '.join(found)} " if found else ""


def pieces(question: str) -> list[str]:
    """What must stand in a text that answers `question`: every word, the last also as a beginning."""
    asked = words(question)
    if not asked:
        return [_NOWHERE]
    return [*(f" {word} " for word in asked[:-1]), f" {asked[-1]}"]


Question = Annotated[
    Line,
    Field(
        description="All of these words, the last one also as the beginning of a word; accents and "
        "case do not matter. What has neither letter nor digit finds nothing."
    ),
]
"""What people search for."""


class Pieces(TypeDecorator[str]):
    """The pieces of a question: patterns on PostgreSQL, a JSON list on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the driver is given."""
        patterns = postgresql.ARRAY(Text())
        return dialect.type_descriptor(patterns if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Makes the pieces of a question."""
        return _patterns if dialect.name == "postgresql" else _json


def _patterns(question: str) -> list[str]:
    # Letters and digits alone: there is nothing in them that LIKE would take for a sign.
    return [f"%{piece}%" for piece in pieces(question)]


def _json(question: str) -> str:
    return json.dumps(pieces(question), ensure_ascii=False)


class has_words(FunctionElement[bool]):
    """Whether a text (as `searchable` made it, never NULL) has all pieces of a question."""

    type = Boolean()
    inherit_cache = True


@compiles(has_words, "sqlite")
def _sqlite_has(element: Any, compiler: Any, **kw: Any) -> str:
    text, asked = (compiler.process(clause, **kw) for clause in element.clauses)
    # Both are SQL that the compiler made, with their parameters bound.
    missing = f"SELECT 1 FROM json_each({asked}) AS piece WHERE instr({text}, piece.value) = 0"  # noqa: S608
    return f"NOT EXISTS ({missing})"


@compiles(has_words, "postgresql")
def _postgresql_has(element: Any, compiler: Any, **kw: Any) -> str:
    text, asked = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text}) LIKE ALL ({asked})"


class all_words(FunctionElement[str]):
    """The kept texts of a group as one, none for none."""

    type = Text()
    inherit_cache = True


@compiles(all_words, "sqlite")
def _sqlite_all(element: Any, compiler: Any, **kw: Any) -> str:
    return f"coalesce(group_concat({compiler.process(element.clauses, **kw)}, ''), '')"


@compiles(all_words, "postgresql")
def _postgresql_all(element: Any, compiler: Any, **kw: Any) -> str:
    return f"coalesce(string_agg({compiler.process(element.clauses, **kw)}, ''), '')"


class Searched:
    """A row that is found by its words; they are kept beside what it says, in the same write."""

    folded: Mapped[str] = mapped_column(Text, server_default="")

    def says(self) -> Iterable[str | None]:
        """The texts by whose words it is found."""
        # Each model says its own. The class cannot be an ABC: a model's metaclass is SQLAlchemy's.
        raise NotImplementedError

    def fold(self) -> None:
        """Keeps the words of what it says now."""
        self.folded = searchable(self.says())


def values_of(entity: Any, keys: Iterable[str]) -> dict[str, Any]:
    """The values of a new entity's columns, with the words by which it is found."""
    state: dict[str, Any] = entity.__dict__
    if isinstance(entity, Searched):
        state["folded"] = searchable(entity.says())
    return {key: state.get(key) for key in keys}


@event.listens_for(Searched, "before_insert", propagate=True)
@event.listens_for(Searched, "before_update", propagate=True)
def _fold(mapper: Any, connection: Any, row: Searched) -> None:
    row.fold()
