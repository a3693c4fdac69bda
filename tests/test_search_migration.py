"""Rows that were there before there was a search are found by the same words as new ones."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import now
from app.core.db import Database
from app.core.ids import uuid7
from app.core.search import searchable
from app.jobs import demonstration
from app.migrations import downgrade, sync_url, upgrade
from app.models.evidence import EvidenceFile, EvidenceItem
from app.models.goals import Goal
from app.models.networks import Network
from app.models.registry import metadata
from app.models.shares import KeptRecord

pytestmark = pytest.mark.anyio

TABLES = (
    "people", "networks", "goals", "evidence_items", "evidence_files", "kept_records",
    "learning_agreement_versions",
)  # fmt: skip
NOT_TICKED: Any = {
    f"to_{reader}": False for reader in ("coaches", "fellows", "advisers", "leaders", "systems")
}


def folded(url: str) -> dict[str, list[str]]:
    engine = sa.create_engine(sync_url(url))
    with engine.connect() as connection:
        found = {
            name: sorted(connection.scalars(sa.select(metadata.tables[name].c.folded)))
            for name in TABLES
        }
    engine.dispose()
    return found


async def fill(url: str, file: Path) -> None:
    database = Database(url)
    await database.open()
    await demonstration.create(database, file)
    async with database.work() as unit:
        await unit.begin()
        goals = await unit.session.scalars(
            sa.select(Goal).execution_options(unscoped="a test"),
        )
        goal = goals.first()
        assert goal is not None
        made = {"id": uuid7(), "version": 1, "created_at": now(), "updated_at": now()}
        await unit.insert(
            Network(**made, kind="triad", name="Tŷ", name_cy="Tŷ Gwyn", remit="Holi'n dda")
        )
        item = EvidenceItem(
            **made, kind="other", title="Dyddiadur", description="Ŵyn", what_it_shows="Mwy", principles=[],
            framework_items=[], owner_id=goal.owner_id, created_by=goal.owner_id, **NOT_TICKED,
        )  # fmt: skip
        await unit.insert(item)
        await unit.insert(
            EvidenceFile(
                id=uuid7(), evidence_item_id=item.id, created_at=now(), created_by=goal.owner_id,
                name="Llun.png", media_type="image/png", size=1, sha256="0" * 64, key=str(uuid7()),
            )
        )  # fmt: skip
        await _keep(unit, goal, goal.id, "goal", goal.wording())
        says = {name: getattr(item, name) for name in ("title", "description", "what_it_shows")}
        await _keep(unit, goal, item.id, "evidence_item", says, item.says())
    await database.close()


async def _keep(
    unit: Any, goal: Goal, record_id: UUID, kind: str, shown: dict[str, Any], says: Any = None
) -> None:
    await unit.insert(
        KeptRecord(
            person_id=goal.owner_id, kind=kind, record_id=record_id, agreement_id=goal.agreement_id,
            kept_at=now(), typed=False, shown=shown, folded=searchable(says or goal.says()), **NOT_TICKED,
        )
    )  # fmt: skip


async def test_what_was_there_before_is_found_by_the_same_words(
    fresh_url: str, tmp_path: Path
) -> None:
    await fill(fresh_url, tmp_path / "demo.json")
    before = folded(fresh_url)
    assert all(any(words) for words in before.values()), before
    downgrade(fresh_url, "0003")
    upgrade(fresh_url)
    assert folded(fresh_url) == before
