"""The spine: people, organisations, frameworks, agreements, goals, journal.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import Id, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _transaction_id() -> sa.TextClause:
    """The writing transaction's id, for the reading order of the journal (app/core/journal.py)."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    return sa.text("(pg_current_xact_id()::text::bigint)" if postgresql else "0")


def upgrade() -> None:
    op.create_table(
        "frameworks",
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("title_cy", sa.String(length=300), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frameworks")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_frameworks_code_version")),
    )
    op.create_table(
        "idempotency_answers",
        sa.Column("caller", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("resource_id", Id, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_answers")),
    )
    op.create_index(
        op.f("ix_idempotency_answers_expires_at"),
        "idempotency_answers",
        ["expires_at"],
        unique=False,
    )

    op.create_table(
        "journal",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "transaction_id", sa.BigInteger(), server_default=_transaction_id(), nullable=False
        ),
        sa.Column("at", Moment, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("resource_id", Id, nullable=False),
        sa.Column("resource_version", sa.Integer(), nullable=False),
        sa.Column("owner_id", Id, nullable=True),
        sa.Column("agreement_id", Id, nullable=True),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_journal_agreement_id_sequence"),
        "journal",
        ["agreement_id", "sequence"],
        unique=False,
    )
    op.create_index(
        op.f("ix_journal_kind_resource_id_sequence"),
        "journal",
        ["kind", "resource_id", "sequence"],
        unique=False,
    )
    op.create_index(
        op.f("ix_journal_transaction_id_sequence"),
        "journal",
        ["transaction_id", "sequence"],
        unique=False,
    )

    op.create_table(
        "organisations",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_cy", sa.String(length=300), nullable=True),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("sector", sa.String(length=300), nullable=True),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("postcode", sa.String(length=20), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("safeguarding_contact", sa.String(length=300), nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "kind IN ('school', 'college', 'higher_education_institution', 'local_authority', 'regional_consortium', 'trust', 'federation', 'national_body', 'agency')",
            name=op.f("ck_organisations_kind"),
        ),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_organisations_dates")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organisations.id"], name=op.f("fk_organisations_parent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_index(op.f("ix_organisations_kind_id"), "organisations", ["kind", "id"], unique=False)
    op.create_index(
        op.f("ix_organisations_parent_id_id"), "organisations", ["parent_id", "id"], unique=False
    )

    op.create_table(
        "people",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "receipts",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("resource_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.PrimaryKeyConstraint(
            "kind", "resource_id", "day", "person_id", "client_id", name=op.f("pk_receipts")
        ),
    )
    op.create_index(op.f("ix_receipts_day"), "receipts", ["day"], unique=False)

    op.create_table(
        "affiliations",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("fraction", sa.Numeric(precision=4, scale=3, asdecimal=False), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "role IN ('teacher', 'supply_teacher', 'learning_support_assistant', 'professional_learning_lead', 'head_teacher', 'student', 'tutor', 'specialist', 'cluster_lead', 'administrator', 'other')",
            name=op.f("ck_affiliations_role"),
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_affiliations_dates")),
        sa.CheckConstraint("fraction > 0 AND fraction <= 1", name=op.f("ck_affiliations_fraction")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_affiliations_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_affiliations_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliations")),
    )
    op.create_index(
        op.f("ix_affiliations_organisation_id_person_id"),
        "affiliations",
        ["organisation_id", "person_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_affiliations_person_id_organisation_id"),
        "affiliations",
        ["person_id", "organisation_id"],
        unique=False,
    )

    op.create_table(
        "clients",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("disabled_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_clients_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "framework_items",
        sa.Column("id", Id, nullable=False),
        sa.Column("framework_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("title_cy", sa.String(length=300), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('principle', 'practice', 'skill', 'stage', 'element', 'sector', 'segment', 'kind_of_learning', 'step', 'mark', 'quality')",
            name=op.f("ck_framework_items_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["framework_id"], ["frameworks.id"], name=op.f("fk_framework_items_framework_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["framework_items.id"], name=op.f("fk_framework_items_parent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_items")),
        sa.UniqueConstraint(
            "framework_id", "code", name=op.f("uq_framework_items_framework_id_code")
        ),
    )
    op.create_index(
        op.f("ix_framework_items_framework_id_position"),
        "framework_items",
        ["framework_id", "position"],
        unique=False,
    )

    op.create_table(
        "learning_agreements",
        sa.Column("created_by", Id, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("shown_number", sa.Integer(), nullable=False),
        sa.Column("home_organisation_id", Id, nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("proposed_at", Moment, nullable=True),
        sa.Column("active_at", Moment, nullable=True),
        sa.Column("learner_completed_at", Moment, nullable=True),
        sa.Column("learner_completed_by", Id, nullable=True),
        sa.Column("coach_completed_at", Moment, nullable=True),
        sa.Column("coach_completed_by", Id, nullable=True),
        sa.Column("over_at", Moment, nullable=True),
        sa.Column("former_parties", sa.String(length=20), nullable=False),
        sa.Column("existence_to_leaders", sa.Boolean(), nullable=False),
        sa.Column("existence_to_systems", sa.Boolean(), nullable=False),
        sa.Column("text_to_leaders", sa.Boolean(), nullable=False),
        sa.Column("text_to_systems", sa.Boolean(), nullable=False),
        sa.Column("creation_digest", sa.String(length=64), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.CheckConstraint(
            "former_parties IN ('own', 'nothing', 'their_time')",
            name=op.f("ck_learning_agreements_former_parties"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'declined', 'active', 'completed', 'ended')",
            name=op.f("ck_learning_agreements_state"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["people.id"], name=op.f("fk_learning_agreements_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["home_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_learning_agreements_home_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_agreements")),
    )
    op.create_index(
        op.f("ix_learning_agreements_created_by_id"),
        "learning_agreements",
        ["created_by", "id"],
        unique=False,
    )
    op.create_index(
        "ix_learning_agreements_leaders",
        "learning_agreements",
        ["home_organisation_id", "id"],
        unique=False,
        sqlite_where=sa.text("existence_to_leaders = 1"),
        postgresql_where=sa.text("existence_to_leaders"),
    )
    op.create_index(
        "ix_learning_agreements_systems",
        "learning_agreements",
        ["home_organisation_id", "id"],
        unique=False,
        sqlite_where=sa.text("existence_to_systems = 1"),
        postgresql_where=sa.text("existence_to_systems"),
    )

    op.create_table(
        "operators",
        sa.Column("person_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_operators_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_operators")),
    )
    op.create_table(
        "organisation_identifiers",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_organisation_identifiers_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_organisation_identifiers")),
    )
    op.create_index(
        op.f("ix_organisation_identifiers_organisation_id"),
        "organisation_identifiers",
        ["organisation_id"],
        unique=False,
    )

    op.create_table(
        "organisation_successors",
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("successor_id", Id, nullable=False),
        sa.CheckConstraint(
            "organisation_id <> successor_id", name=op.f("ck_organisation_successors_another")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_organisation_successors_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["organisations.id"],
            name=op.f("fk_organisation_successors_successor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "successor_id", name=op.f("pk_organisation_successors")
        ),
    )
    op.create_index(
        op.f("ix_organisation_successors_successor_id"),
        "organisation_successors",
        ["successor_id"],
        unique=False,
    )

    op.create_table(
        "person_identifiers",
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_person_identifiers_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_person_identifiers_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "source", "external_id", name=op.f("pk_person_identifiers")
        ),
    )
    op.create_index(
        op.f("ix_person_identifiers_person_id"), "person_identifiers", ["person_id"], unique=False
    )

    op.create_table(
        "sign_in_identities",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("closed_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_sign_in_identities_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_sign_in_identities_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_identities")),
        sa.UniqueConstraint("email", name=op.f("uq_sign_in_identities_email")),
    )
    op.create_index(
        op.f("ix_sign_in_identities_person_id"), "sign_in_identities", ["person_id"], unique=False
    )

    op.create_table(
        "goals",
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("agreement_id", Id, nullable=True),
        sa.Column("home_organisation_id", Id, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("wording_number", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=True),
        sa.Column("pupil_gain", sa.Text(), nullable=True),
        sa.Column("success_indicators", sa.JSON(), nullable=False),
        sa.Column("development_plan_priorities", sa.JSON(), nullable=False),
        sa.Column("personal_priority", sa.Text(), nullable=True),
        sa.Column("principles", sa.JSON(), nullable=False),
        sa.Column("framework_items", sa.JSON(), nullable=False),
        sa.Column("target_date", sa.Date(), nullable=True),
        sa.Column("learner_accepted_at", Moment, nullable=True),
        sa.Column("coach_accepted_at", Moment, nullable=True),
        sa.Column("coach_accepted_by", Id, nullable=True),
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
            "stage IN ('novice', 'advanced_beginner', 'competent', 'proficient', 'expert')",
            name=op.f("ck_goals_stage"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'agreed', 'in_progress', 'achieved', 'partly_achieved', 'set_aside')",
            name=op.f("ck_goals_state"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["learning_agreements.id"], name=op.f("fk_goals_agreement_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_goals_created_by")),
        sa.ForeignKeyConstraint(
            ["home_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_goals_home_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_goals_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goals")),
    )
    op.create_index(op.f("ix_goals_agreement_id"), "goals", ["agreement_id"], unique=False)
    for reader in ("coaches", "fellows", "advisers"):
        op.create_index(
            f"ix_goals_{reader}",
            "goals",
            ["agreement_id", "id"],
            unique=False,
            sqlite_where=sa.text(f"to_{reader} = 1"),
            postgresql_where=sa.text(f"to_{reader}"),
        )
    op.create_index(
        "ix_goals_created_by_id",
        "goals",
        ["created_by", "id"],
        unique=False,
        sqlite_where=sa.text("created_by <> owner_id"),
        postgresql_where=sa.text("created_by <> owner_id"),
    )
    op.create_index(
        "ix_goals_leaders",
        "goals",
        ["home_organisation_id", "id", "agreement_id"],
        unique=False,
        sqlite_where=sa.text("to_leaders = 1"),
        postgresql_where=sa.text("to_leaders"),
    )
    op.create_index(op.f("ix_goals_owner_id_id"), "goals", ["owner_id", "id"], unique=False)
    op.create_index(
        "ix_goals_systems",
        "goals",
        ["home_organisation_id", "id", "agreement_id"],
        unique=False,
        sqlite_where=sa.text("to_systems = 1"),
        postgresql_where=sa.text("to_systems"),
    )

    op.create_table(
        "learning_agreement_parties",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("reader", sa.String(length=20), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("until", Moment, nullable=True),
        sa.Column("earlier_records", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "reader IN ('coaches', 'fellows', 'advisers', 'leaders', 'networks', 'systems')",
            name=op.f("ck_learning_agreement_parties_reader"),
        ),
        sa.CheckConstraint(
            "role IN ('learner', 'coach', 'co_coach', 'mentor', 'tutor', 'specialist')",
            name=op.f("ck_learning_agreement_parties_role"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_learning_agreement_parties_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_learning_agreement_parties_person_id")
        ),
        sa.PrimaryKeyConstraint(
            "agreement_id", "person_id", "role", name=op.f("pk_learning_agreement_parties")
        ),
    )
    op.create_index(
        op.f("ix_learning_agreement_parties_person_id_reader_agreement_id"),
        "learning_agreement_parties",
        ["person_id", "reader", "agreement_id"],
        unique=False,
    )

    op.create_table(
        "learning_agreement_terms",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("to_networks", sa.Boolean(), nullable=False),
        sa.Column("to_coaches", sa.Boolean(), nullable=False),
        sa.Column("to_fellows", sa.Boolean(), nullable=False),
        sa.Column("to_advisers", sa.Boolean(), nullable=False),
        sa.Column("to_leaders", sa.Boolean(), nullable=False),
        sa.Column("to_systems", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('existence', 'text', 'goals', 'conversations', 'experiments', 'evidence', 'reflections')",
            name=op.f("ck_learning_agreement_terms_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_learning_agreement_terms_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agreement_id", "kind", name=op.f("pk_learning_agreement_terms")),
    )
    op.create_table(
        "learning_agreement_versions",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("proposed_at", Moment, nullable=True),
        sa.Column("settled_at", Moment, nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'withdrawn', 'declined', 'lapsed', 'in_force', 'superseded')",
            name=op.f("ck_learning_agreement_versions_state"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["learning_agreements.id"],
            name=op.f("fk_learning_agreement_versions_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "agreement_id", "number", name=op.f("pk_learning_agreement_versions")
        ),
    )
    op.create_table(
        "goal_framework_items",
        sa.Column("goal_id", Id, nullable=False),
        sa.Column("item_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["goal_id"],
            ["goals.id"],
            name=op.f("fk_goal_framework_items_goal_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["framework_items.id"], name=op.f("fk_goal_framework_items_item_id")
        ),
        sa.PrimaryKeyConstraint("goal_id", "item_id", name=op.f("pk_goal_framework_items")),
    )
    op.create_index(
        op.f("ix_goal_framework_items_item_id"), "goal_framework_items", ["item_id"], unique=False
    )

    op.create_table(
        "goal_progress",
        sa.Column("id", Id, nullable=False),
        sa.Column("goal_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("from_state", sa.String(length=20), nullable=False),
        sa.Column("to_state", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "from_state IN ('draft', 'proposed', 'agreed', 'in_progress', 'achieved', 'partly_achieved', 'set_aside')",
            name=op.f("ck_goal_progress_from_state"),
        ),
        sa.CheckConstraint(
            "to_state IN ('draft', 'proposed', 'agreed', 'in_progress', 'achieved', 'partly_achieved', 'set_aside')",
            name=op.f("ck_goal_progress_to_state"),
        ),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["goals.id"], name=op.f("fk_goal_progress_goal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal_progress")),
    )
    op.create_index(
        op.f("ix_goal_progress_goal_id_id"), "goal_progress", ["goal_id", "id"], unique=False
    )

    op.create_table(
        "goal_revisions",
        sa.Column("id", Id, nullable=False),
        sa.Column("goal_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wording", sa.JSON(), nullable=False),
        sa.Column("replaced_at", Moment, nullable=False),
        sa.Column("replaced_by", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["goals.id"], name=op.f("fk_goal_revisions_goal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal_revisions")),
    )
    op.create_index(
        op.f("ix_goal_revisions_goal_id_number"),
        "goal_revisions",
        ["goal_id", "number"],
        unique=True,
    )

    op.create_table(
        "learning_agreement_signatures",
        sa.Column("agreement_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("signed_at", Moment, nullable=True),
        sa.Column("declined_at", Moment, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("obligations", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id", "number"],
            ["learning_agreement_versions.agreement_id", "learning_agreement_versions.number"],
            name=op.f("fk_learning_agreement_signatures_agreement_id_number"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_learning_agreement_signatures_person_id")
        ),
        sa.PrimaryKeyConstraint(
            "agreement_id", "number", "person_id", name=op.f("pk_learning_agreement_signatures")
        ),
    )
    op.create_index(
        op.f("ix_learning_agreement_signatures_person_id_agreement_id"),
        "learning_agreement_signatures",
        ["person_id", "agreement_id"],
        unique=False,
    )


def downgrade() -> None:
    for table in (
        "learning_agreement_signatures",
        "goal_revisions",
        "goal_progress",
        "goal_framework_items",
        "learning_agreement_versions",
        "learning_agreement_terms",
        "learning_agreement_parties",
        "goals",
        "sign_in_identities",
        "person_identifiers",
        "organisation_successors",
        "organisation_identifiers",
        "operators",
        "learning_agreements",
        "framework_items",
        "clients",
        "affiliations",
        "receipts",
        "people",
        "organisations",
        "journal",
        "idempotency_answers",
        "frameworks",
    ):
        op.drop_table(table)
