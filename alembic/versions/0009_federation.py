"""Identity providers, the accounts there that open a way in, and the ways through them.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _belongs(
    table: str, column: str, target: str, *, cascade: bool = True
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [target],
        name=op.f(f"fk_{table}_{column}"),
        ondelete="CASCADE" if cascade else None,
    )


def upgrade() -> None:
    op.create_table(
        "identity_providers",
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_cy", sa.String(length=300), nullable=True),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=300), nullable=False),
        sa.Column("sealed_secret", sa.String(length=2000), nullable=False),
        sa.Column("trusted_domains", sa.JSON(), nullable=False),
        sa.Column("required_claims", sa.JSON(), nullable=False),
        sa.Column("vouches_for_addresses", sa.Boolean(), nullable=False),
        sa.Column("creates_people", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        _belongs("identity_providers", "organisation_id", "organisations.id", cascade=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
    )
    op.create_index(
        op.f("ix_identity_providers_organisation_id"), "identity_providers", ["organisation_id"]
    )
    op.create_table(
        "federated_subjects",
        sa.Column("provider_id", Id, nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("linked_at", Moment, nullable=False),
        _belongs("federated_subjects", "provider_id", "identity_providers.id"),
        _belongs("federated_subjects", "identity_id", "sign_in_identities.id"),
        sa.PrimaryKeyConstraint("provider_id", "subject", name=op.f("pk_federated_subjects")),
    )
    op.create_index(
        op.f("ix_federated_subjects_identity_id"), "federated_subjects", ["identity_id"]
    )
    op.create_index(
        op.f("ix_federated_subjects_provider_id_identity_id"),
        "federated_subjects",
        ["provider_id", "identity_id"],
        unique=True,
    )
    op.create_table(
        "identity_links",
        sa.Column("id", Id, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("provider_id", Id, nullable=False),
        sa.Column("redirect_uri", sa.String(length=2000), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("expires_at", Moment, nullable=False),
        _belongs("identity_links", "person_id", "people.id"),
        _belongs("identity_links", "client_id", "clients.id"),
        _belongs("identity_links", "provider_id", "identity_providers.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_identity_links_secret_hash")),
    )
    for name in ("person_id", "client_id", "provider_id", "expires_at"):
        op.create_index(op.f(f"ix_identity_links_{name}"), "identity_links", [name])
    op.create_table(
        "federated_sign_ins",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("provider_id", Id, nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("link_id", Id, nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        _belongs("federated_sign_ins", "provider_id", "identity_providers.id"),
        _belongs("federated_sign_ins", "link_id", "identity_links.id"),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_federated_sign_ins")),
    )
    for name in ("provider_id", "link_id", "expires_at"):
        op.create_index(op.f(f"ix_federated_sign_ins_{name}"), "federated_sign_ins", [name])


def downgrade() -> None:
    for table in ("federated_sign_ins", "identity_links", "federated_subjects"):
        op.drop_table(table)
    op.drop_table("identity_providers")
