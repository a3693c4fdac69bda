"""Writes of accounts: clients, sign-in identities, the operator's administrators."""

from app.actions.accounts.client_secrets import add_secret, list_secrets, remove_secret
from app.actions.accounts.clients import (
    create_app,
    create_client,
    disable_client,
    ensure_public_client,
    list_clients,
)
from app.actions.accounts.people import (
    close_identity,
    create_identity,
    create_operator,
    make_operator,
)
from app.actions.accounts.registering import (
    change_client,
    disable,
    give_secret,
    register_client,
    take_secret,
)

__all__ = [
    "add_secret",
    "change_client",
    "close_identity",
    "create_app",
    "create_client",
    "create_identity",
    "create_operator",
    "disable",
    "disable_client",
    "ensure_public_client",
    "give_secret",
    "list_clients",
    "list_secrets",
    "make_operator",
    "register_client",
    "remove_secret",
    "take_secret",
]
