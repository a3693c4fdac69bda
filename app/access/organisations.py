"""Organisations: read by everyone who has signed in, written by those who administer them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, or_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import Relation
from app.access.visibility import Resource, Way, parameter, register
from app.core.db import Unit
from app.core.errors import Forbidden
from app.core.query import Query
from app.core.sql import json_list, json_object, there_is
from app.core.tables import Id
from app.models.organisations import (
    Organisation,
    OrganisationIdentifier,
    OrganisationSuccessor,
)

_identifiers: Any = OrganisationIdentifier.__table__
_successors: Any = OrganisationSuccessor.__table__


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    names = (
        "id", "version", "created_at", "updated_at", "kind", "name", "name_cy", "parent_id",
        "opened_on", "closed_on", "sector", "address", "postcode", "phone", "safeguarding_contact",
    )  # fmt: skip
    i, s = _identifiers.alias("i"), _successors.alias("s")
    return [
        *(row.c[name] for name in names),
        json_list(
            select(json_object("source", i.c.source, "external_id", i.c.external_id))
            .where(i.c.organisation_id == row.c.id)
            .order_by(i.c.source, i.c.external_id)
            .correlate(row)
        ).label("identifiers"),
        json_list(
            select(s.c.successor_id)
            .where(s.c.organisation_id == row.c.id)
            .order_by(s.c.successor_id)
            .correlate(row)
        ).label("successor_ids"),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        bound = r.client_organisation()
        return {
            Relation.CLIENT: row.c.id == bound,
            Relation.PARENT: row.c.parent_id == bound,
        }
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.id),
        Relation.PARENT: r.administers(row.c.parent_id),
        Relation.OPERATOR: r.is_operator(),
    }


def _has_identifier(column: str) -> Any:
    def condition(row: Any, bind: Any) -> ColumnElement[bool]:
        i = _identifiers.alias(f"by_{column}")
        return there_is(i, i.c.organisation_id == row.c.id, i.c[column] == bind)

    return condition


def _named(row: Any, bind: Any) -> ColumnElement[bool]:
    """One identifier has both: of two, each could have one."""
    i = _identifiers.alias("by_name")
    return there_is(
        i,
        i.c.organisation_id == row.c.id,
        i.c.source == parameter("source", String),
        i.c.external_id == bind,
    )


NAMED = "named"
"""Name of the filter by what the `source`, which is asked for too, calls the organisation."""

ORGANISATIONS = register(
    Resource(
        kind="organisation",
        path="/v1/organisations",
        table=Organisation.__table__,  # type: ignore[arg-type]
        entity=Organisation,
        ways=lambda row, kind: [Way("signed_in", true())],
        columns=_columns,
        relations=_relations,
        filters={
            "kind": lambda row, bind: row.c.kind == bind,
            "parent_id": lambda row, bind: row.c.parent_id == bind,
            "q": lambda row, bind: row.c.folded.contains(bind, autoescape=False, escape="\\"),
            "source": _has_identifier("source"),
            "external_id": _has_identifier("external_id"),
            NAMED: _named,
        },
        filter_types={
            "kind": String, "parent_id": Id, "q": String, "source": String, "external_id": String,
            NAMED: String,
        },
    )
)  # fmt: skip


def _administration(kind: CallerKind) -> Query:
    parent = parameter("parent_id", Id)
    if kind is CallerKind.CLIENT:
        return Query(select((parent == r.client_organisation()).label("may")), scoped=True)
    return Query(select(or_(r.administers(parent), r.is_operator()).label("may")), scoped=True)


_MAY_ADD = {kind: _administration(kind) for kind in CallerKind}


_NAME = Query(
    select(ORGANISATIONS.table.c.name).where(
        ORGANISATIONS.table.c.id == parameter("organisation_id", Id)
    )
)


async def name_of(unit: Unit, organisation_id: UUID | None) -> str:
    """What an organisation is called; Tandem, where the operator itself acts."""
    if organisation_id is None:
        return "Tandem"
    rows = await unit.rows(_NAME, {"organisation_id": organisation_id})
    return str(rows[0][0])


async def check_may_create(access: Access, parent_id: UUID | None) -> None:
    """Forbidden unless the caller administers the parent, or is the operator's administrator."""
    found = await access.read(_MAY_ADD[access.caller.kind], parent_id=parent_id)
    if not found[0]["may"]:
        raise Forbidden(
            f"This is for {Relation.OPERATOR}, or for {Relation.PARENT} that the new one names."
        )


async def check_may_hang_below(access: Access, parent_id: UUID) -> None:
    """As for creating: nobody hangs an organisation below one that they do not administer."""
    await check_may_create(access, parent_id)
