"""A file as an answer: whole or one range of it, never to be shown by a browser on the way."""

import base64
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.core.errors import RangeNotSatisfiable
from app.core.limits import moves_a_file

# Beyond any file; longer numbers are not worth converting.
_ENDLESS = 10**18
_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
# What may stand between quotes in every client's reading of a header.
_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]")


class Range(NamedTuple):
    """Part of a file: from `start` up to, not including, `end`."""

    start: int
    end: int


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= 18 else _ENDLESS


def wanted(header: str, size: int) -> Range | None:
    """The one range that `header` asks for of `size` bytes; None: the whole (RFC 9110, 14.2).

    Several ranges, other units and what is wrongly written are ignored, as the standard allows.
    RangeNotSatisfiable when the range lies outside.
    """
    found = _RANGE.fullmatch(header.strip(" \t"))
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        start, end = max(0, size - _number(found[2])), size
    else:
        start, end = _number(found[1]), size
        if found[2] != "":
            last = _number(found[2])
            if last < start:
                return None
            end = min(size, last + 1)
    if start >= size:
        raise RangeNotSatisfiable(size)
    return Range(start, end)


def disposition(name: str) -> str:
    """Content-Disposition that has a browser save the file as `name` (RFC 6266)."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    plain = _PLAIN.sub("_", bare)
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _matches(sent: list[str], etag: str) -> bool:
    candidates = {tag.strip().removeprefix("W/") for tag in ",".join(sent).split(",")}
    return bool(candidates & {"*", etag})


async def answer(
    request: Request,
    read: Callable[[int, int], AsyncIterator[bytes]],
    *,
    name: str,
    media_type: str,
    size: int,
    sha256: str,
) -> Response:
    """The answer to a GET of a file: 200, 206 or 304.

    `read(start, end)` gives its bytes; `sha256` is hexadecimal. RangeNotSatisfiable is 416. The
    first bytes are read at once: a store that is away is a 503, not half an answer. Unavailable too
    when too many files are under way.
    """
    etag = f'"{sha256}"'
    # nosniff and no-store are on every answer of the service (app.core.http).
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if (known := request.headers.getlist("if-none-match")) and _matches(known, etag):
        return Response(status_code=304, headers=headers)
    moves_a_file(request.scope)
    asked = request.headers.getlist("range")
    # A date in If-Range never matches: a file has none that a client could know.
    unchanged = request.headers.get("if-range", etag) == etag
    part = wanted(asked[0], size) if len(asked) == 1 and unchanged else None
    start, end = part or (0, size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    chunks = read(start, end)
    first = await anext(chunks)

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return StreamingResponse(
        body(),
        status_code=200 if part is None else 206,
        headers={
            **headers,
            "Content-Type": media_type + charset,
            "Content-Length": str(end - start),
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )
