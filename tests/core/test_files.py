"""The store of files: a folder and a bucket behave the same, and are away in the same way."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import now
from app.core.errors import Unavailable
from app.core.files import CHUNK, Kept, Store
from app.core.files import store as configured_store
from app.core.settings import Settings, settings

BIG = os.urandom(1000) * 13_000  # several parts of an upload, several chunks of a download


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def whole(store: Store, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, start, end)])


async def kept(store: Store) -> list[Kept]:
    return [found async for found in store.all()]


async def test_a_file_comes_back_whole_and_in_ranges(store: Store) -> None:
    key = await store.put(pieces(BIG))
    assert await whole(store, key, 0, len(BIG)) == BIG
    for start, end in ((0, 1), (len(BIG) - 1, len(BIG)), (CHUNK - 3, CHUNK + 3), (17, 4 * CHUNK)):
        assert await whole(store, key, start, end) == BIG[start:end]
    chunks = [len(chunk) async for chunk in store.read(key, 0, len(BIG))]
    assert len(chunks) > 5
    assert max(chunks) <= CHUNK


async def test_bytes_are_kept_as_they_are(store: Store) -> None:
    key = await store.put(b"one")
    assert await whole(store, key, 0, 3) == b"one"


async def test_keys_are_the_servers_own_and_are_listed_with_their_time(store: Store) -> None:
    before = now() - timedelta(seconds=2)
    keys = {await store.put(b"x") for _ in range(5)}
    assert len(keys) == 5
    assert all(key[:2] == key[-2:] and len(key) == 35 for key in keys)
    found = await kept(store)
    assert {k.key for k in found} == keys
    assert all(before < k.modified < now() + timedelta(seconds=2) for k in found)


async def test_deleting_is_done_once_or_twice(store: Store) -> None:
    key, other = await store.put(b"gone"), await store.put(b"stays")
    await store.delete(key)
    await store.delete(key)
    assert [k.key for k in await kept(store)] == [other]
    with pytest.raises(Unavailable):
        await whole(store, key, 0, 4)


async def test_what_fails_midway_leaves_nothing(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for piece in pieces(BIG[:12_000_000]):
            yield piece
        raise KeyError("the sender is gone")

    with pytest.raises(KeyError, match="the sender is gone"):
        await store.put(broken())
    assert await kept(store) == []
    if store.folder is not None:
        assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    else:
        configured = settings()
        bucket = f"{configured.files_s3_endpoint}/{configured.files_s3_bucket}"
        async with httpx.AsyncClient() as client:
            uploads = await client.get(f"{bucket}?uploads")
        assert "ListMultipartUploadsResult" in uploads.text
        assert "<UploadId>" not in uploads.text


async def test_a_file_that_is_shorter_than_its_row_says_is_not_passed_off(store: Store) -> None:
    key = await store.put(b"short")
    with pytest.raises(Unavailable):
        await whole(store, key, 0, 6)


async def test_a_store_that_answers_is_ready(store: Store) -> None:
    await store.check()
    await store.put(b"x")
    await store.check()


async def test_a_folder_is_private_and_its_files_too(configured: pytest.MonkeyPatch) -> None:
    local = configured_store()
    assert local.folder == settings().var.resolve() / "files"
    assert not local.folder.exists()
    key = await local.put(pieces(b"private" * 100_000))
    assert local.folder.stat().st_mode & 0o777 == 0o700
    assert (local.folder / key).stat().st_mode & 0o777 == 0o600


async def test_what_a_killed_process_left_is_dropped_when_it_is_old(
    configured: pytest.MonkeyPatch,
) -> None:
    local = configured_store()
    key = await local.put(b"whole")
    assert local.folder is not None
    left = local.folder / f"{key}#1"
    left.write_bytes(b"half")
    assert [k.key for k in await kept(local)] == [key]
    assert await local.drop_unfinished(now() - timedelta(hours=1)) == 0
    assert left.exists()
    assert await local.drop_unfinished(now() + timedelta(hours=1)) == 1
    assert not left.exists()
    assert await whole(local, key, 0, 5) == b"whole"


async def test_a_bucket_has_rules_of_its_own_for_what_is_half_written(in_bucket: str) -> None:
    assert await configured_store().drop_unfinished(now()) == 0


async def each_call(store: Store) -> None:
    for call in (
        store.put(b"x"),
        store.put(pieces(BIG)),
        whole(store, "ab/cd", 0, 1),
        store.check(),
        kept(store),
    ):
        with pytest.raises(Unavailable) as refused:
            await call
        assert refused.value.headers == {"Retry-After": "2"}


async def test_a_folder_that_cannot_be_is_a_503(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("not a folder")
    away = Store(Settings(var=tmp_path))
    await each_call(away)
    with pytest.raises(Unavailable):
        await away.delete("ab/cd")


async def test_a_bucket_that_does_not_answer_is_a_503() -> None:
    away = Store(
        Settings(
            files_s3_bucket="nowhere",
            files_s3_endpoint="http://127.0.0.1:9",
            files_s3_access_key_id="key",
            files_s3_secret_access_key="secret",  # type: ignore[arg-type]
        )
    )
    await each_call(away)
    with pytest.raises(Unavailable):
        await away.delete("ab/cd")


async def test_a_bucket_that_is_not_there_is_a_503(s3: str) -> None:
    await each_call(
        Store(
            Settings(
                files_s3_bucket="no-such-bucket",
                files_s3_endpoint=s3,
                files_s3_access_key_id="key",
                files_s3_secret_access_key="secret",  # type: ignore[arg-type]
            )
        )
    )


def test_the_secret_is_not_shown(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("TANDEM_FILES_S3_SECRET_ACCESS_KEY", "hidden-word")
    settings.cache_clear()
    assert "hidden-word" not in repr(settings())
    assert settings().files_s3_secret_access_key.get_secret_value() == "hidden-word"


def test_the_store_is_made_anew_when_the_settings_are(configured: pytest.MonkeyPatch) -> None:
    first = configured_store()
    assert configured_store() is first
    settings.cache_clear()
    assert configured_store() is not first


def test_serving_starts_without_the_libraries_of_files() -> None:
    """They take longer to load than everything else; the first file pays for them."""
    heavy = {"obstore", "PIL", "pillow_heif", "filetype"}
    code = (
        "import sys, app.core.uploads, app.core.downloads, app.main; app.main.create_app();"
        "print(*(name for name in sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert heavy & set(loaded.stdout.split()) == set()


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_range_of_nothing_reads_nothing(start: int, length: int) -> None:
    import asyncio

    async def read() -> list[bytes]:
        unopened = Store(Settings(var=Path("/nowhere")))
        return [chunk async for chunk in unopened.read("ab/cd", start + length, start)]

    assert asyncio.run(read()) == []
