"""Passwords (Argon2id) and machine secrets (SHA-256: they are random, so slow hashing adds nothing)."""

import asyncio
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from pwdlib import PasswordHash

from app.core.text import fold

SHORTEST, LONGEST = 12, 256
_EASY = 8.0
"""Powers of ten of the guesses that find it: below, hours of trying against a stolen hash suffice."""
_LOOKED_AT = 72
"""Letters that are judged: what is longer is strong enough by them."""

_hasher = PasswordHash.recommended()
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


class Verified(NamedTuple):
    """Whether a password was right, and its new hash where the old one was made with less effort."""

    matches: bool
    rehashed: str | None


@cache
def _absent() -> str:
    """What an unknown account is compared with, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _typed(password: str) -> str:
    # One keyboard sends ŵ as one letter, another as two.
    return unicodedata.normalize("NFC", password)


def _verified(password: str, stored: str | None) -> Verified:
    matches, rehashed = _hasher.verify_and_update(_typed(password), stored or _absent())
    return Verified(matches and stored is not None, rehashed if stored else None)


async def hash_password(password: str) -> str:
    """Argon2id hash of `password`, made in a bounded pool."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, _typed(password))


async def verify_password(password: str, stored: str | None) -> Verified:
    """Whether `password` is the one of `stored`; takes as long when there is none."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _verified, password, stored)


class Weakness(StrEnum):
    """Why a password is not to be chosen, in words that follow the field's name."""

    SHORT = f"needs at least {SHORTEST} characters: three or four words are easy to keep in mind"
    LONG = f"has more than {LONGEST} characters"
    CONTROL = "must not contain control characters"
    OWN = "is made of your own name or address"
    EASY = "is one of those that are guessed first: take other words, or more of them"


async def weakness(password: str, about: Iterable[str]) -> Weakness | None:
    """Why `password` is not to be chosen; None when it may be.

    By NIST SP 800-63B: its length, known passwords and their patterns, and what is known of its
    owner (`about`: name, address); nothing about kinds of letters.
    """
    typed = _typed(password)
    if len(typed) < SHORTEST:
        return Weakness.SHORT
    if len(typed) > LONGEST:
        return Weakness.LONG
    if any(unicodedata.category(letter) == "Cc" for letter in typed):
        return Weakness.CONTROL
    words = [w for text in about for w in re.split(r"[\W_]+", fold(text)) if len(w) > 2]
    letters, left = _without(fold(typed), []), _without(fold(typed), words)
    if left != letters and len(left) < 4:
        return Weakness.OWN
    loop = asyncio.get_running_loop()
    if await loop.run_in_executor(_pool, _is_easy, typed[:_LOOKED_AT], words):
        return Weakness.EASY
    return None


def _without(folded: str, words: list[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        folded = folded.replace(word, "")
    return re.sub(r"[\W\d_]", "", folded)


def _is_easy(typed: str, words: list[str]) -> bool:
    from zxcvbn import zxcvbn  # its lists of passwords are loaded with the first choice of one

    judged = zxcvbn(typed, user_inputs=[*words, "tandem"])
    return float(judged["guesses_log10"]) < _EASY


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
