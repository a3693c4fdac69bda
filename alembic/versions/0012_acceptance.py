"""Affiliations that wait for their person's word; those that are there have it.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("affiliations", sa.Column("accepted_at", Moment, nullable=True))
    op.execute("UPDATE affiliations SET accepted_at = created_at")


def downgrade() -> None:
    # What waits would count without the column.
    op.execute("DELETE FROM affiliations WHERE accepted_at IS NULL")
    with op.batch_alter_table("affiliations") as batch:
        batch.drop_column("accepted_at")
