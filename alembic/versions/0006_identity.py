"""Sessions, refresh tokens, authorizations, consents; clients with several secrets and with keys.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = (
    "kind IN ('affiliation', 'client', 'framework', 'network_member', 'opening', 'operator',"
    " 'organisation', 'person', 'sign_in_identity')"
)
_AFTER = (
    "kind IN ('affiliation', 'client', 'consent', 'framework', 'identity_provider', 'invitation',"
    " 'network_member', 'opening', 'operator', 'organisation', 'person', 'second_factor', 'session',"
    " 'sign_in_identity', 'signing_key')"
)
_INDEXES = {
    "ix_journal_accounts": ["sequence"],
    "ix_journal_accounts_of_owner": ["owner_id", "sequence"],
    "ix_journal_accounts_of_organisation": ["organisation_id", "sequence"],
}


def _index_accounts(condition: str) -> None:
    for name, columns in _INDEXES.items():
        op.drop_index(name, "journal")
        where = sa.text(condition)
        op.create_index(name, "journal", columns, sqlite_where=where, postgresql_where=where)


def _belongs(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [target], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "client_secrets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        _belongs("client_secrets", "client_id", "clients.id"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_client_secrets")),
    )
    op.create_index(op.f("ix_client_secrets_client_id"), "client_secrets", ["client_id"])
    op.create_table(
        "used_assertions",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("jti_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        _belongs("used_assertions", "client_id", "clients.id"),
        sa.PrimaryKeyConstraint("client_id", "jti_hash", name=op.f("pk_used_assertions")),
    )
    op.create_index(op.f("ix_used_assertions_expires_at"), "used_assertions", ["expires_at"])
    _upgrade_clients()
    _upgrade_identities()
    _create_sessions()
    _index_accounts(_AFTER)


def _upgrade_clients() -> None:
    op.execute(
        "INSERT INTO client_secrets (hash, client_id, created_at)"
        " SELECT secret_hash, id, created_at FROM clients WHERE secret_hash IS NOT NULL"
    )
    for column in (
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("updated_at", Moment, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("redirect_uris", sa.JSON(), nullable=True),
        sa.Column("keys", sa.JSON(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
    ):
        op.add_column("clients", column)
    op.execute(
        "UPDATE clients SET version = 1, updated_at = created_at, redirect_uris = '[]',"
        " kind = CASE WHEN secret_hash IS NULL THEN 'public' ELSE 'confidential' END"
    )
    with op.batch_alter_table("clients") as batch:
        for name, kind in (
            ("version", sa.Integer()),
            ("updated_at", Moment),
            ("kind", sa.String(length=20)),
            ("redirect_uris", sa.JSON()),
        ):
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.create_check_constraint(op.f("ck_clients_kind"), "kind IN ('public', 'confidential')")
        batch.drop_column("secret_hash")


def _upgrade_identities() -> None:
    with op.batch_alter_table("sign_in_identities") as batch:
        batch.drop_constraint(op.f("uq_sign_in_identities_email"), type_="unique")
        batch.alter_column("email", existing_type=sa.String(length=254), nullable=True)
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        op.f("ix_sign_in_identities_email"),
        "sign_in_identities",
        ["email"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _downgrade_identities() -> None:
    op.drop_index(op.f("ix_sign_in_identities_email"), "sign_in_identities")
    # Each needs an address, and one of its own: nobody signs in with these.
    op.execute(
        "UPDATE sign_in_identities SET email = CAST(id AS VARCHAR(36)) || '@closed.invalid'"
        " WHERE email IS NULL OR closed_at IS NOT NULL"
    )
    with op.batch_alter_table("sign_in_identities") as batch:
        batch.alter_column("email", existing_type=sa.String(length=254), nullable=False)
        batch.create_unique_constraint(op.f("uq_sign_in_identities_email"), ["email"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_used_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("ended_because", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "ended_because IN ('revoked', 'refresh_reused', 'code_reused', 'identity_closed',"
            " 'client_disabled', 'signed_out', 'account_disabled', 'password_changed')",
            name=op.f("ck_sessions_ended_because"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_sessions_ended")
        ),
        _belongs("sessions", "person_id", "people.id"),
        _belongs("sessions", "identity_id", "sign_in_identities.id"),
        _belongs("sessions", "client_id", "clients.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    for name in ("person_id", "identity_id", "client_id", "expires_at"):
        op.create_index(op.f(f"ix_sessions_{name}"), "sessions", [name])
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index(
        "ix_sessions_ended", "sessions", ["ended_at"], sqlite_where=ended, postgresql_where=ended
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=True),
        sa.Column("successor_hash", sa.String(length=64), nullable=True),
        _belongs("refresh_tokens", "session_id", "sessions.id"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])
    op.create_table(
        "authorizations",
        sa.Column("id", Id, nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("identity_id", Id, nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("session_id", Id, nullable=False),
        sa.Column("redirect_uri", sa.String(length=2000), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=2000), nullable=True),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.CheckConstraint(
            "stage IN ('second_factor', 'consent', 'code', 'used')",
            name=op.f("ck_authorizations_stage"),
        ),
        _belongs("authorizations", "client_id", "clients.id"),
        _belongs("authorizations", "person_id", "people.id"),
        _belongs("authorizations", "identity_id", "sign_in_identities.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorizations")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_authorizations_secret_hash")),
    )
    for name in ("client_id", "person_id", "identity_id", "expires_at"):
        op.create_index(op.f(f"ix_authorizations_{name}"), "authorizations", [name])
    op.create_table(
        "consents",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("given_at", Moment, nullable=False),
        _belongs("consents", "person_id", "people.id"),
        _belongs("consents", "client_id", "clients.id"),
        sa.PrimaryKeyConstraint("person_id", "client_id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_client_id"), "consents", ["client_id"])


def downgrade() -> None:
    for table in ("consents", "authorizations", "refresh_tokens", "sessions"):
        op.drop_table(table)
    _downgrade_identities()
    op.add_column("clients", sa.Column("secret_hash", sa.String(length=64), nullable=True))
    # One place for a secret: the newest stays.
    op.execute(
        "UPDATE clients SET secret_hash = (SELECT hash FROM client_secrets AS s"
        " WHERE s.client_id = clients.id ORDER BY s.created_at DESC LIMIT 1)"
    )
    with op.batch_alter_table("clients") as batch:
        batch.drop_constraint(op.f("ck_clients_kind"), type_="check")
        for name in (
            "version",
            "updated_at",
            "kind",
            "redirect_uris",
            "keys",
            "created_by",
            "last_used_on",
        ):
            batch.drop_column(name)
    op.drop_table("used_assertions")
    op.drop_table("client_secrets")
    _index_accounts(_BEFORE)
