"""An agreement's history: its journal, under the readers of today."""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, not_, or_, select

from app.access import relations as r
from app.access.agreements import AGREEMENTS
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.openings import OPENINGS
from app.access.records import RECORDS
from app.access.visibility import parameter, visible
from app.core.journal import journal
from app.core.pages import Cursors, PageQuery
from app.core.query import Query
from app.core.sql import there_is, wire
from app.core.tables import Id
from app.models.agreements import (
    AgreementSignature,
    AgreementVersion,
    VersionAct,
    VersionState,
)

_PAST = (
    VersionState.WITHDRAWN, VersionState.DECLINED, VersionState.LAPSED, VersionState.SUPERSEDED,
)  # fmt: skip
_versions: Any = AgreementVersion.__table__
_signatures: Any = AgreementSignature.__table__


class HistoryQuery(PageQuery):
    """Parameters of the history."""


def _shown(entry: Any) -> Any:
    """Whether the caller may see a row of the journal: the record's readers of today, or its owner."""
    version, mine = _versions.alias("its_version"), _signatures.alias("my_place")
    # An act belongs to the version that stood when it was done: those whom another version named
    # learn nothing of it, nor does who left by that very version.
    asked = there_is(
        version.join(
            mine,
            and_(mine.c.agreement_id == version.c.agreement_id, mine.c.number == version.c.number),
        ),
        version.c.agreement_id == entry.c.agreement_id,
        mine.c.person_id == r.me,
        not_(and_(version.c.act == VersionAct.DEPARTURE, version.c.created_by == r.me)),
        version.c.created_at <= entry.c.at,
        or_(
            not_(r.any_of(version.c.state, _PAST)),
            version.c.settled_at >= entry.c.at,
        ),
    )
    conditions = [
        and_(entry.c.kind == AGREEMENTS.kind, or_(entry.c.person_id == r.me, asked)),
        entry.c.owner_id == r.me,
    ]
    for resource in RECORDS.values():
        record = resource.table.alias(f"the_{resource.kind}")
        seen = there_is(
            record,
            record.c.id == entry.c.resource_id,
            # What is kept as it stood tells nothing of what was written since.
            visible(resource, record, CallerKind.PERSON, as_it_is=True),
        )
        conditions.append(and_(entry.c.kind == resource.kind, seen))
    opening = OPENINGS.table.alias("the_opening")
    told = there_is(
        opening,
        opening.c.id == entry.c.resource_id,
        visible(OPENINGS, opening, CallerKind.PERSON),
    )
    conditions.append(and_(entry.c.kind == OPENINGS.kind, told))
    return or_(*conditions)


_NAMES = (
    "sequence", "at", "person_id", "client_id", "action", "kind", "resource_id", "resource_version",
    "changed",
)  # fmt: skip


@cache
def _page(*, continued: bool) -> Query:
    return Query(
        select(*(wire(journal.c[name]).label(name) for name in _NAMES))
        .where(
            journal.c.agreement_id == parameter("agreement_id", Id),
            *before(continued),
            _shown(journal),
        )
        .order_by(journal.c.sequence.desc())
        .limit(parameter("limit", Integer)),
        scoped=True,
    )


async def history_page(access: Access, query: PageQuery, agreement_id: UUID) -> dict[str, Any]:
    """One page of an agreement that the caller has seen as a party, newest first."""
    return await entries_page(access, query, _page, agreement_id=agreement_id)


async def entries_page(
    access: Access, query: PageQuery, made: Callable[..., Query], **values: Any
) -> dict[str, Any]:
    """One page of rows of the journal, newest first; `made(continued=…)` is the select.

    People look at it, so it shows what is committed; a follower who must not skip anything reads
    in the journal's own order instead (app/core/journal.py).
    """
    assert access.request is not None, "pages are for requests"
    cursors: Cursors = access.request.app.state.cursors
    context = access.request.scope["path"]
    values["limit"] = query.limit + 1
    if query.cursor is not None:
        values["before"] = int(cursors.open(query.cursor, context))
    rows = await access.read(made(continued=query.cursor is not None), **values)
    following = None
    if len(rows) > query.limit:
        rows = rows[: query.limit]
        following = cursors.seal(str(rows[-1]["sequence"]), context)
    return {"items": rows, "next": following}


def before(continued: bool) -> list[ColumnElement[bool]]:
    """The condition that a page goes on after the one before."""
    return [journal.c.sequence < parameter("before", BigInteger)] if continued else []
