"""Every table, known by importing it."""

from app.core import idempotency, journal, outbox
from app.core.tables import metadata
from app.models import (
    agreements,
    evidence,
    frameworks,
    goals,
    networks,
    openings,
    organisations,
    people,
    receipts,
    sessions,
    shares,
    ways_in,
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
    "openings",
    "organisations",
    "outbox",
    "people",
    "receipts",
    "sessions",
    "shares",
    "ways_in",
]
