"""A person's ways in, sessions, second factors and consents, as they and their administrators see them."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, null, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.visibility import Resource, Way, parameter
from app.core.query import Query
from app.core.sql import json_object, wire
from app.core.tables import Id, Moment
from app.models.organisations import Organisation
from app.models.people import Client, Person, SignInIdentity
from app.models.second_factors import RecoveryCode, SecondFactor
from app.models.sessions import Consent, Session

_people: Any = Person.__table__
_organisations: Any = Organisation.__table__
_clients: Any = Client.__table__
_sessions: Any = Session.__table__
_consents: Any = Consent.__table__
_identities: Any = SignInIdentity.__table__
_factors: Any = SecondFactor.__table__
_codes: Any = RecoveryCode.__table__


def _mine(row: Any, kind: CallerKind) -> list[Way]:
    return [Way("self", row.c.person_id == r.me)] if kind is CallerKind.PERSON else []


def _myself(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    return {Relation.SELF: row.c.person_id == r.me} if kind is CallerKind.PERSON else {}


def _of_row(*names: str) -> Any:
    return lambda row, kind: [row.c[name] for name in names]


# Not registered: they have no list, no search and no change feed of their own.
SESSIONS = Resource(
    kind="session",
    path="/v1/me/sessions",
    table=_sessions,
    entity=Session,
    ways=_mine,
    columns=_of_row("id", "created_at"),
    relations=_myself,
)
_account = select(_people.c.id).with_for_update(key_share=True)
SECOND_FACTORS = Resource(
    kind="second_factor",
    path="/v1/me/second-factors",
    table=_factors,
    entity=SecondFactor,
    ways=_mine,
    columns=_of_row("id", "name", "created_at", "confirmed_at", "last_used_at"),
    relations=_myself,
    # The account before its factors, as everywhere.
    holds=Query(
        _account.where(
            _people.c.id.in_(
                select(_factors.c.person_id).where(_factors.c.id == parameter("id", Id))
            )
        ),
        unscoped="a lock, and nothing else",
    ),
)


def _brought(row: Any, kind: CallerKind) -> list[Way]:
    if kind is not CallerKind.PERSON:
        return []
    return [
        *_mine(row, kind),
        r.as_administrator(row.c.organisation_id),
        r.as_operator(),
    ]


def _over_identity(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is not CallerKind.PERSON:
        return {}
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.OPERATOR: r.is_operator(),
    }


SIGN_IN_IDENTITIES = Resource(
    kind="sign_in_identity",
    path="/v1/sign-in-identities",
    table=_identities,
    entity=SignInIdentity,
    ways=_brought,
    columns=_of_row("id", "person_id", "organisation_id", "created_at", "closed_at"),
    relations=_over_identity,
    # Its account first, as where somebody signs in with it.
    holds=Query(
        _account.where(
            _people.c.id.in_(
                select(_identities.c.person_id).where(_identities.c.id == parameter("id", Id))
            )
        ),
        unscoped="a lock, and nothing else",
    ),
)


def _named(table: Any, key: Any, label: str) -> ColumnElement[Any]:
    who = table.alias(f"the_{label}")
    found = select(json_object("id", wire(who.c.id), "name", who.c.name)).where(who.c.id == key)
    return found.correlate_except(who).scalar_subquery().label(label)


def _columns(table: Any, *names: str) -> list[ColumnElement[Any]]:
    return [wire(table.c[name]).label(name) for name in names]


MY_SESSIONS = Query(
    select(
        *_columns(_sessions, "id", "created_at", "last_used_at", "expires_at", "method"),
        _sessions.c.scopes,
        _named(_clients, _sessions.c.client_id, "client"),
    )
    .where(
        _sessions.c.person_id == r.me,
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > parameter("now", Moment),
    )
    .order_by(_sessions.c.last_used_at.desc(), _sessions.c.id.desc())
    .limit(200),
    scoped=True,
)
"""Where the caller is signed in, the last used first."""

MY_CONSENTS = Query(
    select(
        _consents.c.scopes,
        wire(_consents.c.given_at).label("given_at"),
        _named(_clients, _consents.c.client_id, "client"),
    )
    .where(_consents.c.person_id == r.me)
    .order_by(_consents.c.given_at.desc(), _consents.c.client_id)
    .limit(200),
    scoped=True,
)
"""What the caller has allowed, and to which clients."""

_IDENTITY = ("id", "email", "created_at", "closed_at")
MY_IDENTITIES = Query(
    select(
        *_columns(_identities, *_IDENTITY),
        _named(_organisations, _identities.c.organisation_id, "organisation"),
    )
    .where(_identities.c.person_id == r.me)
    .order_by(_identities.c.id.desc())
    .limit(200),
    scoped=True,
)
"""The caller's ways in, the newest first, closed ones among them."""

IDENTITIES_BROUGHT = Query(
    select(
        *_columns(_identities, *_IDENTITY),
        _named(_people, _identities.c.person_id, "person"),
    )
    .where(_identities.c.organisation_id == parameter("organisation_id", Id))
    .order_by(_identities.c.id.desc())
    .limit(10_000),
    scoped=True,
)
"""The ways in that an organisation has brought; the caller has been seen to administer it."""

MY_FACTORS = Query(
    select(*_columns(_factors, "id", "name", "created_at", "confirmed_at", "last_used_at"))
    .where(_factors.c.person_id == r.me)
    .order_by(_factors.c.id),
    scoped=True,
)
"""The caller's authenticator apps, the oldest first."""

CODES_LEFT = Query(
    select(func.count(case((_codes.c.used_at.is_(None), 1), else_=null())).label("left")).where(
        and_(_codes.c.person_id == r.me)
    ),
    scoped=True,
)
"""How many recovery codes the caller has left."""
