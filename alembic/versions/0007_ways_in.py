"""Mail that waits, invitations, new passwords, new addresses, failed attempts.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waits, runs = sa.text("gave_up_at IS NULL"), sa.text("ended_at IS NULL")
    op.create_table(
        "failed_attempts",
        sa.Column("id", Id, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_attempts")),
    )
    op.create_index(op.f("ix_failed_attempts_at"), "failed_attempts", ["at"])
    op.create_index(op.f("ix_failed_attempts_key_hash_at"), "failed_attempts", ["key_hash", "at"])
    op.create_table(
        "outgoing_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("link_kind", sa.String(length=40), nullable=True),
        sa.Column("link_id", Id, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("useful_until", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", Moment, nullable=True),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("gave_up_at", Moment, nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
    )
    op.create_index(
        "ix_outgoing_mail_due",
        "outgoing_mail",
        ["due_at"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_index(op.f("ix_outgoing_mail_gave_up_at"), "outgoing_mail", ["gave_up_at"])
    op.create_table(
        "invitations",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("refusal_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("agreed_at", Moment, nullable=True),
        sa.Column("accepted_at", Moment, nullable=True),
        sa.Column("withdrawn_at", Moment, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_invitations_one_end")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_invitations_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_invitations_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("refusal_hash", name=op.f("uq_invitations_refusal_hash")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_invitations_secret_hash")),
    )
    op.create_index(
        op.f("ix_invitations_organisation_id_id"), "invitations", ["organisation_id", "id"]
    )
    op.create_index(op.f("ix_invitations_person_id_id"), "invitations", ["person_id", "id"])
    op.create_table(
        "address_changes",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("refusal_hash", sa.String(length=64), nullable=False),
        sa.Column("takes_effect_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("ended_because", sa.String(length=20), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "ended_because IN ('in_effect', 'cancelled', 'refused', 'expired')",
            name=op.f("ck_address_changes_ended_because"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_address_changes_ended")
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["sign_in_identities.id"],
            name=op.f("fk_address_changes_identity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_address_changes_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
        sa.UniqueConstraint("refusal_hash", name=op.f("uq_address_changes_refusal_hash")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_address_changes_secret_hash")),
    )
    op.create_index(op.f("ix_address_changes_email"), "address_changes", ["email"])
    op.create_index(op.f("ix_address_changes_person_id_id"), "address_changes", ["person_id", "id"])
    op.create_index(
        "ix_address_changes_running",
        "address_changes",
        ["identity_id"],
        unique=True,
        sqlite_where=runs,
        postgresql_where=runs,
    )
    op.create_table(
        "password_resets",
        sa.Column("id", Id, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["sign_in_identities.id"],
            name=op.f("fk_password_resets_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_password_resets_secret_hash")),
    )
    op.create_index(op.f("ix_password_resets_expires_at"), "password_resets", ["expires_at"])
    op.create_index(op.f("ix_password_resets_identity_id"), "password_resets", ["identity_id"])


def downgrade() -> None:
    for table in (
        "password_resets",
        "address_changes",
        "invitations",
        "outgoing_mail",
        "failed_attempts",
    ):
        op.drop_table(table)
