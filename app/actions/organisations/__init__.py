"""Writes of organisations."""

from app.actions.organisations.bulk import (
    FIELDS,
    Batch,
    Found,
    Wanted,
    batch_of,
    circles,
    import_organisations,
    moves_of,
    organisations_of,
)
from app.actions.organisations.single import (
    Identifier,
    change_organisation,
    create_organisation,
    folded,
)

__all__ = [
    "FIELDS",
    "Batch",
    "Found",
    "Identifier",
    "Wanted",
    "batch_of",
    "change_organisation",
    "circles",
    "create_organisation",
    "folded",
    "import_organisations",
    "moves_of",
    "organisations_of",
]
