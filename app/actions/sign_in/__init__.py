"""Signing in: who a client and a person are, codes, sessions, refresh tokens."""

from app.actions.sign_in.authorizing import (
    Pending,
    begin_authorization,
    decide,
)
from app.actions.sign_in.clients import authenticate_client
from app.actions.sign_in.forgetting import forget_expired
from app.actions.sign_in.granting import grant_token
from app.actions.sign_in.tokens import introspect, revoke

__all__ = [
    "Pending",
    "authenticate_client",
    "begin_authorization",
    "decide",
    "forget_expired",
    "grant_token",
    "introspect",
    "revoke",
]
