"""authlib's own client against the server as it runs, and several processes on one database.

Nothing here speaks the protocol by itself: what a client that others wrote cannot do, we cannot do.
"""

import base64
import hashlib
import json
import re
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc.jwk import ECKey, KeySet

from tests.conftest import postgresql_database
from tests.servers import Person, Server, free_port
from tests.signing_in import hidden

with warnings.catch_warnings():
    # It speaks of a successor of httpx, which the rest of the tests do without.
    warnings.simplefilter("ignore")
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client

CALLBACK = "http://127.0.0.1:1/callback"
SCOPE = "goals:read people:read"


@pytest.fixture(scope="module", autouse=True)
def over_loopback() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    yield
    patch.undo()


class Running:
    """Two processes on one database, an app, an integration, and somebody who signs in."""

    def __init__(self, url: str, folder: Path) -> None:
        port = free_port()
        self.first = Server(url, folder, port=port, public=f"http://127.0.0.1:{port}")
        done = self.first.command("demonstrate")
        assert done.returncode == 0, done.stderr
        # SQLite is served by one process; what another does there is the command line's.
        self.servers = [self.first]
        if not url.startswith("sqlite"):
            self.servers.append(self.first.beside())
        for server in self.servers:
            server.start()
        self.account = self.first.demonstration()["accounts"][0]
        self.integration = self.first.demonstration()["client"]
        self.app = self.create("Phone", "--public", "--redirect-uri", CALLBACK)["client_id"]

    def create(self, name: str, *arguments: str) -> dict[str, str]:
        scopes = [part for scope in SCOPE.split() for part in ("--scope", scope)]
        done = self.first.command("clients", "create", name, *arguments, *scopes)
        assert done.returncode == 0, done.stderr
        return dict(line.split() for line in done.stdout.splitlines())

    @property
    def base(self) -> str:
        return self.first.base

    @property
    def school(self) -> str:
        with httpx.Client(base_url=self.base) as http:
            somebody = Person.of(self.first, http, "learner")
            found = somebody.get("/v1/organisations").json()["items"]
            school: str = next(one["id"] for one in found if one["kind"] == "school")
            return school

    def own(self, client: dict[str, str], **named: Any) -> str:
        """An access token of the client's own."""
        with OAuth2Client(client["client_id"], client["client_secret"], **named) as made:
            address = f"{self.base}/oauth/token"
            found: str = made.fetch_token(address, grant_type="client_credentials")["access_token"]
            return found

    def sign_in(self, client: Any) -> dict[str, Any]:
        """The tokens of the person, by way of the pages; authlib makes and checks all but those."""
        verifier = "v" * 64
        address, state = client.create_authorization_url(
            f"{self.base}/oauth/authorize", code_verifier=verifier
        )
        with httpx.Client(base_url=self.base) as browser:
            page = browser.get(address)
            form = {
                **hidden(page.text),
                "email": self.account["email"],
                "password": self.account["password"],
            }
            after = browser.post("/oauth/authorize", data=form)
            if after.status_code == 200:
                form = {**hidden(after.text), "decision": "allow"}
                after = browser.post("/oauth/consent", data=form)
        assert after.status_code == 303, after.text
        back = after.headers["location"]
        assert dict(parse_qsl(urlsplit(back).query))["iss"] == self.base
        found: dict[str, Any] = client.fetch_token(
            f"{self.base}/oauth/token",
            authorization_response=back,
            state=state,
            code_verifier=verifier,
        )
        return found

    def phone(self) -> Any:
        return OAuth2Client(
            self.app,
            redirect_uri=CALLBACK,
            scope=SCOPE,
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
            code_challenge_method="S256",
        )


@pytest.fixture(scope="module")
def running(
    backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("standard")
    if backend == "sqlite":
        found = Running(f"sqlite:///{folder / 'tandem.db'}", folder)
        yield found
        found.first.stop()
    else:
        with postgresql_database(f"standard_{worker_id}") as url:
            found = Running(url, folder)
            yield found
            for server in found.servers:
                server.stop()


def me(server: Server, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{server.base}/v1/me", headers=headers).status_code


def until(what: Any, seconds: float = 60) -> float:
    """How long it took until `what()` was true."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < seconds, "it did not come about in time"
        time.sleep(0.25)
    return time.monotonic() - started


def test_a_person_signs_in_through_an_app_refreshes_and_signs_out(running: Running) -> None:
    with running.phone() as phone:
        first = running.sign_in(phone)
        assert first["scope"] == SCOPE
        for server in running.servers:
            assert me(server, first["access_token"]) == 200
        second = phone.refresh_token(f"{running.base}/oauth/token")
        assert second["refresh_token"] != first["refresh_token"]
        done = phone.revoke_token(f"{running.base}/oauth/revoke", token=second["refresh_token"])
        assert done.status_code == 200
    assert me(running.first, second["access_token"]) == 401
    for server in running.servers:
        took = until(lambda server=server: me(server, second["access_token"]) == 401)
        assert took < 60


def test_an_app_that_keeps_a_secret_does_all_of_it_by_basic_and_by_form(running: Running) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        made = running.create(f"Portal {method}", running.school, "--redirect-uri", CALLBACK)
        with OAuth2Client(
            made["client_id"],
            made["client_secret"],
            redirect_uri=CALLBACK,
            scope=SCOPE,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            code_challenge_method="S256",
        ) as portal:
            token = running.sign_in(portal)
            about = portal.introspect_token(
                f"{running.base}/oauth/introspect", token=token["access_token"]
            )
            assert about.json()["active"] is True
            portal.refresh_token(f"{running.base}/oauth/token")
            portal.revoke_token(f"{running.base}/oauth/revoke", token=portal.token["refresh_token"])
            about = portal.introspect_token(
                f"{running.base}/oauth/introspect", token=portal.token["access_token"]
            )
            assert about.json() == {"active": False}


def test_an_integration_asks_for_itself(running: Running) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        token = running.own(running.integration, token_endpoint_auth_method=method)
        assert me(running.first, token) == 200


def test_an_integration_shows_a_key_of_its_own(running: Running, tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", {"kid": "2026", "alg": "ES256", "use": "sig"})
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    made = running.create("Keyed", running.school, "--keys", str(file))
    address = f"{running.base}/oauth/token"
    claims = {"exp": int(time.time()) + 120}
    method = PrivateKeyJWT(address, claims=claims, headers={"kid": "2026"}, alg="ES256")
    with OAuth2Client(
        made["client_id"], key, token_endpoint_auth_method="private_key_jwt"
    ) as client:
        client.register_client_auth_method(method)
        token = client.fetch_token(address, grant_type="client_credentials")
        assert me(running.first, token["access_token"]) == 200
        # authlib keeps the jti in the claims that it was given: the same assertion's id comes again.
        assert "jti" in claims
        with pytest.raises(OAuthError, match="invalid_client"):
            client.fetch_token(address, grant_type="client_credentials")


def test_a_client_sets_itself_up_by_the_metadata(running: Running) -> None:
    found = httpx.get(f"{running.base}/.well-known/oauth-authorization-server").json()
    metadata = AuthorizationServerMetadata(found)
    metadata.validate()
    assert found["issuer"] == running.base
    for name in ("jwks_uri", "service_documentation"):
        assert httpx.get(found[name]).status_code == 200
    assert httpx.get(found["authorization_endpoint"]).status_code == 400
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert httpx.post(found[name]).status_code in (400, 401)


def test_a_client_gets_a_second_secret_before_the_first_goes(running: Running) -> None:
    made = running.create("Rotating", running.school)
    secrets = [made["client_secret"]]
    for number in range(2):
        done = running.first.command("clients", "rotate", made["client_id"])
        assert done.returncode == 0, done.stderr
        secrets.append(done.stdout.split()[1])
        for secret in secrets[-2:]:
            running.own({**made, "client_secret": secret})
        # A third would have to take the place of one that somebody uses.
        third = running.first.command("clients", "rotate", made["client_id"])
        oldest = hashlib.sha256(secrets[number].encode()).hexdigest()[:12]
        assert (third.returncode, "Traceback" in third.stderr) == (1, False)
        assert oldest in third.stderr
        shown = running.first.command("clients", "secrets", made["client_id"]).stdout.splitlines()
        assert shown[0].split()[0] == oldest
        removed = running.first.command("clients", "remove-secret", made["client_id"], oldest)
        assert removed.returncode == 0, removed.stderr
        with pytest.raises(OAuthError, match="invalid_client"):
            running.own({**made, "client_secret": secrets[number]})
    listed = running.first.command("clients", "list").stdout
    assert re.search(rf"{made['client_id']}  confidential  \d{{4}}-\d\d-\d\d  goals:read", listed)
    assert not set(secrets) & set(listed.split())


def test_a_client_that_is_disabled_on_the_command_line_ends_everywhere(running: Running) -> None:
    made = running.create("Going", running.school)
    token = running.own(made)
    for server in running.servers:
        assert me(server, token) == 200
    assert running.first.command("clients", "disable", made["client_id"]).returncode == 0
    for server in running.servers:
        assert until(lambda server=server: me(server, token) == 401) < 60
    with pytest.raises(OAuthError, match="invalid_client"):
        running.own(made)
    again = running.first.command("clients", "disable", made["client_id"])
    assert (again.returncode, "Traceback" in again.stderr) == (1, False)


@pytest.mark.parametrize("attempt", range(3))
def test_fifty_parallel_refreshes_leave_one_family(running: Running, attempt: int) -> None:
    """Over all processes at once: one chain goes on, or none; never two."""
    with running.phone() as phone:
        token = running.sign_in(phone)["refresh_token"]
    barrier = threading.Barrier(50)

    def refresh(number: int) -> httpx.Response:
        server = running.servers[number % len(running.servers)]
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": running.app}
        with httpx.Client(base_url=server.base, timeout=60) as http:
            http.get("/health/live")
            barrier.wait()
            return http.post("/oauth/token", data=form)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(refresh, range(50)))
    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) <= {200, 400, 503}, counted
    given = {a.json()["refresh_token"] for a in answers if a.status_code == 200}
    assert len(given) == 1, f"{len(given)} chains, {counted}"
    assert counted[200] >= 40, counted
    # What was given goes on, and only that.
    (next_token,) = given
    form = {"grant_type": "refresh_token", "refresh_token": next_token, "client_id": running.app}
    after = httpx.post(f"{running.base}/oauth/token", data=form)
    assert after.status_code == 200, after.text
    # The first again, now that its successor is used: a copy. Everything ends.
    stale = httpx.post(f"{running.base}/oauth/token", data={**form, "refresh_token": token})
    assert stale.json()["error"] == "invalid_grant"
    last = {**form, "refresh_token": after.json()["refresh_token"]}
    assert httpx.post(f"{running.base}/oauth/token", data=last).status_code == 400


def keys_of(server: Server) -> list[str]:
    found = httpx.get(f"{server.base}/.well-known/jwks.json").json()["keys"]
    return [key["kid"] for key in found]


def test_keys_rotate_and_retire_in_every_process_without_a_restart(running: Running) -> None:
    (old,) = keys_of(running.first)
    before = running.own(running.integration)
    refused = running.first.command("keys", "retire", old)
    assert refused.returncode == 1
    assert "signs" in refused.stderr
    assert running.first.command("keys", "rotate").returncode == 0
    for server in running.servers:
        until(lambda server=server: len(keys_of(server)) == 2)
    # It is shown, and does not sign yet.
    assert signer(running.own(running.integration)) == old
    listed = running.first.command("keys", "list").stdout.split()
    assert listed[-1] == "announced"
    assert running.first.command("keys", "rotate", "--now").returncode == 0
    new = running.first.command("keys", "list").stdout.splitlines()[-1]
    assert new.endswith("signs")
    kid = new.split()[0]
    for server in running.servers:
        until(lambda server=server: kid in keys_of(server))
        until(lambda: signer(running.own(running.integration)) == kid)
    after = running.own(running.integration)
    for server in running.servers:
        assert me(server, before) == 200
        assert me(server, after) == 200
    early = running.first.command("keys", "retire", old)
    assert early.returncode == 1 or "Retired" in early.stdout
    if early.returncode == 1:
        assert running.first.command("keys", "retire", "--now", old).returncode == 0
    for server in running.servers:
        until(lambda server=server: old not in keys_of(server))
        until(lambda server=server: me(server, before) == 401)
        assert me(server, after) == 200


def signer(token: str) -> str:
    head = token.partition(".")[0]
    found: str = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    return found
