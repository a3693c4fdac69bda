"""Who could read under terms that nobody has signed yet: asked before the signatures."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.people import PEOPLE
from app.access.visibility import parameter, visible
from app.core.query import Query
from app.core.sql import wire
from app.core.tables import Id
from app.models.agreement_text import AgreementText
from app.models.networks import NetworkRole
from app.models.people import LEADER_ROLES, Person
from app.models.terms import READER_OF_ROLE, Reader, RecordKind

_people: Any = Person.__table__
_organisation = parameter("organisation_id", Id)
_named = (wire(_people.c.id).label("id"), _people.c.name)

_NAME = Query(
    select(*_named).where(_people.c.id == parameter("id", Id)),
    unscoped="the names of those whom a text names, for those who read the text",
)
_LEADERS = Query(
    select(*_named)
    .join_from(r.affiliations, _people, _people.c.id == r.affiliations.c.person_id)
    .where(
        r.affiliations.c.organisation_id == _organisation,
        r.any_of(r.affiliations.c.role, LEADER_ROLES),
        r.current(r.affiliations),
    )
    .distinct()
    .order_by(_people.c.name, _named[0]),
    scoped=True,
)
_SYSTEMS = Query(
    select(wire(r.clients.c.id).label("id"), r.clients.c.name)
    .where(r.clients.c.organisation_id == _organisation, r.clients.c.disabled_at.is_(None))
    .order_by(r.clients.c.name, r.clients.c.id)
)
_MEMBERS = Query(
    select(*_named, r.members.c.role, visible(PEOPLE, _people, CallerKind.PERSON).label("seen"))
    .join_from(r.members, _people, _people.c.id == r.members.c.person_id)
    .where(
        r.members.c.network_id == parameter("network_id", Id),
        r.member_today(r.members),
        r.network_open(r.members.c.network_id),
    )
    .order_by(_people.c.name, _people.c.id),
    scoped=True,
)


async def readers_under(access: Access, text: AgreementText) -> list[dict[str, Any]]:
    """For each kind of record, the readers whom the terms tick, by name, as things stand today.

    Leaders and systems read while a learner is at the home organisation; a network what is shared
    with it.
    """
    by_reader = {
        reader: await _readers(access, text, reader)
        for reader in Reader
        if any(reader in text.disclosure.ticks(kind) for kind in RecordKind)
    }
    return [
        {
            "kind": str(kind),
            "readers": [
                {
                    "reader": str(reader),
                    "who": [reads for reads in by_reader[reader] if reads["id"] is not None],
                    "others": sum(reads["id"] is None for reads in by_reader[reader]),
                }
                for reader in Reader
                if reader in text.disclosure.ticks(kind)
            ],
        }
        for kind in RecordKind
    ]


async def _readers(access: Access, text: AgreementText, reader: Reader) -> list[dict[str, Any]]:
    home = text.home_organisation_id
    if reader is Reader.LEADERS:
        return await _at(access, _LEADERS, "person", home)
    if reader is Reader.SYSTEMS:
        return await _at(access, _SYSTEMS, "client", home)
    if reader is Reader.NETWORKS:
        found: dict[str, dict[str, Any]] = {}
        for network_id in text.networks:
            for row in await access.read(_MEMBERS, network_id=network_id):
                if row["role"] != NetworkRole.PERIPHERAL or text.disclosure.peripheral_members:
                    # There is no open directory: whom the caller does not see is only counted.
                    shown = (row["id"], row["name"]) if row["seen"] else (None, None)
                    found[row["id"]] = {"kind": "person", "id": shown[0], "name": shown[1]}
        return list(found.values())
    people = dict.fromkeys(p.person_id for p in text.parties if READER_OF_ROLE[p.role] is reader)
    named = [row for person in people for row in await access.read(_NAME, id=person)]
    return [{"kind": "person", **row} for row in named]


async def _at(
    access: Access, query: Query, kind: str, organisation_id: UUID | None
) -> list[dict[str, Any]]:
    if organisation_id is None:
        return []
    rows = await access.read(query, organisation_id=organisation_id)
    return [{"kind": kind, **row} for row in rows]
