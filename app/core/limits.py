"""How much at once, how often, and for how long: what keeps a flood from becoming a queue.

`Limits` lies inside the envelope, so that its refusals are problems like any other. A request has a
place among those that are answered at once; one that moves a file gives it back and takes one among
the files, since slow connections would otherwise keep everybody out. The health endpoints need none.
"""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import Problem, TooSlow, Unavailable
from app.core.http import told
from app.core.negotiation import language_of
from app.core.rates import Rates

HEALTH = ("/health/live", "/health/ready")
"""Never limited: whoever watches the service must be told how it is, above all when it is busy."""


class Room:
    """So many places."""

    def __init__(self, places: int, refusal: str) -> None:
        self.free = places
        self._refusal = refusal

    def enter(self) -> None:
        """Takes a place; Unavailable when there is none."""
        if self.free < 1:
            raise Unavailable(self._refusal)
        self.free -= 1

    def leave(self) -> None:
        """Gives a place back."""
        self.free += 1


class Place:
    """The place of one request."""

    def __init__(self, room: Room, files: Room) -> None:
        room.enter()
        self._room, self._files = room, files

    def becomes_a_files(self) -> None:
        """From now on the request moves a file; Unavailable when too many do."""
        if self._room is not self._files:
            self._files.enter()
            self._room.leave()
            self._room = self._files

    def leave(self) -> None:
        """Gives the place back."""
        self._room.leave()


def moves_a_file(scope: MutableMapping[str, Any]) -> None:
    """Says that a request moves a file, which may take minutes; Unavailable when too many do."""
    place: Place | None = scope.get("place")
    if place is not None:  # None: no server is around it
        place.becomes_a_files()


class Limits:
    """Refuses what is too much before anything is done for it: 429 or 503."""

    def __init__(self, app: ASGIApp, *, rates: Rates, requests: int, files: int) -> None:
        self.app, self.rates = app, rates
        self.requests = Room(requests, "Too many requests are being answered just now.")
        self.files = Room(files, "Too many files are under way just now.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or refuses it."""
        if scope["type"] != "http" or scope["path"] in HEALTH:
            await self.app(scope, receive, send)
            return

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start" and "rate" in scope:
                policy, rate = scope["rate"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"ratelimit-policy", policy),
                    (b"ratelimit", rate),
                ]
            await send(message)

        try:
            self.rates.count_address(scope)
            place = scope["place"] = Place(self.requests, self.files)
        except Problem as problem:
            language = language_of(Request(scope))
            answer = told(problem, scope, language)
            await answer(scope, receive, send_with_rate)
            return
        try:
            await self.app(scope, receive, send_with_rate)
        finally:
            place.leave()


async def arriving(request: Request, seconds: int) -> AsyncIterator[bytes]:
    """The pieces of a body, all of which must be here within `seconds`; TooSlow."""
    deadline = asyncio.get_running_loop().time() + seconds
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow(seconds) from None
        yield piece
