"""Files that the installation makes once and keeps to itself."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from app.core.ids import uuid7


def create_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """Content of `path`, made with mode 0600 if it is not there yet.

    Written under another name and linked into place: of several processes that start at once one
    wins, and all read the same whole file.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{uuid7()}.new")
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as out:
                out.write(make())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_bytes()
