"""Requests as bytes: what an HTTP client would tidy up before a hostile caller could send it."""

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from app.core.errors import problem_types

MEMBERS = {"type", "title", "status", "detail", "request_id"}
LEAKS = re.compile(
    r"sqlite|asyncpg|sqlalchemy|pydantic|psycopg|postgres|starlette|fastapi|uvicorn|python|jose|"
    r"traceback|\.py\b|site-packages|SELECT |INSERT |errors\.pydantic|object at 0x",
    re.IGNORECASE,
)
"""What no answer may say of how it was made."""


class Answer(NamedTuple):
    """What the application sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) < 2, f"{name} is there twice"
        return found[0] if found else None

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


Headers = Iterable[tuple[str | bytes, str | bytes]]


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


async def send(
    app: Any,
    method: str,
    target: str | bytes,
    *,
    headers: Headers = (),
    body: bytes | list[bytes] = b"",
) -> Answer:
    """One request; `target` is the request's target as on the wire, a list is a body in chunks."""
    raw_path, _, query = _bytes(target).partition(b"?")
    chunks = body if isinstance(body, list) else [body]
    incoming = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(raw_path.decode("latin-1")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [
            (b"host", b"tandem.example"),
            *((_bytes(name).lower(), _bytes(value)) for name, value in headers),
        ],
        "client": ("192.0.2.1", 4711),
        "server": ("tandem.example", 443),
        "state": {},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def collect(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, collect)
    start, *parts = sent
    return Answer(
        start["status"],
        [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in start["headers"]
        ],
        b"".join(part.get("body", b"") for part in parts),
    )


def problem(answer: Answer, *statuses: int) -> dict[str, Any]:
    """The problem in a refusal, which is whole and says nothing of how the service is made."""
    assert 400 <= answer.status < 500, f"{answer.status}: {answer.text[:2000]}"
    assert not statuses or answer.status in statuses, f"{answer.status}: {answer.text[:2000]}"
    assert answer.header("content-type") == "application/problem+json", answer.header(
        "content-type"
    )
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-content-type-options") == "nosniff"
    found: dict[str, Any] = answer.json()
    assert set(found) >= MEMBERS, found
    base, _, slug = found["type"].rpartition("/problems/")
    assert base == "https://tandem.example"
    kind = problem_types()[slug]
    assert (found["title"], found["status"]) == (kind.title, answer.status)
    assert kind.status == answer.status
    assert found["detail"]
    assert found["request_id"] == answer.header("x-request-id")
    assert not (leak := LEAKS.search(answer.text)), (leak, answer.text[:2000])
    if answer.status == 401:
        assert str(answer.header("www-authenticate")).startswith("Bearer")
    if slug == "invalid":
        assert found["errors"], found
        for error in found["errors"]:
            assert set(error) - {"pointer", "parameter", "header"} == {"detail"}, error
            assert len(error) == 2, error
            assert error["detail"], error
    return found


def named(found: dict[str, Any]) -> set[str]:
    """The fields, parameters and headers that a problem names: `/a/b`, `?limit`, `If-Match`."""
    marks = {"pointer": "", "parameter": "?", "header": ""}
    return {
        mark + error[name]
        for error in found.get("errors", ())
        for name, mark in marks.items()
        if name in error
    }
