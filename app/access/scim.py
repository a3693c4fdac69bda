"""The door of an organisation's directory: the users that it brought, and no others.

All statements hold to the organisation of the calling client, which the database looks up itself: a
client that is disabled, or belongs to a network, sees nobody.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Integer, String, and_, func, select
from starlette.requests import Request

from app.access import relations as r
from app.access.door import Access
from app.access.gates import ActionGate, gated
from app.access.grants import Action
from app.access.visibility import parameter
from app.core.errors import Forbidden, NotFound
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id, Moment, as_moment
from app.models.people import Affiliation, Person, PersonIdentifier, SignInIdentity
from app.models.scim import DirectoryUser

_users: Any = DirectoryUser.__table__
_identities: Any = SignInIdentity.__table__
_identifiers: Any = PersonIdentifier.__table__
_affiliations: Any = Affiliation.__table__

_theirs = _users.c.organisation_id == r.client_organisation()
# No join: a planner would begin with everybody's identities that are open.
_closed = select(_identities.c.closed_at).where(_identities.c.id == _users.c.id).scalar_subquery()
_shown = select(*_users.c, _closed.label("closed_at"))

_MINE = Query(
    select(r.clients.c.organisation_id).where(
        r.clients.c.id == r.client, r.clients.c.disabled_at.is_(None)
    )
)
_ONE = Query(_shown.where(_users.c.id == parameter("id", Id), _theirs))
_TAKEN = Query(
    select(_users.c.id).where(_theirs, _users.c.user_name_key == parameter("user_name_key", String))
)
_NAMED = Query(
    select(_identifiers.c.person_id).where(
        _identifiers.c.organisation_id == r.client_organisation(),
        _identifiers.c.source == parameter("source", String),
        _identifiers.c.external_id == parameter("external_id", String),
    )
)
_WAYS_IN = Query(
    select(_identities.c.created_at).where(
        _identities.c.person_id == parameter("person_id", Id),
        _identities.c.closed_at.is_(None),
        _identities.c.id != parameter("identity_id", Id),
    )
)
_PLACES = Query(
    select(_affiliations.c.starts_on).where(
        _affiliations.c.person_id == parameter("person_id", Id),
        _affiliations.c.organisation_id != r.client_organisation(),
        r.not_over(_affiliations),
    ),
    scoped=True,
)

_EARLIER = {"gt": "__gt__", "ge": "__ge__", "lt": "__lt__", "le": "__le__", "eq": "__eq__"}


class Term(NamedTuple):
    """One condition of a search."""

    attribute: str
    """`id`, `user_name`, `external_id`, `email`, `active` or `updated_at`."""
    operator: str
    value: Any
    """As it is compared; of `email` a pattern of LIKE."""


def _condition(attribute: str, operator: str, name: str) -> ColumnElement[bool]:
    if attribute == "updated_at":
        moment = parameter(name, Moment)
        found: ColumnElement[bool] = getattr(_users.c.updated_at, _EARLIER[operator])(moment)
        return found
    conditions: dict[str, ColumnElement[bool]] = {
        "id": _users.c.id == parameter(name, Id),
        "user_name": _users.c.user_name_key == parameter(name, String),
        "external_id": _users.c.external_id == parameter(name, String),
        "email": _users.c.email_keys.like(parameter(name, String), escape="\\"),
        "active": _closed.is_(None) == parameter(name, Boolean),
    }
    return conditions[attribute]


@lru_cache(maxsize=64)
def _search(terms: tuple[tuple[str, str], ...]) -> tuple[Query, Query]:
    """How many there are, and one page of them, the oldest first."""
    asked = and_(_theirs, *(_condition(*term, f"value_{n}") for n, term in enumerate(terms)))
    page = (
        _shown.where(asked)
        .order_by(_users.c.id)
        .limit(parameter("limit", Integer))
        .offset(parameter("offset", Integer))
    )
    return Query(select(func.count()).select_from(_users).where(asked)), Query(page)


class Brought(NamedTuple):
    """A user that this request may change, with the identity, both locked."""

    user: DirectoryUser
    identity: SignInIdentity


class Directory:
    """An admitted request of an organisation's directory."""

    def __init__(self, access: Access, organisation_id: UUID) -> None:
        self.access, self.unit, self.organisation_id = access, access.unit, organisation_id
        self.row: dict[str, Any] | None = None
        """The user that the address names, as it stands."""
        self.brought: Brought | None = None
        """The same, locked, when the request may change it."""

    async def find(self, user_id: UUID) -> dict[str, Any]:
        """One user, or NotFound."""
        found = await self.access.read(_ONE, id=user_id)
        if not found:
            raise NotFound()
        return found[0]

    async def hold(self, user_id: UUID) -> Brought:
        """One user and the identity, locked for this request's write; NotFound."""
        await self.unit.begin()
        statement = (
            select(DirectoryUser, SignInIdentity)
            .join(SignInIdentity, SignInIdentity.id == DirectoryUser.id)
            .where(DirectoryUser.id == user_id, _theirs)
            .with_for_update()
        )
        result = await self.unit.session.execute(statement, self.access.parameters)
        found = result.one_or_none()
        if found is None:
            raise NotFound()
        return Brought(found[0], found[1])

    async def search(
        self, terms: Sequence[Term], *, offset: int, limit: int
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many users there are of which all terms hold, and one page of them."""
        asked = sorted(terms, key=lambda term: (term.attribute, term.operator))
        total, page = _search(tuple((term.attribute, term.operator) for term in asked))
        values = {f"value_{n}": term.value for n, term in enumerate(asked)}
        count = (await self.unit.rows(total, {**self.access.parameters, **values}))[0][0]
        rows = await self.access.read(page, **values, limit=limit, offset=offset) if limit else []
        return count, rows

    async def holder_of(self, user_name_key: str) -> UUID | None:
        """Which of the organisation's users has the name."""
        found = await self.access.read(_TAKEN, user_name_key=user_name_key)
        return as_uuid(found[0]["id"]) if found else None

    async def person_named(self, source: str, external_id: str) -> UUID | None:
        """Whom the organisation's own system calls so."""
        found = await self.access.read(_NAMED, source=source, external_id=external_id)
        return as_uuid(found[0]["person_id"]) if found else None

    async def person(self, person_id: UUID) -> Person:
        """The person of a user of the organisation, locked."""
        statement = (
            select(Person)
            .where(Person.id == person_id)
            .with_for_update()
            .execution_options(scoped=True)
        )
        result = await self.unit.session.execute(statement)
        return result.scalar_one()

    async def places(self, person_id: UUID) -> list[Affiliation]:
        """The person's affiliations to the organisation that are not over, locked, the oldest first;
        also those that wait for the person's word."""
        statement = (
            select(Affiliation)
            .where(
                Affiliation.person_id == person_id,
                Affiliation.organisation_id == r.client_organisation(),
                r.not_past(_affiliations),
            )
            .order_by(Affiliation.id)
            .with_for_update()
            .execution_options(scoped=True)
        )
        result = await self.unit.session.execute(statement, self.access.parameters)
        return list(result.scalars())

    async def brought_beside(self, person_id: UUID, user_id: UUID) -> list[dict[str, str]]:
        """What the organisation's directory has brought about for other users of it, with open ways
        in, who are the same person: two records of one person have become one."""
        statement = (
            select(DirectoryUser.affiliations)
            .join(SignInIdentity, SignInIdentity.id == DirectoryUser.id)
            .where(
                SignInIdentity.person_id == person_id,
                SignInIdentity.closed_at.is_(None),
                DirectoryUser.id != user_id,
                _theirs,
            )
        )
        result = await self.unit.session.execute(statement, self.access.parameters)
        return list(result.scalars())

    async def elsewhere(self, person_id: UUID, identity_id: UUID) -> list[datetime]:
        """Since when, at the latest, the person has had each way in beside this one, and each place at
        another organisation: what the directory has no say in."""
        ways_in = await self.access.read(_WAYS_IN, person_id=person_id, identity_id=identity_id)
        places = await self.access.read(_PLACES, person_id=person_id)
        return [
            *(as_moment(row["created_at"]) for row in ways_in),
            *(datetime.combine(_as_date(row["starts_on"]), time.max, UTC) for row in places),
        ]


def _as_date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def directory(action: Action) -> Any:
    """Marks a route of SCIM: hands over the Directory, with the user that the address names.

    What is wrong with the request itself is left to the endpoint: the user's version comes before.
    """

    async def admitted(request: Request) -> Directory:
        access: Access = request.scope["admitted"]
        mine = await access.read(_MINE)
        if not mine or mine[0]["organisation_id"] is None:
            raise Forbidden("This is for clients of an organisation.")
        found = Directory(access, as_uuid(mine[0]["organisation_id"]))
        if "user_id" in request.path_params:
            user_id = _user_id(request.path_params["user_id"])
            if request.method != "GET":
                found.brought = await found.hold(user_id)
            found.row = await found.find(user_id)
        return found

    return gated(ActionGate(action, takes_key=False), admitted)


def _user_id(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        raise NotFound() from None
    if str(found) != text.lower():  # braces and the like
        raise NotFound()
    return found
