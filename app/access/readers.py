"""Who outside the parties has read an agreement or a record under it: the receipts."""

from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    Integer,
    Select,
    String,
    and_,
    case,
    literal,
    null,
    or_,
    select,
    union_all,
)

from app.access.agreements import AGREEMENTS
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.opened import is_shown
from app.access.records import RECORDS
from app.access.visibility import parameter, visible
from app.core.pages import Cursors, PageQuery
from app.core.query import Query
from app.core.sql import there_is, wire
from app.core.tables import Id
from app.models.openings import Opening, OpeningReceipt
from app.models.people import Client, Person
from app.models.receipts import NOBODY, Receipt

_receipts: Any = Receipt.__table__
_people: Any = Person.__table__
_clients: Any = Client.__table__
_openings: Any = Opening.__table__
_opened: Any = OpeningReceipt.__table__
_KEY = ("day", "kind", "resource_id", "person_id", "client_id", "opening_id")


class ReadersQuery(PageQuery):
    """Parameters of the list of readers."""


_agreement = parameter("agreement_id", Id)


def _ordinary() -> list[Select[Any]]:
    shown = [_receipts.c[name] for name in _KEY[:-1]]
    return _of_what_is_seen(_receipts, [*shown, literal(NOBODY, Id).label(_KEY[-1])])


def _under_openings() -> list[Select[Any]]:
    shown = there_is(_openings, _openings.c.id == _opened.c.opening_id, is_shown(_openings))
    found = _of_what_is_seen(_opened, [_opened.c[name] for name in _KEY])
    return [statement.where(shown) for statement in found]


def _of_what_is_seen(table: Any, shown: list[Any]) -> list[Select[Any]]:
    """Rows of a table of receipts: of the agreement, and of records under it that the caller sees."""
    found = [
        select(*shown).where(table.c.kind == AGREEMENTS.kind, table.c.resource_id == _agreement)
    ]
    for resource in RECORDS.values():
        record = resource.table.alias(f"read_{resource.kind}")
        found.append(
            select(*shown)
            .join_from(record, table, table.c.resource_id == record.c.id)
            .where(
                record.c.agreement_id == _agreement,
                table.c.kind == resource.kind,
                visible(resource, record, CallerKind.PERSON),
            )
        )
    return found


@cache
def _query(*, continued: bool) -> Query:
    """Receipts of the agreement, and of the records under it that the caller sees; newest first."""
    receipt = union_all(*_ordinary(), *_under_openings()).subquery("receipt")
    client = _clients.alias("through")
    by_itself = receipt.c.person_id == NOBODY
    statement = (
        select(
            *(wire(receipt.c[name]).label(name) for name in _KEY),
            case((by_itself, client.c.name), else_=_people.c.name).label("name"),
            case((by_itself, null()), else_=wire(receipt.c.person_id)).label("by_person"),
            case((receipt.c.opening_id == NOBODY, null()), else_=wire(receipt.c.opening_id)).label(
                "under_opening"
            ),
        )
        .select_from(
            receipt.outerjoin(_people, _people.c.id == receipt.c.person_id).outerjoin(
                client, client.c.id == receipt.c.client_id
            )
        )
        .order_by(*(receipt.c[name].desc() for name in _KEY))
        .limit(parameter("limit", Integer))
    )
    if continued:
        statement = statement.where(_before(receipt))
    return Query(statement, scoped=True)


def _before(receipt: Any) -> Any:
    """Whether a receipt comes after the cursor in the list."""
    types = {"day": Date, "kind": String}
    bounds = {name: parameter(f"before_{name}", types.get(name, Id)) for name in _KEY}
    return or_(
        *(
            and_(
                *(receipt.c[equal] == bounds[equal] for equal in _KEY[:index]),
                receipt.c[name] < bounds[name],
            )
            for index, name in enumerate(_KEY)
        )
    )


async def readers_page(access: Access, query: PageQuery, agreement_id: UUID) -> dict[str, Any]:
    """One page of who has read, of an agreement that the caller has seen as a party."""
    assert access.request is not None, "pages are for requests"
    cursors: Cursors = access.request.app.state.cursors
    context = access.request.scope["path"]
    values: dict[str, Any] = {"agreement_id": agreement_id, "limit": query.limit + 1}
    if query.cursor is not None:
        parts = cursors.open(query.cursor, context).split("|")
        values.update({f"before_{name}": part for name, part in zip(_KEY, parts, strict=True)})
        values["before_day"] = date.fromisoformat(parts[0])
    rows = await access.read(_query(continued=query.cursor is not None), **values)
    following = None
    if len(rows) > query.limit:
        rows = rows[: query.limit]
        following = cursors.seal("|".join(str(rows[-1][name]) for name in _KEY), context)
    for row in rows:
        row["person_id"] = row.pop("by_person")
        row["opening_id"] = row.pop("under_opening")
    return {"items": rows, "next": following}
