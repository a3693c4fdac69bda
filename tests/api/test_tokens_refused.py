"""Forged, odd and expired access tokens: each 401 with a challenge and a problem, none a failure."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk

from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.core.ids import uuid7
from tests.raw import problem, send

pytestmark = pytest.mark.anyio

GONE: Any = object()
"""Takes a claim or a header away."""


def encode(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def pem_of(key: Any) -> bytes:
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Forge:
    """Makes tokens with the application's own key, or with another, that are right but for one thing."""

    def __init__(self, app: Any) -> None:
        self.tokens = app.state.tokens
        self.key = self.tokens._signing
        self.now = int(time.time())

    def claims(self, **changed: Any) -> dict[str, Any]:
        right = {
            "iss": self.tokens.issuer,
            "aud": self.tokens.audience,
            "sub": str(uuid7()),
            "client_id": str(PUBLIC_CLIENT),
            "scope": " ".join(sorted(SCOPES)),
            "iat": self.now,
            "exp": self.now + 600,
            "jti": str(uuid7()),
            "sid": str(uuid7()),
        }
        return {k: v for k, v in {**right, **changed}.items() if v is not GONE}

    def header(self, **changed: Any) -> dict[str, Any]:
        right = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        return {k: v for k, v in {**right, **changed}.items() if v is not GONE}

    def signed(self, header: Any, claims: Any, signer: Any = None) -> str:
        content = f"{encode(header)}.{encode(claims)}"
        signature = (signer or self.key.signer).sign(content.encode())
        return f"{content}.{encode(signature)}"

    def with_claims(self, **changed: Any) -> str:
        return self.signed(self.header(), self.claims(**changed))

    def with_header(self, **changed: Any) -> str:
        return self.signed(self.header(**changed), self.claims())

    def with_raw(self, *, header: bytes = b"", claims: bytes = b"") -> str:
        return self.signed(header or self.header(), claims or self.claims())

    def of_ended(self, claim: str = "sid") -> str:
        ended = uuid7()
        self.tokens.end([ended])
        return self.with_claims(**{claim: str(ended)})

    @property
    def right(self) -> str:
        return self.with_claims()

    @property
    def parts(self) -> list[str]:
        return self.right.split(".")

    def by_hmac(self, secret: bytes, alg: str = "HS256") -> str:
        content = f"{encode(self.header(alg=alg))}.{encode(self.claims())}"
        return f"{content}.{encode(hmac.digest(secret, content.encode(), hashlib.sha256))}"

    @property
    def public_pem(self) -> bytes:
        return bytes(self.key.verifier.to_pem())

    def by_stranger(self, **header: Any) -> str:
        other = jwk.construct(pem_of(ec.generate_private_key(ec.SECP256R1())).decode(), "ES256")
        return self.signed(self.header(**header), self.claims(), other)

    def by_rsa(self) -> str:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        other = jwk.construct(pem_of(key).decode(), "RS256")
        return self.signed(self.header(alg="RS256"), self.claims(), other)

    def payload(self, text: str) -> str:
        """Claims as text, where `@` stands for the rest of the right ones."""
        rest = json.dumps(self.claims())[1:-1]
        return self.with_raw(claims=text.replace("@", rest).encode("utf-8", "surrogatepass"))


def changed(text: str, index: int) -> str:
    return text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]


Make = Callable[[Forge], str]

FORGED: dict[str, Make] = {
    # The algorithm
    "alg none": lambda f: f"{encode(f.header(alg='none'))}.{encode(f.claims())}.",
    "alg none with a signature": lambda f: f.with_header(alg="none"),
    "alg None": lambda f: f"{encode(f.header(alg='None'))}.{encode(f.claims())}.",
    "alg nOnE": lambda f: f"{encode(f.header(alg='nOnE'))}.{encode(f.claims())}.",
    "no alg": lambda f: f.with_header(alg=GONE),
    "alg null": lambda f: f.with_header(alg=None),
    "alg as a list": lambda f: f.with_header(alg=["ES256"]),
    "alg as an object": lambda f: f.with_header(alg={"a": "ES256"}),
    "alg in lower case": lambda f: f.with_header(alg="es256"),
    "alg ES384": lambda f: f.with_header(alg="ES384"),
    "alg EdDSA": lambda f: f.with_header(alg="EdDSA"),
    "HS256 by the public key": lambda f: f.by_hmac(f.public_pem),
    "HS256 by the public key without its last line feed": lambda f: f.by_hmac(f.public_pem.strip()),
    "HS256 by the key set": lambda f: f.by_hmac(json.dumps(f.tokens.jwks()).encode()),
    "HS256 by nothing": lambda f: f.by_hmac(b""),
    "HMAC that says ES256": lambda f: f.by_hmac(f.public_pem, "ES256"),
    "RS256 by a stranger": lambda f: f.by_rsa(),
    # The key
    "by a stranger": lambda f: f.by_stranger(),
    "by a stranger who brings the key": lambda f: f.by_stranger(jwk=f.tokens.jwks()["keys"][0]),
    "no kid": lambda f: f.with_header(kid=GONE),
    "unknown kid": lambda f: f.with_header(kid="nobody"),
    "empty kid": lambda f: f.with_header(kid=""),
    "kid null": lambda f: f.with_header(kid=None),
    "kid as a number": lambda f: f.with_header(kid=0),
    "kid as a list": lambda f: f.with_header(kid=[f.key.kid]),
    "kid that is a path": lambda f: f.with_header(kid="../../../../dev/null"),
    "kid that is SQL": lambda f: f.with_header(kid="' OR 1=1 --"),
    "jku": lambda f: f.with_header(jku="https://evil.example/keys"),
    "jwk": lambda f: f.with_header(jwk=f.tokens.jwks()["keys"][0]),
    "x5u": lambda f: f.with_header(x5u="https://evil.example/key"),
    "x5c": lambda f: f.with_header(x5c=["MIIB"]),
    "x5t": lambda f: f.with_header(x5t="abc"),
    "crit": lambda f: f.with_header(crit=["exp"]),
    "crit of something unknown": lambda f: f.with_header(crit=["b64"], b64=False),
    "zip": lambda f: f.with_header(zip="DEF"),
    "cty": lambda f: f.with_header(cty="JWT"),
    # The type
    "no typ": lambda f: f.with_header(typ=GONE),
    "typ JWT": lambda f: f.with_header(typ="JWT"),
    "typ of an ID token": lambda f: f.with_header(typ="id+jwt"),
    "typ of a logout token": lambda f: f.with_header(typ="logout+jwt"),
    "typ null": lambda f: f.with_header(typ=None),
    "typ as a list": lambda f: f.with_header(typ=["at+jwt"]),
    # The dates
    "no exp": lambda f: f.with_claims(exp=GONE),
    "exp null": lambda f: f.with_claims(exp=None),
    "exp as text": lambda f: f.with_claims(exp=str(f.now + 600)),
    "exp as a fraction": lambda f: f.with_claims(exp=f.now + 600.5),
    "exp as a whole fraction": lambda f: f.with_claims(exp=float(f.now + 600)),
    "exp Infinity": lambda f: f.with_claims(exp=float("inf")),
    "exp NaN": lambda f: f.with_claims(exp=float("nan")),
    "exp 1e999": lambda f: f.with_raw(
        claims=json.dumps(f.claims(exp=0)).replace('"exp": 0', '"exp": 1e999').encode()
    ),
    "exp true": lambda f: f.with_claims(exp=True),
    "exp as a list": lambda f: f.with_claims(exp=[f.now + 600]),
    "exp as an object": lambda f: f.with_claims(exp={}),
    "exp of 30 digits": lambda f: f.with_claims(exp=10**30),
    "exp of 5,000 digits": lambda f: f.with_raw(
        claims=json.dumps(f.claims(exp=0)).replace('"exp": 0', '"exp": ' + "9" * 5000).encode()
    ),
    "exp in the past": lambda f: f.with_claims(iat=f.now - 900, exp=f.now - 60),
    "exp zero": lambda f: f.with_claims(exp=0),
    "exp negative": lambda f: f.with_claims(iat=-(10**9), exp=-(10**9) + 600),
    "no iat": lambda f: f.with_claims(iat=GONE),
    "iat as text": lambda f: f.with_claims(iat=str(f.now)),
    "iat in the future": lambda f: f.with_claims(iat=f.now + 120, exp=f.now + 600),
    "iat after exp": lambda f: f.with_claims(iat=f.now + 20, exp=f.now + 10),
    "lives for a day": lambda f: f.with_claims(exp=f.now + 86_400),
    "lives for 15 minutes and a second": lambda f: f.with_claims(exp=f.now + 901),
    "nbf in the future": lambda f: f.with_claims(nbf=f.now + 120),
    "nbf as text": lambda f: f.with_claims(nbf="0"),
    "nbf null": lambda f: f.with_claims(nbf=None),
    "nbf Infinity": lambda f: f.with_claims(nbf=float("inf")),
    # From whom, for whom
    "no iss": lambda f: f.with_claims(iss=GONE),
    "another iss": lambda f: f.with_claims(iss="https://evil.example"),
    "iss with a slash": lambda f: f.with_claims(iss=f.tokens.issuer + "/"),
    "iss as a list": lambda f: f.with_claims(iss=[f.tokens.issuer]),
    "no aud": lambda f: f.with_claims(aud=GONE),
    "another aud": lambda f: f.with_claims(aud="https://evil.example"),
    "aud as a list": lambda f: f.with_claims(aud=[f.tokens.audience]),
    "aud as a list with others": lambda f: f.with_claims(aud=[f.tokens.audience, "x"]),
    "aud empty": lambda f: f.with_claims(aud=[]),
    "no sub": lambda f: f.with_claims(sub=GONE),
    "sub that is no UUID": lambda f: f.with_claims(sub="learner"),
    "sub empty": lambda f: f.with_claims(sub=""),
    "sub as a number": lambda f: f.with_claims(sub=7),
    "sub as a list": lambda f: f.with_claims(sub=[str(uuid4())]),
    "sub with NUL": lambda f: f.with_claims(sub="\x00"),
    "sub with half a surrogate pair": lambda f: f.with_claims(sub="\ud800"),
    "no client_id": lambda f: f.with_claims(client_id=GONE),
    "client_id that is no UUID": lambda f: f.with_claims(client_id="docs"),
    "no jti": lambda f: f.with_claims(jti=GONE),
    "jti empty": lambda f: f.with_claims(jti=""),
    "jti as a number": lambda f: f.with_claims(jti=1),
    "no sid": lambda f: f.with_claims(sid=GONE),
    "sid null": lambda f: f.with_claims(sid=None),
    "sid empty": lambda f: f.with_claims(sid=""),
    "sid that is no UUID": lambda f: f.with_claims(sid="session"),
    "sid as a number": lambda f: f.with_claims(sid=7),
    "sid as a list": lambda f: f.with_claims(sid=[str(uuid4())]),
    "sid as an object": lambda f: f.with_claims(sid={"id": str(uuid4())}),
    "sid true": lambda f: f.with_claims(sid=True),
    "sid with NUL": lambda f: f.with_claims(sid="\x00"),
    "a client with a session": lambda f: f.with_claims(sub=str(PUBLIC_CLIENT)),
    "a session that has ended": lambda f: f.of_ended(),
    "a client that is disabled": lambda f: f.of_ended("client_id"),
    # Of another kind
    "an ID token": lambda f: f.signed(
        f.header(typ="JWT"), f.claims(aud=str(PUBLIC_CLIENT), nonce="x", scope=GONE)
    ),
    "an ID token for the service": lambda f: f.signed(f.header(typ="JWT"), f.claims(nonce="x")),
    "a client's assertion": lambda f: f.signed(
        f.header(typ="client-authentication+jwt"), f.claims(iss=str(PUBLIC_CLIENT))
    ),
    "a token's introspection": lambda f: f.with_header(typ="token-introspection+jwt"),
    "a refresh token": lambda f: encode(b"x" * 32),
    "a successor of a refresh token": lambda f: "ab" * 32,
    "a password": lambda f: "correct horse battery staple",
    "no scope": lambda f: f.with_claims(scope=GONE),
    "scope as a list": lambda f: f.with_claims(scope=sorted(SCOPES)),
    "scope null": lambda f: f.with_claims(scope=None),
    # The form
    "empty": lambda f: "",
    "one letter": lambda f: "x",
    "dots": lambda f: "..",
    "many dots": lambda f: "." * 4000,
    "one dot missing": lambda f: ".".join(f.parts[:2]),
    "no dots": lambda f: "".join(f.parts),
    "four parts": lambda f: f.right + ".x",
    "five parts, as an encrypted token has": lambda f: f.right + ".x.y",
    "no signature": lambda f: f"{f.parts[0]}.{f.parts[1]}.",
    "no header": lambda f: "." + f.right.partition(".")[2],
    "no payload": lambda f: f"{f.parts[0]}..{f.parts[2]}",
    "signature cut": lambda f: f.right[:-4],
    "signature longer": lambda f: f.right + "AAAA",
    "letters that mean nothing": lambda f: f.right + "!!!!",
    "padding": lambda f: f.right + "==",
    "white space inside": lambda f: f.right.replace(".", ". ", 1),
    "white space before": lambda f: " " + f.right,
    "white space after": lambda f: f.right + " ",
    "a tab": lambda f: f.right + "\t",
    "two tokens": lambda f: f"{f.right}, {f.right}",
    "in quotation marks": lambda f: f'"{f.right}"',
    "standard base64": lambda f: ".".join(
        base64.b64encode(p.encode()).decode() for p in ("{}", "{}", "?>?>")
    ),
    "not base64": lambda f: "%%%.%%%.%%%",
    "not ASCII": lambda f: "\xe9" * 20 + f.right,
    "NUL": lambda f: f.right + "\x00",
    "8 kB": lambda f: f.with_claims(x="y" * 8192),
    "1 MB": lambda f: "x" * 1_000_000,
    "first letter of the signature changed": lambda f: ".".join(
        [*f.parts[:2], changed(f.parts[2], 0)]
    ),
    "last letter of the signature changed": lambda f: (
        lambda right: changed(right, len(right) - 1)
    )(f.right),
    "payload changed": lambda f: f"{f.parts[0]}.{encode(f.claims())}.{f.parts[2]}",
    "header changed": lambda f: (
        f"{encode(f.header(typ='application/at+jwt'))}.{f.right.partition('.')[2]}"
    ),
    "signature of zeros": lambda f: f"{f.parts[0]}.{f.parts[1]}.{encode(bytes(64))}",
    "signature in DER": lambda f: f"{f.parts[0]}.{f.parts[1]}.{encode(b'0' * 70)}",
    "header that is no JSON": lambda f: f.with_raw(header=b"{"),
    "header that is a list": lambda f: f.with_raw(header=b"[]"),
    "header that is a text": lambda f: f.with_raw(header=b'"x"'),
    "header key twice": lambda f: f.with_raw(
        header=json.dumps(f.header())[:-1].encode() + b', "alg": "ES256"}'
    ),
    "payload that is no JSON": lambda f: f.with_raw(claims=b"}"),
    "payload that is a list": lambda f: f.with_raw(claims=b"[]"),
    "payload that is null": lambda f: f.with_raw(claims=b"null"),
    "payload in UTF-16": lambda f: f.with_raw(claims=json.dumps(f.claims()).encode("utf-16")),
    "payload not in UTF-8": lambda f: f.with_raw(claims=b'{"sub": "\xff"}'),
    "claim twice": lambda f: f.payload('{@, "sub": "' + str(uuid4()) + '"}'),
    "claim twice by escape": lambda f: f.payload('{@, "s\\u0075b": "x"}'),
    "deep payload": lambda f: f.payload("[" * 5000 + "]" * 5000),
    "empty payload": lambda f: f.with_claims(**dict.fromkeys(f.claims(), GONE)),
}


@pytest.fixture
def forge(app: Any) -> Forge:
    return Forge(app)


@pytest.mark.parametrize("name", FORGED)
async def test_what_is_no_token_of_ours_is_refused(app: Any, forge: Forge, name: str) -> None:
    forged = FORGED[name](forge)
    answer = await send(app, "GET", "/v1/goals", headers=[("Authorization", f"Bearer {forged}")])
    problem(answer, 401)
    # A second time too: nothing refused is remembered as verified.
    again = await send(app, "GET", "/v1/goals", headers=[("Authorization", f"Bearer {forged}")])
    problem(again, 401)
    if forged.strip():
        assert 'error="invalid_token"' in str(answer.header("www-authenticate"))


async def test_every_letter_of_a_token_counts(app: Any, forge: Forge) -> None:
    right = forge.right
    for index in range(len(right)):
        if right[index] != ".":
            answer = await send(
                app,
                "GET",
                "/v1/me",
                headers=[("Authorization", f"Bearer {changed(right, index)}")],
            )
            assert answer.status == 401, f"letter {index} of {len(right)}"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "@")],
        [("Authorization", "Token @")],
        [("Authorization", "Basic @")],
        [("Authorization", "DPoP @")],
        [("Authorization", "BearerX @")],
        [("Authorization", "Bearer  @")],
        [("Authorization", "Bearer\t@")],
        [("Authorization", "Bearer=@")],
        [("Authorization", "Bearer token=@")],
        [("Authorization", "Bearer @"), ("Authorization", "Bearer @")],
        [("Authorization", "Bearer @"), ("Authorization", "Basic eDp5")],
        [("Authorization", "Basic eDp5"), ("Authorization", "Bearer @")],
        [("Authorization", "Bearer @, Bearer @")],
        [("Proxy-Authorization", "Bearer @")],
        [("X-Authorization", "Bearer @")],
        [("X-Access-Token", "@")],
        [("Cookie", "access_token=@")],
        [("Cookie", "Authorization=Bearer @")],
    ],
    ids=str,
)
async def test_a_token_comes_in_one_authorization_header(
    app: Any, forge: Forge, headers: list[tuple[str, str]]
) -> None:
    sent = [(name, value.replace("@", forge.right)) for name, value in headers]
    problem(await send(app, "GET", "/v1/me", headers=sent), 401)


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer", "jwt"])
async def test_a_token_in_the_address_or_the_body_is_none(
    app: Any, forge: Forge, name: str
) -> None:
    problem(await send(app, "GET", f"/v1/me?{name}={forge.right}"), 401)
    body = f"{name}={forge.right}".encode()
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    problem(await send(app, "POST", "/v1/goals", headers=form, body=body), 401)
    bearer = ("Authorization", f"Bearer {forge.right}")
    also = await send(app, "GET", f"/v1/me?{name}={forge.right}", headers=[bearer])
    problem(also, 422)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_written_as_one_likes(app: Any, forge: Forge, scheme: str) -> None:
    bearer = ("Authorization", f"{scheme} {forge.right}")
    assert (await send(app, "GET", "/v1/me", headers=[bearer])).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"nbf": 0},
        {"exp": "now+900"},
        {"extra": {"a": [1]}},
        {"scope": " people:read  unknown:scope "},
        {"iat": "now+20"},
    ],
    ids=str,
)
async def test_a_token_that_is_right_is_taken(
    app: Any, forge: Forge, claims: dict[str, Any]
) -> None:
    """The forge itself is right: what the others are refused for is the one thing changed."""
    for name, value in claims.items():
        if str(value).startswith("now+"):
            claims = {**claims, name: forge.now + int(value[4:])}
    for made in (forge.with_claims(**claims), forge.with_header(typ="application/at+jwt")):
        bearer = ("Authorization", f"Bearer {made}")
        assert (await send(app, "GET", "/v1/me", headers=[bearer])).status == 200


async def test_a_token_of_another_kind_of_caller_does_not_become_a_person(
    app: Any, forge: Forge
) -> None:
    """`sub` equal to `client_id` speaks for the client, never for a person of that id."""
    made = forge.with_claims(sub=str(PUBLIC_CLIENT), sid=GONE)
    body = json.dumps({"statement": "x"}).encode()
    headers = [("Authorization", f"Bearer {made}"), ("Content-Type", "application/json")]
    problem(await send(app, "POST", "/v1/goals", headers=headers, body=body), 403)
    assert (await send(app, "GET", "/v1/me", headers=headers[:1])).json()["person"] is None


async def test_an_expired_token_is_refused_although_it_was_verified_before(
    app: Any, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bearer = ("Authorization", f"Bearer {forge.right}")
    assert (await send(app, "GET", "/v1/me", headers=[bearer])).status == 200
    monkeypatch.setattr("app.core.tokens.time.time", lambda: forge.now + 700.0)
    answer = await send(app, "GET", "/v1/me", headers=[bearer])
    assert "expired" in problem(answer, 401)["detail"]


async def test_the_key_set_has_no_private_members(app: Any) -> None:
    answer = await send(app, "GET", "/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert keys
    for key in keys:
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
        assert (key["use"], key["alg"]) == ("sig", "ES256")
