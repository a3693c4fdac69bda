"""Every table, known by importing it."""

from app.core import idempotency, journal
from app.core.tables import metadata
from app.models import agreements, frameworks, goals, organisations, people, receipts

__all__ = [
    "agreements",
    "frameworks",
    "goals",
    "idempotency",
    "journal",
    "metadata",
    "organisations",
    "people",
    "receipts",
]
