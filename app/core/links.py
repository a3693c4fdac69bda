"""Links that are sent by mail, each good for one act.

A link's secret is an HMAC of its id by a key that is kept outside the database: the database holds
its hash, what waits to be sent holds the id, and nobody who reads either can follow the link.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from app.core.passwords import hash_secret
from app.core.private_files import create_once
from app.core.settings import settings


class LinkKind(StrEnum):
    """What a link is for; the value is the page that it leads to."""

    INVITATION = "invitation"
    INVITATION_REFUSAL = "invitation-refusal"
    PASSWORD = "password"  # noqa: S105 the name of a page
    ADDRESS = "address"
    ADDRESS_REFUSAL = "address-refusal"


@cache
def _key(file: Path) -> bytes:
    return create_once(file, lambda: os.urandom(32))


def secret_of(kind: LinkKind, link_id: UUID) -> str:
    """The secret of a link: 256 bits, the same each time."""
    key = _key(settings().var / "keys" / "links.key")
    made = hmac.digest(key, f"{kind}:{link_id}".encode(), sha256)
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def hash_of(kind: LinkKind, link_id: UUID) -> str:
    """What the database keeps of a link."""
    return hash_secret(secret_of(kind, link_id))


def url_of(kind: LinkKind, link_id: UUID) -> str:
    """The link as it stands in a message."""
    return f"{settings().base_url}/account/{kind}?token={secret_of(kind, link_id)}"
