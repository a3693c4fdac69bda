"""Who sees a client: who administers its organisation, and the operator's administrators."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import GRANTS, Relation
from app.access.sign_in import PUBLIC_CLIENT
from app.access.visibility import Resource, Way, parameter, register
from app.core.clock import now
from app.core.errors import Forbidden
from app.core.query import Query
from app.core.sql import json_list, json_object, wire
from app.core.tables import Id
from app.models.people import Client, ClientSecret

_secrets: Any = ClientSecret.__table__

CLIENT_SCOPES = frozenset(grant.scope for grant in GRANTS.values() if grant.clients)
"""The scopes that a client can use for itself; the others are for people alone."""

_NAMES = (
    "id", "version", "created_at", "updated_at", "kind", "name", "organisation_id", "network_id", "scopes",
    "redirect_uris", "keys", "last_used_on", "disabled_at",
)  # fmt: skip
_FINGERPRINT = 12


def fingerprint(secret_hash: str) -> str:
    """Tells secrets apart, and tells nothing of them: the beginning of the SHA-256 of a random one."""
    return secret_hash[:_FINGERPRINT]


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    if kind is not CallerKind.PERSON:
        return []
    # The client of the documentation page is the service's own, and follows its settings.
    return [
        r.as_administrator(row.c.organisation_id, row.c.id != PUBLIC_CLIENT),
        r.as_operator(row.c.id != PUBLIC_CLIENT),
    ]


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    s = _secrets.alias("s")
    secrets = (
        select(
            json_object(
                "hash", s.c.hash, "created_at", wire(s.c.created_at), "expires_at", wire(s.c.expires_at)
            )
        )
        .where(s.c.client_id == row.c.id)
        .order_by(s.c.created_at, s.c.hash)
        .correlate(row)
    )  # fmt: skip
    return [*(row.c[name] for name in _NAMES), json_list(secrets).label("secrets")]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is not CallerKind.PERSON:
        return {}
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.OPERATOR: r.is_operator(),
    }


def _show(row: dict[str, Any]) -> None:
    moment = now()
    row["secrets"] = json.dumps(
        [
            {**kept, "fingerprint": fingerprint(kept.pop("hash"))}
            for kept in json.loads(row["secrets"])
            if kept["expires_at"] is None or datetime.fromisoformat(kept["expires_at"]) > moment
        ]
    )
    # Both change without a new version: the ETag tells of them.
    row["shade"] = f"-{row['secrets'].count('fingerprint')}-{row['last_used_on'] or 'unused'}"


CLIENTS = register(
    Resource(
        kind="client",
        path="/v1/clients",
        table=Client.__table__,  # type: ignore[arg-type]
        entity=Client,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        filters={
            "organisation_id": lambda row, bind: row.c.organisation_id == bind,
            "network_id": lambda row, bind: row.c.network_id == bind,
        },
        filter_types={"organisation_id": Id, "network_id": Id},
        prepare=_show,
    )
)

_MAY_REGISTER = Query(
    select(
        r.administers(parameter("organisation_id", Id)).label("administers"),
        r.is_operator().label("operates"),
    ),
    scoped=True,
)


async def check_may_register(
    access: Access, organisation_id: UUID | None, *, signs_people_in: bool
) -> None:
    """Forbidden unless the caller is the operator's administrator, or administers the organisation
    that gets an integration through which nobody signs in."""
    (found,) = await access.read(_MAY_REGISTER, organisation_id=organisation_id)
    if found["operates"]:
        return
    if not found["administers"]:
        raise Forbidden(
            f"This is for {Relation.OPERATOR}, or, for its own integrations, {Relation.ADMINISTRATOR}."
        )
    if signs_people_in:
        raise Forbidden(SIGNS_PEOPLE_IN)


SIGNS_PEOPLE_IN = (
    f"Through a client with redirect_uris people sign in: this is for {Relation.OPERATOR}."
)
