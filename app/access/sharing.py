"""What a change of a record does to those with whom it is shared, and to what the former keep."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, delete, false, literal, or_, select, update

from app.access.door import Access
from app.access.visibility import parameter
from app.core.db import Unit
from app.core.idempotency import answers
from app.core.query import Query
from app.core.tables import Id
from app.models.pupils import Consent
from app.models.shares import KeptRecord, Share
from app.models.terms import RecordReader

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
_kind, _record_id = parameter("kind", String), parameter("record_id", Id)
_its_shares = select(_shares.c.id).where(_shares.c.kind == _kind, _shares.c.record_id == _record_id)
_DROP_ANSWERS = Query(
    delete(answers).where(
        or_(
            and_(answers.c.kind == _kind, answers.c.resource_id == _record_id),
            and_(answers.c.kind == literal("share"), answers.c.resource_id.in_(_its_shares)),
        )
    )
)


@cache
def _untick(readers: frozenset[RecordReader]) -> Query:
    values = {f"to_{reader}": false() for reader in readers}
    return Query(
        update(_kept).values(values).where(_kept.c.kind == _kind, _kept.c.record_id == _record_id)
    )


async def end_shares(access: Access, kind: str, record_id: UUID) -> None:
    """Takes a record back from everybody with whom it is shared."""
    await access.unit.rows(_END_SHARES, {"kind": kind, "record_id": record_id})


async def forget(unit: Unit, kind: str, record_id: UUID) -> None:
    """Removes what is held of a record that is deleted or erased: its shares, what the former keep,
    and answers that were stored to be sent again."""
    values = {"kind": kind, "record_id": record_id}
    for query in (_DROP_ANSWERS, _END_SHARES, _END_KEPT):
        await unit.rows(query, values)


async def untick_kept(
    access: Access, kind: str, record_id: UUID, readers: frozenset[RecordReader]
) -> None:
    """What its owner closes to a class is closed to those who were of it, for good."""
    if readers:
        await access.unit.rows(_untick(readers), {"kind": kind, "record_id": record_id})


async def say_of_pupils(access: Access, record: Any, values: dict[str, Any]) -> set[str]:
    """Changes what a record says of pupils; withdrawn consent ends its shares at once."""
    changed: set[str] = record.say_of_pupils(values)
    if "pupil_consent" in changed and record.pupil_consent == Consent.WITHDRAWN:
        await end_shares(access, record.resource_kind, record.id)
    return changed
