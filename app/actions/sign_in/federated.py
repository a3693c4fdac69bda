"""Signing in through an identity provider: the way there, the way back, and who it is."""

import asyncio
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
    has_required,
)
from app.access.identity_links import link_asked_for
from app.access.identity_providers import KnownProvider, find_provider, secret_of
from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database
from app.core.encoding import base64url
from app.core.http import as_uuid
from app.core.id_tokens import NotBelieved
from app.core.journal import Actor
from app.core.openid import SECONDS, ProviderAway, Providers, Registration
from app.core.passwords import hash_secret, new_secret
from app.core.query import Query
from app.core.sealing import Seals, Unreadable
from app.core.security_events import SecurityEvent, note
from app.core.settings import settings
from app.core.tables import as_moment
from app.models.identity_providers import FederatedSignIn, IdentityLink

MINUTES = 10
"""How long a person may take at the provider."""
SCOPE = "openid email profile"

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
        async with asyncio.timeout(SECONDS):
            metadata = await providers.discover(provider.issuer)
            # Another provider's answer, brought to this one's door (RFC 9207).
            named = sent.get("iss")
            if named != provider.issuer and (named is not None or metadata.names_itself):
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
    except (ProviderAway, TimeoutError) as away:
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


class LinkPage(NamedTuple):
    """What a person is asked before they go to link an account."""

    link_id: UUID
    provider: KnownProvider
    person: str
    client: str


async def find_link(database: Database, ticket: str) -> LinkPage | None:
    """What a ticket asks for; None when it is over."""
    unit = database.unit()
    asked = await link_asked_for(unit, hash_secret(ticket))
    if asked is None or as_moment(asked["expires_at"]) <= now():
        return None
    provider = await find_provider(database, as_uuid(asked["provider_id"]))
    if provider is None:
        return None
    return LinkPage(as_uuid(asked["id"]), provider, asked["person"], asked["client"])


async def show_account(database: Database, link_id: UUID, subject: str | None) -> str | None:
    """Where the browser goes with a code for the account that was shown, or with an error when none
    was; None when the link is over. Nothing is linked yet: that takes the person's token."""
    code = new_secret()
    async with database.work() as unit:
        await unit.begin()
        link = await unit.session.get(IdentityLink, link_id, with_for_update=True)
        if link is None or link.subject is not None or link.expires_at <= now():
            return None
        sent = {"link_id": str(link.id)}
        if subject is None:
            await unit.session.delete(link)
            sent["error"] = "access_denied"
        else:
            link.subject, link.secret_hash = subject, hash_secret(code)
            sent["code"] = code
        separator = "&" if "?" in link.redirect_uri else "?"
        sent["iss"] = settings().base_url
        return f"{link.redirect_uri}{separator}{urlencode(sent)}"
