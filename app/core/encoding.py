"""Base64url without padding (RFC 4648, section 5), as JOSE writes it."""

import base64


def base64url(data: bytes) -> str:
    """`data` as text."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of `text`; ValueError unless it is their one right spelling."""
    encoded = text.encode("ascii")
    # binascii.Error is a ValueError.
    raw = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    if base64url(raw) != text:
        raise ValueError("another spelling")
    return raw
