"""What kinds of files are taken, told by their content; nothing that a browser would run."""

import codecs
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from app.core.errors import UnsupportedFile

HEAD = 8192
"""Bytes at the start of a file that tell its type."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

SUFFIXES: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "image/gif": (".gif",),
    "application/pdf": (".pdf",),
    f"{_OFFICE}wordprocessingml.document": (".docx",),
    f"{_OFFICE}spreadsheetml.sheet": (".xlsx",),
    f"{_OFFICE}presentationml.presentation": (".pptx",),
    f"{_OPEN}text": (".odt",),
    f"{_OPEN}spreadsheet": (".ods",),
    f"{_OPEN}presentation": (".odp",),
    "video/quicktime": (".mov", ".qt"),
    "audio/mp4": (".m4a",),
    "video/mp4": (".mp4",),
    "video/webm": (".webm",),
    "audio/mpeg": (".mp3",),
    "audio/wav": (".wav",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "text/csv": (".csv",),
    "text/plain": (".txt", ".md"),
}
"""Every type that is taken, with the suffixes that a file of it may have; the first is given."""

PICTURES = frozenset(name for name in SUFFIXES if name.startswith("image/"))
TEXTS = frozenset(name for name in SUFFIXES if name.startswith("text/"))

TAKEN = (
    "Taken are pictures (JPEG, PNG, WebP, HEIC, GIF), PDF, documents (Word, Excel, PowerPoint of 2007 "
    "and later, OpenDocument), video (MP4, QuickTime, WebM), sound (MP3, M4A, WAV, Ogg), and plain "
    "text and CSV in UTF-8."
)

_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<iframe", b"<?xml")
_OTHER_TEXT = (b"<", rb"{\rtf", b"%!ps")
_LONGEST_NAME = 255


@cache
def _matchers() -> tuple[Any, ...]:
    """The library's tests for the types that are taken.

    Not for others: some tell a type by two letters, and a text may begin with those.
    """
    from filetype.types import archive, audio, document, image, video

    return (
        image.Jpeg(),
        image.Png(),
        image.Webp(),
        image.Heic(),
        image.Gif(),
        archive.Pdf(),
        document.Docx(),
        document.Xlsx(),
        document.Pptx(),
        document.Odt(),
        document.Ods(),
        document.Odp(),
        video.Mov(),
        # Before MP4, which claims whatever is said to be compatible with it.
        audio.M4a(),
        video.Mp4(),
        video.Webm(),
        audio.Mp3(),
        audio.Wav(),
        audio.Ogg(),
    )


def media_type_of(head: bytes, name: str) -> str:
    """The type of a file that begins with `head` (HEAD bytes, or all of it); UnsupportedFile if none.

    For text `name` decides whether it is CSV; the rest of a text has to pass a TextCheck.
    """
    for matcher in _matchers():
        if matcher.match(bytearray(head[:HEAD])):
            found: str = matcher.mime
            return "audio/wav" if found == "audio/x-wav" else found
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith(_OTHER_TEXT) or any(tag in start for tag in _MARKUP):
        raise UnsupportedFile(f"Web pages, markup and the like are not taken. {TAKEN}")
    text = TextCheck()
    text.feed(head)
    return "text/csv" if name.lower().endswith(".csv") else "text/plain"


class TextCheck:
    """Holds a text, as it comes, to UTF-8 without NUL or other bytes that no text has."""

    _NEVER = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """The next bytes; UnsupportedFile if this is no text."""
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            raise UnsupportedFile(TAKEN) from None
        if len(chunk.translate(None, self._NEVER)) != len(chunk):
            raise UnsupportedFile(TAKEN)


def fitting_name(name: str, media_type: str) -> str:
    """`name` with a suffix of its type, so that opening a download does what its type says.

    `IMG_1.heic` that became a JPEG is `IMG_1.jpg`; a text called `run.bat` is `run.bat.txt`.
    """
    suffixes = SUFFIXES[media_type]
    suffix = PurePosixPath(name).suffix
    if suffix.lower() in suffixes:
        return name
    stem = name.removesuffix(suffix) if suffix.lower() in _flat(SUFFIXES.values()) else name
    return stem[: _LONGEST_NAME - len(suffixes[0])] + suffixes[0]


def _flat(groups: Iterable[tuple[str, ...]]) -> set[str]:
    return {suffix for group in groups for suffix in group}
