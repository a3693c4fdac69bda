"""Client assertions: a client shows who it is by a JWT of its own key (RFC 7523, section 2.2)."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from app.core.encoding import from_base64url
from app.core.tokens import LEEWAY_SECONDS, PublicKey, Refused, public_key, read_signed

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "RS256")
LIFETIME_SECONDS = 300
_MOST_KEYS = 8
_SMALLEST_RSA = 2048
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_MEMBERS = {"ES256": {"kty", "crv", "x", "y"}, "RS256": {"kty", "n", "e"}}


class Assertion(NamedTuple):
    """What a verified assertion says beside who made it."""

    jti: str
    expires: int
    """Seconds since 1970."""


def check_key_set(described: Any) -> dict[str, Any]:
    """The key set as it is kept: public keys alone, each with its kid and one algorithm; ValueError
    in words for whoever registers it."""
    keys = described.get("keys") if isinstance(described, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        raise ValueError(f'expected {{"keys": [...]}} with one to {_MOST_KEYS} keys')
    kept = [_checked(key) for key in keys]
    if len({key["kid"] for key in kept}) != len(kept):
        raise ValueError("two keys have the same kid")
    return {"keys": kept}


def _checked(key: Any) -> dict[str, str]:
    if not isinstance(key, dict) or PRIVATE_MEMBERS & key.keys():
        raise ValueError("a key is not public: send public keys alone")
    kid, kind = key.get("kid"), key.get("kty")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise ValueError("each key needs a kid")
    algorithm = {"EC": "ES256", "RSA": "RS256"}.get(kind) if isinstance(kind, str) else None
    if algorithm is None or key.get("alg", algorithm) != algorithm:
        raise ValueError(f"the key {kid} is for none of {', '.join(ALGORITHMS)}")
    members = {name: key.get(name) for name in _MEMBERS[algorithm]}
    if not all(isinstance(value, str) for value in members.values()):
        raise ValueError(f"the key {kid} is incomplete")
    if algorithm == "ES256" and members["crv"] != "P-256":
        raise ValueError(f"the key {kid} is on another curve than P-256")
    try:
        made = public_key(members, algorithm)
        small = algorithm == "RS256" and len(from_base64url(str(members["n"]))) * 8 < _SMALLEST_RSA
    except ValueError as error:
        raise ValueError(f"the key {kid} cannot be read") from error
    if small or made.algorithm != algorithm:
        raise ValueError(f"the key {kid} has fewer than {_SMALLEST_RSA} bits")
    return {**{k: str(v) for k, v in members.items()}, "kid": kid, "alg": algorithm}


def claimed_client(assertion: str) -> UUID | None:
    """The client that an assertion says it is of; nothing of it has been verified."""
    try:
        claims = json.loads(from_base64url(assertion.split(".")[1]))
        return UUID(claims["sub"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def verify(
    assertion: str, key_set: Mapping[str, Any], *, client_id: UUID, audiences: Iterable[str]
) -> Assertion:
    """What the assertion says, if one of the client's keys has signed it; Refused otherwise."""

    def key_of(header: Mapping[str, Any]) -> PublicKey | None:
        fitting = [
            key
            for key in key_set["keys"]
            if header.get("kid", key["kid"]) == key["kid"] and header.get("alg") == key["alg"]
        ]
        return public_key(fitting[0], fitting[0]["alg"]) if len(fitting) == 1 else None

    claims = read_signed(assertion, key_of, ("", "jwt", "client-authentication+jwt"))
    if claims.get("iss") != str(client_id) or claims.get("sub") != str(client_id):
        raise Refused("is of another client")
    # One audience, so that nobody who is sent it can send it on.
    audience = claims.get("aud")
    if (audience[0] if isinstance(audience, list) and len(audience) == 1 else audience) not in [
        *audiences
    ]:
        raise Refused("was made for another service")
    expires, jti, moment = claims.get("exp"), claims.get("jti"), time.time()
    starts = [claims.get("iat", 0), claims.get("nbf", 0)]
    if type(expires) is not int or not all(type(value) is int for value in starts):
        raise Refused("has dates that are missing or not whole numbers")
    if not -LEEWAY_SECONDS < expires - moment <= LIFETIME_SECONDS + LEEWAY_SECONDS:
        raise Refused("has expired or lives for too long")
    if max(starts) > moment + LEEWAY_SECONDS:
        raise Refused("is not valid yet")
    if not isinstance(jti, str) or not 0 < len(jti) <= 500:
        raise Refused("has no jti")
    return Assertion(jti, expires)
