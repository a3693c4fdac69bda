"""ID tokens of others: which key has signed them, and whether they are meant for us.

joserfc checks the signature, authlib the claims (OIDC Core, 3.1.3.7); what both leave open is checked here.
An ID token is never an access token of ours: it is of another issuer, type and key.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from app.core.encoding import from_base64url

LEEWAY_SECONDS = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")
_CURVES = {"ES256": "P-256", "ES384": "P-384"}
_LONGEST = 16_384
_OLDEST_SECONDS = 3600
_MOST_KEYS = 100
_SMALLEST_RSA = 2048
_OF_A_KEY = {"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"}
_NOT_READ = {"jku", "jwk", "x5u", "b64", "crit"}


class NotBelieved(Exception):
    """What came from the provider does not hold; names what is wrong with it, in one word."""


def read_keys(described: Any) -> list[Any]:
    """The keys of a set that verify one of our algorithms; others are passed over. ValueError: no set."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    if not isinstance(described, list) or len(described) > _MOST_KEYS:
        raise ValueError("no set of keys")
    kinds: dict[Any, Any] = {"RSA": RSAKey, "EC": ECKey}
    keys = []
    for one in described:
        kind = kinds.get(one.get("kty")) if isinstance(one, dict) else None
        if kind is None or one.get("use", "sig") != "sig":
            continue
        try:
            if one["kty"] == "RSA" and len(from_base64url(one["n"])) * 8 < _SMALLEST_RSA:
                continue
            keys.append(kind.import_key({n: v for n, v in one.items() if n in _OF_A_KEY}))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return keys


def fitting(keys: list[Any], header: Mapping[str, Any]) -> Any:
    """The one key for a header; None when there is none, or more than one."""
    algorithm, kid = header["alg"], header.get("kid")
    found = []
    for key in keys:
        described = key.as_dict(private=False)
        if kid is not None and described.get("kid") != kid:
            continue
        if described.get("alg", algorithm) != algorithm:
            continue
        if described.get("crv") == _CURVES.get(algorithm):
            found.append(key)
    return found[0] if len(found) == 1 else None


def read_header(id_token: str) -> dict[str, Any]:
    """The header of an ID token, before anything of it is believed; NotBelieved."""
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact

    if len(id_token) > _LONGEST or not id_token.isascii():
        raise NotBelieved("id_token")
    try:
        header: Any = extract_compact(id_token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotBelieved("id_token") from error
    # The algorithm is one of ours, never what the token would like.
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise NotBelieved("algorithm")
    if _NOT_READ & header.keys():
        raise NotBelieved("header")
    if str(header.get("typ", "JWT")).lower() != "jwt":
        raise NotBelieved("type")
    return header


def verify(
    id_token: str,
    header: dict[str, Any],
    key: Any,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
) -> dict[str, Any]:
    """The claims, when all that OIDC Core 3.1.3.7 asks for holds; NotBelieved names what does not."""
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import ClaimError, JoseError
    from joserfc.jws import JWSRegistry, deserialize_compact

    registry = JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    try:
        signed = deserialize_compact(id_token.encode(), key, registry=registry)
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotBelieved("signature") from error
    if not isinstance(claims, dict):
        raise NotBelieved("id_token")
    _check_forms(claims)
    token = CodeIDToken(
        claims,
        header,
        options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
        },
        params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
    )
    try:
        token.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
    except ClaimError as error:
        raise NotBelieved(str(error.claim)) from error
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelieved("claims") from error
    return claims


def _check_forms(claims: Mapping[str, Any]) -> None:
    """What authlib compares without asking of what kind it is."""
    for name in ("exp", "iat"):
        if type(claims.get(name)) is not int:
            raise NotBelieved(name)
    if type(claims.get("nbf", 0)) is not int:
        raise NotBelieved("nbf")
    if (
        claims["iat"] > time.time() + LEEWAY_SECONDS
        or claims["iat"] < time.time() - _OLDEST_SECONDS
    ):
        raise NotBelieved("iat")
    subject, audience = claims.get("sub"), claims.get("aud")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise NotBelieved("sub")
    whole = [audience] if isinstance(audience, str) else audience
    if not isinstance(whole, list) or not all(isinstance(one, str) for one in whole):
        raise NotBelieved("aud")
    if len(whole) > 1 and "azp" not in claims:
        raise NotBelieved("azp")
