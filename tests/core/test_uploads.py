"""One file in one request: what is taken, what is refused, and that nothing is left of the latter."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.requests import ClientDisconnect, Request

from app.core import images, uploads
from app.core.errors import (
    Invalid,
    MalformedRequest,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedFile,
    UnsupportedMediaType,
)
from app.core.files import Store
from app.core.media_types import SUFFIXES, TAKEN, fitting_name, media_type_of
from app.core.multipart import FilePart, file_name
from app.core.settings import settings

BOUNDARY = "----part"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def asked(
    body: bytes, content_type: str = FORM, *, step: int = 70_000, cut: bool = False, **headers: str
) -> Request:
    """A request that arrives in pieces; `cut`: whoever sends it goes away before the end."""
    steps = [body[i : i + step] for i in range(0, len(body), step)] or [b""]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": cut or i < len(steps) - 1}
        for i, piece in enumerate(steps)
    ]
    messages.append({"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    named = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


def part(content: bytes, disposition: str | bytes, more: str = "") -> bytes:
    described = disposition.encode() if isinstance(disposition, str) else disposition
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode() + described
    return head + f"\r\n{more}\r\n".encode() + content + b"\r\n"


def form(content: bytes, name: str = "notes.txt", more: str = "") -> bytes:
    return part(content, f'name="file"; filename="{name}"', more) + f"--{BOUNDARY}--\r\n".encode()


END = f"--{BOUNDARY}--\r\n".encode()


async def send(content: bytes, name: str = "notes.txt", **headers: str) -> uploads.Stored:
    return await uploads.receive(asked(form(content, name), **headers))


async def left(store: Store) -> list[str]:
    """Everything in the store, what is half written too."""
    if store.folder is not None and store.folder.exists():
        return [str(path) for path in store.folder.rglob("*") if path.is_file()]
    return [found.key async for found in store.all()]


async def content_of(store: Store, stored: uploads.Stored) -> bytes:
    return b"".join([chunk async for chunk in store.read(stored.key, 0, stored.size)])


@pytest.fixture
def folder(configured: pytest.MonkeyPatch) -> Store:
    return uploads.store()


def picture(**options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, format="JPEG", **options)
    return out.getvalue()


def zipped(*names: str, stored: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if stored:
            archive.writestr(zipfile.ZipInfo("mimetype"), stored)
        for name in names:
            archive.writestr(name, b"<x/>" * 20, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    box = b"ftyp" + major + b"\0\0\2\0" + b"".join(compatible)
    return (len(box) + 4).to_bytes(4) + box + b"\0\0\0\x08free" + b"\0" * 40


OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
KNOWN: dict[str, tuple[str, bytes]] = {
    "pdf": ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    "docx": (
        f"{OFFICE}wordprocessingml.document",
        zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    ),
    "xlsx": (
        f"{OFFICE}spreadsheetml.sheet",
        zipped("_rels/.rels", "docProps/app.xml", "docProps/core.xml", "xl/workbook.xml"),
    ),
    "pptx": (
        f"{OFFICE}presentationml.presentation",
        zipped("[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"),
    ),
    "odt": (f"{OPEN}text", zipped("content.xml", stored=f"{OPEN}text".encode())),
    "ods": (f"{OPEN}spreadsheet", zipped("content.xml", stored=f"{OPEN}spreadsheet".encode())),
    "odp": (f"{OPEN}presentation", zipped("content.xml", stored=f"{OPEN}presentation".encode())),
    "mp4": ("video/mp4", ftyp(b"isom", b"iso2", b"mp41")),
    "mov": ("video/quicktime", ftyp(b"qt  ", b"qt  ")),
    "m4a": ("audio/mp4", ftyp(b"M4A ", b"M4A ", b"isom", b"mp42")),
    "webm": ("video/webm", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + b"\0" * 40),
    "mp3": ("audio/mpeg", b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 40),
    "wav": ("audio/wav", b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40),
    "ogg": ("audio/ogg", b"OggS\0\x02" + b"\0" * 40),
    "csv": ("text/csv", "enw,sgôr\nLlŷr,3\n".encode()),
    "txt": ("text/plain", "Gwers dda: tŷ, dŵr, siâp.\n".encode()),
    "jpg": ("image/jpeg", picture()),
}


@pytest.mark.parametrize("suffix", KNOWN)
async def test_each_kind_is_told_by_its_content(folder: Store, suffix: str) -> None:
    media_type, content = KNOWN[suffix]
    body = form(content, f"a.{suffix}", "Content-Type: text/html\r\n")
    stored = await uploads.receive(asked(body))
    assert stored.media_type == media_type
    assert stored.name == f"a.{suffix}"
    found = await content_of(folder, stored)
    assert (stored.size, stored.sha256) == (len(found), hashlib.sha256(found).hexdigest())
    if not media_type.startswith("image/"):
        assert found == content


def test_the_list_of_kinds_is_whole() -> None:
    pictures = {"image/png", "image/webp", "image/heic", "image/gif"}
    assert {media_type for media_type, _ in KNOWN.values()} | pictures == set(SUFFIXES)


@pytest.mark.parametrize("suffix", ["png", "webp", "gif"])
def test_pictures_are_told_by_their_content(suffix: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, format=suffix)
    assert media_type_of(out.getvalue(), "x.exe") == f"image/{suffix}"


REFUSED = {
    "program": b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
    "linux program": b"\x7fELF\x02\x01\x01" + b"\0" * 20,
    "page": b"<!DOCTYPE html><title>x</title>",
    "page after a mark and spaces": b"\xef\xbb\xbf \r\n\t<HTML><body>",
    "page below some text": b"Hello\n<script>alert(1)</script>",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    "xml": b'<?xml version="1.0"?><a/>',
    "rich text": rb"{\rtf1\ansi hello}",
    "postscript": b"%!PS-Adobe-3.0\n",
    "archive": zipped("a.txt", "b.txt"),
    "java archive": zipped("META-INF/MANIFEST.MF", "A.class"),
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\x9c" * 20,
    "tiff": b"II*\0\x08\0\0\0" + b"\0" * 20,
    "avif": ftyp(b"avif", b"avif", b"mif1"),
    "flash": b"CWS\x0f\xff\xff\0\0",
    "another encoding": "Gŵyl".encode("utf-16"),
    "windows letters": "siâp".encode("cp1252"),
    "nul": b"text\0text",
    "escape": b"text \x1b[2J",
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_other_kinds_are_refused_with_what_is_taken(folder: Store, kind: str) -> None:
    with pytest.raises(UnsupportedFile) as refused:
        await send(REFUSED[kind], "harmless.txt")
    assert TAKEN in refused.value.detail
    assert await left(folder) == []


@pytest.mark.parametrize("start", ["BMX club", "CWS meeting", "MZ and others", "RIFF", "PK"])
async def test_a_text_may_begin_with_any_letters(folder: Store, start: str) -> None:
    assert (await send(start.encode())).media_type == "text/plain"


@pytest.mark.parametrize("ending", [b"\xff", b"\0", "ŷ".encode()[:1]])
async def test_a_text_is_held_to_the_rule_to_its_end(store: Store, ending: bytes) -> None:
    with pytest.raises(UnsupportedFile):
        await send("tŷ ".encode() * 3_000_000 + ending)
    assert await left(store) == []


async def test_letters_across_the_pieces_of_a_request_are_whole(folder: Store) -> None:
    content = ("ŵ" * 30_000).encode()
    stored = await uploads.receive(asked(form(content), step=4_097))
    assert await content_of(folder, stored) == content


async def test_a_picture_that_is_also_something_else_is_only_a_picture(folder: Store) -> None:
    page = b"<script>alert(1)</script>"
    stored = await send(picture(comment=page) + page + zipped("A.class"), "x.html")
    assert stored.media_type == "image/jpeg"
    assert stored.name == "x.html.jpg"
    assert page not in await content_of(folder, stored)


async def test_a_photo_is_stored_without_its_place(store: Store) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 26.0, 12.0)})
    content = picture(exif=exif)
    assert b"SecretCam" in content
    stored = await send(content, "IMG_1.JPG")
    found = await content_of(store, stored)
    assert b"SecretCam" not in found
    assert dict(Image.open(io.BytesIO(found)).getexif()) == {}
    assert (stored.size, stored.sha256) == (len(found), hashlib.sha256(found).hexdigest())
    assert (stored.name, stored.media_type) == ("IMG_1.JPG", "image/jpeg")


async def test_a_large_file_goes_through(store: Store) -> None:
    content = b"%PDF-1.7\n" + os.urandom(13_000_000)
    stored = await send(content, "big.pdf")
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert await content_of(store, stored) == content


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plan.txt", "plan.txt"),
        ("Cynllun tŷ.txt", "Cynllun tŷ.txt"),
        ("y\u0302.txt", "ŷ.txt"),
        ("C:\\Users\\x\\plan.txt", "plan.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        (".txt", "txt"),
        ("a\u202egpj.txt", "agpj.txt"),
        ("a\u200b\u2066b.txt\u2069", "ab.txt"),
        ("a\r\nb\tc.txt", "abc.txt"),
        ("  spaced .txt. ", "spaced .txt"),
        ("👩‍🏫.txt", "👩‍🏫.txt"),
        ("x" * 251 + ".txt", "x" * 251 + ".txt"),
    ],
)
def test_names_are_kept_but_for_what_misleads(sent: str, kept: str) -> None:
    assert file_name(sent) == kept


@pytest.mark.parametrize("sent", ["", "/", "..", " . ", "a/", "\u202e\u200b", "x" * 256, "\ud800"])
def test_a_name_that_is_none_is_refused(sent: str) -> None:
    with pytest.raises(Invalid) as refused:
        file_name(sent)
    assert refused.value.errors[0]["pointer"] == "/file"


@given(st.text(max_size=300))
def test_any_name_is_refused_or_one_safe_line(sent: str) -> None:
    try:
        kept = file_name(sent)
    except Invalid:
        return
    assert 1 <= len(kept) <= 255
    assert not set(kept) & set("/\\\n\r\0\u202e\u2028")
    assert kept not in (".", "..")
    assert file_name(kept) == kept
    kept.encode()


@pytest.mark.parametrize(
    ("name", "media_type", "fitting"),
    [
        ("a.JPEG", "image/jpeg", "a.JPEG"),
        ("a.heic", "image/jpeg", "a.jpg"),
        ("run.bat", "text/plain", "run.bat.txt"),
        ("page.html", "text/plain", "page.html.txt"),
        ("notes", "text/plain", "notes.txt"),
        ("notes.md", "text/plain", "notes.md"),
        ("notes.pdf", "text/plain", "notes.txt"),
        ("x" * 255, "application/pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_name_fits_its_type(name: str, media_type: str, fitting: str) -> None:
    assert fitting_name(name, media_type) == fitting


@pytest.mark.parametrize(
    ("described", "name"),
    [
        ('filename="tŷ.txt"', "tŷ.txt"),
        ("filename=plain.txt", "plain.txt"),
        ('filename="a %22b%22.txt"', 'a "b".txt'),
        ('filename="a \\"b\\".txt"', 'a "b".txt'),
        ('filename="a;b.txt"', "a;b.txt"),
        ("filename*=UTF-8''t%C5%B7.txt", "tŷ.txt"),
        ("filename=\"t_.txt\"; filename*=UTF-8''t%C5%B7.txt", "tŷ.txt"),
        ("filename*=UTF-8''t%C5%B7.txt; filename=\"t_.txt\"", "tŷ.txt"),
    ],
)
async def test_names_are_read_as_clients_write_them(
    folder: Store, described: str, name: str
) -> None:
    body = part(b"text", f'name="file"; {described}') + END
    assert (await uploads.receive(asked(body))).name == name


async def test_a_real_client_is_understood(folder: Store) -> None:
    made = httpx.Request("POST", "http://x/", files={"file": ("Tŷ Ŵyn.txt", b"text", "text/html")})
    stored = await uploads.receive(asked(made.read(), made.headers["content-type"]))
    assert stored.name == "Tŷ Ŵyn.txt"


FILE = part(b"text", 'name="file"; filename="a.txt"')
WRONG: dict[str, tuple[bytes, type[Problem], str]] = {
    "no part": (END, Invalid, "/file"),
    "empty": (form(b""), Invalid, "/file"),
    "twice": (FILE + FILE + END, Invalid, "/file"),
    "another part": (FILE + part(b"x", 'name="note/1"') + END, Invalid, "/note~11"),
    "another part first": (part(b"x", 'name="note"') + FILE + END, Invalid, "/note"),
    "no name of the part": (part(b"x", 'filename="a.txt"') + END, Invalid, "/"),
    "no file name": (part(b"x", 'name="file"') + END, Invalid, "/file"),
    "latin-1 name": (part(b"x", b'name="file"; filename="\xe2.txt"') + END, Invalid, "/file"),
    "odd charset": (part(b"x", "name=\"file\"; filename*=idna''%ff") + END, Invalid, "/file"),
    "no disposition": (
        f"--{BOUNDARY}\r\nX-Y: z\r\n\r\nx\r\n".encode() + END,
        Invalid,
        "/",
    ),
    "nothing": (b"", MalformedRequest, ""),
    "no boundary in it": (b"just text", MalformedRequest, ""),
    "ends in the header": (FILE[:40], MalformedRequest, ""),
    "ends in the file": (FILE[:-3], MalformedRequest, ""),
    "ends before the last boundary": (FILE, MalformedRequest, ""),
    "half a boundary": (FILE + END[:-6], MalformedRequest, ""),
    "encoded": (form(b"eA==", more="Content-Transfer-Encoding: base64\r\n"), MalformedRequest, ""),
    "endless header": (form(b"x", more=f"X-Y: {'z' * 9000}\r\n"), MalformedRequest, ""),
    "many headers": (form(b"x", more="X-Y: z\r\n" * 20), MalformedRequest, ""),
}


@pytest.mark.parametrize("step", [1, 70_000])
@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_body_is_refused_and_leaves_nothing(
    folder: Store, what: str, step: int
) -> None:
    body, problem, pointer = WRONG[what]
    with pytest.raises(problem) as refused:
        await uploads.receive(asked(body, step=step))
    assert [error["pointer"] for error in refused.value.errors] == ([pointer] if pointer else [])
    assert await left(folder) == []


async def test_a_large_body_that_turns_out_wrong_leaves_nothing(store: Store) -> None:
    large = part(b"%PDF-1.7\n" + os.urandom(12_000_000), 'name="file"; filename="a.pdf"')
    for ending, problem in ((b"", MalformedRequest), (FILE + END, Invalid)):
        with pytest.raises(problem):
            await uploads.receive(asked(large + ending))
    assert await left(store) == []


async def test_whoever_goes_away_leaves_nothing(store: Store) -> None:
    body = form(b"%PDF-1.7\n" + os.urandom(12_000_000), "a.pdf")
    with pytest.raises(ClientDisconnect):
        await uploads.receive(asked(body[:-100], cut=True))
    assert await left(store) == []


@pytest.mark.parametrize(
    ("content_type", "problem"),
    [
        ("application/json", UnsupportedMediaType),
        ("", UnsupportedMediaType),
        ("multipart/mixed; boundary=x", UnsupportedMediaType),
        ("multipart/form-data", MalformedRequest),
        ("multipart/form-data; boundary=", MalformedRequest),
        ("multipart/form-data; boundary=\xe2", MalformedRequest),
        (f"multipart/form-data; boundary={'x' * 300}", MalformedRequest),
    ],
)
async def test_only_forms_are_read(
    folder: Store, content_type: str, problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        await uploads.receive(asked(form(b"text"), content_type))


async def test_an_encoded_body_is_refused(folder: Store) -> None:
    with pytest.raises(UnsupportedMediaType, match="Content-Encoding"):
        await send(b"text", content_encoding="gzip")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_header_of_a_part_is_a_failure(described: bytes, more: bytes) -> None:
    import asyncio

    body = part(b"x", b'name="file"; ' + described + b"\r\n" + more) + END

    async def read() -> None:
        async for _ in FilePart(asked(body), 1000).content():
            pass

    try:
        asyncio.run(read())
    except Problem as refused:
        assert refused.status in (400, 413, 422)  # noqa: PT017


class Counted:
    """A body without Content-Length, of which we know how much was read."""

    def __init__(self, content: Callable[[], bytes]) -> None:
        self.read = 0
        self._content = content

    def request(self) -> Request:
        async def receive() -> dict[str, Any]:
            piece = part(b"", 'name="file"; filename="a.pdf"')[:-2] if not self.read else b""
            piece += self._content()
            self.read += len(piece)
            return {"type": "http.request", "body": piece, "more_body": True}

        headers = [(b"content-type", FORM.encode())]
        return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_an_endless_file_is_refused_at_the_limit(
    store: Store, configured: pytest.MonkeyPatch
) -> None:
    configured.setenv("TANDEM_FILE_LIMIT", "7000000")
    settings.cache_clear()
    endless = Counted(lambda: b"%PDF-1.7\n" + b"x" * 50_000)
    with pytest.raises(TooLarge, match="7,000,000 bytes"):
        await uploads.receive(endless.request())
    assert endless.read < 7_100_000
    assert await left(store) == []


async def test_an_endless_picture_is_refused_at_its_own_limit(folder: Store) -> None:
    endless = Counted(lambda: b"\xff\xd8\xff\xe0" + b"x" * 500_000)
    with pytest.raises(TooLarge, match="A picture may have at most 30,000,000 bytes"):
        await uploads.receive(endless.request())
    assert endless.read < 31_000_000
    assert uploads._held == 0


async def test_an_endless_end_is_refused(folder: Store, configured: pytest.MonkeyPatch) -> None:
    configured.setenv("TANDEM_FILE_LIMIT", "1000")
    settings.cache_clear()
    await send(b"x" * 1000)
    with pytest.raises(TooLarge):
        await send(b"x" * 1001)
    with pytest.raises(TooLarge):
        await uploads.receive(asked(form(b"text") + b"x" * 20_000))
    assert len(await left(folder)) == 1


async def test_a_file_that_says_it_is_too_large_is_not_read(folder: Store) -> None:
    request = asked(form(b"text"), content_length="100020000")
    with pytest.raises(TooLarge, match="100,000,000 bytes"):
        await uploads.receive(request)


async def test_more_pictures_than_memory_allows_are_a_503(
    folder: Store, configured: pytest.MonkeyPatch
) -> None:
    configured.setattr(uploads, "_PICTURES_HELD", 10_000)
    with pytest.raises(Unavailable):
        await uploads.receive(asked(form(picture() + b"x" * 20_000), step=5_000))
    assert uploads._held == 0
    await send(picture())


async def test_a_broken_picture_leaves_nothing(folder: Store) -> None:
    with pytest.raises(Invalid, match=r"^$|rule"):
        await send(picture()[:300], "a.jpg")
    assert await left(folder) == []
    assert uploads._held == 0


async def test_a_store_that_is_away_is_a_503(folder: Store) -> None:
    assert folder.folder is not None
    folder.folder.parent.mkdir(parents=True)
    folder.folder.write_text("not a folder")
    for content in (b"text", picture(), b"%PDF-1.7\n" + b"x" * 9_000_000):
        with pytest.raises(Unavailable):
            await send(content)


async def test_a_file_is_known_by_what_was_sent(folder: Store) -> None:
    """To an Idempotency-Key the body is the name and digest as sent, however it is stored."""
    content = picture(comment=b"by Mair")
    request = asked(form(content, "a.jpg"))
    stored = await uploads.receive(request)
    received = request.scope["received"]
    assert received.identity == ["a.jpg", hashlib.sha256(content).hexdigest()]
    assert stored.sha256 != received.identity[1]
    await received.discard()
    await received.discard()
    assert await left(folder) == []


async def test_a_file_that_cannot_be_discarded_is_left_for_the_sweep(
    folder: Store, configured: pytest.MonkeyPatch
) -> None:
    request = asked(form(b"text"))
    await uploads.receive(request)

    async def away(key: str) -> None:
        raise Unavailable()

    configured.setattr(folder, "delete", away)
    await request.scope["received"].discard()
    assert len(await left(folder)) == 1


def test_the_largest_picture_fits_into_the_memory_set_aside() -> None:
    assert images.MOST_BYTES * 2 <= uploads._PICTURES_HELD
