"""The OAuth 2.0 grants, by authlib."""

from app.access.oauth.facts import (
    Answer,
    Facts,
    Given,
    OAuthClient,
    Subject,
    chosen_scopes,
    methods_of,
)
from app.access.oauth.server import Server

__all__ = [
    "Answer",
    "Facts",
    "Given",
    "OAuthClient",
    "Server",
    "Subject",
    "chosen_scopes",
    "methods_of",
]
