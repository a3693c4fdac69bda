"""Second factors and recovery codes; accounts that are disabled, people who are anonymised.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "second_factors",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("secret", sa.String(length=300), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("last_used_at", Moment, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        _of_person("second_factors"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
    )
    op.create_index(op.f("ix_second_factors_person_id"), "second_factors", ["person_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        _of_person("recovery_codes"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_person_id"), "recovery_codes", ["person_id"])
    op.add_column("people", sa.Column("disabled_at", Moment, nullable=True))
    op.add_column("people", sa.Column("disabled_because", sa.String(length=1000), nullable=True))
    op.add_column("people", sa.Column("anonymised_at", Moment, nullable=True))
    with op.batch_alter_table("people") as batch:
        batch.create_check_constraint(
            op.f("ck_people_disabled"), "(disabled_at IS NULL) = (disabled_because IS NULL)"
        )


def downgrade() -> None:
    # Without the column that says so nobody would know: their ways in stay closed.
    op.execute(
        "UPDATE sign_in_identities SET closed_at = (SELECT disabled_at FROM people"
        " WHERE people.id = sign_in_identities.person_id) WHERE closed_at IS NULL AND person_id IN"
        " (SELECT id FROM people WHERE disabled_at IS NOT NULL)"
    )
    with op.batch_alter_table("people") as batch:
        batch.drop_constraint(op.f("ck_people_disabled"), type_="check")
        for name in ("anonymised_at", "disabled_because", "disabled_at"):
            batch.drop_column(name)
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
