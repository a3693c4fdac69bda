"""What a change of a record does to those with whom it is shared, and to what the former keep."""

from typing import Any
from uuid import UUID

from sqlalchemy import String, delete

from app.access.door import Access
from app.access.visibility import parameter
from app.core.query import Query
from app.core.tables import Id
from app.models.pupils import Consent
from app.models.shares import KeptRecord, Share

_shares: Any = Share.__table__
_kept: Any = KeptRecord.__table__


def _of_record(table: Any) -> Query:
    return Query(
        delete(table).where(
            table.c.kind == parameter("kind", String),
            table.c.record_id == parameter("record_id", Id),
        )
    )


_END_SHARES, _END_KEPT = _of_record(_shares), _of_record(_kept)


async def end_shares(access: Access, kind: str, record_id: UUID) -> None:
    """Takes a record back from everybody with whom it is shared."""
    await access.unit.rows(_END_SHARES, {"kind": kind, "record_id": record_id})


async def forget(access: Access, kind: str, record_id: UUID) -> None:
    """Removes what others hold of a record that is deleted or erased."""
    await end_shares(access, kind, record_id)
    await access.unit.rows(_END_KEPT, {"kind": kind, "record_id": record_id})


async def say_of_pupils(access: Access, record: Any, values: dict[str, Any]) -> set[str]:
    """Changes what a record says of pupils; withdrawn consent ends its shares at once."""
    changed: set[str] = record.say_of_pupils(values)
    if "pupil_consent" in changed and record.pupil_consent == Consent.WITHDRAWN:
        await end_shares(access, record.resource_kind, record.id)
    return changed
