"""The limit: the same rows of the same databases by nothing but ASGI and the driver.

No token, no policy, no journal, no validation. BENCH_DATABASE_URL names the database.

    GET  /r1/<goal>                 one goal
    GET  /r2/<owner>?cursor=<goal>  50 goals of an owner, newest first
    POST /w1                        inserts a goal and commits: {"owner_id", "statement"}
"""

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import Boolean, Column, DateTime, Integer
from sqlalchemy import types as sql

from app.core.ids import uuid7
from app.core.tables import Id, Moment
from app.models.goals import Goal, GoalState
from app.models.pupils import PupilsShown
from bench.hello import Receive, Scope, Send
from bench.rows import is_sqlite, sqlite_path

_HIDDEN = ("creation_digest", "home_organisation_id")
_LIMIT = 50
_table: Any = Goal.__table__
_shown: list[Column[Any]] = [c for c in _table.columns if c.name not in _HIDDEN]
_names = ", ".join(column.name for column in _shown)
_all_names = [column.name for column in _table.columns]
_quoted = json.encoder.encode_basestring

_ONE = f"SELECT {_names} FROM goals WHERE id = $1"
_FIRST = f"SELECT {_names} FROM goals WHERE owner_id = $1 ORDER BY id DESC LIMIT {_LIMIT}"
_NEXT = (
    f"SELECT {_names} FROM goals WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT {_LIMIT}"
)
_INSERT = (
    f"INSERT INTO goals ({', '.join(_all_names)}) "
    f"VALUES ({', '.join(f'${n + 1}' for n in range(len(_all_names)))})"
)


class Store(Protocol):
    """One of the two drivers."""

    async def rows(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]: ...
    async def run(self, statement: str, values: Sequence[Any]) -> None: ...


class SqliteStore:
    """sqlite3 on the loop, with the service's promises: WAL, synchronous=FULL, foreign keys."""

    moment = staticmethod(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    identity = staticmethod(str)

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA cache_size=-32000")

    async def rows(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self.connection.execute(statement, values).fetchall()

    async def run(self, statement: str, values: Sequence[Any]) -> None:
        self.connection.execute(statement, values)


class PostgresqlStore:
    """A pool of asyncpg."""

    moment = staticmethod(lambda at: at)
    identity = staticmethod(lambda value: value)

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool

    async def rows(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        async with self.pool.acquire() as connection:
            found: Sequence[Sequence[Any]] = await connection.fetch(statement, *values)
            return found

    async def run(self, statement: str, values: Sequence[Any]) -> None:
        async with self.pool.acquire() as connection:
            await connection.execute(statement, *values)


async def _keep(connection: Any) -> None:
    """The connections carry no state to reset."""


def _source(column: Column[Any], sqlite: bool) -> str:
    """Source of an expression that writes a column's value `{}` as JSON."""
    kind = column.type
    if isinstance(kind, Integer):
        return "str({})"
    if isinstance(kind, Boolean):
        return "('true' if {} else 'false')"
    if isinstance(kind, sql.JSON):
        return "{}"
    if isinstance(kind, Id | Moment | sql.Date | DateTime):
        # On SQLite they are text already, in the form of the wire.
        plain = "{}" if sqlite else "str({})" if isinstance(kind, Id) else "{}.isoformat()"
        return f"'\"' + {plain} + '\"'"
    return "quoted({})"


def writer_of_json(sqlite: bool) -> Callable[[Sequence[Any]], str]:
    """A function that writes one row as JSON, its source made from the columns."""
    parts = []
    for index, column in enumerate(_shown):
        value = f"row[{index}]"
        text = _source(column, sqlite).format(value)
        if column.nullable:
            text = f"({text} if {value} is not None else 'null')"
        parts.append(f"'{'{' if index == 0 else ','}\"{column.name}\":' + {text}")
    source = "lambda row: " + " + ".join(parts) + " + '}'"
    written: Callable[[Sequence[Any]], str] = eval(source, {"quoted": _quoted})
    return written


class Raw:
    """The ASGI application."""

    store: Store

    def __init__(self, url: str) -> None:
        self.url, self.sqlite = url, is_sqlite(url)
        self.kind: Any = SqliteStore if self.sqlite else PostgresqlStore
        self.one, self.first, self.next, self.insert = (
            self._bound(text) for text in (_ONE, _FIRST, _NEXT, _INSERT)
        )
        self.written = writer_of_json(self.sqlite)
        self.at = {name: n for n, name in enumerate(_all_names)}
        self.id_at = [column.name for column in _shown].index("id")

    def _bound(self, text: str) -> str:
        return text.replace("$", "?") if self.sqlite else text

    async def open(self) -> None:
        """Connects."""
        if self.sqlite:
            self.store = SqliteStore(sqlite_path(self.url))
        else:
            pool = await asyncpg.create_pool(self.url, min_size=8, max_size=8, reset=_keep)
            self.store = PostgresqlStore(pool)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await self.open()
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        path: str = scope["path"]
        if path.startswith("/r1/"):
            found = await self.store.rows(self.one, path[4:])
            status, body = (200, self.written(found[0])) if found else (404, "null")
        elif path.startswith("/r2/"):
            status, body = 200, await self._page(path[4:], scope["query_string"].decode())
        elif path == "/w1":
            status, body = 201, await self._record(json.loads(await _body(receive)))
        else:
            status, body = 404, "null"
        sent = body.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(sent)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": sent})

    async def _page(self, owner: str, query: str) -> str:
        cursor = query.removeprefix("cursor=")
        values = (owner, cursor) if cursor else (owner,)
        found = await self.store.rows(self.next if cursor else self.first, *values)
        following = f'"{found[-1][self.id_at]}"' if len(found) == _LIMIT else "null"
        return f'{{"items":[{",".join(map(self.written, found))}],"next":{following}}}'

    async def _record(self, sent: dict[str, str]) -> str:
        at, goal = self.kind.moment(datetime.now(UTC)), self.kind.identity(uuid7())
        owner = sent["owner_id"] if self.sqlite else UUID(sent["owner_id"])
        given = {
            "id": goal,
            "created_at": at,
            "updated_at": at,
            "owner_id": owner,
            "created_by": owner,
            "statement": sent["statement"],
        }
        values = list(_BLANK)
        for name, value in given.items():
            values[self.at[name]] = value
        await self.store.run(self.insert, values)
        return f'{{"id":"{goal}","statement":{_quoted(sent["statement"])}}}'


_BLANK = [
    {
        "version": 1,
        "wording_number": 1,
        "state": str(GoalState.DRAFT),
        "shows_pupils": str(PupilsShown.NO),
        "folded": " ",
    }.get(
        column.name,
        False if isinstance(column.type, Boolean) else "[]" if not column.nullable else None,
    )
    for column in _table.columns
]


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


app = Raw(os.environ.get("BENCH_DATABASE_URL", "sqlite:///"))
