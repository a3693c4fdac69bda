"""Identifiers: UUID version 7 (RFC 9562), made by the server or by the client."""

import os
import threading
import time
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator

from app.core.schema import Says

_lock = threading.Lock()
_last = 0
_DAY = 24 * 3600 * 1000


def uuid7() -> UUID:
    """A new UUIDv7; later calls in this process give greater ids."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 of their fraction (RFC 9562, 6.2, method 3)
        ticks = time.time_ns() * 4096 // 1_000_000
        if ticks <= _last:
            ticks = _last + 1
        _last = ticks
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random
    return UUID(int=value)


def _version_7(value: UUID) -> UUID:
    if value.version != 7:
        raise ValueError("an id made by the client must be a UUID of version 7")
    if value.int >> 80 > time.time_ns() // 1_000_000 + _DAY:
        raise ValueError("the id's time lies in the future: check the device's clock")
    return value


_PATTERN = "^{0}{{8}}-{0}{{4}}-7{0}{{3}}-[89abAB]{0}{{3}}-{0}{{12}}$".format("[0-9a-fA-F]")

ClientMadeId = Annotated[UUID, AfterValidator(_version_7), Says(pattern=_PATTERN)]
"""An id that the caller made, so that a record can be written while offline."""
