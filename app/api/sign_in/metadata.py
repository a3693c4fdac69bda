"""What describes the authorization server: its metadata (RFC 8414) and its public keys (RFC 7517)."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from app.access.grants import SCOPES
from app.api.sign_in.tokens import grant_types
from app.core import assertions, wire
from app.core.keys import KEY_SET_SECONDS
from app.core.routes import Route
from app.core.settings import settings

router = APIRouter(tags=["Sign in"], route_class=Route)

_KEPT = f"public, max-age={KEY_SET_SECONDS}"
_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


Address = Annotated[str, wire.Says(maxLength=500, format="uri")]
Words = Annotated[list[wire.Word], wire.at_most(100)]


class Metadata(BaseModel):
    """The authorization server (RFC 8414, section 2)."""

    issuer: Address
    authorization_endpoint: Address
    token_endpoint: Address
    jwks_uri: Address
    revocation_endpoint: Address
    introspection_endpoint: Address
    service_documentation: Address
    scopes_supported: Words
    response_types_supported: Words
    response_modes_supported: Words
    grant_types_supported: Words
    code_challenge_methods_supported: Words
    token_endpoint_auth_methods_supported: Words
    token_endpoint_auth_signing_alg_values_supported: Words
    revocation_endpoint_auth_methods_supported: Words
    revocation_endpoint_auth_signing_alg_values_supported: Words
    introspection_endpoint_auth_methods_supported: Words
    introspection_endpoint_auth_signing_alg_values_supported: Words
    authorization_response_iss_parameter_supported: bool
    ui_locales_supported: Words


@router.get("/.well-known/oauth-authorization-server", summary="Read how to sign in")
async def read_metadata(response: Response) -> Metadata:
    """Where the endpoints are, and what they take: standard clients set themselves up with it."""
    response.headers["Cache-Control"] = _KEPT
    base, algorithms = settings().base_url, list(assertions.ALGORITHMS)
    return Metadata(
        issuer=base,
        authorization_endpoint=f"{base}/oauth/authorize",
        token_endpoint=f"{base}/oauth/token",
        jwks_uri=f"{base}/.well-known/jwks.json",
        revocation_endpoint=f"{base}/oauth/revoke",
        introspection_endpoint=f"{base}/oauth/introspect",
        service_documentation=f"{base}/docs",
        scopes_supported=sorted(SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=grant_types(),
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=["none", *_METHODS],
        token_endpoint_auth_signing_alg_values_supported=algorithms,
        revocation_endpoint_auth_methods_supported=["none", *_METHODS],
        revocation_endpoint_auth_signing_alg_values_supported=algorithms,
        introspection_endpoint_auth_methods_supported=_METHODS,
        introspection_endpoint_auth_signing_alg_values_supported=algorithms,
        authorization_response_iss_parameter_supported=True,
        ui_locales_supported=["en", "cy"],
    )


class Key(BaseModel):
    """A public key (RFC 7517); other members belong to its kind."""

    model_config = ConfigDict(extra="allow")

    kty: Literal["EC", "RSA"]
    kid: wire.Word


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: Annotated[list[Key], wire.at_most(10)]


@router.get("/.well-known/jwks.json", summary="Read the public keys")
async def read_keys(request: Request, response: Response) -> KeySet:
    """With these anyone can check the service's access tokens."""
    response.headers["Cache-Control"] = _KEPT
    return request.app.state.tokens.jwks()  # type: ignore[no-any-return]
