"""Writes of learning agreements."""

from app.actions.agreements.drafting import (
    discard,
    draft_agreement,
    propose_agreement,
    redraft,
    withdraw,
)
from app.actions.agreements.signing import complete, decline, end, sign

__all__ = [
    "complete",
    "decline",
    "discard",
    "draft_agreement",
    "end",
    "propose_agreement",
    "redraft",
    "sign",
    "withdraw",
]
