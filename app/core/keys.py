"""The signing keys: PEM files in a folder, made on first start, kept out of the database.

A new key is shown in the key set for as long as others may remember the set, and signs only then; the
older ones go on verifying until they are retired. Which one signs follows from the files alone, so
every process comes to the same answer without being told.
"""

import os
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.core.encoding import base64url
from app.core.errors import Conflict, NotFound
from app.core.private_files import create_once

ANNOUNCED_SECONDS = 360
"""How long a new key is only shown: longer than anybody keeps the key set (`KEY_SET_SECONDS`)."""
KEY_SET_SECONDS = 300
"""How long others may keep the key set."""
OVERLAP_SECONDS = 16 * 60
"""How long tokens of a key that no longer signs may still live."""


class KeyFile(NamedTuple):
    """One signing key as its file holds it."""

    path: Path
    kid: str
    id: UUID
    """Names it in the journal."""
    pem: bytes
    made: float
    """Seconds since 1970: the file's time of change."""


def _identity(pem: bytes) -> tuple[str, UUID]:
    public = serialization.load_pem_private_key(pem, password=None).public_key()
    spki = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    found = digest.finalize()
    return base64url(found)[:22], UUID(bytes=found[:16])


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


def paths(folder: Path, algorithm: str) -> list[Path]:
    """The key files, the oldest first."""
    return sorted(folder.glob(f"{algorithm}-*.pem"))


def read(folder: Path, algorithm: str) -> list[KeyFile]:
    """The keys, the oldest first."""
    found = []
    for path in paths(folder, algorithm):
        pem = path.read_bytes()
        found.append(KeyFile(path, *_identity(pem), pem, path.stat().st_mtime))
    return found


def ensure(folder: Path, algorithm: str) -> None:
    """Makes the first key, if there is none."""
    if not paths(folder, algorithm):
        create_once(folder / f"{algorithm}-0001.pem", lambda: _new_pem(algorithm))


def signing(keys: list[KeyFile], moment: float | None = None) -> KeyFile:
    """The newest key that has been shown for long enough; the oldest when none has."""
    announced = (time.time() if moment is None else moment) - ANNOUNCED_SECONDS
    return next((key for key in reversed(keys) if key.made <= announced), keys[0])


def rotate(folder: Path, algorithm: str, *, at_once: bool = False) -> KeyFile:
    """Makes the key that signs from six minutes on, or `at_once` (then whoever remembers the old key
    set takes the new tokens for forged until they fetch it again)."""
    ensure(folder, algorithm)
    newest = paths(folder, algorithm)[-1]
    number = int(newest.stem.rpartition("-")[2]) + 1
    path = newest.with_name(f"{algorithm}-{number:04}.pem")
    create_once(path, lambda: _new_pem(algorithm))
    if at_once:
        moment = time.time() - ANNOUNCED_SECONDS
        os.utime(path, (moment, moment))
    return read(folder, algorithm)[-1]


def retire(folder: Path, algorithm: str, kid: str, *, at_once: bool = False) -> KeyFile:
    """Removes a key that no longer signs; NotFound, or Conflict while its tokens may live, unless
    `at_once`. The key that signs is never removed."""
    keys = read(folder, algorithm)
    key = next((key for key in keys if key.kid == kid), None)
    if key is None:
        raise NotFound()
    if key == signing(keys):
        raise Conflict("This key signs: rotate first.")
    if not at_once and key == signing(keys, time.time() - OVERLAP_SECONDS):
        raise Conflict("Tokens of this key may still live: wait a quarter of an hour.")
    key.path.unlink()
    return key
