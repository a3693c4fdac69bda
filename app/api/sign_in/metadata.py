"""What describes the authorization server: its metadata (RFC 8414) and its public keys (RFC 7517)."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.access.grants import SCOPES
from app.api.sign_in.tokens import grant_types
from app.core import assertions
from app.core.keys import KEY_SET_SECONDS
from app.core.routes import Route
from app.core.settings import settings

router = APIRouter(tags=["Sign in"], route_class=Route)

_KEPT = f"public, max-age={KEY_SET_SECONDS}"
_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


class Metadata(BaseModel):
    """The authorization server (RFC 8414, section 2)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    service_documentation: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    code_challenge_methods_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    ui_locales_supported: list[str]


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


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, Any]]


@router.get("/.well-known/jwks.json", summary="Read the public keys")
async def read_keys(request: Request, response: Response) -> KeySet:
    """With these anyone can check the service's access tokens."""
    response.headers["Cache-Control"] = _KEPT
    return request.app.state.tokens.jwks()  # type: ignore[no-any-return]
