"""Signing in: who a client and a person are, codes, sessions, refresh tokens."""

from app.actions.sign_in.authorizing import (
    Disabled,
    Pending,
    Step,
    begin_authorization,
    decide,
)
from app.actions.sign_in.clients import authenticate_client
from app.actions.sign_in.federated import (
    Back,
    Refusal,
    believe,
    callback,
    find_link,
    lead_away,
    note_refusal,
    show_account,
    take_back,
)
from app.actions.sign_in.forgetting import forget_expired
from app.actions.sign_in.granting import grant_token
from app.actions.sign_in.recognising import recognise
from app.actions.sign_in.second_factor import begin_enrolment, go_on, take_code
from app.actions.sign_in.tokens import introspect, revoke

__all__ = [
    "Back",
    "Disabled",
    "Pending",
    "Refusal",
    "Step",
    "authenticate_client",
    "begin_authorization",
    "begin_enrolment",
    "believe",
    "callback",
    "decide",
    "find_link",
    "forget_expired",
    "go_on",
    "grant_token",
    "introspect",
    "lead_away",
    "note_refusal",
    "recognise",
    "revoke",
    "show_account",
    "take_back",
    "take_code",
]
