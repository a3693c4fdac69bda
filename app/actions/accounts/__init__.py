"""Writes of accounts: clients, sign-in identities, the operator's administrators."""

from app.actions.accounts.anonymising import Asked, anonymise, ask_to_anonymise
from app.actions.accounts.clients import (
    create_app,
    create_client,
    disable_client,
    ensure_public_client,
    list_clients,
    rotate_secret,
)
from app.actions.accounts.disabling import disable_account, enable_account
from app.actions.accounts.factors import (
    finish_factor,
    remove_factor,
    renew_recovery_codes,
    reset_second_factor,
    start_factor,
)
from app.actions.accounts.people import (
    close_identity,
    create_identity,
    create_operator,
    make_operator,
    reopen_identity,
)
from app.actions.accounts.sessions import end_session, sign_out_everywhere, withdraw_consent

__all__ = [
    "Asked",
    "anonymise",
    "ask_to_anonymise",
    "close_identity",
    "create_app",
    "create_client",
    "create_identity",
    "create_operator",
    "disable_account",
    "disable_client",
    "enable_account",
    "end_session",
    "ensure_public_client",
    "finish_factor",
    "list_clients",
    "make_operator",
    "remove_factor",
    "renew_recovery_codes",
    "reopen_identity",
    "reset_second_factor",
    "rotate_secret",
    "sign_out_everywhere",
    "start_factor",
    "withdraw_consent",
]
