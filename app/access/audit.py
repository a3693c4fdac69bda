"""The journal of accounts and rights: for those concerned, and for administrators. No coaching."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, or_, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.history import before, entries_page
from app.access.openings import OPENINGS
from app.access.visibility import parameter, visible
from app.core.errors import Forbidden
from app.core.journal import about_accounts, journal
from app.core.pages import PageQuery
from app.core.query import Query
from app.core.sql import json_object, there_is, wire
from app.core.tables import Id
from app.models.people import Client, Person

_people: Any = Person.__table__
_clients: Any = Client.__table__

_NAMES = (
    "sequence", "at", "action", "kind", "resource_id", "resource_version", "organisation_id", "changed",
)  # fmt: skip
_MINE = (
    "affiliation", "consent", "invitation", "network_member", "operator", "person", "session", "sign_in_identity",
)  # fmt: skip
"""Kinds of rows that tell a person what was done to their account."""
_OF_ORGANISATION = ("affiliation", "client", "invitation", "organisation", "sign_in_identity")


class AuditQuery(PageQuery):
    """Parameters of an audit."""


def _named(table: Any, column: str, label: str) -> ColumnElement[Any]:
    who = table.alias(f"the_{label}")
    return (
        select(json_object("id", who.c.id, "name", who.c.name))
        .where(who.c.id == journal.c[column])
        .correlate(journal)
        .scalar_subquery()
        .label(label)
    )


def _select(*conditions: ColumnElement[bool], continued: bool) -> Query:
    return Query(
        select(
            *(wire(journal.c[name]).label(name) for name in _NAMES),
            _named(_people, "person_id", "by"),
            _named(_clients, "client_id", "through"),
            _named(_people, "owner_id", "person"),
        )
        .where(*conditions, *before(continued))
        .order_by(journal.c.sequence.desc())
        .limit(parameter("limit", Integer)),
        scoped=True,
    )


@cache
def _about_me(*, continued: bool) -> Query:
    return _select(about_accounts(*_MINE), journal.c.owner_id == r.me, continued=continued)


@cache
def _of_organisation(*, continued: bool) -> Query:
    here = journal.c.organisation_id == parameter("organisation_id", Id)
    return _select(about_accounts(*_OF_ORGANISATION), here, continued=continued)


@cache
def _everything(*, continued: bool) -> Query:
    opening = OPENINGS.table.alias("opening_read")
    # An opening is kept from an administrator who has a tie to what it opens, here as elsewhere.
    told = there_is(
        opening,
        opening.c.id == journal.c.resource_id,
        visible(OPENINGS, opening, CallerKind.PERSON),
    )
    return _select(
        about_accounts(), or_(journal.c.kind != OPENINGS.kind, told), continued=continued
    )


_IS_OPERATOR = Query(select(r.is_operator().label("is_operator")), scoped=True)


async def my_history(access: Access, query: PageQuery) -> dict[str, Any]:
    """One page of what was done to the caller's account, by whomever; newest first."""
    return await entries_page(access, query, _about_me)


async def audit_of_organisation(
    access: Access, query: PageQuery, organisation_id: UUID
) -> dict[str, Any]:
    """One page of what was done to accounts and rights at an organisation; the caller has been seen
    to administer it."""
    return await entries_page(access, query, _of_organisation, organisation_id=organisation_id)


async def audit_of_everything(access: Access, query: PageQuery) -> dict[str, Any]:
    """One page of what was done to all accounts and rights, for the operator's administrators."""
    found = await access.read(_IS_OPERATOR)
    if not found[0]["is_operator"]:
        raise Forbidden("This is for an administrator of the operator.")
    return await entries_page(access, query, _everything)
