"""What an operator does without a browser: a first administrator, a first client."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.second_factors import Authenticator
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


def administrator(server: Server, name: str) -> dict[str, str]:
    """The password grant of an administrator whom the command line has made."""
    made = server.command("admin", "create", name, f"{name}@council.example")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split()[-1]
    return {"grant_type": "password", "username": f"{name}@council.example", "password": password}


def test_who_has_lost_telephone_and_codes_is_helped_on_the_command_line(
    fresh_url: str, tmp_path: Path
) -> None:
    server = Server(fresh_url, tmp_path)
    form = administrator(server, "eleri")
    server.start()
    try:
        with httpx.Client(base_url=server.base) as http:
            eleri = Person(http, **form)
            begun = eleri.post("/v1/me/second-factors", json={}).json()
            confirmation = f"/v1/me/second-factors/{begun['id']}/confirmation"
            body = {"code": Authenticator(begun["secret"]).code()}
            assert eleri.post(confirmation, json=body).status_code == 200
            assert http.post("/oauth/token", data=form).status_code == 400
            nobody = server.command("admin", "reset-second-factor", "nobody@council.example")
            assert nobody.returncode == 2
            assert "Traceback" not in nobody.stderr
            reset = server.command("admin", "reset-second-factor", "Eleri@council.example")
            assert reset.returncode == 0, reset.stderr
            again = Person(http, **form)
            (newest,) = [
                row
                for row in again.get("/v1/me/history").json()["items"]
                if row["action"] == "reset"
            ]
            assert (newest["kind"], newest["by"], newest["through"]) == (
                "second_factor",
                None,
                None,
            )
            assert server.command("admin", "reset-second-factor", form["username"]).returncode == 2
    finally:
        server.stop()


def test_somebody_is_always_left_to_look_after_accounts(fresh_url: str, tmp_path: Path) -> None:
    server = Server(fresh_url, tmp_path)
    forms = [administrator(server, "eleri")]
    server.start()
    try:
        with httpx.Client(base_url=server.base) as http:
            alone = Person(http, **forms[0])
            me = alone.get("/v1/me").json()["person"]["id"]
            body = {"reason": "I am tired."}
            assert alone.post(f"/v1/people/{me}/disabling", json=body).status_code == 409
            assert alone.post("/v1/me/anonymisation", json={}).status_code == 409
            forms.append(administrator(server, "megan"))
            both = [Person(http, **form) for form in forms]
            ids = [person.get("/v1/me").json()["person"]["id"] for person in both]
            with ThreadPoolExecutor(2) as pool:
                answers = pool.map(
                    lambda n: both[n].post(f"/v1/people/{ids[1 - n]}/disabling", json=body), (0, 1)
                )
                statuses = sorted(answer.status_code for answer in answers)
            # Whoever comes second is signed out already, or finds the other the last.
            assert statuses[0] == 200
            assert statuses[1] in (401, 409)
            able = [http.post("/oauth/token", data=form).status_code for form in forms]
            assert sorted(able) == [200, 400]
    finally:
        server.stop()
