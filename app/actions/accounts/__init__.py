"""Writes of accounts: clients, sign-in identities, the operator's administrators."""

from app.actions.accounts.addresses import (
    ask_for_address,
    cancel_change,
    confirm_change,
    refuse_change,
)
from app.actions.accounts.clients import (
    create_app,
    create_client,
    disable_client,
    ensure_public_client,
    list_clients,
    rotate_secret,
)
from app.actions.accounts.invitations import (
    accept_invitation,
    agree_to_invitation,
    invite,
    look_at_invitation,
    refuse_invitation,
    withdraw_invitation,
)
from app.actions.accounts.operators import (
    disable_administrator,
    move_address,
    reset_administrator,
)
from app.actions.accounts.passwords import (
    FORGOTTEN,
    add_reset,
    answer_forgotten,
    change_password,
    confirm_password,
    forget_password,
    reset_password,
)
from app.actions.accounts.people import (
    close_identity,
    create_identity,
    create_operator,
    make_operator,
)

__all__ = [
    "FORGOTTEN",
    "accept_invitation",
    "add_reset",
    "agree_to_invitation",
    "answer_forgotten",
    "ask_for_address",
    "cancel_change",
    "change_password",
    "close_identity",
    "confirm_change",
    "confirm_password",
    "create_app",
    "create_client",
    "create_identity",
    "create_operator",
    "disable_administrator",
    "disable_client",
    "ensure_public_client",
    "forget_password",
    "invite",
    "list_clients",
    "look_at_invitation",
    "make_operator",
    "move_address",
    "refuse_change",
    "refuse_invitation",
    "reset_administrator",
    "reset_password",
    "rotate_secret",
    "withdraw_invitation",
]
