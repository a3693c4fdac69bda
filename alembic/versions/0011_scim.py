"""Users as an organisation's directory tells of them.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = ("display_name", "formatted_name", "given_name", "family_name")
    op.create_table(
        "directory_users",
        sa.Column("id", Id, nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("user_name", sa.String(length=254), nullable=False),
        sa.Column("user_name_key", sa.String(length=1000), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("employee_number", sa.String(length=100), nullable=True),
        *(sa.Column(name, sa.String(length=300), nullable=True) for name in names),
        sa.Column("emails", sa.JSON(), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=True),
        sa.Column("email_keys", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("affiliations", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["sign_in_identities.id"],
            name=op.f("fk_directory_users_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_directory_users_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_users")),
    )
    for columns, unique in (
        (["organisation_id", "user_name_key"], True),
        (["organisation_id", "external_id"], False),
        (["organisation_id", "id"], False),
    ):
        name = f"ix_directory_users_{'_'.join(columns)}"
        op.create_index(op.f(name), "directory_users", columns, unique=unique)
    # A directory lists its own: the newest of an organisation's affiliations, not of everybody's.
    op.create_index(
        op.f("ix_affiliations_organisation_id_id"), "affiliations", ["organisation_id", "id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_affiliations_organisation_id_id"), table_name="affiliations")
    op.drop_table("directory_users")
