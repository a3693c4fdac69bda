"""OpenID Connect, seen from the client: what an identity provider says of itself and of people.

Providers are services of others: each answer is bounded in time and size, comes over TLS from an
address that everybody can reach, and what it says of people is believed only when it is signed and
meant for us (app.core.id_tokens).
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx

from app.core import id_tokens
from app.core.id_tokens import NotBelieved
from app.core.settings import settings

SECONDS = 4.0
"""How long a provider may take for all that is asked of it at a time."""
LARGEST = 256 * 1024
_KEPT_SECONDS = 3600.0
_PATIENCE = 30.0
"""Seconds between two looks for a key that is not known."""
_MOST_KEPT = 1000
_LONGEST_ADDRESS = 2000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ProviderAway(Exception):
    """The provider does not answer, or not in words that can be read; says what was asked of it."""


class Metadata(NamedTuple):
    """What a provider says of itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    posts_secret: bool
    """Takes the client's secret in the form; else by Basic."""
    names_itself: bool
    """Adds `iss` to its answers (RFC 9207)."""


class Registration(NamedTuple):
    """What the provider knows us by."""

    issuer: str
    client_id: str
    secret: str


def wrong_address(address: str) -> str | None:
    """Why an address is none that we would ask; None when it is one."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "must be an address"
    if not address.isascii() or not address.isprintable() or set(address) & set(" \"'<>\\^`{|}"):
        return "must be an address, with the provider's own names put in"
    if not host or "@" in parts.netloc:
        return "must be an address that names a host and no user"
    if parts.scheme == "http" and host in _LOOPBACK and settings().private_providers:
        return None
    return None if parts.scheme == "https" else "must begin with https"


class Providers:
    """Asks providers, and remembers what they say of themselves for an hour."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, list[Any]]] = {}

    async def close(self) -> None:
        """Closes what is open."""
        if self._client is not None:
            await self._client.aclose()

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            client = httpx.AsyncClient(
                timeout=SECONDS,
                follow_redirects=False,
                trust_env=False,
                limits=httpx.Limits(max_connections=20, keepalive_expiry=30),
            )
            if not settings().private_providers:
                from httpx_secure import httpx_ssrf_protection  # asked with the first provider

                client = httpx_ssrf_protection(client)
            self._client = client
        return self._client

    async def _object(self, method: str, address: str, **named: Any) -> tuple[int, dict[str, Any]]:
        if wrong_address(address):
            raise ProviderAway("address")
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **named.pop("headers", {}),
        }
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._http().stream(method, address, headers=headers, **named) as answer,
            ):
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise ProviderAway("encoding")
                body = bytearray()
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > LARGEST:
                        raise ProviderAway("size")
        except TimeoutError as error:
            raise ProviderAway("time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderAway(type(error).__name__) from error
        try:
            found = json.loads(bytes(body))
        except (ValueError, RecursionError) as error:
            raise ProviderAway(f"status {answer.status_code}, no JSON") from error
        if not isinstance(found, dict):
            raise ProviderAway("no JSON object")
        return answer.status_code, found

    async def _get(self, address: str) -> dict[str, Any]:
        status, found = await self._object("GET", address)
        if status != 200:
            raise ProviderAway(f"status {status}")
        return found

    async def discover(self, issuer: str) -> Metadata:
        """The provider's metadata; its issuer is `issuer` letter by letter."""
        kept = self._metadata.get(issuer)
        if kept is not None and kept[0] + _KEPT_SECONDS > time.monotonic():
            return kept[1]
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ProviderAway("another issuer")
        methods = found.get("token_endpoint_auth_methods_supported")
        metadata = Metadata(
            issuer=issuer,
            authorization_endpoint=_endpoint(found, "authorization_endpoint"),
            token_endpoint=_endpoint(found, "token_endpoint"),
            jwks_uri=_endpoint(found, "jwks_uri"),
            posts_secret=isinstance(methods, list) and "client_secret_post" in methods,
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        )
        _keep(self._metadata, issuer, metadata)
        return metadata

    async def identify(
        self, registration: Registration, *, code: str, verifier: str, nonce: str, redirect_uri: str
    ) -> dict[str, Any]:
        """The claims of the ID token for a code; ProviderAway, or NotBelieved."""
        try:
            async with asyncio.timeout(SECONDS):
                metadata = await self.discover(registration.issuer)
                id_token, access_token = await self._exchange(
                    metadata, registration, code, verifier, redirect_uri
                )
                header = id_tokens.read_header(id_token)
                key = await self._key(metadata.jwks_uri, header)
        except TimeoutError as error:
            raise ProviderAway("time") from error
        return id_tokens.verify(
            id_token,
            header,
            key,
            issuer=registration.issuer,
            client_id=registration.client_id,
            nonce=nonce,
            access_token=access_token,
        )

    async def _exchange(
        self,
        metadata: Metadata,
        registration: Registration,
        code: str,
        verifier: str,
        redirect_uri: str,
    ) -> tuple[str, str | None]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if metadata.posts_secret:
            form |= {"client_id": registration.client_id, "client_secret": registration.secret}
        else:
            # Each of the two is encoded as in a form first (RFC 6749, 2.3.1).
            pair = f"{quote_plus(registration.client_id)}:{quote_plus(registration.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        status, found = await self._object(
            "POST", metadata.token_endpoint, content=urlencode(form), headers=headers
        )
        id_token, access_token = found.get("id_token"), found.get("access_token")
        if status >= 500:
            raise ProviderAway(f"status {status}")
        if status != 200 or not isinstance(id_token, str):
            # The code was somebody else's, or our own registration is wrong.
            raise NotBelieved("code" if found.get("error") == "invalid_grant" else "token_answer")
        return id_token, access_token if isinstance(access_token, str) else None

    async def _key(self, jwks_uri: str, header: Mapping[str, Any]) -> Any:
        looked, keys = self._keys.get(jwks_uri, (-_KEPT_SECONDS, []))
        age = time.monotonic() - looked
        found = id_tokens.fitting(keys, header) if age < _KEPT_SECONDS else None
        if found is None and (age > _PATIENCE or not keys):
            described = (await self._get(jwks_uri)).get("keys")
            try:
                keys = id_tokens.read_keys(described)
            except ValueError as error:
                raise ProviderAway("keys") from error
            _keep(self._keys, jwks_uri, keys)
            found = id_tokens.fitting(keys, header)
        if found is None:
            raise NotBelieved("key")
        return found


def _endpoint(described: Mapping[str, Any], name: str) -> str:
    address = described.get(name)
    if not isinstance(address, str) or len(address) > _LONGEST_ADDRESS or wrong_address(address):
        raise ProviderAway(name)
    return address


def _keep(kept: dict[str, tuple[float, Any]], name: str, value: Any) -> None:
    kept.pop(name, None)
    while len(kept) >= _MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[name] = (time.monotonic(), value)
