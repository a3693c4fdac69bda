"""Text as people write it: kept as sent (NFC), bounded, foldable for search."""

import contextlib
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from app.core.schema import Says

_ALLOWED_CONTROLS = "\n\r\t"
_LINE = Says(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
_PROSE = Says(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")


def clean(value: str) -> str:
    """`value` in NFC; refuses NUL, other control characters and lone surrogates."""
    for character in value:
        code = ord(character)
        if (code < 32 and character not in _ALLOWED_CONTROLS) or 0x7F <= code <= 0x9F:
            raise ValueError("must not contain control characters")
        if 0xD800 <= code <= 0xDFFF:
            raise ValueError("must be valid Unicode text")
    return unicodedata.normalize("NFC", value)


def _clean_before(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _one_line(value: str) -> str:
    if "\n" in value or "\r" in value or "\t" in value:
        raise ValueError("must be on one line")
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


# NFC may lengthen a text by at most three characters to one: the limit is checked after it.
Line = Annotated[
    str,
    BeforeValidator(_clean_before),
    StringConstraints(min_length=1, max_length=300),
    AfterValidator(_one_line),
    _LINE,
]
"""A name or title: one line of at most 300 characters."""

Typed = Annotated[
    str,
    BeforeValidator(_clean_before),
    StringConstraints(min_length=1, max_length=1000),
    AfterValidator(_one_line),
    _LINE,
]
"""A password as it is typed."""

Prose = Annotated[
    str,
    BeforeValidator(_clean_before),
    StringConstraints(min_length=1, max_length=10_000),
    AfterValidator(_not_blank),
    _PROSE,
]
"""Free text: paragraphs, at most 10,000 characters."""

_EMAIL = "^{0}+@{0}+[.]{0}+$".format(r"[^@\s\x00-\x1f\x7f-\x9f]")
_CODE = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$"
PATTERNS = {
    _EMAIL: "must be an e-mail address, like name@school.example",
    _CODE: "must be letters, digits and _ . : / - and begin with a letter or digit",
}
"""What a text that does not match a pattern is told, instead of the pattern."""

Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_EMAIL),
    BeforeValidator(_clean_before),
]
"""An e-mail address; whether it works only a message can tell."""


def domain_in_ascii(domain: str) -> str:
    """A domain as mail servers know it; one that cannot be told in ASCII stays as it is."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def canonical_address(value: str) -> str:
    """An address as it is compared: NFC, without case, its domain in its own letters."""
    user, at, domain = unicodedata.normalize("NFC", value.strip()).rpartition("@")
    with contextlib.suppress(UnicodeError):  # of what no server knows
        domain = domain_in_ascii(domain).encode("ascii").decode("idna")
    return unicodedata.normalize("NFC", f"{user}{at}{domain}".casefold())


_MAILBOX = re.compile(
    r"[^\s@()<>\[\]\\,;:\".]+(\.[^\s@()<>\[\]\\,;:\".]+)*"
    r"@[^\s@()<>\[\]\\,;:\"./]+(\.[^\s@()<>\[\]\\,;:\"./]+)+"
)


def _mailbox(value: str) -> str:
    found = canonical_address(value)
    user, _, domain = found.partition("@")
    try:
        length = len(domain.encode("idna"))
    except UnicodeError:
        length = 0
    if not length or not _MAILBOX.fullmatch(found):
        raise ValueError("must be one e-mail address, as in sian@school.example")
    if len(user.encode()) > 64 or len(found) > 254 or length > 253:
        raise ValueError("is longer than an e-mail address can be")
    return found


Mailbox = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_EMAIL),
    BeforeValidator(_clean_before),
    AfterValidator(_mailbox),
]
"""An e-mail address that mail is sent to: NFC, without case, its domain in its own letters."""

Code = Annotated[str, Field(max_length=100, pattern=_CODE)]
"""A machine's name for something: letters, digits and `_ . : / -`, at most 100 characters."""


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def _without_mark(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


def fold(value: str) -> str:
    """`value` for comparison: no accents, no case, single spaces; `Tŷ Ŵyn` gives `ty wyn`."""
    if value.isascii():
        return " ".join(value.casefold().split())
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    bare = _BEYOND_ASCII.sub(_without_mark, decomposed)
    return " ".join(bare.replace("ø", "o").replace("ł", "l").split())


def like(value: str) -> str:
    """`value` with the wildcards of LIKE made harmless; its escape character is the backslash."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
