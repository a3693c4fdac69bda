"""Secrets that must be read again: encrypted by keys in files, which the database does not hold.

Each sealed text names its key and is bound to what it is about: copied to another row it does not
open. A new key is made by `tandem keys seal`; the older ones go on opening what they have sealed.
"""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.private_files import create_once

_NONCE = 12


class Unreadable(Exception):
    """A sealed text whose key is gone, or that belongs elsewhere."""


class Seals:
    """The keys in `folder`: the newest seals, all open (AES-256-GCM)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, bytes] = {}
        if not self._paths():
            _make(folder, 1)
        self._read()

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("seal-*.key"))

    def _read(self) -> None:
        self._keys = {path.stem.rpartition("-")[2]: path.read_bytes() for path in self._paths()}

    @property
    def newest(self) -> str:
        """Number of the key that seals."""
        return max(self._keys)

    def seal(self, text: str, about: str) -> str:
        """`text` for the database; opens only with the same `about`."""
        number, nonce = self.newest, os.urandom(_NONCE)
        sealed = AESGCM(self._keys[number]).encrypt(nonce, text.encode(), about.encode())
        return f"{number}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, about: str) -> str:
        """The text that was sealed; Unreadable."""
        number, _, encoded = sealed.partition(".")
        if number not in self._keys:
            # Made by another process since.
            self._read()
        try:
            raw = base64.urlsafe_b64decode(encoded.encode())
            key = AESGCM(self._keys[number])
            return key.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
        except (KeyError, ValueError, binascii.Error, InvalidTag) as error:
            raise Unreadable("cannot be opened with the keys that are here") from error

    def is_old(self, sealed: str) -> bool:
        """Whether it should be sealed anew, by the newest key."""
        return sealed.partition(".")[0] != self.newest


def _make(folder: Path, number: int) -> Path:
    path = folder / f"seal-{number:04}.key"
    create_once(path, lambda: AESGCM.generate_key(256))
    return path


def rotate(folder: Path) -> str:
    """Makes the key that seals from the next start on; its name."""
    seals = Seals(folder)
    return _make(folder, int(seals.newest) + 1).name
