"""private_key_jwt (RFC 7523): a client's own key lets it in, once for each assertion, and nothing else."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk

from app.actions import accounts
from app.core import assertions, journal
from app.core.ids import uuid7
from tests.api.test_tokens_refused import GONE, encode, pem_of
from tests.signing_in import Desk, made_once

pytestmark = pytest.mark.anyio

ENDPOINT = "https://tandem.example/oauth/token"


def signer_of(algorithm: str) -> Any:
    key: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    return jwk.construct(pem_of(key).decode(), algorithm)


def public(signer: Any, kid: str) -> dict[str, Any]:
    shown = signer.public_key().to_dict()
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in shown.items()} | {"kid": kid}


@dataclass
class Keyed:
    """A client with an EC and an RSA key."""

    desk: Desk
    id: UUID
    ec: Any
    rsa: Any

    def claims(self, **changed: Any) -> dict[str, Any]:
        moment = int(time.time())
        right = {
            "iss": str(self.id),
            "sub": str(self.id),
            "aud": ENDPOINT,
            "exp": moment + 120,
            "iat": moment,
            "jti": str(uuid7()),
        }
        return {k: v for k, v in {**right, **changed}.items() if v is not GONE}

    def signed(
        self, claims: Any = None, *, algorithm: str = "ES256", signer: Any = None, **header: Any
    ) -> str:
        right = {"alg": algorithm, "typ": "JWT", "kid": algorithm}
        head = {k: v for k, v in {**right, **header}.items() if v is not GONE}
        body = self.claims() if claims is None else claims
        content = f"{encode(head)}.{encode(body)}"
        made = (signer or {"ES256": self.ec, "RS256": self.rsa}[algorithm]).sign(content.encode())
        return f"{content}.{encode(made)}"

    def form(self, assertion: str, **more: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": assertions.TYPE,
            "client_assertion": assertion,
            **more,
        }


@pytest.fixture(scope="module")
async def keyed(app: Any) -> AsyncIterator[Keyed]:
    async with made_once(app) as desk:
        ec_key, rsa_key = signer_of("ES256"), signer_of("RS256")
        async with desk.world.database.work() as unit:
            client_id, _ = await accounts.create_client(
                unit,
                actor=journal.COMMAND_LINE,
                name="Keyed",
                organisation_id=desk.world.school,
                scopes=["goals:read"],
                keys={"keys": [public(ec_key, "ES256"), public(rsa_key, "RS256")]},
            )
        yield Keyed(desk, client_id, ec_key, rsa_key)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"aud": "https://tandem.example"},
        {"aud": [ENDPOINT]},
        {"iat": GONE},
        {"exp": "+300"},
        {"nbf": 0},
        {"extra": [1]},
    ],
    ids=lambda changed: "-".join(changed) or "right",
)
async def test_a_client_is_let_in_by_its_own_key(
    keyed: Keyed, algorithm: str, changed: dict[str, Any]
) -> None:
    if changed.get("exp"):
        changed = {"exp": int(time.time()) + 300}
    form = keyed.form(keyed.signed(keyed.claims(**changed), algorithm=algorithm))
    answer = await keyed.desk.token(form)
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "goals:read"


async def test_a_header_without_kid_or_typ_is_enough(keyed: Keyed) -> None:
    for header in ({"kid": GONE}, {"typ": GONE}, {"typ": "client-authentication+jwt"}):
        form = keyed.form(keyed.signed(**header), client_id=str(keyed.id))
        assert (await keyed.desk.token(form)).status_code == 200


def other(value: Any) -> Callable[[Keyed], str]:
    return lambda k: k.signed(k.claims(**value))


WRONG: dict[str, Callable[[Keyed], str]] = {
    "by a stranger": lambda k: k.signed(signer=signer_of("ES256")),
    "alg none": lambda k: f"{encode({'alg': 'none', 'kid': 'ES256'})}.{encode(k.claims())}.",
    "HS256 by the public key": lambda k: k.signed(
        algorithm="ES256", alg="HS256", signer=jwk.construct(b"x" * 32, "HS256")
    ),
    "the key of another algorithm": lambda k: k.signed(algorithm="RS256", kid="ES256"),
    "unknown kid": lambda k: k.signed(kid="x"),
    "jwk": lambda k: k.signed(jwk=public(k.ec, "x")),
    "crit": lambda k: k.signed(crit=["exp"]),
    "an access token's type": lambda k: k.signed(typ="at+jwt"),
    "another iss": other({"iss": str(uuid7())}),
    "no iss": other({"iss": GONE}),
    "another sub": other({"sub": str(uuid7())}),
    "no sub": other({"sub": GONE}),
    "sub as a list": other({"sub": ["x"]}),
    "another aud": other({"aud": "https://evil.example/token"}),
    "no aud": other({"aud": GONE}),
    "two auds": other({"aud": [ENDPOINT, "https://evil.example"]}),
    "aud empty": other({"aud": []}),
    "aud as an object": other({"aud": {"x": ENDPOINT}}),
    "aud as nested lists": other({"aud": [[ENDPOINT]]}),
    "no exp": other({"exp": GONE}),
    "exp as text": other({"exp": "2030"}),
    "exp Infinity": other({"exp": float("inf")}),
    "exp true": other({"exp": True}),
    "exp in the past": other({"exp": int(time.time()) - 60}),
    "exp in an hour": other({"exp": int(time.time()) + 3600}),
    "exp of 40 digits": other({"exp": 10**40}),
    "iat in the future": other({"iat": int(time.time()) + 3600}),
    "iat as text": other({"iat": "0"}),
    "nbf in the future": other({"nbf": int(time.time()) + 3600}),
    "no jti": other({"jti": GONE}),
    "jti empty": other({"jti": ""}),
    "jti as a number": other({"jti": 1}),
    "jti without end": other({"jti": "x" * 501}),
    "empty": lambda k: "",
    "dots": lambda k: "..",
    "deep": lambda k: f"{encode({})}.{encode(b'[' * 5000)}.x",
    "too long": lambda k: k.signed(k.claims(x="y" * 9000)),
    "an access token": lambda k: k.desk.world.app.state.tokens.issue(
        subject=k.id, client=k.id, scopes=frozenset(["goals:read"])
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_assertion_is_a_wrong_client(keyed: Keyed, name: str) -> None:
    answer = await keyed.desk.token(keyed.form(WRONG[name](keyed)))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text


async def test_an_assertion_lets_in_once(keyed: Keyed) -> None:
    claims = keyed.claims()
    form = keyed.form(keyed.signed(claims))
    assert (await keyed.desk.token(form)).status_code == 200
    again = [
        form,
        keyed.form(keyed.signed(claims)),
        keyed.form(keyed.signed(claims, algorithm="RS256")),
    ]
    for sent in again:
        assert (await keyed.desk.token(sent)).status_code == 401
    rows = await keyed.desk.journaled(action="assertion_replayed", resource_id=keyed.id)
    assert len(rows) == 3


async def test_an_assertion_comes_alone(keyed: Keyed) -> None:
    right = keyed.form(keyed.signed(), client_id=str(keyed.id))
    for changed in (
        {"client_secret": "x"},
        {"client_id": str(uuid7())},
        {"client_assertion_type": "x"},
        {"client_assertion_type": ""},
    ):
        answer = await keyed.desk.token({**right, **changed})
        assert answer.status_code == 401, changed
    basic = base64.b64encode(f"{keyed.id}:x".encode()).decode()
    answer = await keyed.desk.http.post(
        "/oauth/token", data=right, headers={"Authorization": f"Basic {basic}"}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await keyed.desk.token(right)).status_code == 200


async def test_a_client_without_keys_is_not_let_in_by_one(keyed: Keyed) -> None:
    app = await keyed.desk.confidential("https://other.example/cb")
    claims = keyed.claims(iss=str(app.id), sub=str(app.id))
    assert (await keyed.desk.token(keyed.form(keyed.signed(claims)))).status_code == 401


async def test_a_key_asks_what_a_token_says_and_takes_it_back(keyed: Keyed) -> None:
    token = (await keyed.desk.token(keyed.form(keyed.signed()))).json()["access_token"]
    for audience in (ENDPOINT, "https://tandem.example/oauth/introspect"):
        form = keyed.form(keyed.signed(keyed.claims(aud=audience)), token=token)
        answer = await keyed.desk.http.post("/oauth/introspect", data=form)
        assert answer.json()["active"] is True, answer.text


EC = public(signer_of("ES256"), "a")
RSA = public(signer_of("RS256"), "b")
SMALL = public(
    jwk.construct(
        pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)).decode(), "RS256"
    ),
    "c",
)
PRIVATE = json.loads(json.dumps({**EC, "d": "AAAA"}))


NO_KEY_SETS: list[Any] = [
        None, [], {}, {"keys": []}, {"keys": {}}, {"keys": [EC] * 2}, {"keys": [{**EC, "kid": str(n)} for n in range(9)]},
        {"keys": [PRIVATE]}, {"keys": [SMALL]}, {"keys": [{**EC, "kid": ""}]}, {"keys": [{**EC, "kid": 1}]},
        {"keys": [{k: v for k, v in EC.items() if k != "kid"}]}, {"keys": [{**EC, "alg": "HS256"}]},
        {"keys": [{**EC, "crv": "P-384"}]}, {"keys": [{**EC, "x": "AAAA"}]}, {"keys": [{**EC, "x": 1}]},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "x"}]}, {"keys": [{"kty": "OKP", "kid": "x"}]}, {"keys": ["x"]},
        {"keys": [{**RSA, "n": "!!"}]}, {"keys": [{**EC, "kty": ["EC"]}]},
    ]  # fmt: skip


# By number: the keys are new each time, and all workers must call a case the same.
@pytest.mark.parametrize("number", range(len(NO_KEY_SETS)))
def test_only_public_keys_that_are_strong_enough_are_registered(number: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        assertions.check_key_set(NO_KEY_SETS[number])


def test_what_is_kept_of_a_key_is_what_verifies() -> None:
    kept = assertions.check_key_set({"keys": [{**EC, "use": "sig", "x5c": ["x"]}, RSA]})
    assert [set(key) for key in kept["keys"]] == [
        {"kty", "crv", "x", "y", "kid", "alg"},
        {"kty", "n", "e", "kid", "alg"},
    ]
