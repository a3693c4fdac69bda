"""Indexes for the audit of accounts and rights.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ACCOUNTS = sa.text(
    "kind IN ('affiliation', 'client', 'framework', 'network_member', 'opening', 'operator',"
    " 'organisation', 'person', 'sign_in_identity')"
)
_INDEXES = {
    "ix_journal_accounts": ["sequence"],
    "ix_journal_accounts_of_owner": ["owner_id", "sequence"],
    "ix_journal_accounts_of_organisation": ["organisation_id", "sequence"],
}


def upgrade() -> None:
    for name, columns in _INDEXES.items():
        op.create_index(
            name, "journal", columns, sqlite_where=_ACCOUNTS, postgresql_where=_ACCOUNTS
        )
    # Whose right it is: earlier rows of the operator's administrators did not say it twice.
    journal = sa.table(
        "journal", sa.column("kind"), sa.column("owner_id"), sa.column("resource_id")
    )
    op.execute(
        sa.update(journal)
        .where(journal.c.kind == "operator", journal.c.owner_id.is_(None))
        .values(owner_id=journal.c.resource_id)
    )


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "journal")
