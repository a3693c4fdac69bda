"""One-time codes of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds, as all apps know."""

import base64
import hmac
import os

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app.core.clock import now

SECONDS = 30
DIGITS = 6
_WINDOW = 1
"""How many steps a clock may be off, to either side."""
_SECRET_BYTES = 20  # as RFC 4226 recommends


def new_secret() -> str:
    """A secret in Base32, as apps take it."""
    return base64.b32encode(os.urandom(_SECRET_BYTES)).decode()


def _codes(secret: str) -> TOTP:
    # SHA-1 is what RFC 6238 has and every app knows; HMAC does not lean on its collisions.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), SECONDS)  # noqa: S303


def code_at(secret: str, step: int) -> str:
    """The code of a step: the number of half minutes since 1970."""
    return _codes(secret).generate(step * SECONDS).decode()


def step_of(
    secret: str, code: str, *, after: int | None, moment: float | None = None
) -> int | None:
    """The step that `code` belongs to, at most one away from now and later than `after`; else None."""
    here = int((now().timestamp() if moment is None else moment) // SECONDS)
    found = None
    for step in range(here - _WINDOW, here + _WINDOW + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if same and (after is None or step > after):
            found = step
    return found


def uri_of(secret: str, *, account: str, issuer: str) -> str:
    """The otpauth URI that an app takes by a QR code or a link."""
    # Some apps show a plus as it stands.
    return _codes(secret).get_provisioning_uri(account, issuer).replace("+", "%20")
