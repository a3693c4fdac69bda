"""The end of a process: told by SIGTERM, it is not ready any more, and ends when it has been noticed."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Draining:
    """Whether this process is about to end."""

    def __init__(self) -> None:
        self.began = False

    @contextlib.contextmanager
    def told(self, notice: int) -> Iterator[None]:
        """Listens for SIGTERM, and hands it to the server `notice` seconds later.

        The server then takes no new connections and finishes what it has.
        """
        server = signal.getsignal(signal.SIGTERM)
        if not callable(server):  # no server is around the application
            yield
            return
        loop = asyncio.get_running_loop()

        def hand_over() -> None:
            server(signal.SIGTERM, None)

        def begin(number: int, frame: FrameType | None) -> None:
            # A service manager may tell each process, and the parent its children once more.
            if not self.began:
                self.began = True
                loop.call_soon_threadsafe(loop.call_later, notice, hand_over)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, server)
