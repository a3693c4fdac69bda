"""What a directory says of a user, and how it is compared."""

import unicodedata
from typing import Any, NamedTuple

from app.models.people import AffiliationRole


class Told(NamedTuple):
    """What a directory says of a user."""

    user_name: str
    external_id: str | None
    employee_number: str | None
    display_name: str | None
    formatted_name: str | None
    given_name: str | None
    family_name: str | None
    emails: list[dict[str, Any]] | None
    roles: list[dict[str, Any]] | None
    active: bool | None

    @property
    def name(self) -> str:
        """The person's name."""
        parts = [part for part in (self.given_name, self.family_name) if part]
        whole = self.formatted_name or " ".join(parts) or self.display_name or self.user_name
        return whole[:300]

    @property
    def email(self) -> str | None:
        """The address that the directory puts first."""
        addresses = sorted(self.emails or (), key=lambda email: not email.get("primary"))
        return next((email["value"] for email in addresses if email.get("value")), None)

    @property
    def columns(self) -> dict[str, Any]:
        """The values of the user's row."""
        addresses = [
            f"\n{comparable(email.get('type', ''))}\t{comparable(email['value'])}\n"
            for email in self.emails or ()
            if email.get("value")
        ]
        return {
            **self._asdict(),
            "user_name_key": comparable(self.user_name),
            "email_keys": "".join(addresses),
        }


def comparable(value: str) -> str:
    """A name or an address as it is compared: without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).lower())


def role_of(value: str) -> AffiliationRole | None:
    """The role that a directory means: `Head teacher` is `head_teacher`."""
    word = "_".join(value.casefold().replace("-", " ").replace("_", " ").split())
    return AffiliationRole(word) if word in {str(role) for role in AffiliationRole} else None
