"""Ids made by clients: the same body from the same caller again is the same record."""

import hashlib
import json
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import String, select

from app.access.door import Access
from app.access.visibility import Resource, parameter
from app.core.errors import IdTaken, RequestInProgress
from app.core.http import as_uuid
from app.core.ids import uuid7
from app.core.journal import journal
from app.core.query import Query
from app.core.tables import Id


class Claim(NamedTuple):
    """The id of a record to be made."""

    id: UUID
    digest: str | None
    repeated: bool
    """The record is there already: this is the same request again."""


_queries: dict[str, Query] = {}
_USED = Query(
    select(journal.c.sequence)
    .where(
        journal.c.kind == parameter("kind", String), journal.c.resource_id == parameter("id", Id)
    )
    .limit(1)
)


def _holder(resource: Resource) -> Query:
    if resource.kind not in _queries:
        table = resource.table
        statement = select(table.c.creation_digest).where(table.c.id == parameter("id", Id))
        _queries[resource.kind] = Query(
            statement, unscoped="whether an id is taken is answered without a word on its holder"
        )
    return _queries[resource.kind]


async def claim(access: Access, resource: Resource, body: BaseModel) -> Claim:
    """The id for a new record: made here, or the client's own when it is free.

    IdTaken when the client's id is held by anything but the same request of the same caller.
    """
    sent: UUID | None = getattr(body, "id", None)
    if sent is None:
        return Claim(uuid7(), None, repeated=False)
    content = json.dumps(body.model_dump(mode="json"), sort_keys=True)
    digest = hashlib.sha256(f"{access.caller.key}\n{content}".encode()).hexdigest()
    # Two requests with one id in the same moment: the second is told to come again.
    if not await access.unit.try_lock(f"id:{sent}"):
        raise RequestInProgress()
    holders: list[Any] = await access.unit.rows(_holder(resource), {"id": sent})
    if not holders:
        # An id is used once: a late repeat does not bring back what has been deleted.
        if await access.unit.rows(_USED, {"kind": resource.kind, "id": sent}):
            raise IdTaken()
        return Claim(sent, digest, repeated=False)
    if holders[0][0] != digest or await access.find(resource, sent) is None:
        raise IdTaken()
    access.created = False
    return Claim(as_uuid(sent), digest, repeated=True)
