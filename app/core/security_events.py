"""Every security event, in one list: what the journal keeps of sign-in, accounts and keys.

Whoever adds an event adds a test that shows it in the journal (tests/api/test_security_events.py).
"""

from collections.abc import Iterable
from enum import Enum
from uuid import UUID

from app.core import journal
from app.core.db import Unit

NOBODY = UUID(int=0)
"""Stands for the identity where an address is known to nobody: the row is written all the same, so
that a known and an unknown address take as long."""


class SecurityEvent(Enum):
    """A kind of resource, and what was done to it."""

    ACCOUNT_DISABLED = ("person", "disabled")
    ACCOUNT_ENABLED = ("person", "enabled")
    ADDRESS_CHANGED = ("sign_in_identity", "address_changed")
    ADDRESS_CHANGE_ASKED = ("sign_in_identity", "address_change_asked")
    ADDRESS_CHANGE_CONFIRMED = ("sign_in_identity", "address_change_confirmed")
    ADDRESS_CHANGE_STOPPED = ("sign_in_identity", "address_change_stopped")
    AFFILIATION_ACCEPTED = ("affiliation", "accepted")
    AFFILIATION_REFUSED = ("affiliation", "refused")
    ASSERTION_REPLAYED = ("client", "assertion_replayed")
    CLIENT_CHANGED = ("client", "changed")
    CLIENT_CREATED = ("client", "created")
    CLIENT_DISABLED = ("client", "disabled")
    CLIENT_NARROWED = ("client", "narrowed")
    CLIENT_SECRET_ADDED = ("client", "secret_added")
    CLIENT_SECRET_REMOVED = ("client", "secret_removed")
    CLIENT_WIDENED = ("client", "widened")
    CODE_REUSED = ("session", "code_reused")
    CONSENT_GIVEN = ("consent", "given")
    CONSENT_REFUSED = ("consent", "refused")
    CONSENT_WITHDRAWN = ("consent", "withdrawn")
    IDENTITY_CHANGED = ("sign_in_identity", "changed")
    IDENTITY_CLOSED = ("sign_in_identity", "closed")
    IDENTITY_CREATED = ("sign_in_identity", "created")
    IDENTITY_LINKED = ("sign_in_identity", "linked")
    IDENTITY_REMOVED = ("sign_in_identity", "removed")
    IDENTITY_REOPENED = ("sign_in_identity", "reopened")
    IDENTITY_UNLINKED = ("sign_in_identity", "unlinked")
    INVITATION_ACCEPTED = ("invitation", "accepted")
    INVITATION_AGREED = ("invitation", "agreed")
    INVITATION_WITHDRAWN = ("invitation", "withdrawn")
    INVITED = ("invitation", "created")
    JOIN_ASKED = ("person", "join_asked")
    JOIN_FAILED = ("person", "join_failed")
    KEY_CREATED = ("signing_key", "created")
    KEY_RETIRED = ("signing_key", "retired")
    OPERATOR_CREATED = ("operator", "created")
    OPERATOR_DISABLED = ("operator", "disabled")
    PASSWORD_CHANGED = ("sign_in_identity", "password_changed")
    PASSWORD_RESET = ("sign_in_identity", "password_reset")
    PERSON_ANONYMISED = ("person", "anonymised")
    PERSON_GONE = ("person", "gone_into_another")
    PERSON_JOINED = ("person", "joined")
    PROVIDER_CHANGED = ("identity_provider", "changed")
    PROVIDER_CREATED = ("identity_provider", "created")
    PROVIDER_REFUSED = ("identity_provider", "sign_in_refused")
    RECOVERY_CODES_MADE = ("second_factor", "recovery_codes_made")
    RECOVERY_CODE_USED = ("second_factor", "recovery_code_used")
    REFRESH_REUSED = ("session", "refresh_reused")
    RESET_REQUESTED = ("sign_in_identity", "reset_requested")
    SEALING_KEY_CREATED = ("signing_key", "sealing_key_created")
    SECOND_FACTOR_ADDED = ("second_factor", "added")
    SECOND_FACTOR_FAILED = ("second_factor", "failed")
    SECOND_FACTOR_REMOVED = ("second_factor", "removed")
    SECOND_FACTOR_RESET = ("second_factor", "reset")
    SESSION_ENDED = ("session", "ended")
    SIGNED_IN = ("session", "created")
    SIGN_IN_FAILED = ("sign_in_identity", "sign_in_failed")


async def note(
    unit: Unit,
    event: SecurityEvent,
    *,
    actor: journal.Actor,
    resource_id: UUID,
    version: int = 1,
    owner_id: UUID | None = None,
    organisation_id: UUID | None = None,
    changed: Iterable[str] = (),
) -> None:
    """Journals the event, in the transaction of what it is about."""
    kind, action = event.value
    await journal.record(
        unit,
        actor=actor,
        action=action,
        kind=kind,
        resource_id=resource_id,
        version=version,
        owner_id=owner_id,
        organisation_id=organisation_id,
        changed=changed,
    )
