"""Writes of learning agreements."""

from app.actions.agreements.amending import propose_amendment
from app.actions.agreements.drafting import (
    discard,
    draft_agreement,
    propose_agreement,
    redraft,
    withdraw,
)
from app.actions.agreements.protecting import detach, end, leave, narrow
from app.actions.agreements.signing import complete, decline, sign

__all__ = [
    "complete",
    "decline",
    "detach",
    "discard",
    "draft_agreement",
    "end",
    "leave",
    "narrow",
    "propose_agreement",
    "propose_amendment",
    "redraft",
    "sign",
    "withdraw",
]
