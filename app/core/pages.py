"""Keyset pages: opaque cursors that a caller cannot forge, and the Link header.

A list runs from the newest id to the oldest (a UUIDv7 begins with the moment when it was made).
"""

import base64
import binascii
import hmac
from typing import Annotated, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import Invalid
from app.core.wire import Says, SentMoment

MAX_LIMIT = 200
_MAC_BYTES = 10

Item = TypeVar("Item")


class PageQuery(BaseModel):
    """Parameters of every list. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most items on a page.")] = 50
    cursor: Annotated[
        str | None,
        Field(
            max_length=400,
            description="`next` of the page before; leave out for the first page.",
        ),
    ] = None


class ChangesQuery(PageQuery):
    """Parameters of a list of records that are written more than once."""

    updated_since: Annotated[
        SentMoment | None,
        Field(
            description="Only what was written at or after this moment, as far as you are shown when it "
            "was; what shows you no such moment is always listed. Deletions are not shown."
        ),
    ] = None


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: Annotated[list[Item], Says(maxItems=MAX_LIMIT)]
    next: Annotated[
        Annotated[str, Says(maxLength=400)] | None,
        Field(description="Cursor of the next page; null when this is the last."),
    ]


class Whole(Page[Item], Generic[Item]):
    """A list that is never long, in one answer; in the form of a page."""

    items: Annotated[list[Item], Says(maxItems=10_000)]


class Cursors:
    """Seals and opens cursors with a key of this installation.

    A cursor names the list it belongs to, so that it cannot be moved to another.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _mac(self, payload: bytes, context: str) -> bytes:
        return hmac.digest(self._key, context.encode() + b"\0" + payload, "sha256")[:_MAC_BYTES]

    def seal(self, position: str, context: str) -> str:
        """An opaque cursor for `position` in the list `context`."""
        payload = position.encode()
        return base64.urlsafe_b64encode(self._mac(payload, context) + payload).decode().rstrip("=")

    def open(self, cursor: str, context: str) -> str:
        """The position in `cursor`; Invalid when it was not sealed for `context`."""
        try:
            raw = base64.b64decode(
                cursor.encode("ascii") + b"=" * (-len(cursor) % 4),
                altchars=b"-_",
                validate=True,
            )
            mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if hmac.compare_digest(mac, self._mac(payload, context)):
                return payload.decode()
        except (ValueError, binascii.Error):
            pass  # whatever was sent, it is not one of our cursors: refused below
        raise Invalid(
            errors=[
                {
                    "parameter": "cursor",
                    "detail": "is not the `next` of a page of this list with these filters; "
                    "leave it out to begin again",
                }
            ]
        )


def link_next(base_url: str, path: str, query: list[tuple[str, str]], cursor: str) -> str:
    """Value of the Link header that leads to the next page."""
    kept = [(name, value) for name, value in query if name != "cursor"]
    return f'<{base_url}{quote(path)}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
