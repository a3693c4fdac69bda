"""Passwords (Argon2id) and machine secrets (SHA-256: they are random, so slow hashing adds nothing)."""

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash

_hasher = PasswordHash.recommended()
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _absent() -> str:
    """What an unknown account is compared with, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _matches(password: str, stored: str | None) -> bool:
    return _hasher.verify(password, stored or _absent())


async def hash_password(password: str) -> str:
    """Argon2id hash of `password`, made in a bounded pool."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether `password` is the one of `stored`; takes as long when there is none."""
    matches = await asyncio.get_running_loop().run_in_executor(_pool, _matches, password, stored)
    return matches and stored is not None


def new_secret() -> str:
    """A random machine secret of 256 bits."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A random password that a person can type: four groups of five letters and digits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def hash_secret(secret: str) -> str:
    """SHA-256 of a machine secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def verify_secret(secret: str, stored: str) -> bool:
    """Whether `secret` is the one of `stored`, in constant time."""
    return hmac.compare_digest(hash_secret(secret), stored)
