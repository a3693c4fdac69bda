"""The real server, as its own process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """`tandem serve` on a database of its own; can be killed and started again."""

    url: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    public: str = ""
    """The address that all processes go by, where there are several."""
    settings: dict[str, str] = field(default_factory=dict)
    """More settings, without their `TANDEM_`."""
    module: str = "app.cli"
    workers: int = 1

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TANDEM_")}
        return {
            **kept,
            "TANDEM_DATABASE_URL": self.url,
            "TANDEM_VAR": str(self.folder),
            "TANDEM_PORT": str(self.port),
            "TANDEM_PASSWORD_GRANT": "true",
            **({"TANDEM_PUBLIC_URL": self.public} if self.public else {}),
            **{f"TANDEM_{name}": value for name, value in self.settings.items()},
        }

    def beside(self) -> "Server":
        """Another process on the same database and folder, under the same address."""
        return Server(self.url, self.folder, public=self.public)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs `tandem` with the server's settings."""
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", self.module, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _serve(self) -> list[str]:
        serve = [sys.executable, "-W", "error", "-m", self.module, "serve"]
        return [*serve, "--workers", str(self.workers)]

    def start(self) -> None:
        """Starts the process and waits until it is ready."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._serve(),
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError((self.folder / "server.log").read_text())
            try:
                if httpx.get(f"{self.base}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.05)
        self.kill()
        raise AssertionError("the server did not become ready in 90 s")

    def kill(self) -> None:
        """kill -9: no goodbye, no flush."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM: drains."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def restart(self, settings: dict[str, str]) -> None:
        """The same server with other settings."""
        self.stop()
        self.settings = settings
        self.start()

    def demonstration(self) -> dict[str, Any]:
        """Accounts and client of the demonstration."""
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return found


@contextmanager
def serving(url: str, folder: Path, *, workers: int = 1) -> Iterator[Server]:
    """A migrated server with the demonstration cluster in its database."""
    # Limits have tests of their own (tests/test_serving.py); a storm is what they would keep out.
    unlimited = {"RATE_ADDRESS": "0", "RATE_CALLER": "0"}
    server = Server(url, folder, workers=workers, settings=unlimited)
    done = server.command("demonstrate")
    assert done.returncode == 0, done.stdout + done.stderr
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Person:
    """Somebody (or a client) who has signed in at a server."""

    def __init__(self, http: httpx.Client, **form: str) -> None:
        answer = http.post("/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        self.http = http
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @classmethod
    def of(cls, server: Server, http: httpx.Client, role: str) -> "Person":
        """One of the demonstration's accounts, or its `client`."""
        found = server.demonstration()
        if role == "client":
            return cls(http, grant_type="client_credentials", **found["client"])
        account = next(a for a in found["accounts"] if a["role"] == role)
        return cls(
            http, grant_type="password", username=account["email"], password=account["password"]
        )

    def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **named: Any
    ) -> httpx.Response:
        return self.http.request(method, path, headers={**self.headers, **(headers or {})}, **named)

    def get(self, path: str, **named: Any) -> httpx.Response:
        return self.call("GET", path, **named)

    def post(self, path: str, **named: Any) -> httpx.Response:
        return self.call("POST", path, **named)

    def patch(self, path: str, etag: str, **named: Any) -> httpx.Response:
        return self.call("PATCH", path, headers={"If-Match": etag}, **named)
