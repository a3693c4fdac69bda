"""One file in one request: read as it comes, judged, and kept in the store before any row is written.

`multipart/form-data` with one part, named `file`. The type is told by the content, pictures lose their
metadata, and whatever goes wrong leaves nothing in the store. No transaction is open meanwhile.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import structlog
from starlette.requests import Request

from app.core import images
from app.core.errors import TooLarge, Unavailable
from app.core.files import Store, store
from app.core.limits import moves_a_file
from app.core.media_types import (
    HEAD,
    PICTURES,
    TAKEN,
    TEXTS,
    TextCheck,
    fitting_name,
    media_type_of,
)
from app.core.multipart import FilePart
from app.core.settings import settings

log = structlog.get_logger()

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "minLength": 1,
                            "description": f"The file, with its name. {TAKEN}",
                        }
                    },
                }
            }
        },
    }
}
"""`openapi_extra` of an endpoint that calls `receive`."""

_PICTURES_HELD = 10 * images.MOST_BYTES

_held = 0
"""Bytes of pictures that this process holds just now."""


class Stored(NamedTuple):
    """A file that is in the store; size and SHA-256 (hexadecimal) are of what is stored."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str


class Received:
    """What a request has put into the store; Route keeps it or takes it away again."""

    def __init__(self, kept_in: Store, key: str, identity: list[str]) -> None:
        self._store, self._key = kept_in, key
        self.identity = identity
        """Name and digest of the file as it was sent: the body, to an Idempotency-Key."""

    async def discard(self) -> None:
        """Removes the file, since no row will name it."""
        try:
            await self._store.delete(self._key)
        except Unavailable:
            log.warning("orphan_left", key=self._key)  # the sweep finds it


async def receive(request: Request) -> Stored:
    """The file in the request's body, kept in the store.

    For endpoints whose gate says `streams=True`, before their first write. Raises
    MalformedRequest, Invalid, TooLarge, TooSlow, UnsupportedMediaType, UnsupportedFile or Unavailable.
    """
    moves_a_file(request.scope)
    kept_in = store()
    limit = settings().file_limit
    upload = FilePart(request, limit)
    content = upload.content()
    head = b""
    async for chunk in content:
        head += chunk
        if len(head) >= HEAD:
            break
    media_type = media_type_of(head, upload.name)
    if media_type in PICTURES:
        cleaned = await _picture(head, content, media_type, min(limit, images.MOST_BYTES))
        media_type, size, sha256 = cleaned.media_type, len(cleaned.content), cleaned.sha256
        key = await kept_in.put(cleaned.content)
    else:
        key = await kept_in.put(_checked(head, content, media_type))
        size, sha256 = upload.size, upload.digest.hexdigest()
    identity = [upload.name, upload.digest.hexdigest()]
    request.scope["received"] = Received(kept_in, key, identity)
    return Stored(key, fitting_name(upload.name, media_type), media_type, size, sha256)


async def _picture(
    head: bytes, rest: AsyncIterator[bytes], media_type: str, limit: int
) -> images.Cleaned:
    global _held
    chunks, size = [head], len(head)
    _held += size
    try:
        async for chunk in rest:
            if size + len(chunk) > limit:
                raise TooLarge(f"A picture may have at most {limit:,} bytes.")
            if _held + len(chunk) > _PICTURES_HELD:
                raise Unavailable("Too many pictures are being sent just now.")
            chunks.append(chunk)
            size += len(chunk)
            _held += len(chunk)
        return await images.clean(b"".join(chunks), media_type)
    finally:
        _held -= size


async def _checked(
    head: bytes, rest: AsyncIterator[bytes], media_type: str
) -> AsyncIterator[bytes]:
    check = TextCheck() if media_type in TEXTS else None
    if check is not None:
        check.feed(head)
    yield head
    async for chunk in rest:
        if check is not None:
            check.feed(chunk)
        yield chunk
    if check is not None:
        check.feed(b"", final=True)
