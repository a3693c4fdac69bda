"""Access tokens (RFC 9068). The only module that imports python-jose.

python-jose alone accepts a missing exp, aud or sub, any typ and unknown crit, ignores kid, and
takes any algorithm when none is named; everything that RFC 8725 asks for is checked here.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from jose import jwk, jws
from jose.exceptions import JOSEError

from app.core import keys
from app.core.encoding import from_base64url
from app.core.errors import Unauthenticated
from app.core.ids import uuid7

log = structlog.get_logger()

MAX_BYTES = 8192
LEEWAY_SECONDS = 30
_CACHED = 4096
_PATIENCE = 5.0
"""Seconds between two looks at the folder for a key that is not known."""


class Claims(NamedTuple):
    """What a verified token says."""

    subject: UUID
    client: UUID
    scopes: frozenset[str]
    expires: int
    """Seconds since 1970."""
    session: UUID | None = None
    """The person's session; a client's token has none."""
    issued: int = 0
    jti: str = ""
    signed_in: int = 0
    """When the person signed in, in seconds since 1970; refreshing does not move it."""
    methods: tuple[str, ...] = ()
    """How they showed who they are (RFC 8176)."""

    @property
    def is_client(self) -> bool:
        """Whether the token speaks for an integration client and no person."""
        return self.subject == self.client


class Refused(Exception):
    """A JWS that is not taken; the words say why, after "The access token"."""


class PublicKey(NamedTuple):
    """A key with the one algorithm for which it is used."""

    algorithm: str
    verifier: Any


def public_key(described: Mapping[str, Any], algorithm: str) -> PublicKey:
    """The key of a JWK (RFC 7517); ValueError when it is none for `algorithm`."""
    try:
        return PublicKey(algorithm, jwk.construct(dict(described), algorithm))
    except (JOSEError, KeyError, TypeError) as error:
        raise ValueError("not a key for this algorithm") from error


class _Key:
    def __init__(self, file: keys.KeyFile, algorithm: str) -> None:
        self.kid = file.kid
        self.signer = jwk.construct(file.pem.decode(), algorithm)
        self.verifier = self.signer.public_key()
        self.public = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in self.verifier.to_dict().items()
        }


class Tokens:
    """Issues and verifies the access tokens of one issuer.

    Keys are PEM files in `folder` (app.core.keys); `follow()` takes up what has changed there.
    """

    def __init__(
        self,
        folder: Path,
        *,
        issuer: str,
        audience: str,
        algorithm: str = "ES256",
        minutes: int = 15,
    ) -> None:
        self.issuer, self.audience, self.algorithm = issuer, audience, algorithm
        self.lifetime = minutes * 60
        self._folder = folder
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self._ended: frozenset[UUID] = frozenset()
        self._since: dict[UUID, datetime] = {}
        self._looked = 0.0
        keys.ensure(folder, algorithm)
        self._files: list[keys.KeyFile] = []
        self._keys: dict[str, _Key] = {}
        self._signing: _Key
        self._take(keys.read(folder, algorithm))

    def _take(self, files: list[keys.KeyFile]) -> None:
        made = {file.kid: self._keys.get(file.kid) or _Key(file, self.algorithm) for file in files}
        if self._keys.keys() - made.keys():
            self._verified.clear()
        self._files, self._keys = files, made
        self._signing = made[keys.signing(files).kid]

    def follow(self) -> None:
        """Takes up keys that were made or retired; called every few seconds in every process."""
        self._looked = time.monotonic()
        try:
            if keys.paths(self._folder, self.algorithm) != [file.path for file in self._files]:
                self._take(keys.read(self._folder, self.algorithm) or self._files)
            else:
                self._signing = self._keys[keys.signing(self._files).kid]
        except (OSError, ValueError) as error:
            # Half a copy, or a folder that is away for a moment: what is known goes on.
            log.error("keys_unreadable", folder=str(self._folder), kind=type(error).__name__)

    def set_ended(self, ended: Iterable[UUID]) -> None:
        """The sessions and clients whose tokens count no longer; replaces what was known."""
        ended = frozenset(ended)
        new, self._ended = ended - self._ended, ended
        if new:
            for token, claims in list(self._verified.items()):
                if claims.session in new or claims.client in new:
                    del self._verified[token]

    def end(self, ended: Iterable[UUID]) -> None:
        """As `set_ended`, beside what is known already."""
        self.set_ended(self._ended.union(ended))

    def set_since(self, since: Mapping[UUID, datetime]) -> None:
        """The clients whose tokens count only if they were made later; replaces what was known."""
        before, self._since = self._since, dict(since)
        new = {c for c, at in self._since.items() if before.get(c) != at}
        if new:
            for token, claims in list(self._verified.items()):
                if claims.client in new:
                    del self._verified[token]

    def narrow(self, client: UUID, since: datetime) -> None:
        """As `set_since` for one client, beside what is known already."""
        self.set_since({**self._since, client: since})

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as RFC 7517 shows them."""
        return {
            "keys": [
                {**key.public, "kid": key.kid, "use": "sig", "alg": self.algorithm}
                for key in self._keys.values()
            ]
        }

    def issue(
        self,
        *,
        subject: UUID,
        client: UUID,
        scopes: frozenset[str],
        session: UUID | None = None,
        signed_in: int | None = None,
        methods: Sequence[str] = (),
    ) -> str:
        """A new access token: a person's names their session, a client's has none.

        `signed_in` and `methods` say when and how the person signed in (RFC 9068, section 2.2.1).
        """
        assert (subject == client) == (session is None), "people have sessions, clients have none"
        issued = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(subject),
            "client_id": str(client),
            "scope": " ".join(sorted(scopes)),
            "iat": issued,
            "exp": issued + self.lifetime,
            "jti": str(uuid7()),
            **({"sid": str(session)} if session else {}),
            **({"auth_time": signed_in} if signed_in is not None else {}),
            **({"amr": list(methods)} if methods else {}),
        }
        headers = {"typ": "at+jwt", "kid": self._signing.kid}
        return str(jws.sign(claims, self._signing.signer, headers, self.algorithm))

    def verify(self, token: str) -> Claims:
        """The claims of `token`; raises Unauthenticated whatever is wrong with it."""
        known = self._verified.get(token)
        if known is not None:
            if known.expires + LEEWAY_SECONDS > time.time():
                return known
            del self._verified[token]
            raise _invalid("has expired")
        try:
            claims = self._claims(read_signed(token, self._key_of, ("at+jwt",)))
        except Refused as refused:
            raise _invalid(str(refused)) from refused
        self._verified[token] = claims
        if len(self._verified) > _CACHED:
            self._verified.popitem(last=False)
        return claims

    def _key_of(self, header: Mapping[str, Any]) -> PublicKey | None:
        kid = header.get("kid")
        if not isinstance(kid, str):
            return None
        if kid not in self._keys and time.monotonic() - self._looked > _PATIENCE:
            self.follow()
        key = self._keys.get(kid)
        return None if key is None else PublicKey(self.algorithm, key.verifier)

    def _claims(self, claims: dict[str, Any]) -> Claims:
        expires, issued = check_dates(claims, most=15 * 60)
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise Refused("was made for another service")
        texts = [claims.get(name) for name in ("sub", "client_id", "jti", "scope")]
        if not all(isinstance(value, str) for value in texts) or not claims["jti"]:
            raise Refused("lacks a claim")
        try:
            subject, client = UUID(claims["sub"]), UUID(claims["client_id"])
            session = UUID(claims["sid"]) if "sid" in claims else None
        except (ValueError, TypeError, AttributeError) as error:
            raise Refused("names nobody") from error
        if (subject == client) != (session is None):
            raise Refused("names no session, or one that it cannot have")
        if session in self._ended or client in self._ended:
            raise Refused("belongs to a session that has ended")
        if client in self._since and _made(claims["jti"]) <= _milliseconds(self._since[client]):
            raise Refused("was made before its client was given less")
        signed_in, methods = claims.get("auth_time", 0), claims.get("amr", [])
        if type(signed_in) is not int or not isinstance(methods, list):
            raise Refused("does not say when or how its person signed in")
        scopes = frozenset(claims["scope"].split())
        return Claims(
            subject, client, scopes, expires, session, issued, claims["jti"], signed_in, (*methods,)
        )


def read_signed(
    token: str,
    key_of: Callable[[Mapping[str, Any]], PublicKey | None],
    types: tuple[str, ...],
) -> dict[str, Any]:
    """The claims of a compact JWS that is signed by the key which `key_of` finds for its header;
    Refused whatever is wrong with it. The claims themselves are not judged."""
    if len(token) > MAX_BYTES:
        raise Refused("is too long")
    encoded = token.split(".")
    if len(encoded) != 3:
        raise Refused("cannot be read")
    # One spelling for each token: python-jose skips letters of the signature that mean nothing.
    head, body, _ = (_decoded(part) for part in encoded)
    header = _object(head)
    if set(header) - {"alg", "typ", "kid"}:
        raise Refused("has a header that is not accepted")
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if kind not in types:
        raise Refused("is of another type")
    key = key_of(header)
    if key is None:
        raise Refused("is signed with an unknown key")
    if header.get("alg") != key.algorithm:
        raise Refused("is signed with another algorithm")
    try:
        jws.verify(token, key.verifier, [key.algorithm])
    except (JOSEError, ValueError, TypeError) as error:
        raise Refused("has a signature that is wrong") from error
    return _object(body)


def check_dates(claims: Mapping[str, Any], *, most: int) -> tuple[int, int]:
    """exp and iat, when the moment lies between them and they are at most `most` seconds apart."""
    moment = time.time()
    times = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
    if not all(type(value) is int for value in times):
        raise Refused("has dates that are missing or not whole numbers")
    expires, issued, not_before = times
    assert isinstance(expires, int)
    assert isinstance(issued, int)
    assert isinstance(not_before, int)
    if expires + LEEWAY_SECONDS <= moment:
        raise Refused("has expired")
    if max(issued, not_before) > moment + LEEWAY_SECONDS:
        raise Refused("is not valid yet")
    if not 0 < expires - issued <= most:
        raise Refused("lives for too long")
    return expires, issued


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _made(jti: str) -> int:
    """When a token was made, in milliseconds since 1970: `iat` knows no more than the second."""
    try:
        return UUID(jti).int >> 80
    except ValueError:
        return 0


def _invalid(reason: str) -> Unauthenticated:
    return Unauthenticated(f"The access token {reason}.", error="invalid_token")


def _decoded(part: str) -> bytes:
    """The bytes of one part of a compact JWS."""
    try:
        return from_base64url(part)
    except ValueError as error:
        raise Refused("cannot be read") from error


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object that a part must be."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Refused("cannot be read") from error
    if not isinstance(value, dict):
        raise Refused("cannot be read")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a claim is there twice")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
