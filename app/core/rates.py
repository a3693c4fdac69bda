"""How many requests a minute: from each address before anyone is known, and from each caller after.

Counted in this process's memory, in windows of the clock: less than a microsecond a request, which the
storages of the libraries that we tried are not near (docs/decisions/limits.md). Several processes may
share what they have counted (app.core.rate_store).
"""

import ipaddress
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from app.core.errors import TooManyRequests
from app.core.settings import Settings

_MOST_KEYS = 50_000
_NOBODY = "none"


class Limit:
    """`most` requests in a window of so many seconds for each key; 0: no limit.

    A stricter one for a single endpoint is one more `Limit`, counted where the endpoint knows its key.
    """

    def __init__(self, name: str, most: int, window: int = 60) -> None:
        self.name, self.most, self.window = name, most, window
        self._policy = f'"{name}";q={most};w={window}'.encode()
        self._format = f'"{name}";r=%d;t=%d'.encode()
        self._number = 0
        self._counted: dict[str, int] = {}
        self._untold: dict[str, int] = {}
        self.shared = False
        """Whether what is counted is kept until other processes are told of it."""

    def count(self, scope: MutableMapping[str, Any], key: str) -> None:
        """Counts a request, for which `scope` then says where `key` stands; TooManyRequests beyond the limit."""
        if not self.most:
            return
        moment = time.time()
        number = int(moment // self.window)
        # Too many keys are forgotten: a flood from everywhere cannot fill the memory.
        if number != self._number or len(self._counted) >= _MOST_KEYS:
            self._number, self._counted, self._untold = number, {}, {}
        counted = self._counted[key] = self._counted.get(key, 0) + 1
        if self.shared:
            self._untold[key] = self._untold.get(key, 0) + 1
        left = self.most - counted
        seconds = self.window - int(moment % self.window)
        scope["rate"] = (self._policy, self._format % (max(left, 0), seconds))
        if left < 0:
            raise TooManyRequests(self.name, self.most, self.window, seconds)

    def untold(self) -> tuple[int, dict[str, int]]:
        """The window's number, and what was counted in it since the last time, for each key that has used
        a hundredth of its limit: those below need nobody's attention, in a flood there are many."""
        least = self.most / 100
        told = {key: n for key, n in self._untold.items() if self._counted[key] >= least}
        for key in told:
            del self._untold[key]
        return self._number, told

    def learn(self, number: int, totals: dict[str, int]) -> None:
        """What all processes together have counted in the window of that number."""
        if number != self._number:
            return
        for key, total in totals.items():
            # Requests have been counted here since the others were told.
            total += self._untold.get(key, 0)
            self._counted[key] = max(total, self._counted.get(key, 0))


class Rates:
    """The limits of this process."""

    def __init__(self, configured: Settings) -> None:
        self.address = Limit("address", configured.rate_address)
        self.caller = Limit("caller", configured.rate_caller)

    def count_address(self, scope: MutableMapping[str, Any]) -> None:
        """Counts a request before anyone is known; TooManyRequests."""
        self.address.count(scope, network_of(scope))

    def count_caller(self, scope: MutableMapping[str, Any], key: str) -> None:
        """Counts a request of the caller whom `key` names; TooManyRequests."""
        self.caller.count(scope, key)


@lru_cache(maxsize=4096)
def network(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one connection has of IPv6."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _NOBODY
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def network_of(scope: MutableMapping[str, Any]) -> str:
    """What counts as the address that a request comes from."""
    client = scope.get("client")
    return network(client[0]) if client else _NOBODY
