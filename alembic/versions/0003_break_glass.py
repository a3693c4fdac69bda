"""Break-glass: openings, and the receipts of what was read under them.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openings",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("asked_by", Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("shown_on", sa.Date(), nullable=False),
        sa.Column("hidden_because", sa.Text(), nullable=True),
        sa.Column("confirmed_by", Id, nullable=True),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("ends_at", Moment, nullable=True),
        sa.Column("closed_by", Id, nullable=True),
        sa.Column("closed_at", Moment, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint("minutes BETWEEN 1 AND 60", name=op.f("ck_openings_minutes")),
        sa.CheckConstraint("confirmed_by <> asked_by", name=op.f("ck_openings_two_people")),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)"
            " AND (confirmed_by IS NULL) = (ends_at IS NULL)",
            name=op.f("ck_openings_confirmed"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["learning_agreements.id"], name=op.f("fk_openings_agreement_id")
        ),
        *(
            sa.ForeignKeyConstraint([name], ["people.id"], name=op.f(f"fk_openings_{name}"))
            for name in ("asked_by", "confirmed_by", "closed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openings")),
    )
    for name in ("agreement_id", "asked_by", "confirmed_by"):
        op.create_index(op.f(f"ix_openings_{name}_id"), "openings", [name, "id"], unique=False)
    op.create_table(
        "opening_receipts",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("resource_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("opening_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["opening_id"], ["openings.id"], name=op.f("fk_opening_receipts_opening_id")
        ),
        sa.PrimaryKeyConstraint(
            "kind",
            "resource_id",
            "day",
            "person_id",
            "client_id",
            "opening_id",
            name=op.f("pk_opening_receipts"),
        ),
    )
    op.create_index(
        op.f("ix_opening_receipts_opening_id"), "opening_receipts", ["opening_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("opening_receipts")
    op.drop_table("openings")
