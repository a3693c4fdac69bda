"""An agreement's history: its journal, under the readers of today."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, and_, or_, select

from app.access import relations as r
from app.access.agreements import AGREEMENTS
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.goals import GOALS
from app.access.visibility import Resource, parameter, visible
from app.core.journal import journal, settled
from app.core.pages import Cursors, PageQuery
from app.core.query import Query
from app.core.sql import there_is
from app.core.tables import Id

RECORDS: tuple[Resource, ...] = (GOALS,)
"""The kinds of record that belong to an agreement."""


class HistoryQuery(PageQuery):
    """Parameters of the history."""


def _shown(entry: Any) -> Any:
    """Whether the caller may see a row of the journal: the record's readers of today, or its owner."""
    conditions = [entry.c.kind == AGREEMENTS.kind, entry.c.owner_id == r.me]
    for resource in RECORDS:
        record = resource.table.alias(f"the_{resource.kind}")
        seen = there_is(
            record, record.c.id == entry.c.resource_id, visible(resource, record, CallerKind.PERSON)
        )
        conditions.append(and_(entry.c.kind == resource.kind, seen))
    return or_(*conditions)


class _History:
    def __init__(self) -> None:
        names = (
            "sequence", "at", "person_id", "client_id", "action", "kind", "resource_id",
            "resource_version", "changed",
        )  # fmt: skip
        self._queries = {
            (dialect, continued): Query(
                select(*(journal.c[name] for name in names))
                .where(
                    journal.c.agreement_id == parameter("agreement_id", Id),
                    *([journal.c.sequence < parameter("before", BigInteger)] if continued else []),
                    condition,
                    _shown(journal),
                )
                .order_by(journal.c.sequence.desc())
                .limit(parameter("limit", Integer)),
                scoped=True,
            )
            for dialect, condition in settled.items()
            for continued in (False, True)
        }

    async def page(self, access: Access, query: PageQuery, agreement_id: UUID) -> dict[str, Any]:
        """One page of an agreement that the caller has seen as a party, newest first."""
        assert access.request is not None, "pages are for requests"
        cursors: Cursors = access.request.app.state.cursors
        context = access.request.scope["path"]
        values: dict[str, Any] = {"agreement_id": agreement_id, "limit": query.limit + 1}
        if query.cursor is not None:
            values["before"] = int(cursors.open(query.cursor, context))
        dialect = access.unit.database.dialect.name
        rows = await access.read(self._queries[dialect, query.cursor is not None], **values)
        following = None
        if len(rows) > query.limit:
            rows = rows[: query.limit]
            following = cursors.seal(str(rows[-1]["sequence"]), context)
        return {"items": rows, "next": following}


HISTORY = _History()
