"""What becomes of every column when a person is anonymised. A table or column that is not here fails
tests/api/test_anonymising.py: say what becomes of it, and make it so in app/actions/accounts/anonymising.py.
"""

from typing import NamedTuple


class Gone(NamedTuple):
    """The person's rows go, whole; `column` says whose they are."""

    column: str = "person_id"


class Stays(NamedTuple):
    """The person's rows stay."""

    column: str | None
    """Says whose they are; None: the table has no rows of a person."""
    why: str
    empty: str = ""
    """Columns that are null afterwards."""
    replaced: str = ""
    """Columns that say the same for everybody who was anonymised."""
    kept: str = ""
    """Columns that stay as they are."""


IDS = "ids, states and moments: they lead to nobody once nothing else does"
SHARED = (
    "what an agreement shows to its parties stays as its terms say; what only its owner read goes"
)
NOBODYS = "about no person"

_VERSIONED = "id version created_at updated_at "
_TICKS = "to_coaches to_fellows to_advisers to_leaders to_systems "
_RECORD = _VERSIONED + _TICKS + (
    "home_organisation_id learners_gone agreement_id owner_id created_by shows_pupils pupil_basis pupil_consent "
    "delete_by erased_at creation_digest folded principles framework_items "
)  # fmt: skip

DECIDED: dict[str, Gone | Stays] = {
    "address_changes": Gone(),
    "affiliations": Gone(),
    "authorizations": Gone(),
    "client_secrets": Stays(None, NOBODYS, kept="hash client_id created_at expires_at"),
    "clients": Stays(
        None,
        NOBODYS,
        kept=_VERSIONED + "name kind organisation_id network_id scopes redirect_uris keys created_by disabled_at "
        "last_used_on creation_digest tokens_since",
    ),
    "consents": Gone(),
    "directory_users": Stays(
        None,
        "those of the person's ways in go, as a test shows",
        kept=_VERSIONED + "organisation_id user_name user_name_key external_id employee_number display_name "
        "formatted_name given_name family_name emails roles email_keys active affiliations",
    ),
    "evidence_files": Stays(
        "created_by",
        SHARED,
        kept="id evidence_item_id created_at created_by name media_type size sha256 key folded",
    ),
    "evidence_framework_items": Stays(None, NOBODYS, kept="evidence_item_id item_id"),
    "evidence_goals": Stays(None, NOBODYS, kept="goal_id evidence_item_id"),
    "evidence_items": Stays(
        "owner_id",
        SHARED,
        kept=_RECORD + "kind title description captured_on context whose_practice what_it_shows "
        "other_explanations controller_organisation_id",
    ),
    "failed_attempts": Stays(
        None, "hashes that name nobody; over in half an hour", kept="id key_hash at"
    ),
    "federated_sign_ins": Stays(
        None,
        "a browser on its way, of whom nothing is known yet; over in minutes",
        kept="state_hash browser_hash provider_id parameters link_id language created_at expires_at",
    ),
    "federated_subjects": Stays(
        None,
        "those that opened a way in of the person go, as a test shows",
        kept="provider_id subject identity_id linked_at",
    ),
    "framework_items": Stays(
        None, NOBODYS, kept="id framework_id parent_id position code kind title title_cy statement"
    ),
    "frameworks": Stays(
        None, NOBODYS, kept="id code version title title_cy description source digest published_at"
    ),
    "goal_framework_items": Stays(None, NOBODYS, kept="goal_id item_id"),
    "goal_progress": Stays(
        "created_by", SHARED, kept="id goal_id created_at created_by note from_state to_state"
    ),
    "goal_revisions": Stays(
        "replaced_by", SHARED, kept="id goal_id number wording replaced_at replaced_by"
    ),
    "goals": Stays(
        "owner_id",
        SHARED,
        kept=_RECORD + "state wording_number statement baseline stage pupil_gain success_indicators "
        "development_plan_priorities personal_priority target_date learner_accepted_at coach_accepted_at "
        "coach_accepted_by",
    ),
    "idempotency_answers": Stays(
        None,
        "answers to the person go by their key, those about them are blanked, and all go after a day",
        kept="caller key fingerprint status headers body kind resource_id expires_at",
    ),
    "identity_links": Gone(),
    "identity_providers": Stays(
        None,
        NOBODYS,
        kept=_VERSIONED + "organisation_id name name_cy issuer client_id sealed_secret trusted_domains "
        "required_claims vouches_for_addresses creates_people enabled created_by creation_digest",
    ),
    "invitations": Gone(),
    "journal": Stays(
        "owner_id",
        IDS,
        kept="sequence transaction_id at person_id client_id action kind resource_id resource_version owner_id "
        "agreement_id organisation_id changed",
    ),
    "kept_records": Gone(),
    "learning_agreement_networks": Stays(None, NOBODYS, kept="agreement_id network_id"),
    "learning_agreement_parties": Stays(
        "person_id",
        IDS,
        kept="agreement_id person_id role reader since until earlier_records until_number keeps",
    ),
    "learning_agreement_signatures": Stays(
        "person_id",
        "what was signed stays signed: digests and moments",
        kept="agreement_id number person_id asked signed_at declined_at digest obligations",
    ),
    "learning_agreement_terms": Stays(
        None, NOBODYS, kept=_TICKS + "agreement_id kind to_networks number"
    ),
    "learning_agreement_versions": Stays(
        "created_by",
        "what was signed stays as it was signed: others have signed it, too",
        kept="agreement_id number act state content digest created_by created_at proposed_at settled_at folded",
    ),
    "learning_agreements": Stays(
        "created_by",
        IDS,
        kept=_VERSIONED + "created_by state shown_number home_organisation_id starts_on ends_on proposed_at "
        "active_at learner_completed_at learner_completed_by coach_completed_at coach_completed_by over_at "
        "former_parties peripheral_members amendment_number amendment_lapses_on learners_gone "
        "existence_to_leaders existence_to_systems text_to_leaders text_to_systems creation_digest",
    ),
    "network_members": Gone(),
    "networks": Stays(
        "created_by",
        "a network is its members'",
        kept=_VERSIONED + "created_by kind name name_cy remit parent_id closed_on creation_digest folded",
    ),
    "opening_receipts": Stays(
        None, IDS, kept="kind resource_id day person_id client_id opening_id"
    ),
    "openings": Stays(
        None,
        "why an agreement was opened is the parties' to know",
        kept=_VERSIONED + "agreement_id asked_by reason minutes shown_on hidden_because confirmed_by confirmed_at "
        "ends_at closed_by closed_at creation_digest",
    ),
    "operators": Gone(),
    "organisation_identifiers": Stays(None, NOBODYS, kept="source external_id organisation_id"),
    "organisation_successors": Stays(None, NOBODYS, kept="organisation_id successor_id"),
    "organisations": Stays(
        None,
        NOBODYS,
        kept=_VERSIONED + "kind name name_cy folded parent_id opened_on closed_on sector address postcode phone "
        "safeguarding_contact creation_digest",
    ),
    "outgoing_mail": Stays(
        None,
        "messages to the person go, as a test shows; others are sent, and go within a month",
        kept="id template language address facts link_kind link_id created_at useful_until due_at attempts begun_at "
        "doubts gave_up_at error",
    ),
    "password_resets": Stays(
        None,
        "those of the person's ways in go, as a test shows",
        kept="id secret_hash identity_id created_at expires_at",
    ),
    "people": Stays(
        "id",
        "it is what the records of others name",
        empty="email creation_digest disabled_at disabled_because",
        replaced="name folded",
        kept=_VERSIONED + "created_by anonymised_at joined_to joined_at joined",
    ),
    "person_identifiers": Gone(),
    "person_joins": Gone(),
    "receipts": Stays("person_id", IDS, kept="kind resource_id day person_id client_id"),
    "recovery_codes": Gone(),
    "refresh_tokens": Stays(
        None, IDS, kept="hash session_id created_at used_at salt successor_hash"
    ),
    "second_factors": Gone(),
    "sessions": Stays(
        "person_id",
        "they tell every process that they have ended, and go after 90 days",
        kept="id person_id identity_id client_id scopes method created_at last_used_at expires_at ended_at "
        "ended_because",
    ),
    "shares": Gone("owner_id"),
    "sign_in_identities": Stays(
        "person_id",
        "the sessions name them",
        empty="email password_hash",
        kept="id person_id organisation_id created_at closed_at",
    ),
    "used_assertions": Stays(None, NOBODYS, kept="client_id jti_hash expires_at"),
}  # fmt: skip
