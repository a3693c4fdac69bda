"""Clients over the API: the digest of who made one, and since when their tokens count.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INDEX = "ix_clients_organisation_id_id"


def upgrade() -> None:
    op.add_column("clients", sa.Column("creation_digest", sa.String(length=64), nullable=True))
    op.add_column("clients", sa.Column("tokens_since", Moment, nullable=True))
    op.create_index(_INDEX, "clients", ["organisation_id", "id"])


def downgrade() -> None:
    op.drop_index(_INDEX, "clients")
    with op.batch_alter_table("clients") as batch:
        batch.drop_column("tokens_since")
        batch.drop_column("creation_digest")
