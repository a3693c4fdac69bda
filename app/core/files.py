"""Where the bytes of files are kept: a private folder, or a bucket of an S3-compatible store.

A file is written once, under a key that the server makes, and never changed. The store knows no names,
types or readers; those are rows. Its library is loaded with the first file, not at the start.
"""

import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import structlog
from anyio import to_thread

from app.core.errors import Unavailable
from app.core.ids import uuid7
from app.core.settings import Settings, settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

log = structlog.get_logger()

CHUNK = 2 * 1024 * 1024
"""Bytes that one read asks the store for, and the most of a download that is in memory."""

_PART = 5 * 1024 * 1024  # the smallest part of a multipart upload that S3 takes


class Kept(NamedTuple):
    """A file in the store."""

    key: str
    modified: datetime


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Makes Unavailable of whatever keeps the store from doing what it is asked."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        # The first line says what happened; what follows is the library's own state.
        reason = (str(error).splitlines() or [""])[0]
        log.error("files_away", kind=type(error).__name__, reason=reason[:300])
        raise Unavailable("The files cannot be reached just now.") from error


class Store:
    """The files of one installation. Every call raises Unavailable when the store is away."""

    def __init__(self, configured: Settings) -> None:
        self._configured = configured
        self.folder = None if configured.files_s3_bucket else configured.var.resolve() / "files"
        """Where a local store keeps its files."""

    @cached_property
    def _objects(self) -> "ObjectStore":
        from obstore.store import LocalStore, S3Store

        if self.folder is not None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return LocalStore(self.folder)
        configured = self._configured
        given: dict[str, str] = {
            "endpoint": configured.files_s3_endpoint,
            "access_key_id": configured.files_s3_access_key_id,
            "secret_access_key": configured.files_s3_secret_access_key.get_secret_value(),
        }
        return S3Store(
            configured.files_s3_bucket,
            region=configured.files_s3_region,
            virtual_hosted_style_request=configured.files_s3_virtual_host,
            client_options={
                "allow_http": configured.files_s3_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
            },
            # A caller waits for the answer: better a 503 soon than the library's three minutes.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=5)},
            **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
        )

    async def put(self, content: bytes | AsyncIterable[bytes]) -> str:
        """Keeps a file, whole or not at all, and returns its key; an error of `content` is passed on."""
        import obstore

        name = uuid7().hex
        # The last letters are random: folders fill evenly.
        key = f"{name[-2:]}/{name}"
        with _reached():
            await obstore.put_async(
                self._objects, key, content, chunk_size=_PART, max_concurrency=2
            )
            if self.folder is not None:
                await to_thread.run_sync(_settle, self.folder / key)
        return key

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in chunks of at most CHUNK."""
        import obstore

        while start < end:
            stop = min(start + CHUNK, end)
            with _reached():
                # One call a chunk: however slowly the caller reads, no connection waits for it.
                found = await obstore.get_range_async(self._objects, key, start=start, end=stop)
            chunk = found.to_bytes()
            if len(chunk) != stop - start:
                log.error("file_damaged", key=key)
                raise Unavailable("The file cannot be read just now.")
            yield chunk
            start = stop

    async def delete(self, key: str) -> None:
        """Removes a file; nothing happens when it is gone already."""
        import obstore

        with _reached(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._objects, key)

    async def all(self) -> AsyncIterator[Kept]:
        """Every file, in no order: to find those that no row names."""
        import obstore

        with _reached():
            batches = obstore.list(self._objects)
        while True:
            with _reached():
                batch = await anext(batches, None)
            if batch is None:
                return
            for found in batch:
                yield Kept(found["path"], found["last_modified"])

    async def drop_unfinished(self, before: datetime) -> int:
        """Removes what a killed process left half written before that moment; how many there were.

        For a bucket its own lifecycle rules do it, and 0 is returned.
        """
        if self.folder is None:
            return 0
        with _reached():
            return await to_thread.run_sync(_drop_unfinished, self.folder, before)

    async def check(self) -> None:
        """Whether the store answers; raises Unavailable if not. No file is read."""
        import obstore

        with _reached():
            await anext(obstore.list(self._objects, prefix="check", chunk_size=1), None)


def _settle(path: Path) -> None:
    """Makes a file that was just written private and lasting: a row is about to promise it."""
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            if place is path:
                os.fchmod(handle, 0o600)
            os.fsync(handle)
        finally:
            os.close(handle)


def _drop_unfinished(folder: Path, before: datetime) -> int:
    """obstore writes under `<key>#<number>`, renames when it is done, and never lists such names."""
    dropped = 0
    for path in folder.glob("*/*#*"):
        with contextlib.suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                path.unlink()
                dropped += 1
    return dropped


_opened: tuple[Settings, Store] | None = None


def store() -> Store:
    """The store that the settings name."""
    global _opened
    configured = settings()
    if _opened is None or _opened[0] is not configured:
        _opened = configured, Store(configured)
    return _opened[1]
