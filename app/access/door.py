"""The door: the only way from a request to rows; `gates` puts it on a route."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.access import receipts
from app.access.caller import Caller
from app.access.grants import GRANTS, Action, Relation
from app.access.visibility import (
    QUESTION,
    RESOURCES,
    SINCE,
    Resource,
    insert_query,
    item_query,
    locked_statement,
    page_query,
    standing_query,
)
from app.core import journal
from app.core.db import Unit
from app.core.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Problem,
)
from app.core.pages import Cursors, PageQuery, link_next
from app.core.query import Query
from app.core.search import values_of
from app.core.settings import settings

LANGUAGE = "en"
"""Last part of a record's ETag: it comes back as it was written, whatever language is asked for."""

OVER = "The agreement is over, or its learner has left it: nothing more is written under it."


_VIEW = re.compile(r"\.([a-z]+)")
_ALL = 2
_SHOWS = {"existence": 0, "withheld": 0, "written": 0, "version": 1, "kept": 1}
"""How much of a record a view shows; one that is not named here shows all."""


class Access:
    """One admitted request (or a job that acts for somebody): who asks, and the rows they may see."""

    def __init__(
        self, unit: Unit, caller: Caller, action: Action, *, request: Request | None = None
    ) -> None:
        self.unit, self.caller, self.action, self.request = unit, caller, action, request
        self.refusal: Problem | None = None
        """What is wrong with the request itself; the gate raises it when the row has spoken."""
        self.etag: str | None = None
        self.location: str | None = None
        self.created: bool | None = None
        self.parameters = caller.parameters()
        self.about: tuple[str, UUID] | None = None
        """Kind and id of the record that a write's answer shows."""
        self._owed: list[tuple[str, str]] = []
        self._made: dict[str, Any] | None = None

    @property
    def caller_key(self) -> str:
        """Names the caller."""
        return self.caller.key

    def check_request(self) -> None:
        """Refuses a request that is wrong in itself, whatever it is about."""
        if self.refusal is not None:
            raise self.refusal

    async def read(
        self, query: Query, *, long: bool = False, **values: Any
    ) -> list[dict[str, Any]]:
        """Rows of a select that was built through the door, by column name; `long`: see `Unit`."""
        rows = await self.unit.rows(query, {**self.parameters, **values}, long=long)
        return query.dicts(rows)

    async def find(self, resource: Resource, resource_id: UUID) -> dict[str, Any] | None:
        """One row as its readers see it, or None; sets no headers and owes no receipt."""
        found = await self.read(item_query(resource, self.caller.kind), id=resource_id)
        return _prepared(resource, found)[0] if found else None

    async def one(self, resource: Resource, resource_id: UUID) -> dict[str, Any]:
        """One row as its readers see it, with its ETag; NotFound when the caller does not see it."""
        row = await self.find(resource, resource_id)
        if row is None:
            raise NotFound()
        self._note(resource, [row])
        self.show(row)
        return row

    async def standing(self, resource: Resource, resource_id: UUID) -> dict[str, Any]:
        """As `one`, with the caller's relations; Forbidden when the grants want another."""
        found = await self.read(standing_query(resource, self.caller.kind), id=resource_id)
        if not found:
            raise NotFound()
        self._judge(found[0])
        self._note(resource, found)
        return found[0]

    async def locked(self, resource: Resource, resource_id: UUID) -> "Held":
        """The entity behind a row, locked for this request's write."""
        await self.unit.begin()
        if resource.holds is not None:
            # First the agreement, then the record: nobody ends it or narrows its terms meanwhile.
            await self.unit.rows(resource.holds, {"id": resource_id})
        found = await self._lock(resource, resource_id)
        if found is None and not self.unit.database.is_sqlite:
            # Having waited for another's write, PostgreSQL judged the new row by the old parties.
            found = await self._lock(resource, resource_id)
        if found is None:
            if await self.find(resource, resource_id) is not None:
                raise Forbidden("You read what you keep or typed of it, and write nothing there.")
            raise NotFound()
        flags = dict(found._mapping)
        self._judge(flags)
        relations = frozenset(r for r in Relation if flags.get(r.name))
        return Held(found[0], relations, over=bool(flags.get("over")))

    async def _lock(self, resource: Resource, resource_id: UUID) -> Any:
        result = await self.unit.session.execute(
            locked_statement(resource, self.caller.kind), {**self.parameters, "id": resource_id}
        )
        return result.one_or_none()

    def _judge(self, flags: dict[str, Any]) -> None:
        grant = GRANTS[self.action]
        if grant.by and not any(flags.get(relation.name) for relation in grant.by):
            raise Forbidden(f"This is for {grant.who}.")
        if flags.get("over") and not grant.after_end:
            raise Conflict(OVER)

    async def page(self, resource: Resource, query: PageQuery, **fixed: Any) -> dict[str, Any]:
        """One page of what the caller sees; parameters of `query` that are set are filters."""
        filters = {
            name: value
            for name in type(query).model_fields
            if name not in ("limit", "cursor") and (value := getattr(query, name)) is not None
        }
        filters.update(fixed)
        assert self.request is not None, "pages are for requests"
        cursors: Cursors = self.request.app.state.cursors
        values: dict[str, Any] = {**filters, "limit": query.limit + 1}
        context = f"{self.request.scope['path']}?" + "&".join(
            f"{name}={filters[name]}" for name in sorted(filters)
        )
        if query.cursor is not None:
            values["cursor"] = UUID(cursors.open(query.cursor, context))
        statement = page_query(
            resource,
            self.caller.kind,
            frozenset(filters),
            continued=query.cursor is not None,
        )
        # A rare word, or a day on which little was written, may lead through everything that the
        # caller sees.
        long = not filters.keys().isdisjoint((QUESTION, SINCE))
        found = await self.read(statement, long=long, **values)
        rows = _prepared(resource, found)
        following = None
        if len(rows) > query.limit:
            rows = rows[: query.limit]
            following = cursors.seal(str(rows[-1]["id"]), context)
        self._note(resource, rows)
        return {"items": rows, "next": following}

    def link(self, response: Any, page: dict[str, Any]) -> None:
        """Adds `Link: rel="next"` when there is a next page."""
        if page["next"] is not None:
            assert self.request is not None, "pages are for requests"
            response.headers["Link"] = link_next(
                settings().base_url,
                self.request.scope["path"],
                self.request.query_params.multi_items(),
                page["next"],
            )

    def show(self, row: dict[str, Any]) -> None:
        """Sets the ETag of the answer: `"<version>.<view>.<language>"`.

        A view that must not tell of changes (`existence`) has a digest of what it shows instead; a
        record whose readers change without a version adds them to the view.
        """
        view = row.get("view", "full")
        version = row.get("view_digest", row["version"])
        self.etag = f'"{version}.{view}{row.get("shade", "")}.{LANGUAGE}"'

    async def insert(self, resource: Resource, entity: Any) -> None:
        """Inserts a new record; `answer` shows it without reading it again."""
        await self.unit.begin()
        query = insert_query(resource, self.caller.kind)
        values = values_of(entity, resource.table.columns.keys())
        (self._made,) = _prepared(resource, query.dicts(await self.unit.rows(query, values)))

    async def answer(
        self, resource: Resource, resource_id: UUID, *, created: bool = False
    ) -> dict[str, Any]:
        """The row after this request's write, as the caller sees it, with ETag (and Location)."""
        row = self._made
        if row is None:
            await self.unit.flush()
            row = await self.find(resource, resource_id)
        if row is None:
            raise NotFound()
        self.show(row)
        self.about = (resource.kind, resource_id)
        if created:
            self.location = f"{resource.path}/{resource_id}"
        return row

    async def journal(
        self,
        action: str,
        kind: str,
        entity: Any,
        *,
        changed: Iterable[str] = (),
        owner_id: UUID | None = None,
        agreement_id: UUID | None = None,
        organisation_id: UUID | None = None,
    ) -> None:
        """Sends what the entities changed and appends the journal's row for it."""
        await self.unit.flush()
        await journal.record(
            self.unit,
            actor=self.caller.actor,
            action=action,
            kind=kind,
            resource_id=entity.id,
            version=entity.version,
            changed=changed,
            owner_id=owner_id,
            agreement_id=agreement_id,
            organisation_id=organisation_id,
        )

    def _note(self, resource: Resource, rows: list[dict[str, Any]]) -> None:
        if resource.owes_receipt is not None:
            self._owed.extend((resource.kind, row["id"]) for row in rows if row["owes_receipt"])

    async def still_reads(self, kind: str, resource_id: UUID, etag: str | None) -> bool:
        """Whether the caller sees the record now, and no less of it than the answer with `etag`."""
        resource = RESOURCES.get(kind)
        row = None if resource is None else await self.find(resource, resource_id)
        if row is None or row.get("reduced"):
            return False
        was = _VIEW.search(etag or "")
        shown = _SHOWS.get(row.get("view", "full"), _ALL)
        # Without an ETag it was about something below the record, which a kept one has, too.
        return shown >= (_SHOWS.get(was[1], _ALL) if was else 1)

    async def before_answer(self) -> None:
        """Writes the receipts that this request owes."""
        if self._owed:
            await receipts.write(self.unit, self.caller, self.parameters["today"], self._owed)


def _prepared(resource: Resource, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if resource.prepare is not None:
        for row in rows:
            resource.prepare(row)
    return rows


class Held:
    """An entity locked for writing, how the caller stands to it, and whether its agreement is over."""

    def __init__(self, entity: Any, relations: frozenset[Relation], *, over: bool = False) -> None:
        self.entity, self.relations, self.over = entity, relations, over

    def is_any(self, *relations: Relation) -> bool:
        """Whether the caller stands in one of `relations`."""
        return not self.relations.isdisjoint(relations)
