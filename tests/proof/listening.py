"""Everything that is written to the log while somebody listens."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """Within, each line as it leaves the process is appended to the list."""
    heard: list[str] = []

    def listen(logger: Any, name: str, line: Any) -> Any:
        heard.append(str(line))
        return line

    # A logger that is in use keeps the processors that it began with: the list is changed in place.
    loggers = [getattr(module, "log", None) for name, module in sys.modules.items() if _ours(name)]
    lists = {id(p): p for log in loggers if log is not None for p in [log.bind()._processors]}
    assert lists
    for processors in lists.values():
        processors.append(listen)
    try:
        yield heard
    finally:
        for processors in lists.values():
            processors.remove(listen)


def _ours(module: str) -> bool:
    return module.partition(".")[0] == "app"
