"""Search by words: each row keeps the words of what it says.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

from app.core.search import searchable
from app.core.text import fold

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = (
    "goals",
    "evidence_items",
    "evidence_files",
    "kept_records",
    "learning_agreement_versions",
)

_GOAL = ("statement", "baseline", "pupil_gain", "personal_priority")
_GOAL_LISTS = ("success_indicators", "development_plan_priorities")
_EVIDENCE = (
    "title", "description", "context", "whose_practice", "what_it_shows", "other_explanations",
)  # fmt: skip
_AGREEMENT = (
    "purpose", "beneficiaries", "working_definition", "performance_management_boundary",
    "professional_standards", "development_plan", "data_controller", "lawful_basis", "retention",
    "records_afterwards", "coaching_model_reason", "adverse_effects",
)  # fmt: skip

Texts = Iterable[str | None]
_AT_ONCE = 1000


class _Filled(NamedTuple):
    table: str
    keys: tuple[str, ...]
    texts: tuple[str, ...]
    """Columns whose texts are taken, those in `json` as what they hold."""
    json: tuple[str, ...] = ()
    says: Callable[[Any], Texts] | None = None
    """The texts of the last of `json`, when it is not a list of texts."""


def _agreement(content: Any) -> Texts:
    yield from (content.get(name) for name in _AGREEMENT)
    yield from content.get("ground_rules") or ()
    yield from (dual["safeguards"] for dual in content.get("dual_roles") or ())
    for supporter in content.get("supporters") or ():
        yield from (supporter["name"], supporter["support"])


def _kept(shown: Any) -> Texts:
    yield from (shown.get(name) for name in (*_GOAL, *_EVIDENCE))
    for name in _GOAL_LISTS:
        yield from shown.get(name) or ()


_FILLED = (
    _Filled("people", ("id",), ("name",)),
    _Filled("networks", ("id",), ("name", "name_cy", "remit")),
    _Filled("goals", ("id",), _GOAL, _GOAL_LISTS),
    _Filled("evidence_items", ("id",), _EVIDENCE),
    _Filled("evidence_files", ("id",), ("name",)),
    _Filled("kept_records", ("person_id", "kind", "record_id"), (), ("shown",), _kept),
    _Filled(
        "learning_agreement_versions", ("agreement_id", "number"), (), ("content",), _agreement
    ),
)


def upgrade() -> None:
    for table in _NEW:
        # Rows that are there are filled below.
        op.add_column(
            table, sa.Column("folded", sa.Text(), server_default=sa.text("''"), nullable=False)
        )
    for filled in _FILLED:
        _fill(filled, searchable)


def downgrade() -> None:
    for table in _NEW:
        op.drop_column(table, "folded")
    for table, names in (("people", ("name",)), ("networks", ("name", "name_cy"))):
        before = _Filled(table, ("id",), names)
        _fill(before, lambda texts: fold(" ".join(text or "" for text in texts)))


def _fill(filled: _Filled, made: Callable[[Texts], str]) -> None:
    """Writes `folded` of every row of a table."""
    keys, texts, lists = filled.keys, filled.texts, filled.json
    table = sa.table(
        filled.table,
        *(sa.column(name) for name in (*keys, *texts, "folded")),
        *(sa.column(name, sa.JSON) for name in lists),
    )
    columns = [table.c[name] for name in (*keys, *texts, *lists)]
    connection = op.get_bind()
    change = (
        sa.update(table)
        .values(folded=sa.bindparam("made"))
        .where(*(table.c[name] == sa.bindparam(f"of_{name}") for name in keys))
    )
    # Read to the end before anything is written: what is read here must not move.
    rows = connection.execute(sa.select(*columns)).all()
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(
            change,
            [
                {
                    **{f"of_{name}": getattr(row, name) for name in keys},
                    "made": made(_texts_of(filled, row)),
                }
                for row in rows[start : start + _AT_ONCE]
            ],
        )


def _texts_of(filled: _Filled, row: Any) -> Texts:
    yield from (getattr(row, name) for name in filled.texts)
    for name in filled.json:
        held = getattr(row, name)
        yield from (held or ()) if filled.says is None else filled.says(held)
