"""Files as answers: ranges, conditions, and headers that keep a browser from showing them."""

import base64
import hashlib
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import http
from app.core.downloads import answer, disposition, wanted
from app.core.errors import RangeNotSatisfiable, Unavailable

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ETAG = f'"{DIGEST}"'
SIZE = len(CONTENT)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=99-99", 99, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=0-99999999999999999999999", 0, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-100", 0, 100),
        ("bytes=-5000", 0, 100),
        (f"bytes=-{'9' * 5000}", 0, 100),
        ("BYTES=1-2", 1, 3),
        (" bytes = 1-2 ", 1, 3),
        ("bytes=007-008", 7, 9),
    ],
)
def test_one_range_is_understood(header: str, start: int, end: int) -> None:
    assert wanted(header, 100) == (start, end)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=0-1,5-6",
        "bytes=0-1,",
        "bytes=-1-2",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes=1_0-20",
        "bytes=\u0661-\u0662",
        "lines=0-1",
        "0-1",
    ],
)
def test_several_ranges_other_units_and_mistakes_are_ignored(header: str) -> None:
    assert wanted(header, 100) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=100-200", f"bytes={'9' * 5000}-", "bytes=-0"]
)
def test_a_range_outside_of_the_file_is_refused_with_its_size(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        wanted(header, 100)
    assert refused.value.headers == {"Content-Range": "bytes */100"}


@given(
    st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,25}-[0-9]{0,25}", fullmatch=True),
    st.integers(1, 10**12),
)
@example("bytes=0-0", 1)
def test_whatever_is_asked_the_answer_lies_in_the_file(header: str, size: int) -> None:
    try:
        found = wanted(header, size)
    except RangeNotSatisfiable:
        return
    if found is not None:
        assert 0 <= found.start < found.end <= size


@given(st.integers(1, 1000), st.integers(0, 1200), st.integers(0, 1200))
def test_a_range_is_what_python_would_cut(size: int, first: int, last: int) -> None:
    content = list(range(size))
    try:
        found = wanted(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size
        assert first <= last
        return
    if first > last:
        assert found is None
    else:
        assert found is not None
        assert content[found.start : found.end] == content[first : last + 1]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("plan.pdf", 'attachment; filename="plan.pdf"'),
        (
            "Tŷ Ŵyn.pdf",
            "attachment; filename=\"Ty Wyn.pdf\"; filename*=UTF-8''T%C5%B7%20%C5%B4yn.pdf",
        ),
        (
            'a"b\\c%41.txt',
            "attachment; filename=\"a_b_c_41.txt\"; filename*=UTF-8''a%22b%5Cc%2541.txt",
        ),
        ("日本.txt", "attachment; filename=\"__.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"),
    ],
)
def test_a_file_is_saved_under_its_name(name: str, header: str) -> None:
    assert disposition(name) == header


_NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255)


# A name that is kept neither begins nor ends with white space (app/core/multipart.py).
@given(_NAMES.filter(lambda name: name == name.strip()))
def test_any_name_makes_one_header_that_gives_it_back(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    message = Message()
    message["content-disposition"] = header
    assert message.get_content_disposition() == "attachment"
    if "filename*" in header:
        encoded = header.split("filename*=UTF-8''")[1]
        assert httpx.QueryParams(f"n={encoded.replace('+', '%2B')}")["n"] == name
    else:
        assert message.get_filename() == name


class Served:
    """A service with one file, that counts what is read of it."""

    def __init__(self) -> None:
        self.read_to = 0
        self.fails_at = SIZE + 1
        self.media_type = "text/csv"
        app = FastAPI()
        http.install(app)
        app.add_middleware(http.Envelope)

        @app.get("/file")
        async def file(request: Request) -> Response:
            return await answer(
                request,
                self.read,
                name="Tŷ.csv",
                media_type=self.media_type,
                size=SIZE,
                sha256=DIGEST,
            )

        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="https://tandem.example")

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            stop = min(start + 1000, end)
            if stop >= self.fails_at:
                raise Unavailable("The files cannot be reached just now.")
            self.read_to = stop
            yield CONTENT[start:stop]
            start = stop

    async def get(self, **headers: Any) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get("/file", headers=named)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    async with made.client:
        yield made


async def test_the_whole_file_is_answered_as_an_attachment(served: Served) -> None:
    found = await served.get()
    assert found.status_code == 200
    assert found.content == CONTENT
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    headers = [
        (name, value) for name, value in found.headers.multi_items() if name != "x-request-id"
    ]
    assert sorted(headers) == [
        ("accept-ranges", "bytes"),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment; filename=\"Ty.csv\"; filename*=UTF-8''T%C5%B7.csv"),
        ("content-length", str(SIZE)),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("content-type", "text/csv; charset=utf-8"),
        ("etag", ETAG),
        ("referrer-policy", "no-referrer"),
        ("repr-digest", f"sha-256=:{digest}:"),
        ("x-content-type-options", "nosniff"),
    ]


async def test_a_type_that_is_no_text_has_no_charset(served: Served) -> None:
    served.media_type = "application/pdf"
    assert (await served.get()).headers["content-type"] == "application/pdf"


async def test_a_range_is_read_and_answered_alone(served: Served) -> None:
    found = await served.get(range="bytes=100-1499")
    assert found.status_code == 206
    assert found.content == CONTENT[100:1500]
    assert found.headers["content-range"] == f"bytes 100-1499/{SIZE}"
    assert found.headers["content-length"] == "1400"
    assert found.headers["etag"] == ETAG
    assert served.read_to == 1500


async def test_a_range_that_covers_all_is_still_a_range(served: Served) -> None:
    found = await served.get(range="bytes=0-")
    assert (found.status_code, found.content) == (206, CONTENT)


async def test_a_range_outside_is_a_problem(served: Served) -> None:
    found = await served.get(range=f"bytes={SIZE}-")
    assert found.status_code == 416
    assert found.headers["content-range"] == f"bytes */{SIZE}"
    assert found.json()["type"].endswith("/problems/range-not-satisfiable")
    assert served.read_to == 0


async def test_two_range_headers_are_ignored(served: Served) -> None:
    found = await served.client.get(
        "/file", headers=[("Range", "bytes=0-1"), ("Range", "bytes=3-4")]
    )
    assert (found.status_code, found.content) == (200, CONTENT)


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 206),
        (f"W/{ETAG}", 200),
        ('"another"', 200),
        ("Sun, 22 Nov 2026 10:00:00 GMT", 200),
        (DIGEST, 200),
    ],
)
async def test_if_range_wants_the_very_file(served: Served, condition: str, status: int) -> None:
    found = await served.get(range="bytes=0-9", if_range=condition)
    assert found.status_code == status
    assert found.content == (CONTENT[:10] if status == 206 else CONTENT)


async def test_a_range_outside_of_another_file_is_the_whole_of_this_one(served: Served) -> None:
    found = await served.get(range=f"bytes={SIZE}-", if_range='"another"')
    assert (found.status_code, found.content) == (200, CONTENT)


@pytest.mark.parametrize("sent", [ETAG, f"W/{ETAG}", "*", f'"other", {ETAG}'])
async def test_a_file_that_is_known_is_not_sent_again(served: Served, sent: str) -> None:
    found = await served.get(if_none_match=sent, range="bytes=0-9")
    assert (found.status_code, found.content) == (304, b"")
    assert found.headers["etag"] == ETAG
    assert served.read_to == 0


async def test_another_file_is_sent(served: Served) -> None:
    assert (await served.get(if_none_match='"other"')).content == CONTENT


async def test_a_store_that_is_away_is_a_503_and_not_half_an_answer(served: Served) -> None:
    served.fails_at = 0
    found = await served.get()
    assert found.status_code == 503
    assert found.headers["retry-after"] == "2"
    assert found.headers["content-type"] == "application/problem+json"
    assert "content-disposition" not in found.headers


async def test_a_store_that_goes_away_breaks_the_answer_off(served: Served) -> None:
    """Whoever counts the bytes sees that the file is not whole."""
    served.fails_at = 3000
    with pytest.raises(RuntimeError, match="response already started"):
        await served.get()
    assert served.read_to == 2000
