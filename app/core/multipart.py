"""A body that is one file: `multipart/form-data` with one part named `file`, read as it comes."""

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from app.core.errors import Invalid, MalformedRequest, TooLarge, UnsupportedMediaType
from app.core.http import pointer
from app.core.limits import arriving
from app.core.settings import settings

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartParser

_PART = "file"
_FRAME = 16_384  # bytes of a body beside the file: boundaries and headers
_LONGEST_NAME = 255
# What turns the direction of writing around can hide a suffix, and what has no width anything.
_HIDDEN = re.compile(
    "[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]"
)
_ESCAPES = {"%22": '"', "%0D": "", "%0A": ""}  # as browsers write them (HTML, 4.10.22.7)


class FilePart:
    """The file in a body. `name`, `size` and `digest` speak of what has been read of it."""

    def __init__(self, request: Request, limit: int) -> None:
        self._request, self._limit = request, limit
        self._field, self._value = b"", b""
        self._disposition: str | None = None
        self._chunks: list[bytes] = []
        self._found = self._whole = False
        self.name = ""
        self.size = 0
        self.digest = hashlib.sha256()
        self._parser = self._begin(request)

    def _begin(self, request: Request) -> "MultipartParser":
        from python_multipart.multipart import MultipartParser

        if set(request.headers.getlist("content-encoding")) - {"identity"}:
            raise UnsupportedMediaType("Send the body without Content-Encoding.")
        described = _header(request.headers.get("content-type", ""))
        if described.get_content_type() != "multipart/form-data":
            raise UnsupportedMediaType(
                "Send the file as Content-Type: multipart/form-data, in one part named file."
            )
        declared = request.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > self._limit + _FRAME:
            raise self._too_large()
        with _readable():
            boundary = described.get_boundary("")
        if not boundary or not boundary.isascii():
            raise MalformedRequest("The Content-Type does not name the boundary of its parts.")
        with _readable():
            return MultipartParser(
                boundary,
                {
                    "on_header_field": self._on_field,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header,
                    "on_headers_finished": self._on_part,
                    "on_part_data": self._on_data,
                    "on_end": self._on_end,
                },
            )

    async def content(self) -> AsyncIterator[bytes]:
        """The file's bytes, at least one; the whole body has been judged when they end.

        Raises MalformedRequest, Invalid, TooLarge or TooSlow.
        """
        read = 0
        async for chunk in arriving(self._request, settings().file_seconds):
            read += len(chunk)
            if read > self._limit + _FRAME:
                raise self._too_large()
            with _readable():
                self._parser.write(chunk)
            parsed, self._chunks = self._chunks, []
            for part in parsed:
                self.size += len(part)
                if self.size > self._limit:
                    raise self._too_large()
                self.digest.update(part)
                yield part
        if not self._whole:
            raise MalformedRequest("The body ends before its last boundary.")
        if not self._found:
            raise Invalid.field(pointer([_PART]), "is needed")
        if not self.size:
            raise Invalid.field(pointer([_PART]), "is empty")

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A file may have at most {self._limit:,} bytes.")

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        field, value = self._field.lower(), self._value
        self._field = self._value = b""
        if field == b"content-disposition":
            try:
                self._disposition = value.decode()
            except UnicodeDecodeError:
                raise _unreadable_name() from None
        elif field == b"content-transfer-encoding" and value.lower() not in (b"binary", b"8bit"):
            raise MalformedRequest("Send the file as it is, without Content-Transfer-Encoding.")

    def _on_part(self) -> None:
        described = _header(self._disposition or "")
        self._disposition = None
        field = described.get_param("name", "")
        if field != _PART:
            raise Invalid.field(
                pointer([field if isinstance(field, str) else ""]), "is not a field here"
            )
        if self._found:
            raise Invalid.field(pointer([_PART]), "is there twice")
        self._found = True
        self.name = file_name(_sent_name(described))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(bytes(data[start:end]))

    def _on_end(self) -> None:
        self._whole = True


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    from python_multipart.exceptions import FormParserError

    try:
        yield
    except (FormParserError, ValueError, LookupError, UnicodeError):
        raise MalformedRequest("The body is not multipart/form-data.") from None


def _header(value: str) -> Message:
    """A header with parameters, as a message whose Content-Type it is."""
    message = Message()
    message["content-type"] = value
    return message


def _sent_name(described: Message) -> str:
    """The name in a Content-Disposition: `filename*` (RFC 5987), else `filename` as browsers write it."""
    names: list[Any] = [value for name, value in described.get_params([]) if name == "filename"]
    # `filename*` comes as charset, language and text.
    encoded = [value for value in names if isinstance(value, tuple)]
    if encoded:
        try:
            return collapse_rfc2231_value(encoded[0])
        except ValueError:
            raise _unreadable_name() from None
    name = str(names[0]) if names else ""
    for escape, character in _ESCAPES.items():
        name = name.replace(escape, character)
    return name


def _unreadable_name() -> Invalid:
    return Invalid.field(pointer([_PART]), "must have a file name written in UTF-8")


def file_name(sent: str) -> str:
    """A file name to keep, in NFC: without folders, and without what is not seen or misleads.

    Invalid when none is left or it has more than 255 characters.
    """
    last = re.split(r"[/\\]", sent)[-1]
    name = _HIDDEN.sub("", unicodedata.normalize("NFC", last)).strip(" .\u00a0")
    if not name or any(0xD800 <= ord(character) <= 0xDFFF for character in name):
        raise Invalid.field(pointer([_PART]), "must have a file name")
    if len(name) > _LONGEST_NAME:
        raise Invalid.field(
            pointer([_PART]), f"must have a file name of at most {_LONGEST_NAME} characters"
        )
    return name
