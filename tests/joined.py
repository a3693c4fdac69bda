"""What becomes of every column that names a person when two records of one are joined. A column that is not
here fails tests/api/test_joining.py: say what becomes of it, and make it so in
app/actions/accounts/moving.py.
"""

from typing import Any

from sqlalchemy import Table

from app.core.tables import Id

MOVES = "becomes the other record's"
ENDS = "the row goes: it was on its way for the record that goes"
STAYS = "stays as it was written: "
HISTORY = STAYS + "who did it then is history, and shown to nobody, or by its old id"

NO_PERSON = frozenset(
    [
        "id",
        "agreement_id",
        "organisation_id",
        "network_id",
        "client_id",
        "identity_id",
        "home_organisation_id",
        "session_id",
        "controller_organisation_id",
        "evidence_item_id",
        "item_id",
        "goal_id",
        "record_id",
        "resource_id",
        "link_id",
        "provider_id",
        "framework_id",
        "parent_id",
        "successor_id",
        "opening_id",
    ]
)
"""Columns with ids of something else, whatever their table."""
ABOUT: dict[str, dict[str, str]] = {
    "address_changes": {"person_id": ENDS},
    "affiliations": {"person_id": MOVES, "created_by": HISTORY},
    "authorizations": {"person_id": ENDS},
    "clients": {"created_by": HISTORY},
    "consents": {"person_id": ENDS},
    "evidence_files": {"created_by": MOVES},
    "evidence_items": {"owner_id": MOVES, "created_by": MOVES},
    "goal_progress": {"created_by": MOVES},
    "goal_revisions": {"replaced_by": MOVES},
    "goals": {"owner_id": MOVES, "created_by": MOVES, "coach_accepted_by": MOVES},
    "identity_links": {"person_id": ENDS},
    "identity_providers": {"created_by": HISTORY},
    "invitations": {"person_id": ENDS, "created_by": MOVES},
    "journal": {"person_id": HISTORY, "owner_id": HISTORY},
    "kept_records": {"person_id": MOVES},
    "learning_agreement_parties": {"person_id": MOVES},
    "learning_agreement_signatures": {"person_id": MOVES},
    "learning_agreement_versions": {"created_by": MOVES},
    "learning_agreements": {
        "created_by": MOVES,
        "learner_completed_by": MOVES,
        "coach_completed_by": MOVES,
    },
    "network_members": {"person_id": MOVES, "created_by": HISTORY},
    "networks": {"created_by": HISTORY},
    "opening_receipts": {"person_id": HISTORY},
    "openings": {
        # The operator's administrators open, and are not joined. Two people stay two people.
        "asked_by": HISTORY,
        "confirmed_by": HISTORY,
        "closed_by": HISTORY,
    },
    "operators": {"person_id": STAYS + "an operator's administrator is not joined"},
    "people": {"created_by": HISTORY, "joined_to": "those that had gone into it are the other's"},
    "person_identifiers": {"person_id": MOVES},
    "person_joins": {"person_id": ENDS},
    "receipts": {"person_id": MOVES},
    "recovery_codes": {"person_id": ENDS},
    "second_factors": {"person_id": ENDS},
    "sessions": {"person_id": MOVES},
    "shares": {"owner_id": MOVES, "created_by": MOVES, "person_id": MOVES},
    "sign_in_identities": {"person_id": MOVES},
}
SAYS: dict[str, dict[str, str]] = {
    "directory_users": {"affiliations": "ids of affiliations; of two that become one the one"},
    "idempotency_answers": {"caller": ENDS},
    "kept_records": {"shown": STAYS + "it is kept as it stood"},
    "learning_agreement_versions": {
        "content": STAYS + "it was signed like this, as its digest says"
    },
    "people": {"joined": "with the other's, and the record itself"},
}
"""Columns that name people in another form than an id of their own."""


def naming(table: Table) -> list[str]:
    """The columns of a table that may name a person."""
    return [
        column.name
        for column in table.columns
        if isinstance(column.type, Id) and column.name not in NO_PERSON
    ]


def decided(table: Table, outcome: str) -> list[Any]:
    """The columns of a table of which this was decided."""
    return [table.c[name] for name, said in ABOUT.get(table.name, {}).items() if said == outcome]
