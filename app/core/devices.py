"""What a browser keeps of an account that has been used in it, so that who guesses from elsewhere
keeps nobody out (OWASP's device cookies). It opens nothing, and names nobody."""

import hmac
import os
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from app.core.clock import now
from app.core.private_files import create_once
from app.core.settings import settings

DAYS = 180
MOST = 6
"""Accounts that one browser is known by: a machine in a staff room has several."""


@cache
def _key(file: Path) -> bytes:
    return create_once(file, lambda: os.urandom(32))


def _seal(body: str, identity_id: UUID) -> str:
    key = _key(settings().var / "keys" / "devices.key")
    return hmac.new(key, f"{body}:{identity_id}".encode(), sha256).hexdigest()[:32]


def mark(identity_id: UUID) -> str:
    """What a browser is given when the account has been used in it."""
    body = f"{int(now().timestamp()) // 86_400 + DAYS}.{secrets.token_hex(8)}"
    return f"{body}.{_seal(body, identity_id)}"


def is_mark(value: str, identity_id: UUID) -> bool:
    """Whether a browser was given `value` for this account, and lately."""
    body, _, seal = value.rpartition(".")
    right = hmac.compare_digest(seal.encode(), _seal(body, identity_id).encode())
    day = body.partition(".")[0]
    return right and day.isdigit() and int(day) * 86_400 > now().timestamp()
