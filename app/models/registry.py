"""Every table, known by importing it."""

from app.core import idempotency, journal
from app.core.tables import metadata
from app.models import (
    agreements,
    evidence,
    frameworks,
    goals,
    networks,
    organisations,
    people,
    receipts,
    shares,
)

__all__ = [
    "agreements",
    "evidence",
    "frameworks",
    "goals",
    "idempotency",
    "journal",
    "metadata",
    "networks",
    "organisations",
    "people",
    "receipts",
    "shares",
]
