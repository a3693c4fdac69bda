"""Writes of accounts: clients, sign-in identities, the operator's administrators."""

from app.actions.accounts.addresses import (
    ask_for_address,
    cancel_change,
    confirm_change,
    refuse_change,
)
from app.actions.accounts.anonymising import Asked, anonymise, ask_to_anonymise
from app.actions.accounts.client_secrets import add_secret, list_secrets, remove_secret
from app.actions.accounts.clients import (
    create_app,
    create_client,
    disable_client,
    ensure_public_client,
    list_clients,
)
from app.actions.accounts.disabling import disable_account, enable_account
from app.actions.accounts.factors import (
    finish_factor,
    remove_factor,
    renew_recovery_codes,
    reset_second_factor,
    start_factor,
)
from app.actions.accounts.invitations import (
    accept_invitation,
    agree_to_invitation,
    invite,
    look_at_invitation,
    refuse_invitation,
    withdraw_invitation,
)
from app.actions.accounts.joining import ask_to_join, gather_strays, join
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
    reopen_identity,
)
from app.actions.accounts.registering import (
    change_client,
    disable,
    give_secret,
    register_client,
    take_secret,
)
from app.actions.accounts.sessions import end_session, sign_out_everywhere, withdraw_consent

__all__ = [
    "FORGOTTEN",
    "Asked",
    "accept_invitation",
    "add_reset",
    "add_secret",
    "agree_to_invitation",
    "anonymise",
    "answer_forgotten",
    "ask_for_address",
    "ask_to_anonymise",
    "ask_to_join",
    "cancel_change",
    "change_client",
    "change_password",
    "close_identity",
    "confirm_change",
    "confirm_password",
    "create_app",
    "create_client",
    "create_identity",
    "create_operator",
    "disable",
    "disable_account",
    "disable_administrator",
    "disable_client",
    "enable_account",
    "end_session",
    "ensure_public_client",
    "finish_factor",
    "forget_password",
    "gather_strays",
    "give_secret",
    "invite",
    "join",
    "list_clients",
    "list_secrets",
    "look_at_invitation",
    "make_operator",
    "move_address",
    "refuse_change",
    "refuse_invitation",
    "register_client",
    "remove_factor",
    "remove_secret",
    "renew_recovery_codes",
    "reopen_identity",
    "reset_administrator",
    "reset_password",
    "reset_second_factor",
    "sign_out_everywhere",
    "start_factor",
    "take_secret",
    "withdraw_consent",
    "withdraw_invitation",
]
