"""Two records of one person become one.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_gone = sa.text("joined_to IS NOT NULL")


def upgrade() -> None:
    op.add_column("people", sa.Column("joined_to", Id, nullable=True))
    op.add_column("people", sa.Column("joined_at", Moment, nullable=True))
    op.add_column("people", sa.Column("joined", sa.JSON(), server_default="[]", nullable=False))
    op.create_index(
        op.f("ix_people_joined_to"),
        "people",
        ["joined_to"],
        sqlite_where=_gone,
        postgresql_where=_gone,
    )
    op.create_table(
        "person_joins",
        sa.Column("id", Id, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_person_joins_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_joins")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_person_joins_secret_hash")),
    )
    for column in ("person_id", "expires_at"):
        op.create_index(op.f(f"ix_person_joins_{column}"), "person_joins", [column])


def downgrade() -> None:
    op.drop_table("person_joins")
    # Without the column nobody would know whose it was: a record that has gone into another stays
    # without a way in, and is somebody whom only the operator finds.
    op.drop_index(op.f("ix_people_joined_to"), table_name="people")
    for name in ("joined", "joined_at", "joined_to"):
        op.drop_column("people", name)
