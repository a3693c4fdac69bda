"""Where people may come back to after signing in: whole addresses, compared letter by letter."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from app.core.errors import Invalid

MOST = 10
LONGEST = 2000
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


def checked_redirects(uris: Sequence[str]) -> list[str]:
    """The redirect URIs as they are kept: whole, without a fragment, over TLS unless they lead to the
    person's own machine; an app may have a scheme of its own. Invalid otherwise."""
    if len(uris) > MOST:
        raise Invalid.field("/redirect_uris", f"at most {MOST} are kept")
    for number, uri in enumerate(uris):
        if reason := _wrong(uri):
            raise Invalid.field(f"/redirect_uris/{number}", reason)
    return sorted(set(uris))


def _wrong(uri: str) -> str | None:
    if not uri.isascii() or not uri.isprintable() or set(uri) & set(" \"'<>\\^`{|};,"):
        return "must be written in the letters of a URI"
    if len(uri) > LONGEST or "#" in uri or "*" in uri:
        return "must be shorter, without a fragment or a pattern"
    try:
        parts = urlsplit(uri)
        host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    except ValueError:
        return "must be a URI"
    if "@" in parts.netloc:
        return "must not name a user"
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and host in _LOOPBACK:
        return None
    # RFC 8252, section 7.1: a scheme that is a domain of the app's makers, the other way round.
    if "." in parts.scheme and not parts.netloc:
        return None
    return "must begin with https, or with the app's own scheme as in org.example.app:/"
