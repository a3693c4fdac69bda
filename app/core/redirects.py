"""Where people may come back to after signing in: whole addresses, compared letter by letter."""

import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from app.core.errors import Invalid

MOST = 10
LONGEST = 2000
# The letters of a URI (RFC 3986), but for those of a fragment and of a pattern.
PATTERN = r"^[A-Za-z0-9:/?\[\]@!$&()+=._~%-]+$"
_LETTERS = re.compile(PATTERN)
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


def check_redirect(uri: str) -> str:
    """A redirect URI as it is: without a fragment, over TLS unless it leads to the person's own
    machine; an app may have a scheme of its own. ValueError in words otherwise."""
    if len(uri) > LONGEST or not _LETTERS.fullmatch(uri):
        raise ValueError(
            "must be shorter, in the letters of a URI, without a fragment or a pattern"
        )
    try:
        parts = urlsplit(uri)
        host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    except ValueError:
        raise ValueError("must be a URI") from None
    if "@" in parts.netloc:
        raise ValueError("must not name a user")
    if parts.scheme == "https" and host:
        return uri
    if parts.scheme == "http" and host in _LOOPBACK:
        return uri
    # RFC 8252, section 7.1: a scheme that is a domain of the app's makers, the other way round.
    if "." in parts.scheme and not parts.netloc:
        return uri
    raise ValueError("must begin with https, or with the app's own scheme as in org.example.app:/")


RedirectUri = Annotated[
    str, Field(max_length=LONGEST, pattern=PATTERN), AfterValidator(check_redirect)
]
"""A redirect URI that a caller sends."""


def checked_redirects(uris: Sequence[str]) -> list[str]:
    """The redirect URIs as they are kept; Invalid names the first that is wrong."""
    if len(uris) > MOST:
        raise Invalid.field("/redirect_uris", f"at most {MOST} are kept")
    for number, uri in enumerate(uris):
        try:
            check_redirect(uri)
        except ValueError as error:
            raise Invalid.field(f"/redirect_uris/{number}", str(error)) from error
    return sorted(set(uris))
