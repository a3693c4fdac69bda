"""The one clock: aware UTC."""

from datetime import UTC, date, datetime


def now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date in UTC; the dates of affiliations, agreements and shares are compared with it."""
    return now().date()
