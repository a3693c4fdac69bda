"""oauth4webapi, a client on node that others wrote, signs in at the server as it runs, on each database:
every grant, refreshing, revoking and asking about a token. `make acceptance` runs this; authlib's client is
in `make test` (tests/journey/test_standard_clients.py)."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, KeySet

from tests.acceptance.running import run
from tests.conftest import postgresql_database
from tests.servers import Person, Server, free_port

CALLBACK = "http://127.0.0.1:1/callback"
SCOPES = ["goals:read", "people:read"]
STEPS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, worker_id: str, tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'tandem.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgresql_database(f"oauth_{worker_id}"))
        made = Server(url, tmp_path, port=port, public=f"http://127.0.0.1:{port}")
        done = made.command("demonstrate")
        assert done.returncode == 0, done.stderr
        made.start()
        yield made
        made.stop()


def create(server: Server, name: str, *arguments: str) -> dict[str, str]:
    """A client, by the command line; its id and secret."""
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    done = server.command("clients", "create", name, *arguments, *scopes)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def setting(server: Server, folder: Path) -> dict[str, Any]:
    """Who signs in, and through which clients."""
    with httpx.Client(base_url=server.base) as http:
        found = Person.of(server, http, "learner").get("/v1/organisations").json()["items"]
    school = next(one["id"] for one in found if one["kind"] == "school")
    key = ECKey.generate_key("P-256", {"kid": "2026", "alg": "ES256", "use": "sig"})
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    keyed = create(server, "Keyed", school, "--keys", str(keys))
    return {
        "account": server.demonstration()["accounts"][0],
        "redirect_uri": CALLBACK,
        "scope": " ".join(SCOPES),
        "app": create(server, "Phone", "--public", "--redirect-uri", CALLBACK),
        "portal": create(server, "Portal", school, "--redirect-uri", CALLBACK),
        "integration": server.demonstration()["client"],
        "keyed": {
            "client_id": keyed["client_id"],
            "kid": "2026",
            "key": key.as_dict(private=True),
        },
    }


def test_a_client_that_others_wrote_completes_every_grant(
    typescript_client: Path, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "setting.json"
    file.write_text(json.dumps(setting(server, tmp_path)))
    said = run("node", typescript_client / "standard_client.js", server.base, file)
    assert len(said.splitlines()) == STEPS, said
