"""Compressed answers: what is, for whom, and that nothing but the bytes is another."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.api import sign_in
from app.core.compression import LEAST, Compression, accepts_gzip
from app.core.media_types import SUFFIXES
from tests.raw import Answer, send

pytestmark = pytest.mark.anyio

LONG = json.dumps({"statement": "Meddwl cyn ateb. " * 500}).encode()
GZIP = [("Accept-Encoding", "gzip, deflate, br")]


def application(body: bytes = LONG, kind: str = "application/json", **headers: str) -> Any:
    async def answer(request: Any) -> Response:
        return Response(body, media_type=kind, headers=headers)

    async def stream(request: Any) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield body
            yield body

        return StreamingResponse(pieces(), media_type=kind, headers=headers)

    routes = [Route("/stream", stream), Route("/{path:path}", answer)]
    return Compression(Starlette(routes=routes))


async def asked(app: Any, headers: Any = GZIP, path: str = "/v1/goals") -> Answer:
    return await send(app, "GET", path, headers=headers)


async def test_a_long_text_is_compressed_and_says_so() -> None:
    answer = await asked(application(ETag='"3.full.en"'))
    assert answer.header("content-encoding") == "gzip"
    assert answer.header("vary") == "Accept-Encoding"
    assert answer.header("content-length") == str(len(answer.body))
    assert len(answer.body) * 3 < len(LONG)
    assert gzip.decompress(answer.body) == LONG
    # Other bytes than without: the tag is a weak one.
    assert answer.header("etag") == 'W/"3.full.en"'


async def test_a_very_long_text_is_compressed_beside_the_loop() -> None:
    body = LONG * 40
    assert gzip.decompress((await asked(application(body))).body) == body


@pytest.mark.parametrize("headers", [[], [("Accept-Encoding", "br")]])
async def test_who_does_not_ask_gets_it_as_it_is(headers: Any) -> None:
    answer = await asked(application(ETag='"3.full.en"'), headers)
    assert answer.body == LONG
    assert answer.header("content-encoding") is None
    assert answer.header("etag") == '"3.full.en"'
    # A cache must know that others may get other bytes.
    assert answer.header("vary") == "Accept-Encoding"


async def test_what_is_short_stays_as_it_is() -> None:
    for size, encoding in ((LEAST - 1, None), (LEAST, "gzip")):
        answer = await asked(application(b"x" * size))
        assert answer.header("content-encoding") == encoding, size


@pytest.mark.parametrize("kind", sorted({*SUFFIXES, "text/csv; charset=utf-8", "image/svg+xml"}))
async def test_no_file_is_compressed(kind: str) -> None:
    answer = await asked(application(kind=kind, ETag='"digest"'))
    assert answer.body == LONG
    assert answer.header("etag") == '"digest"'
    assert answer.header("vary") is None


async def test_a_token_is_never_compressed() -> None:
    paths = [
        route.path
        for router in sign_in.ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in route.methods
    ]
    assert paths
    for path in paths:
        answer = await asked(application(), path=path)
        assert answer.body == LONG
        assert answer.header("content-encoding") is None


async def test_what_comes_in_pieces_stays_as_it_is() -> None:
    answer = await asked(application(), path="/stream")
    assert answer.body == LONG * 2


async def test_vary_names_both_what_compression_and_what_cors_depends_on() -> None:
    inner = application()
    cors = Middleware(CORSMiddleware, allow_origins=["https://portal.example"])
    app = cors.cls(inner, *cors.args, **cors.kwargs)
    answer = await asked(app, [*GZIP, ("Origin", "https://portal.example")])
    assert answer.header("vary") == "Accept-Encoding, Origin"


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("br;q=1, gzip ; q=0.1", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br, gzip;q=0, deflate", False),
        ("gzip;q=0.001", True),
        ("*", False),
        ("identity", False),
        ("gzipped", False),
        ("not-gzip", False),
        ("", False),
    ],
)
async def test_what_a_caller_can_take_is_read_as_the_standard_says(
    sent: str, accepted: bool
) -> None:
    assert accepts_gzip([(b"accept-encoding", sent.encode())]) is accepted
    assert (
        accepts_gzip([(b"accept-encoding", b"br"), (b"accept-encoding", sent.encode())]) is accepted
    )
    assert not accepts_gzip([(b"accept", sent.encode())])


async def test_what_has_not_changed_varies_as_what_was_sent_before() -> None:
    async def unchanged(request: Any) -> Response:
        return Response(status_code=304, headers={"ETag": '"1"', "Vary": "Accept-Language"})

    app = Compression(Starlette(routes=[Route("/", unchanged)]))
    answer = await send(app, "GET", "/", headers=GZIP)
    assert answer.status == 304
    assert answer.header("vary") == "Accept-Language, Accept-Encoding"
