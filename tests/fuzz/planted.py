"""The `tandem` command with faults planted in its answers, each of which a run must find."""

import json
import os
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULTS = {
    "error": "not_a_server_error",
    "teapot": "status_code_conformance",
    "shape": "response_schema_conformance",
    "open": "ignored_auth",
    "anybody": "object_level_authorization",
    "refusal": "positive_data_acceptance",
    "acceptance": "negative_data_rejection",
}
"""The check that must find each."""

WHERE = {"acceptance": "list_goals", "shape": "list_goals", "refusal": "list_goals"}
"""The operation with the fault, if it is another than `read_goal`."""


class Planted:
    """Answers instead of the application, or with another's token."""

    def __init__(self, app: ASGIApp, fault: str) -> None:
        self.app, self.fault = app, fault
        self.owner: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope.get("method") != "GET" or not path.startswith("/v1/goals"):
            await self.app(scope, receive, send)
            return
        one = path.count("/") == 3
        if self.fault == "error" and one:
            await _answer(send, 500, {})
        elif self.fault == "teapot" and one:
            await _answer(send, 418, {})
        elif self.fault == "shape" and not one:
            await _answer(send, 200, {"items": [{"id": 1}], "next": None})
        elif self.fault == "refusal" and not one:
            await _answer(
                send, 422, {"type": "https://x.example/problems/invalid", "detail": "No."}
            )
        elif self.fault == "acceptance" and not one:
            await self.app({**scope, "query_string": b""}, receive, send)
        elif self.fault in ("open", "anybody") and one:
            await self._as_owner(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _as_owner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever asks, the first who could read it is believed to; `open`: even without a token."""
        sent = [h for h in scope["headers"] if h[0] == b"authorization"]
        others = [h for h in scope["headers"] if h[0] != b"authorization"]
        if self.owner and (self.fault == "open" or (sent and sent[0][1].count(b".") == 2)):
            scope = {**scope, "headers": others + self.owner}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.owner = self.owner or sent
            await send(message)

        await self.app(scope, receive, noting)


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


if __name__ == "__main__":
    from app import cli, main

    create = main.create_app

    def create_app() -> Any:
        app = create()
        app.add_middleware(Planted, fault=os.environ.get("TANDEM_PLANTED", "none"))
        return app

    main.create_app = create_app
    cli.main()
