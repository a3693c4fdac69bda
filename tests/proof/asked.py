"""One request, to be sent by anybody."""

from dataclasses import dataclass, replace
from typing import Any

from tests.raw import Answer, send


@dataclass(frozen=True)
class Asked:
    """One request; `token` is left to who sends it."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    if_match: str | None = None

    def instead(self, id_: str, other: str) -> "Asked":
        """The same request with another id wherever this one stood."""
        return replace(
            self,
            path=self.path.replace(id_, other),
            query=self.query.replace(id_, other),
            body=self.body.replace(id_.encode(), other.encode()),
        )

    async def by(self, app: Any, token: str | None, **more: str) -> Answer:
        """Sends it."""
        headers = {**more}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if self.content_type:
            headers["Content-Type"] = self.content_type
        if self.if_match is not None:
            headers["If-Match"] = self.if_match
        target = self.path + (f"?{self.query}" if self.query else "")
        return await send(app, self.method, target, headers=list(headers.items()), body=self.body)
