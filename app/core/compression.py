"""Answers that are text and long enough are compressed for callers who can take it.

Files are never touched (most are compressed already, and they are served in ranges), nor is anything
under /oauth/: the length of a compressed secret says something about it.
"""

import asyncio
import gzip
import re
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1400
"""Bytes: what is shorter is one packet either way."""

_LEVEL = 1
_LONG = 128 * 1024  # compressed beside the loop
_SECRETS = ("/oauth/", "/account/")
_TEXTS = frozenset(
    [
        b"application/json",
        b"application/problem+json",
        b"text/css",
        b"text/html",
        b"text/javascript",
    ]
)
_NEVER = re.compile(rb"q=0(\.0*)?")


def accepts_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request takes gzip in its answer; `*` alone does not ask for it."""
    sent = b",".join(value for name, value in headers if name == b"accept-encoding").lower()
    if b"gzip" not in sent:
        return False
    for coding in sent.split(b","):
        name, _, weight = coding.partition(b";")
        if name.strip() in (b"gzip", b"x-gzip"):
            return not _NEVER.fullmatch(weight.replace(b" ", b""))
    return False


class Compression:
    """Compresses what pays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http" or scope["path"].startswith(_SECRETS):
            await self.app(scope, receive, send)
            return
        accepted = accepts_gzip(scope["headers"])
        waiting: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal waiting
            if message["type"] == "http.response.start":
                unchanged = message["status"] == 304
                if not unchanged and not _is_text(message):
                    await send(message)
                    return
                # Also where nothing has changed: a 304 varies as its 200 does (RFC 9110, 15.4.5).
                MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
                if accepted and not unchanged:
                    waiting = message  # until its length is known
                    return
            elif waiting is not None:
                start, waiting = waiting, None
                if len(message.get("body", b"")) >= LEAST and not message.get("more_body"):
                    await _compress(start, message)
                await send(start)
            await send(message)

        await self.app(scope, receive, send_compressed)


def _is_text(start: Message) -> bool:
    for name, value in start["headers"]:
        if name == b"content-type":
            return value.partition(b";")[0] in _TEXTS
    return False


async def _compress(start: Message, message: Message) -> None:
    body = message["body"]
    if len(body) < _LONG:
        small = gzip.compress(body, _LEVEL, mtime=0)
    else:
        small = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
    message["body"] = small
    headers = MutableHeaders(scope=start)
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(small))
    # Other bytes of the same: a strong ETag would promise the same bytes (RFC 9110, 8.8.1).
    if "etag" in headers:
        headers["etag"] = "W/" + headers["etag"].removeprefix("W/")
