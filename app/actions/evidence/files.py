"""Writes of the files of evidence items: add, delete. Their bytes are in the store."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete

from app.access.door import Access
from app.access.evidence import EVIDENCE_ITEMS, file_of, files_of, open_item
from app.access.gates import Owned
from app.access.visibility import parameter
from app.actions.evidence.common import journal
from app.core.clock import now
from app.core.errors import Conflict, Unavailable
from app.core.files import store
from app.core.ids import uuid7
from app.core.query import Query
from app.core.tables import Id
from app.core.uploads import Stored
from app.models.evidence import EvidenceFile, EvidenceItem

log = structlog.get_logger()

MOST_FILES = 20
"""Files that one item may have."""

_files: Any = EvidenceFile.__table__
_DELETE = Query(delete(_files).where(_files.c.id == parameter("id", Id)).returning(_files.c.key))


async def check_takes_files(access: Access, item_id: UUID) -> None:
    """Conflict when the item takes no further file: asked before one is sent, too."""
    row = await open_item(access, item_id)
    if row.get("reduced"):
        raise Conflict("It was erased at its date; it can only be deleted.")
    if len(files_of(row)) >= MOST_FILES:
        raise Conflict(f"An item has at most {MOST_FILES} files.")


async def add_file(access: Access, item_id: UUID, stored: Stored) -> dict[str, Any]:
    """Makes the row of a file that is in the store; the file as answers show it."""
    held = await access.locked(EVIDENCE_ITEMS, item_id)
    await check_takes_files(access, item_id)
    item: EvidenceItem = held.entity
    file = EvidenceFile(
        id=uuid7(),
        evidence_item_id=item.id,
        created_at=now(),
        created_by=access.caller.person_id,
        **stored._asdict(),
    )
    await access.unit.insert(file)
    item.touch()
    await journal(access, item, "file_added", {"files"})
    return file_of(await open_item(access, item_id), file.id)


async def delete_file(owned: Owned[EvidenceItem], file_id: UUID) -> None:
    """Deletes a file that its owner sees; its bytes as soon as that is certain."""
    item, access = owned.entity, owned.access
    row = await access.find(EVIDENCE_ITEMS, item.id)
    file_of(row or {}, file_id)
    keys = [found[0] for found in await access.unit.rows(_DELETE, {"id": file_id})]
    item.touch()
    await journal(access, item, "file_deleted", {"files"})
    access.unit.after_commit.append(lambda: drop_files(keys))


async def drop_files(keys: Iterable[str]) -> None:
    """Removes bytes that no row names any more; what cannot be reached now is left to the sweep."""
    await asyncio.gather(*(_drop(key) for key in keys))


async def _drop(key: str) -> None:
    try:
        await store().delete(key)
    except Unavailable:
        log.warning("orphan_left", key=key)
