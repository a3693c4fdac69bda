"""Signing in: the OAuth 2.0 endpoints, their pages, and what describes them."""

from app.api.sign_in import authorize, links, metadata, tokens

ROUTERS = (tokens.router, authorize.router, links.router, metadata.router)
