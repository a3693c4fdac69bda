"""Signing in: the OAuth 2.0 endpoints, their pages, and what describes them."""

from app.api.sign_in import authorize, federated, links, metadata, second_factor, tokens

ROUTERS = (
    tokens.router,
    authorize.router,
    federated.router,
    second_factor.router,
    links.router,
    metadata.router,
)
