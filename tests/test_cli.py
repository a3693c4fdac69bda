"""What an operator does without a browser: a first administrator, a first client."""

from pathlib import Path

import httpx

from tests.servers import Person, Server


def test_an_installation_of_its_own_begins_on_the_command_line(
    fresh_url: str, tmp_path: Path
) -> None:
    server = Server(fresh_url, tmp_path)
    made = server.command("admin", "create", "Eleri Tŷ-Mawr", "eleri@council.example")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split()[-1]
    twice = server.command("admin", "create", "Another", "Eleri@council.example")
    assert twice.returncode == 1
    assert "Traceback" not in twice.stderr
    server.start()
    try:
        with httpx.Client(base_url=server.base) as http:
            eleri = Person(
                http, grant_type="password", username="eleri@council.example", password=password
            )
            assert eleri.get("/v1/me").json()["person"]["name"] == "Eleri Tŷ-Mawr"
            body = {"kind": "local_authority", "name": "Cyngor"}
            council = eleri.post("/v1/organisations", json=body).json()["id"]
            scope = ("--scope", "organisations:read", "--scope", "goals:read")
            unknown = server.command("clients", "create", "MIS", council, "--scope", "nothing:read")
            assert unknown.returncode == 2
            client = server.command("clients", "create", "MIS", council, *scope)
            assert client.returncode == 0, client.stderr
            words = client.stdout.split()
            system = Person(
                http, grant_type="client_credentials", client_id=words[1], client_secret=words[3]
            )
            assert system.get("/v1/organisations").json()["items"][0]["id"] == council
            assert system.post("/v1/organisations", json=body).status_code == 403
    finally:
        server.stop()
