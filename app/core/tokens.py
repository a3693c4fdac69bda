"""Access tokens (RFC 9068). The only module that imports python-jose.

python-jose alone accepts a missing exp, aud or sub, any typ and unknown crit, ignores kid, and
takes any algorithm when none is named; everything that RFC 8725 asks for is checked here.
"""

import base64
import binascii
import json
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jws
from jose.exceptions import JOSEError

from app.core.errors import Unauthenticated
from app.core.ids import uuid7
from app.core.private_files import create_once

MAX_BYTES = 8192
LEEWAY_SECONDS = 30
_CACHED = 4096


class Claims(NamedTuple):
    """What a verified token says."""

    subject: UUID
    client: UUID
    scopes: frozenset[str]
    expires: int
    """Seconds since 1970."""

    @property
    def is_client(self) -> bool:
        """Whether the token speaks for an integration client and no person."""
        return self.subject == self.client


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Key:
    def __init__(self, pem: bytes, algorithm: str) -> None:
        private = serialization.load_pem_private_key(pem, password=None)
        public = private.public_key()
        spki = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(spki)
        self.kid = _base64url(digest.finalize())[:22]
        self.signer = jwk.construct(pem.decode(), algorithm)
        self.verifier = self.signer.public_key()
        self.public = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in self.verifier.to_dict().items()
        }


def _new_pem(algorithm: str) -> bytes:
    private: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    return bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Tokens:
    """Issues and verifies the access tokens of one issuer.

    Keys are PEM files in `folder`, made on first start with mode 0600; the newest signs, all verify.
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
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        if not any(folder.glob(f"{algorithm}-*.pem")):
            create_once(folder / f"{algorithm}-0001.pem", lambda: _new_pem(algorithm))
        files = sorted(folder.glob(f"{algorithm}-*.pem"))
        self._keys = {key.kid: key for key in (_Key(f.read_bytes(), algorithm) for f in files)}
        self._signing = list(self._keys.values())[-1]

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as RFC 7517 shows them."""
        return {
            "keys": [
                {**key.public, "kid": key.kid, "use": "sig", "alg": self.algorithm}
                for key in self._keys.values()
            ]
        }

    def issue(self, *, subject: UUID, client: UUID, scopes: frozenset[str]) -> str:
        """A new access token."""
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
            raise _invalid("The access token has expired.")
        claims = self._verify(token)
        self._verified[token] = claims
        if len(self._verified) > _CACHED:
            self._verified.popitem(last=False)
        return claims

    def _verify(self, token: str) -> Claims:
        if len(token) > MAX_BYTES:
            raise _invalid("The access token is too long.")
        encoded = token.split(".")
        if len(encoded) != 3:
            raise _invalid("The access token cannot be read.")
        # One spelling for each token: python-jose skips letters of the signature that mean nothing.
        head, body, _ = (_decoded(part) for part in encoded)
        header = _object(head)
        if set(header) - {"alg", "typ", "kid"}:
            raise _invalid("The access token has a header that is not accepted.")
        if header.get("alg") != self.algorithm:
            raise _invalid("The access token is signed with another algorithm.")
        if str(header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise _invalid("This is not an access token.")
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise _invalid("The access token is signed with an unknown key.")
        try:
            jws.verify(token, key.verifier, [self.algorithm])
        except (JOSEError, ValueError, TypeError) as error:
            raise _invalid("The access token's signature is wrong.") from error
        return self._claims(_object(body))

    def _claims(self, claims: dict[str, Any]) -> Claims:
        moment = time.time()
        times = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
        if not all(type(value) is int for value in times):
            raise _invalid("The access token's dates are missing or not whole numbers.")
        expires, issued, not_before = times
        if expires + LEEWAY_SECONDS <= moment:
            raise _invalid("The access token has expired.")
        if max(issued, not_before) > moment + LEEWAY_SECONDS:
            raise _invalid("The access token is not valid yet.")
        if not 0 < expires - issued <= 15 * 60:
            raise _invalid("The access token lives for too long.")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise _invalid("The access token was made for another service.")
        texts = [claims.get(name) for name in ("sub", "client_id", "jti", "scope")]
        if not all(isinstance(value, str) for value in texts) or not claims["jti"]:
            raise _invalid("The access token lacks a claim.")
        try:
            subject, client = UUID(claims["sub"]), UUID(claims["client_id"])
        except ValueError as error:
            raise _invalid("The access token names nobody.") from error
        return Claims(subject, client, frozenset(claims["scope"].split()), expires)


def _invalid(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, error="invalid_token")


def _decoded(part: str) -> bytes:
    """The bytes of one part of a compact JWS."""
    try:
        encoded = part.encode("ascii")
        raw = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise _invalid("The access token cannot be read.") from error
    if _base64url(raw) != part:
        raise _invalid("The access token cannot be read.")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object that a part must be."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise _invalid("The access token cannot be read.") from error
    if not isinstance(value, dict):
        raise _invalid("The access token cannot be read.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a claim is there twice")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
