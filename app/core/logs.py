"""Log lines: JSON on standard output, without content, tokens or local variables."""

import logging

import structlog

from app.core.settings import settings


def configure() -> None:
    """Sets up structlog for this process."""
    level = getattr(logging, settings().log_level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Plain tracebacks: a rich one would print local variables, tokens among them.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
