"""The accounts at providers that open a person's ways in, and what is left when one is taken away."""

from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, or_, select, true

from app.access import relations as r
from app.access.visibility import parameter
from app.core.db import Unit
from app.core.query import Query
from app.core.sql import json_object, there_is, wire
from app.core.tables import Id
from app.models.identity_providers import FederatedSubject, IdentityLink, IdentityProvider
from app.models.people import Client, Person, SignInIdentity

_subjects: Any = FederatedSubject.__table__
_providers: Any = IdentityProvider.__table__
_identities: Any = SignInIdentity.__table__
_links: Any = IdentityLink.__table__
_people: Any = Person.__table__
_clients: Any = Client.__table__

_provider = json_object("id", wire(_providers.c.id), "name", _providers.c.name)
MY_LINKS = Query(
    select(
        wire(_subjects.c.identity_id).label("identity_id"),
        _provider.label("provider"),
        wire(_subjects.c.linked_at).label("linked_at"),
    )
    .join_from(_subjects, _identities, _identities.c.id == _subjects.c.identity_id)
    .join(_providers, _providers.c.id == _subjects.c.provider_id)
    .where(_identities.c.person_id == r.me, _identities.c.closed_at.is_(None))
    .order_by(_subjects.c.linked_at.desc(), _subjects.c.identity_id)
    .limit(200),
    scoped=True,
)
"""Which accounts of which providers open the caller's ways in, the newest first."""

# Whatever else opens an open way in of the person: a password, or another account that counts.
_OTHERS = Query(
    select(_identities.c.id)
    .where(
        _identities.c.person_id == parameter("person_id", Id),
        _identities.c.closed_at.is_(None),
        or_(
            _identities.c.password_hash.is_not(None),
            there_is(
                _subjects,
                _subjects.c.identity_id == _identities.c.id,
                or_(
                    _subjects.c.identity_id != parameter("identity_id", Id),
                    _subjects.c.provider_id != parameter("provider_id", Id),
                ),
                there_is(
                    _providers,
                    and_(
                        _providers.c.id == _subjects.c.provider_id, _providers.c.enabled == true()
                    ),
                ),
            ),
        ),
    )
    .limit(1),
    unscoped="whether a person is left a way in",
)
_ASKED = Query(
    select(
        _links.c.id,
        _links.c.provider_id,
        _links.c.client_id,
        _links.c.redirect_uri,
        _links.c.expires_at,
        _people.c.name.label("person"),
        _clients.c.name.label("client"),
    )
    .join_from(_links, _people, _people.c.id == _links.c.person_id)
    .join(_clients, _clients.c.id == _links.c.client_id)
    .where(_links.c.secret_hash == parameter("secret_hash", String), _links.c.subject.is_(None)),
    unscoped="whoever has the ticket was given it by who it is about",
)


async def has_another_way(
    unit: Unit, *, person_id: UUID, identity_id: UUID, provider_id: UUID
) -> bool:
    """Whether a person can still sign in without this account."""
    named = {"person_id": person_id, "identity_id": identity_id, "provider_id": provider_id}
    return bool(await unit.rows(_OTHERS, named))


async def link_asked_for(unit: Unit, secret_hash: str) -> dict[str, Any] | None:
    """The link that a ticket stands for, as long as no account has been shown for it."""
    found = _ASKED.dicts(await unit.rows(_ASKED, {"secret_hash": secret_hash}))
    return found[0] if found else None
