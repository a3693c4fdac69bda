"""An OpenID provider as others run one: authlib's server in a process of its own, with its own keys, a
login form and a consent page. `POST /control` tells it whom it knows, and how it is to misbehave.

`python -m tests.openid_provider PORT` serves it on loopback.
"""

import base64
import hmac
import json
import os
import sys
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from markupsafe import escape

CLIENT, SECRET = "tandem-at-the-provider", "s3cret/with+signs&~"

app = Flask(__name__)
app.config["OAUTH2_SCOPES_SUPPORTED"] = ["openid", "email", "profile"]
codes: dict[str, "Code"] = {}
accounts: dict[str, dict[str, Any]] = {}
switches: dict[str, Any] = {}
asked: list[dict[str, str]] = []
keys: dict[str, Key] = {}
others: dict[str, Key] = {}


def make_keys() -> None:
    keys["RS256"] = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
    keys["PS256"] = RSAKey.generate_key(2048, {"kid": "pss", "use": "sig", "alg": "PS256"})
    keys["ES256"] = ECKey.generate_key("P-256", {"kid": "p256", "use": "sig"})
    keys["ES384"] = ECKey.generate_key("P-384", {"kid": "p384", "use": "sig"})
    others["RS256"] = RSAKey.generate_key(2048, {"kid": "rsa"})
    others["small"] = RSAKey.generate_key(1024, {"kid": "small"})


class Client(ClientMixin):
    """The one client that is registered here."""

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in switches["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == switches.get("method", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(AuthorizationCodeMixin):
    """A code, and what came with the request for it."""

    def __init__(self, account: dict[str, Any], sent: dict[str, str]) -> None:
        self.account, self.sent = account, sent
        self.code_challenge = sent.get("code_challenge")
        self.code_challenge_method = sent.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return self.sent["redirect_uri"]

    def get_scope(self) -> str:
        return self.sent["scope"]

    def get_nonce(self) -> str | None:
        return self.sent.get("nonce")

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return ["pwd"]


class Grant(grants.AuthorizationCodeGrant):
    """Codes that are used once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def save_authorization_code(self, code: str, request: Any) -> None:
        codes[code] = Code(request.user, dict(request.payload.data))

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        return codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        for code, found in list(codes.items()):
            if found is authorization_code:
                del codes[code]

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.account


class OpenID(OpenIDCode):
    """ID tokens, right or as the switches say."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return any(code.get_nonce() == nonce for code in codes.values())

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo({name: value for name, value in user.items() if name != "password"})

    def resolve_client_private_key(self, client: Any) -> Key:
        return keys[self.get_client_algorithm(client)]

    def get_client_algorithm(self, client: Any) -> str:
        return str(switches.get("algorithm", "RS256"))

    def get_encode_header(self, client: Any) -> dict[str, Any]:
        algorithm = self.get_client_algorithm(client)
        return {"alg": algorithm, "kid": keys[algorithm].kid, "typ": "JWT"}

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": issuer(), "aud": [CLIENT], "iat": now, "exp": now + 300}

    def encode_id_token(self, token: Any, request: Any) -> str:
        right: str = super().encode_id_token(token, request)
        return misbehaved(right)


def misbehaved(right: str) -> str:
    """The ID token with what the switches change in it."""
    header, claims = (json.loads(_decoded(part)) for part in right.split(".")[:2])
    header |= switches.get("header", {})
    now = int(time.time())
    for name, value in switches.get("claims", {}).items():
        # Moments are said as seconds from now.
        moment = name in ("exp", "iat", "nbf") and type(value) is int
        claims[name] = now + value if moment else value
    for name in switches.get("without", ()):
        del claims[name]
    for name in switches.get("without_header", ()):
        del header[name]
    signed_by = switches.get("signed_by")
    if "none" in (header["alg"], signed_by):
        return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."
    text = f"{_encoded(header)}.{_encoded(claims)}".encode()
    if signed_by == "public key as secret":
        text = f"{_encoded({**header, 'alg': 'HS256'})}.{_encoded(claims)}".encode()
        secret = keys["RS256"].as_pem(private=False)
        return f"{text.decode()}.{_bytes(hmac.new(secret, text, 'sha256').digest())}"
    if "crit" in header:
        # joserfc would not write it.
        signature = keys["RS256"].private_key.sign(text, PKCS1v15(), SHA256())
        return f"{text.decode()}.{_bytes(signature)}"
    key = others[signed_by] if signed_by else keys[str(switches.get("algorithm", "RS256"))]
    found = jwt.encode(header, claims, key, [header["alg"]])
    return found[:-8] + "AAAAAAAA" if switches.get("broken_signature") else found


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: Any) -> str:
    return _bytes(json.dumps(value).encode())


def _bytes(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def issuer() -> str:
    return f"http://127.0.0.1:{app.config['PORT']}"


server = AuthorizationServer(
    app, query_client=lambda id_: Client() if id_ == CLIENT else None, save_token=lambda *_: None
)
server.register_grant(Grant, [OpenID(require_nonce=True), CodeChallenge(required=True)])


@app.before_request
def misbehave() -> Response | None:
    """Slow, broken or far too much, at the endpoint that the switch names."""
    how = switches.get("at", {}).get(request.path)
    if how is None:
        return None
    if "seconds" in how:
        time.sleep(how["seconds"])
        return None
    if "bytes" in how:
        return Response(b"[" + b" " * how["bytes"], mimetype="application/json")
    if "body" in how:
        headers = {"Content-Type": "application/json", **how.get("headers", {})}
        return Response(how["body"], how.get("status", 200), headers)
    return Response("", how["status"], {"Location": how.get("location", issuer())})


@app.post("/control")
def control() -> dict[str, Any]:
    """Sets the switches anew; adds accounts; forgets what was asked."""
    told = request.get_json()
    switches.clear()
    switches.update(told.get("switches", {}))
    accounts.update(told.get("accounts", {}))
    asked.clear()
    return {"issuer": issuer()}


@app.get("/asked")
def what_was_asked() -> list[dict[str, str]]:
    return asked


@app.get("/.well-known/openid-configuration")
def discovery() -> dict[str, Any]:
    asked.append({"path": request.path})
    return {
        "issuer": issuer(),
        "authorization_endpoint": f"{issuer()}/authorize",
        "token_endpoint": f"{issuer()}/token",
        "jwks_uri": f"{issuer()}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(keys),
        "token_endpoint_auth_methods_supported": [switches.get("method", "client_secret_post")],
        **switches.get("metadata", {}),
    }


@app.get("/keys")
def key_set() -> dict[str, Any]:
    asked.append({"path": request.path})
    found = [key.as_dict(private=False) for key in keys.values()]
    if switches.get("second_key"):
        found.append({**others["RS256"].as_dict(private=False), "kid": "second"})
    if switches.get("signed_by") == "small":
        found.append(others["small"].as_dict(private=False))
    return {"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "new"}, *found]}


@app.route("/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """The login form, with consent on the same page."""
    asked.append({"path": request.path, **request.args})
    grant = server.get_consent_grant(end_user=None)
    assert grant is not None
    if request.method == "GET":
        hint = escape(request.args.get("login_hint", ""))
        return (
            "<!doctype html><html lang=en><title>Provider</title><h1>Imagined Provider</h1>"
            f"<form method=post><label>User <input name=user value='{hint}'></label>"
            "<label>Password <input name=password type=password></label>"
            "<p>Tandem wants to know your name and address.</p>"
            "<button name=decision value=yes>Sign in and allow</button>"
            "<button name=decision value=no>Cancel</button></form>"
        )
    if request.form.get("decision") == "no":
        return server.create_authorization_response(grant_user=None, grant=grant)
    account = accounts.get(request.form["user"])
    if account is None or account["password"] != request.form["password"]:
        return Response("Wrong user or password.", 403)
    answer = server.create_authorization_response(grant_user=account, grant=grant)
    if "answer_issuer" in switches:
        answer.headers["Location"] += f"&iss={switches['answer_issuer'] or issuer()}"
    return answer


@app.post("/token")
def token() -> Any:
    asked.append({"path": request.path, **request.form.to_dict()})
    return server.create_token_response()


def main() -> None:
    """Serves until it is ended."""
    # authlib wants TLS; on loopback there is nobody to listen.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    make_keys()
    app.config["PORT"] = int(sys.argv[1])
    app.run("127.0.0.1", app.config["PORT"], threaded=True)


if __name__ == "__main__":
    main()
