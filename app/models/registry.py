"""Every table, known by importing it."""

from app.core import idempotency, journal, outbox
from app.core.tables import metadata
from app.models import (
    agreements,
    evidence,
    frameworks,
    goals,
    identity_providers,
    networks,
    openings,
    organisations,
    people,
    receipts,
    scim,
    second_factors,
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
    "identity_providers",
    "journal",
    "metadata",
    "networks",
    "openings",
    "organisations",
    "outbox",
    "people",
    "receipts",
    "scim",
    "second_factors",
    "sessions",
    "shares",
    "ways_in",
]
