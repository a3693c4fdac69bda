"""Signing in through an identity provider: the way there, the way back, and who it is."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import String, delete

from app.access.federation import (
    find_linked,
    has_required,
    linked_subject,
    vouched_address,
)
from app.access.identity_providers import KnownProvider, find_provider, secret_of
from app.access.sign_in import KnownIdentity, identities_by_address
from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.encoding import base64url
from app.core.errors import Conflict
from app.core.http import as_uuid
from app.core.id_tokens import NotBelieved
from app.core.ids import uuid7
from app.core.journal import Actor, record
from app.core.openid import ProviderAway, Providers, Registration
from app.core.passwords import hash_secret, new_secret
from app.core.query import Query
from app.core.sealing import Seals, Unreadable
from app.core.security_events import SecurityEvent, note
from app.core.settings import settings
from app.core.tables import Id, as_moment
from app.core.text import clean
from app.models.identity_providers import FederatedSignIn, FederatedSubject
from app.models.people import Person, SignInIdentity

MINUTES = 10
"""How long a person may take at the provider."""
SCOPE = "openid email profile"

_subjects: Any = FederatedSubject.__table__
_UNLINK = Query(
    delete(_subjects).where(
        _subjects.c.provider_id == parameter("provider_id", Id),
        _subjects.c.subject == parameter("subject", String),
    )
)
_ways: Any = FederatedSignIn.__table__
# Once: whoever comes back a second time finds nothing.
_TAKE = Query(
    delete(_ways)
    .where(
        _ways.c.state_hash == parameter("state_hash", String),
        _ways.c.browser_hash == parameter("browser_hash", String),
    )
    .returning(
        _ways.c.provider_id,
        _ways.c.parameters,
        _ways.c.link_id,
        _ways.c.language,
        _ways.c.expires_at,
    )
)


class Refusal(Exception):
    """Nobody is signed in; `reason` is the page's word for it, `detail` the journal's."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Back(NamedTuple):
    """A browser that has come back from a provider."""

    provider: KnownProvider
    parameters: dict[str, str]
    link_id: UUID | None
    language: str


def callback() -> str:
    """The one address to which providers send people back."""
    return f"{settings().base_url}/oauth/callback"


def _derived(browser: str, state: str, what: str) -> str:
    """Nonce and PKCE verifier: only the browser's cookie makes them, so none is kept."""
    made = hmac.new(browser.encode(), f"{what}:{state}".encode(), hashlib.sha256)
    return base64url(made.digest())


async def lead_away(
    database: Database,
    providers: Providers,
    provider: KnownProvider,
    *,
    browser: str,
    parameters: Mapping[str, str],
    language: str,
    link_id: UUID | None = None,
    hint: str = "",
) -> str:
    """The address at the provider to which the browser goes; Refusal when the provider is away."""
    try:
        metadata = await providers.discover(provider.issuer)
    except ProviderAway as away:
        raise Refusal("provider_away", str(away)) from away
    state, moment = new_secret(), now()
    async with database.work() as unit:
        await unit.insert(
            FederatedSignIn(
                state_hash=hash_secret(state),
                browser_hash=hash_secret(browser),
                provider_id=provider.id,
                parameters=dict(parameters),
                link_id=link_id,
                language=language,
                created_at=moment,
                expires_at=moment + timedelta(minutes=MINUTES),
            )
        )
    verifier = _derived(browser, state, "verifier")
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": callback(),
        "scope": SCOPE,
        "state": state,
        "nonce": _derived(browser, state, "nonce"),
        "code_challenge": base64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "ui_locales": language,
        **({"login_hint": hint} if hint else {}),
        # Whoever sat at this machine before may still be signed in there.
        "prompt": "select_account",
    }
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(asked)}"


async def take_back(database: Database, *, state: str, browser: str) -> Back | None:
    """What the browser that comes back was sent away for; None when it was not, or too long ago."""
    async with database.work() as unit:
        await unit.begin()
        rows = await unit.rows(
            _TAKE, {"state_hash": hash_secret(state), "browser_hash": hash_secret(browser)}
        )
    if not rows:
        return None
    way = dict(zip(_TAKE.columns, rows[0], strict=True))
    provider = await find_provider(database, as_uuid(way["provider_id"]))
    if provider is None or as_moment(way["expires_at"]) <= now():
        return None
    link_id = way["link_id"]
    return Back(
        provider,
        json.loads(way["parameters"]),
        None if link_id is None else as_uuid(link_id),
        way["language"],
    )


async def believe(
    providers: Providers,
    seals: Seals,
    provider: KnownProvider,
    sent: Mapping[str, str],
    *,
    browser: str,
) -> dict[str, Any]:
    """The claims about the account with which the browser comes back, or Refusal."""
    try:
        metadata = await providers.discover(provider.issuer)
        # Another provider's answer, brought to this one's door (RFC 9207).
        if sent.get("iss", provider.issuer if not metadata.names_itself else "") != provider.issuer:
            raise NotBelieved("issuer")
        if "error" in sent or not sent.get("code"):
            raise Refusal("cancelled", "cancelled")
        claims = await providers.identify(
            Registration(
                provider.issuer,
                provider.client_id,
                seals.open(provider.sealed_secret, secret_of(provider.id)),
            ),
            code=sent["code"],
            verifier=_derived(browser, sent["state"], "verifier"),
            nonce=_derived(browser, sent["state"], "nonce"),
            redirect_uri=callback(),
        )
    except ProviderAway as away:
        raise Refusal("provider_away", "away") from away
    except Unreadable as error:
        raise Refusal("provider_away", "secret_unreadable") from error
    except NotBelieved as wrong:
        raise Refusal("not_believed", str(wrong)) from wrong
    if not has_required(provider, claims):
        raise Refusal("not_known", "required_claims")
    return claims


async def note_refusal(
    database: Database, provider: KnownProvider, refusal: Refusal, *, client_id: UUID | None
) -> None:
    """Journals that nobody was signed in, and why; without a word on who it was."""
    async with database.work() as unit:
        await note(
            unit,
            SecurityEvent.PROVIDER_REFUSED,
            actor=Actor(None, client_id),
            resource_id=provider.id,
            organisation_id=provider.organisation_id,
            changed=[refusal.detail],
        )


async def recognise(
    database: Database, provider: KnownProvider, claims: Mapping[str, Any], *, client_id: UUID
) -> KnownIdentity:
    """The way in that an account opens, linked now if need be; or Refusal.

    First by the account itself, then by an address for which the provider is trusted.
    """
    try:
        async with database.work() as unit:
            return await _recognise(unit, provider, claims, client_id)
    except Conflict:
        # Linked by the same account's other browser in this moment.
        async with database.work() as unit:
            return await _recognise(unit, provider, claims, client_id)


async def _recognise(
    unit: Unit, provider: KnownProvider, claims: Mapping[str, Any], client_id: UUID
) -> KnownIdentity:
    await unit.begin()
    subject: str = claims["sub"]
    linked = await find_linked(unit, provider.id, subject)
    if linked is not None and linked.open:
        return KnownIdentity(linked.id, linked.person_id, linked.password_hash)
    address = vouched_address(provider, claims)
    found: list[KnownIdentity] = []
    if address is not None:
        found = await identities_by_address(unit, provider.organisation_id, address)
    if linked is not None:
        # It came back to school: the account is known, and stays its person's.
        found = [identity for identity in found if identity.person_id == linked.person_id]
        if len(found) != 1:
            raise Refusal("is_closed", "closed")
        await unit.rows(_UNLINK, {"provider_id": provider.id, "subject": subject})
    if len(found) == 1:
        return await _link_by_address(unit, provider, found[0], subject, client_id)
    if found or not provider.creates_people:
        raise Refusal("not_known", "unknown" if not found else "several")
    return await _bring_in(unit, provider, claims, address, client_id)


async def _link_by_address(
    unit: Unit, provider: KnownProvider, identity: KnownIdentity, subject: str, client_id: UUID
) -> KnownIdentity:
    held = await unit.session.get(SignInIdentity, identity.id, with_for_update=True)
    if held is None or held.closed_at is not None:
        raise Refusal("is_closed", "closed")
    # The address has come to somebody else: the first account keeps what is its person's.
    if await linked_subject(unit, provider.id, identity.id) is not None:
        raise Refusal("not_known", "another_account")
    await link(unit, provider, identity.id, subject)
    await note(
        unit,
        SecurityEvent.IDENTITY_LINKED,
        actor=Actor(None, client_id),
        resource_id=identity.id,
        owner_id=identity.person_id,
        organisation_id=held.organisation_id,
    )
    return identity


async def link(unit: Unit, provider: KnownProvider, identity_id: UUID, subject: str) -> None:
    """From now on the account opens this way in; Conflict when it opens another already."""
    await unit.insert(
        FederatedSubject(
            provider_id=provider.id, subject=subject, identity_id=identity_id, linked_at=now()
        )
    )


async def _bring_in(
    unit: Unit,
    provider: KnownProvider,
    claims: Mapping[str, Any],
    address: str | None,
    client_id: UUID,
) -> KnownIdentity:
    """A person without any affiliation: nothing is theirs but what they write themselves."""
    person_id, moment, actor = uuid7(), now(), Actor(None, client_id)
    await unit.insert(
        Person(
            id=person_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            name=_name_of(claims, address),
            email=address,
        )
    )
    await record(
        unit,
        actor=actor,
        action="created",
        kind="person",
        resource_id=person_id,
        version=1,
        owner_id=person_id,
    )
    identity = SignInIdentity(
        id=uuid7(),
        person_id=person_id,
        organisation_id=provider.organisation_id,
        created_at=moment,
    )
    await unit.insert(identity)
    await link(unit, provider, identity.id, claims["sub"])
    for event in (SecurityEvent.IDENTITY_CREATED, SecurityEvent.IDENTITY_LINKED):
        await note(
            unit,
            event,
            actor=actor,
            resource_id=identity.id,
            owner_id=person_id,
            organisation_id=provider.organisation_id,
        )
    return KnownIdentity(identity.id, person_id, None)


def _name_of(claims: Mapping[str, Any], address: str | None) -> str:
    given = claims.get("name")
    try:
        name = " ".join(clean(given).split())[:300] if isinstance(given, str) else ""
    except ValueError:
        name = ""
    return name or (address or "").partition("@")[0] or "?"
