"""Writes of clients over the API: by those who administer them, within what they may give."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from app.access.claims import Claim
from app.access.clients import CLIENT_SCOPES, SIGNS_PEOPLE_IN, check_may_register
from app.access.door import Access
from app.access.gates import Owned
from app.access.grants import Relation
from app.access.networks import NETWORKS
from app.access.visibility import parameter
from app.actions.accounts.client_secrets import (
    add_secret,
    check_enabled,
    end_tokens,
    insert_secret,
    remove_secret,
)
from app.actions.accounts.clients import disable_client, insert_client
from app.core.assertions import check_key_set
from app.core.errors import Forbidden, InsufficientScope, Invalid
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.models.organisations import Organisation
from app.models.people import Client, ClientKind

_organisations: Any = Organisation.__table__
_EXISTS = Query(select(_organisations.c.id).where(_organisations.c.id == parameter("id", Id)))


async def register_client(access: Access, claim: Claim, values: Mapping[str, Any]) -> str | None:
    """A client with these columns; its secret, shown only here, unless it is public or has keys."""
    await access.unit.begin()
    organisation_id, network_id = values["organisation_id"], values["network_id"]
    await check_may_register(access, organisation_id, signs_people_in=bool(values["redirect_uris"]))
    if organisation_id is not None and not await access.unit.rows(_EXISTS, {"id": organisation_id}):
        raise Invalid.field("/organisation_id", "names no organisation")
    if network_id is not None and await access.find(NETWORKS, network_id) is None:
        raise Invalid.field("/network_id", "names no network")
    kept = {**values, **_checked(values)}
    _check_use(kept["kind"], kept["scopes"], kept["redirect_uris"])
    _check_may_give(access, kept["scopes"])
    await insert_client(
        access.unit,
        actor=access.caller.actor,
        client_id=claim.id,
        creation_digest=claim.digest,
        **kept,
    )
    if kept["kind"] == ClientKind.PUBLIC or kept["keys"] is not None:
        return None
    return await insert_secret(access.unit, claim.id)


async def change_client(owned: Owned[Client], values: Mapping[str, Any]) -> None:
    """Changes name, scopes, redirect URIs or keys; what is taken away counts no longer at once."""
    client, access = owned.entity, owned.access
    check_enabled(client)
    values = {**values, **_checked(values)}
    changed = {name for name, value in values.items() if getattr(client, name) != value}
    if not changed:
        return
    signs_people_in = "redirect_uris" in changed or (client.redirect_uris and changed != {"keys"})
    if signs_people_in and not owned.held.is_any(Relation.OPERATOR):
        # Whoever chose name, scopes or the way back could lead people to give them what is theirs.
        raise Forbidden(SIGNS_PEOPLE_IN)
    if "keys" in changed and client.kind == ClientKind.PUBLIC:
        raise Invalid.field("/keys", "a public client has none")
    scopes, redirects = (values.get(n, getattr(client, n)) for n in ("scopes", "redirect_uris"))
    if changed & {"scopes", "redirect_uris"}:
        _check_use(client.kind, scopes, redirects)
    added, removed = set(scopes) - set(client.scopes), set(client.scopes) - set(scopes)
    _check_may_give(access, scopes if "keys" in changed else added)
    if removed or ("keys" in changed and client.keys is not None):
        end_tokens(access.unit, client)
    for name in changed:
        setattr(client, name, values[name])
    client.touch()
    plain = SecurityEvent.CLIENT_NARROWED if removed else SecurityEvent.CLIENT_CHANGED
    await access.unit.flush()
    await note(
        access.unit,
        SecurityEvent.CLIENT_WIDENED if added else plain,
        actor=access.caller.actor,
        resource_id=client.id,
        version=client.version,
        organisation_id=client.organisation_id,
        changed=changed,
    )


async def give_secret(owned: Owned[Client]) -> str:
    """A new secret of a client, shown only here."""
    client, access = owned.entity, owned.access
    _check_may_give(access, client.scopes)
    return await add_secret(access.unit, actor=access.caller.actor, client_id=client.id)


async def take_secret(owned: Owned[Client], shown_as: str) -> None:
    """Ends a secret of a client, by its fingerprint."""
    unit, actor = owned.access.unit, owned.access.caller.actor
    await remove_secret(unit, actor=actor, client_id=owned.entity.id, shown_as=shown_as)


async def disable(owned: Owned[Client]) -> None:
    """Disables a client, for good."""
    unit, actor = owned.access.unit, owned.access.caller.actor
    await disable_client(unit, actor=actor, client_id=owned.entity.id)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the columns that are kept in another form than they are sent in."""
    found: dict[str, Any] = {}
    if "scopes" in values:
        found["scopes"] = sorted(set(values["scopes"]))
    if "redirect_uris" in values:
        found["redirect_uris"] = sorted(set(values["redirect_uris"]))
    if values.get("keys") is not None:
        try:
            found["keys"] = check_key_set(values["keys"])
        except ValueError as error:
            raise Invalid.field("/keys", str(error)) from error
    return found


def _check_use(kind: str, scopes: Iterable[str], redirect_uris: list[str]) -> None:
    """Whether a client can do anything with what it has."""
    if redirect_uris:
        return
    if kind == ClientKind.PUBLIC:
        raise Invalid.field("/redirect_uris", "people who sign in come back to one: name it")
    if useless := sorted(set(scopes) - CLIENT_SCOPES):
        raise Invalid.field("/scopes", f"only people who sign in can use {', '.join(useless)}")


def _check_may_give(access: Access, scopes: Iterable[str]) -> None:
    """Nobody gives more than the token has with which they give it."""
    if beyond := sorted(set(scopes) - access.caller.scopes):
        raise InsufficientScope(beyond[0])
