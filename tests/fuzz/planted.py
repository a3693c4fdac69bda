"""The `tandem` command with faults planted in its answers, each of which a run must find."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULTS = {
    "GET /v1/shares/{share_id}": "not_a_server_error",
    "GET /v1/networks/{network_id}": "status_code_conformance",
    "GET /v1/networks": "response_schema_conformance",
    "GET /v1/affiliations": "positive_data_acceptance",
    "GET /v1/goals": "negative_data_rejection",
    "GET /v1/evidence-items/{evidence_item_id}": "ignored_auth",
    "GET /v1/goals/{goal_id}": "object_level_authorization",
}
"""Where a fault is, and the check that must find it."""

MAKING = ("record_goal", "record_evidence_item")
"""Operations without a fault, which make what the others read."""


class Planted:
    """Answers instead of the application, or has it answer somebody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.owners: dict[str, list[tuple[bytes, bytes]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "GET" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        _, _, kind, *more = scope["path"].split("/")
        faulty = self._faults().get((kind, len(more)))
        if faulty is None:
            await self.app(scope, receive, send)
        else:
            await faulty(scope, receive, send)

    def _faults(self) -> dict[tuple[str, int], Callable[..., Awaitable[None]]]:
        return {
            ("shares", 1): _answering(500, {}),
            ("networks", 1): _answering(418, {}),
            ("networks", 0): _answering(200, {"items": [{"id": 1}], "next": None}),
            ("affiliations", 0): _answering(422, {"type": "https://x.example/problems/invalid"}),
            ("goals", 0): self._whatever_is_asked,
            ("evidence-items", 1): self._anybody,
            ("goals", 1): self._whoever_has_a_token,
        }

    async def _whatever_is_asked(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "query_string": b""}, receive, send)

    async def _anybody(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._as_owner(scope, receive, send, believed=True)

    async def _whoever_has_a_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = dict(scope["headers"]).get(b"authorization", b"")
        await self._as_owner(scope, receive, send, believed=sent.count(b".") == 2)

    async def _as_owner(
        self, scope: Scope, receive: Receive, send: Send, *, believed: bool
    ) -> None:
        """As the first who could read it, if the caller is believed to be somebody."""
        path = scope["path"]
        sent = [h for h in scope["headers"] if h[0] == b"authorization"]
        if believed and path in self.owners:
            others = [h for h in scope["headers"] if h[0] != b"authorization"]
            scope = {**scope, "headers": others + self.owners[path]}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.owners.setdefault(path, sent)
            await send(message)

        await self.app(scope, receive, noting)


def _answering(status: int, body: dict[str, Any]) -> Callable[..., Awaitable[None]]:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return answer


if __name__ == "__main__":
    from app import cli, main

    create = main.create_app

    def create_app() -> Any:
        app = create()
        app.add_middleware(Planted)
        return app

    main.create_app = create_app
    cli.main()
