"""The whole record: amendments, evidence with files, shares, networks, what is said of pupils.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Columns of tables that exist: what is said here holds for the rows that they have.
_COLUMNS = (
    ("clients", "network_id", "{id} CONSTRAINT fk_clients_network_id REFERENCES networks (id)"),
    ("goals", "shows_pupils", "VARCHAR(10) DEFAULT 'unknown' NOT NULL"
     " CONSTRAINT ck_goals_shows_pupils CHECK (shows_pupils IN ('yes', 'no', 'unknown'))"),
    ("goals", "pupil_basis", "VARCHAR(300)"),
    ("goals", "pupil_consent", "VARCHAR(10) CONSTRAINT ck_goals_pupil_consent"
     " CHECK (pupil_consent IN ('given', 'withdrawn'))"),
    ("goals", "learners_gone", "BOOLEAN DEFAULT {false} NOT NULL"),
    ("learning_agreements", "learners_gone", "BOOLEAN DEFAULT {false} NOT NULL"),
    ("goals", "delete_by", "DATE"),
    ("goals", "erased_at", "{moment}"),
    ("learning_agreement_parties", "until_number", "INTEGER"),
    ("learning_agreement_parties", "keeps", "VARCHAR(20) CONSTRAINT ck_learning_agreement_parties_keeps"
     " CHECK (keeps IN ('own', 'nothing', 'their_time'))"),
    ("learning_agreement_signatures", "asked", "BOOLEAN DEFAULT {true} NOT NULL"),
    ("learning_agreement_terms", "number", "INTEGER DEFAULT 1 NOT NULL"),
    ("learning_agreement_versions", "act", "VARCHAR(20) DEFAULT 'agreement' NOT NULL"
     " CONSTRAINT ck_learning_agreement_versions_act CHECK"
     " (act IN ('agreement', 'amendment', 'narrowing', 'departure', 'detachment'))"),
    ("learning_agreements", "peripheral_members", "BOOLEAN DEFAULT {false} NOT NULL"),
    ("learning_agreements", "amendment_number", "INTEGER"),
    ("learning_agreements", "amendment_lapses_on", "DATE"),
)  # fmt: skip

_TABLES = (
    "evidence_goals",
    "evidence_framework_items",
    "evidence_files",
    "shares",
    "learning_agreement_networks",
    "kept_records",
    "evidence_items",
    "network_members",
    "networks",
)


def upgrade() -> None:
    op.create_table(
        "networks",
        sa.Column("created_by", Id, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_cy", sa.String(length=300), nullable=True),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("remit", sa.Text(), nullable=True),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "kind IN ('cluster', 'regional_consortium', 'professional_learning_community', 'triad', 'working_group', 'lead_and_emerging_school_partnership', 'virtual_community', 'alliance')",
            name=op.f("ck_networks_kind"),
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["networks.id"], name=op.f("fk_networks_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
    )
    op.create_index(op.f("ix_networks_parent_id"), "networks", ["parent_id"], unique=False)

    op.create_table(
        "network_members",
        sa.Column("network_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "role IN ('lead', 'facilitator', 'specialist', 'member', 'peripheral')",
            name=op.f("ck_network_members_role"),
        ),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_network_members_who")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_network_members_dates")),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_network_members_network_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_network_members_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_network_members_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_members")),
    )
    op.create_index(
        op.f("ix_network_members_network_id_person_id"),
        "network_members",
        ["network_id", "person_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_network_members_organisation_id_network_id"),
        "network_members",
        ["organisation_id", "network_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_network_members_person_id_network_id"),
        "network_members",
        ["person_id", "network_id"],
        unique=False,
    )

    op.create_table(
        "evidence_items",
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("captured_on", sa.Date(), nullable=True),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("whose_practice", sa.String(length=300), nullable=True),
        sa.Column("what_it_shows", sa.Text(), nullable=True),
        sa.Column("other_explanations", sa.Text(), nullable=True),
        sa.Column("principles", sa.JSON(), nullable=False),
        sa.Column("framework_items", sa.JSON(), nullable=False),
        sa.Column("controller_organisation_id", Id, nullable=True),
        sa.Column("home_organisation_id", Id, nullable=True),
        sa.Column("learners_gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("agreement_id", Id, nullable=True),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("shows_pupils", sa.String(length=10), server_default="unknown", nullable=False),
        sa.Column("pupil_basis", sa.String(length=300), nullable=True),
        sa.Column("pupil_consent", sa.String(length=10), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=True),
        sa.Column("erased_at", Moment, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("to_coaches", sa.Boolean(), nullable=False),
        sa.Column("to_fellows", sa.Boolean(), nullable=False),
        sa.Column("to_advisers", sa.Boolean(), nullable=False),
        sa.Column("to_leaders", sa.Boolean(), nullable=False),
        sa.Column("to_systems", sa.Boolean(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "kind IN ('observation', 'video', 'pupil_voice', 'pupil_work', 'assessment_data', 'lesson_plan', 'reading', 'feedback', 'attitude_questionnaire', 'session_evaluation', 'reflection', 'artefact', 'other')",
            name=op.f("ck_evidence_items_kind"),
        ),
        sa.CheckConstraint(
            "pupil_consent IN ('given', 'withdrawn')", name=op.f("ck_evidence_items_pupil_consent")
        ),
        sa.CheckConstraint(
            "shows_pupils IN ('yes', 'no', 'unknown')", name=op.f("ck_evidence_items_shows_pupils")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_evidence_items_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["controller_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_evidence_items_controller_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["people.id"], name=op.f("fk_evidence_items_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["home_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_evidence_items_home_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_evidence_items_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_items")),
    )
    op.create_index(
        op.f("ix_evidence_items_advisers"),
        "evidence_items",
        ["agreement_id", "id"],
        unique=False,
        sqlite_where=sa.text("to_advisers = 1"),
        postgresql_where=sa.text("to_advisers"),
    )
    op.create_index(
        op.f("ix_evidence_items_agreement_id"), "evidence_items", ["agreement_id"], unique=False
    )
    op.create_index(
        op.f("ix_evidence_items_coaches"),
        "evidence_items",
        ["agreement_id", "id"],
        unique=False,
        sqlite_where=sa.text("to_coaches = 1"),
        postgresql_where=sa.text("to_coaches"),
    )
    op.create_index(
        op.f("ix_evidence_items_delete_by"), "evidence_items", ["delete_by"], unique=False
    )
    op.create_index(
        op.f("ix_evidence_items_fellows"),
        "evidence_items",
        ["agreement_id", "id"],
        unique=False,
        sqlite_where=sa.text("to_fellows = 1"),
        postgresql_where=sa.text("to_fellows"),
    )
    op.create_index(
        op.f("ix_evidence_items_leaders"),
        "evidence_items",
        ["home_organisation_id", "id", "agreement_id", "delete_by"],
        unique=False,
        sqlite_where=sa.text("to_leaders = 1 AND learners_gone = 0"),
        postgresql_where=sa.text("to_leaders AND NOT learners_gone"),
    )
    op.create_index(
        op.f("ix_evidence_items_owner_id_id"), "evidence_items", ["owner_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_evidence_items_systems"),
        "evidence_items",
        ["home_organisation_id", "id", "agreement_id", "delete_by"],
        unique=False,
        sqlite_where=sa.text("to_systems = 1 AND learners_gone = 0"),
        postgresql_where=sa.text("to_systems AND NOT learners_gone"),
    )

    op.create_table(
        "kept_records",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.Column("kept_at", Moment, nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("to_coaches", sa.Boolean(), nullable=False),
        sa.Column("to_fellows", sa.Boolean(), nullable=False),
        sa.Column("to_advisers", sa.Boolean(), nullable=False),
        sa.Column("to_leaders", sa.Boolean(), nullable=False),
        sa.Column("to_systems", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_kept_records_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_kept_records_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", "record_id", name=op.f("pk_kept_records")),
    )
    op.create_index(
        op.f("ix_kept_records_agreement_id"), "kept_records", ["agreement_id"], unique=False
    )
    op.create_index(
        op.f("ix_kept_records_kind_record_id"), "kept_records", ["kind", "record_id"], unique=False
    )

    op.create_table(
        "learning_agreement_networks",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("network_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_learning_agreement_networks_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_learning_agreement_networks_network_id")
        ),
        sa.PrimaryKeyConstraint(
            "agreement_id", "network_id", name=op.f("pk_learning_agreement_networks")
        ),
    )
    op.create_index(
        op.f("ix_learning_agreement_networks_network_id"),
        "learning_agreement_networks",
        ["network_id"],
        unique=False,
    )

    op.create_table(
        "shares",
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("agreement_id", Id, nullable=True),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("network_id", Id, nullable=True),
        sa.Column("with_evidence", sa.Boolean(), nullable=False),
        sa.Column("to_peripheral", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint("kind IN ('goal', 'evidence_item')", name=op.f("ck_shares_kind")),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (network_id IS NULL)", name=op.f("ck_shares_whom")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["learning_agreements.id"], name=op.f("fk_shares_agreement_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_shares_created_by")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_shares_network_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_shares_owner_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shares_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    op.create_index(
        op.f("ix_shares_agreement_id_id"), "shares", ["agreement_id", "id"], unique=False
    )
    op.create_index(op.f("ix_shares_ends_on"), "shares", ["ends_on"], unique=False)
    op.create_index(op.f("ix_shares_kind_record_id"), "shares", ["kind", "record_id"], unique=False)
    op.create_index(
        op.f("ix_shares_network_id_kind_record_id"),
        "shares",
        ["network_id", "kind", "record_id"],
        unique=True,
    )
    op.create_index(op.f("ix_shares_owner_id_id"), "shares", ["owner_id", "id"], unique=False)
    op.create_index(
        op.f("ix_shares_person_id_kind_record_id"),
        "shares",
        ["person_id", "kind", "record_id"],
        unique=True,
    )

    op.create_table(
        "evidence_files",
        sa.Column("id", Id, nullable=False),
        sa.Column("evidence_item_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_item_id"],
            ["evidence_items.id"],
            name=op.f("fk_evidence_files_evidence_item_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
        sa.UniqueConstraint("key", name=op.f("uq_evidence_files_key")),
    )
    op.create_index(
        op.f("ix_evidence_files_evidence_item_id"),
        "evidence_files",
        ["evidence_item_id"],
        unique=False,
    )

    op.create_table(
        "evidence_framework_items",
        sa.Column("evidence_item_id", Id, nullable=False),
        sa.Column("item_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_item_id"],
            ["evidence_items.id"],
            name=op.f("fk_evidence_framework_items_evidence_item_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["framework_items.id"], name=op.f("fk_evidence_framework_items_item_id")
        ),
        sa.PrimaryKeyConstraint(
            "evidence_item_id", "item_id", name=op.f("pk_evidence_framework_items")
        ),
    )
    op.create_index(
        op.f("ix_evidence_framework_items_item_id"),
        "evidence_framework_items",
        ["item_id"],
        unique=False,
    )

    op.create_table(
        "evidence_goals",
        sa.Column("goal_id", Id, nullable=False),
        sa.Column("evidence_item_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_item_id"],
            ["evidence_items.id"],
            name=op.f("fk_evidence_goals_evidence_item_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["goals.id"], name=op.f("fk_evidence_goals_goal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("goal_id", "evidence_item_id", name=op.f("pk_evidence_goals")),
    )
    op.create_index(
        op.f("ix_evidence_goals_evidence_item_id"),
        "evidence_goals",
        ["evidence_item_id"],
        unique=False,
    )

    postgresql = op.get_bind().dialect.name == "postgresql"
    words = (
        {"id": "UUID", "moment": "TIMESTAMP WITH TIME ZONE", "true": "true", "false": "false"}
        if postgresql
        else {"id": "VARCHAR(36)", "moment": "VARCHAR(27)", "true": "1", "false": "0"}
    )
    for table, column, definition in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition.format(**words)}")
    # Every version so far was signed by all: the terms are those of the version in force.
    op.execute(
        "UPDATE learning_agreement_terms SET number = (SELECT shown_number FROM learning_agreements"
        " WHERE id = learning_agreement_terms.agreement_id)"
    )
    op.create_index(op.f("ix_goals_delete_by"), "goals", ["delete_by"], unique=False)
    _index_authors("created_by <> owner_id AND wording_number = 1")
    _index_outsiders(
        " AND learners_gone = 0", " AND NOT learners_gone", "agreement_id", "delete_by"
    )


def _index_authors(condition: str) -> None:
    op.drop_index("ix_goals_created_by_id", table_name="goals")
    where = sa.text(condition)
    op.create_index(
        "ix_goals_created_by_id",
        "goals",
        ["created_by", "id"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _index_outsiders(sqlite: str, postgresql: str, *columns: str) -> None:
    """Makes the indexes of leaders and systems again, with a further condition and columns."""
    for reader in ("leaders", "systems"):
        for table, tick, more in (
            ("goals", f"to_{reader}", columns),
            ("learning_agreements", f"existence_to_{reader}", ()),
        ):
            op.drop_index(f"ix_{table}_{reader}", table_name=table)
            op.create_index(
                f"ix_{table}_{reader}",
                table,
                ["home_organisation_id", "id", *more],
                sqlite_where=sa.text(f"{tick} = 1{sqlite}"),
                postgresql_where=sa.text(f"{tick}{postgresql}"),
            )


def downgrade() -> None:
    _index_authors("created_by <> owner_id")
    _index_outsiders("", "", "agreement_id")
    op.drop_index(op.f("ix_goals_delete_by"), table_name="goals")
    for table, column, _ in reversed(_COLUMNS):
        if table == "clients" and op.get_bind().dialect.name == "sqlite":
            # SQLite drops no column that refers to another table: the table is made again.
            with op.batch_alter_table("clients") as batch:
                batch.drop_column("network_id")
        else:
            op.drop_column(table, column)
    for table in _TABLES:
        op.drop_table(table)
