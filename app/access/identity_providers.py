"""Identity providers: who sees them, which are offered on the sign-in page, and whom they know."""

import json
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, case, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.grants import Relation
from app.access.visibility import Resource, Way, parameter, register
from app.core.db import Database
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.identity_providers import IdentityProvider
from app.models.people import Client

_providers: Any = IdentityProvider.__table__
_clients: Any = Client.__table__

MOST_OFFERED = 8
"""How many buttons a sign-in page has; who belongs to another provider is asked for their address."""


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    if kind is CallerKind.CLIENT:
        return []
    return [
        r.as_administrator(row.c.organisation_id),
        r.as_operator(),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {}
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.OPERATOR: r.is_operator(),
    }


PROVIDERS = register(
    Resource(
        kind="identity_provider",
        path="/v1/identity-providers",
        table=IdentityProvider.__table__,  # type: ignore[arg-type]
        entity=IdentityProvider,
        ways=_ways,
        columns=lambda row, kind: [
            row.c[name]
            for name in (
                "id", "version", "created_at", "updated_at", "organisation_id", "name", "name_cy",
                "issuer", "client_id", "trusted_domains", "required_claims",
                "vouches_for_addresses", "creates_people", "enabled",
            )
        ],
        relations=_relations,
        filters={"organisation_id": lambda row, bind: row.c.organisation_id == bind},
        filter_types={"organisation_id": Id},
    )
)  # fmt: skip

IS_OPERATOR = Query(select(r.is_operator().label("may")), scoped=True)
"""Whether the caller looks after accounts for the operator."""

_UNSCOPED = "on the way to signing in: nobody is there yet who could be asked who they are"
_COLUMNS = [
    _providers.c[name]
    for name in (
        "id", "organisation_id", "name", "name_cy", "issuer", "client_id", "sealed_secret",
        "trusted_domains", "required_claims", "vouches_for_addresses", "creates_people",
    )
]  # fmt: skip
_ENABLED = select(*_COLUMNS).where(_providers.c.enabled == true())
_FIND = Query(_ENABLED.where(_providers.c.id == parameter("id", Id)), unscoped=_UNSCOPED)
# First that of the client's own organisation, then those of many organisations.
_OFFERED = Query(
    _ENABLED.order_by(
        case(
            (
                _providers.c.organisation_id
                == select(_clients.c.organisation_id)
                .where(_clients.c.id == parameter("client_id", Id))
                .scalar_subquery(),
                0,
            ),
            (_providers.c.organisation_id.is_(None), 1),
            else_=2,
        ),
        _providers.c.name,
        _providers.c.id,
    ).limit(parameter("limit", Integer)),
    unscoped=_UNSCOPED,
)
_EVERY = Query(_ENABLED.order_by(_providers.c.id), unscoped=_UNSCOPED)


class KnownProvider(NamedTuple):
    """A provider through which people may sign in."""

    id: UUID
    organisation_id: UUID | None
    name: str
    name_cy: str | None
    issuer: str
    client_id: str
    sealed_secret: str
    trusted_domains: frozenset[str]
    required_claims: dict[str, str]
    vouches_for_addresses: bool
    creates_people: bool

    def name_in(self, language: str) -> str:
        """Its name for a page."""
        return (self.name_cy if language == "cy" else None) or self.name


def _known(row: Any) -> KnownProvider:
    values = dict(zip(_FIND.columns, row, strict=True))
    place = values.pop("organisation_id")
    return KnownProvider(
        id=as_uuid(values.pop("id")),
        organisation_id=None if place is None else as_uuid(place),
        trusted_domains=frozenset(json.loads(values.pop("trusted_domains"))),
        required_claims={
            required["claim"]: required["value"]
            for required in json.loads(values.pop("required_claims"))
        },
        vouches_for_addresses=bool(values.pop("vouches_for_addresses")),
        creates_people=bool(values.pop("creates_people")),
        **values,
    )


def secret_of(provider_id: UUID) -> str:
    """What its sealed client secret is bound to."""
    return f"identity_provider:{provider_id}"


async def find_provider(database: Database, provider_id: UUID) -> KnownProvider | None:
    """The provider, if it is enabled."""
    rows = await database.rows(_FIND, {"id": provider_id})
    return _known(rows[0]) if rows else None


async def offered_providers(
    database: Database, client_id: UUID
) -> tuple[list[KnownProvider], bool]:
    """The providers for a sign-in page of a client, and whether there are more."""
    rows = await database.rows(_OFFERED, {"client_id": client_id, "limit": MOST_OFFERED + 1})
    return [_known(row) for row in rows[:MOST_OFFERED]], len(rows) > MOST_OFFERED


async def provider_of_domain(database: Database, domain: str) -> KnownProvider | None:
    """The provider that is trusted for a mail domain; None when there is none, or more than one."""
    rows = await database.rows(_EVERY, {})
    found = [known for known in map(_known, rows) if domain in known.trusted_domains]
    return found[0] if len(found) == 1 else None
