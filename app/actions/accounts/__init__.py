"""Writes of accounts: clients, sign-in identities, the operator's administrators."""

from app.actions.accounts.clients import (
    create_app,
    create_client,
    disable_client,
    ensure_public_client,
    list_clients,
    rotate_secret,
)
from app.actions.accounts.people import (
    close_identity,
    create_identity,
    create_operator,
    make_operator,
)

__all__ = [
    "close_identity",
    "create_app",
    "create_client",
    "create_identity",
    "create_operator",
    "disable_client",
    "ensure_public_client",
    "list_clients",
    "make_operator",
    "rotate_secret",
]
