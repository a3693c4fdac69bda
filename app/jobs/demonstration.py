"""A small demonstration cluster for an empty database, and its accounts in `var/demo.json`.

Passwords and the client's secret are random; the file is for its owner alone (mode 0600). Everything
is written through the same actions as over HTTP: learner, coach and tutor sign for themselves.
"""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import literal_column, select

from app.access.agreements import AGREEMENTS
from app.access.caller import Caller, CallerKind
from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.goals import GOALS
from app.access.grants import SCOPES, Action
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts, agreements, goals, organisations
from app.core import journal
from app.core.clock import now, today
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.core.passwords import new_password
from app.core.query import Query
from app.models.agreement_text import OBLIGATIONS, AgreementText
from app.models.organisations import Organisation, OrganisationKind
from app.models.people import Affiliation, AffiliationRole, Person
from app.models.pupils import PupilsShown

_EMPTY = Query(select(literal_column("1")).select_from(Organisation.__table__).limit(1))


class _Account(NamedTuple):
    role: str
    name: str
    place: str
    affiliations: tuple[tuple[str, AffiliationRole], ...]


_ACCOUNTS = (
    _Account("learner", "Siân Wŷn Morgan", "school", (("school", AffiliationRole.TEACHER), ("university", AffiliationRole.STUDENT))),
    _Account("coach", "Rhodri ap Llŷr", "school", (("school", AffiliationRole.TEACHER),)),
    _Account("tutor", "Dr Gwenllian Hughes", "university", (("university", AffiliationRole.TUTOR),)),
    _Account("head_teacher", "Angharad Price", "school", (("school", AffiliationRole.HEAD_TEACHER),)),
    _Account("cluster_lead", "Owain Gruffydd", "authority", (("authority", AffiliationRole.CLUSTER_LEAD),)),
    _Account("administrator", "Megan Lloyd", "authority", (("authority", AffiliationRole.ADMINISTRATOR), ("school", AffiliationRole.ADMINISTRATOR))),
)  # fmt: skip


async def is_empty(database: Database) -> bool:
    """Whether the database holds no organisation yet."""
    return not await database.rows(_EMPTY, {})


async def create(database: Database, file: Path) -> None:
    """Fills an empty database and writes the accounts to `file`."""
    async with database.work() as unit:
        places = await _organisations(unit)
        found = await _people(unit, places)
        client_id, secret = await accounts.create_client(
            unit,
            actor=journal.COMMAND_LINE,
            name="Demonstration integration",
            organisation_id=places["school"],
            scopes=sorted(SCOPES),
        )
        people = {role: person for role, (person, _) in found.items()}
        await _agreement(unit, places, people)
        content = {
            "accounts": [account for _, account in found.values()],
            "client": {"client_id": str(client_id), "client_secret": secret},
        }
        # Before the commit: without the file nobody could sign in to what the database then holds.
        _write(file, content)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=2, ensure_ascii=False)
    draft.rename(file)


async def _organisations(unit: Unit) -> dict[str, UUID]:
    made: dict[str, UUID] = {}
    for key, kind, name, name_cy, parent in (
        ("authority", OrganisationKind.LOCAL_AUTHORITY, "Bryn Demo Council", "Cyngor Bryn Demo", None),
        ("school", OrganisationKind.SCHOOL, "Ysgol Bryn Demo", None, "authority"),
        ("neighbour", OrganisationKind.SCHOOL, "Demo Valley School", "Ysgol Dyffryn Demo", "authority"),
        ("university", OrganisationKind.HIGHER_EDUCATION_INSTITUTION, "Demo University", "Prifysgol Demo", None),
    ):  # fmt: skip
        made[key] = uuid7()
        await organisations.create_organisation(
            unit,
            actor=journal.COMMAND_LINE,
            organisation_id=made[key],
            values={
                "kind": kind,
                "name": name,
                "name_cy": name_cy,
                "parent_id": made[parent] if parent else None,
                "safeguarding_contact": "The safeguarding lead, by way of the school office",
            },
        )
    return made


async def _people(unit: Unit, places: dict[str, UUID]) -> dict[str, tuple[UUID, dict[str, str]]]:
    found = {}
    for account in _ACCOUNTS:
        person_id, moment = uuid7(), now()
        email = f"{account.role.replace('_', '.')}@demo.example"
        await unit.insert(
            Person(
                id=person_id,
                version=1,
                created_at=moment,
                updated_at=moment,
                name=account.name,
                email=email,
            )
        )
        for place, role in account.affiliations:
            await unit.insert(
                Affiliation(
                    id=uuid7(),
                    version=1,
                    created_at=moment,
                    updated_at=moment,
                    person_id=person_id,
                    organisation_id=places[place],
                    role=role,
                    starts_on=today() - timedelta(days=90),
                    accepted_at=moment,
                )
            )
        password = new_password()
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=person_id,
            email=email,
            password=password,
            organisation_id=places[account.place],
        )
        if account.role == "administrator":
            await accounts.make_operator(unit, actor=journal.COMMAND_LINE, person_id=person_id)
        shown = {"role": account.role, "name": account.name, "email": email, "password": password}
        found[account.role] = (person_id, shown)
    return found


def _as(unit: Unit, person_id: UUID, action: Action) -> Access:
    return Access(
        unit, Caller(CallerKind.PERSON, person_id, PUBLIC_CLIENT, frozenset(SCOPES)), action
    )


async def _agreement(unit: Unit, places: dict[str, UUID], people: dict[str, UUID]) -> None:
    learner = people["learner"]
    agreement_id = uuid7()
    await agreements.draft_agreement(
        _as(unit, learner, Action.AGREEMENT_CREATE),
        Claim(agreement_id, None, repeated=False),
        AgreementText.model_validate(_text(places, people)),
    )

    async def held(who: str, action: Action) -> Owned[Any]:
        access = _as(unit, people[who], action)
        return Owned(access, await access.locked(AGREEMENTS, agreement_id))

    await agreements.propose_agreement(await held("learner", Action.AGREEMENT_DRAFT))
    for who in ("learner", "coach", "tutor"):
        owned = await held(who, Action.AGREEMENT_SIGN)
        row = await owned.access.find(AGREEMENTS, agreement_id)
        assert row is not None
        obligations = list(OBLIGATIONS) if who == "coach" else []
        await agreements.sign(owned, digest=row["digest"], obligations=obligations)
    await _goal(unit, agreement_id, learner)


def _text(places: dict[str, UUID], people: dict[str, UUID]) -> dict[str, Any]:
    begin: date = today()
    return {
        "parties": [
            {"person_id": people[role], "role": role} for role in ("learner", "coach", "tutor")
        ],
        "home_organisation_id": places["school"],
        "purpose": "To make classroom talk in Year 7 science carry the reasoning, not only the answers.",
        "beneficiaries": "Siân, and the pupils of two Year 7 classes.",
        "working_definition": "A conversation, rooted in evidence from the learner's own practice, in "
        "which the learner chooses and the coach asks.",
        "performance_management_boundary": "Nothing from these conversations enters appraisal, unless "
        "the learner brings it there.",
        "professional_standards": "Pedagogy, and professional learning.",
        "development_plan": "Priority 2: oracy across the curriculum.",
        "ground_rules": [
            "Either of us may stop a topic without giving a reason.",
            "The coach asks before offering a view.",
        ],
        "disclosure": {"goals": ["coaches", "advisers", "systems"], "existence": ["coaches", "fellows", "advisers", "leaders", "systems"]},
        "data_controller": "Ysgol Bryn Demo",
        "lawful_basis": "Public task",
        "retention": "Two school years after the agreement is over",
        "records_afterwards": "The learner keeps their record; the school's copy is erased.",
        "rhythm": {"every_weeks": 3, "minutes": 45, "minimum_conversations": 6},
        "coaching_model": "GROW",
        "coaching_model_reason": "Both know it, and it keeps the options with the learner.",
        "starts_on": begin,
        "review_on": [begin + timedelta(days=90)],
        "ends_on": begin + timedelta(days=270),
    }  # fmt: skip


async def _goal(unit: Unit, agreement_id: UUID, learner: UUID) -> None:
    access = _as(unit, learner, Action.GOAL_CREATE)
    goal_id = uuid7()
    await goals.record_goal(
        access,
        Claim(goal_id, None, repeated=False),
        owner_id=None,
        agreement_id=agreement_id,
        readers=None,
        pupils={"shows_pupils": PupilsShown.NO},
        wording={
            "statement": "Pupils give a reason with each answer, and build on each other's.",
            "baseline": "Most answers are one word, to me.",
            "stage": "advanced_beginner",
            "pupil_gain": "They can explain why, also in writing.",
            "success_indicators": [
                "In a ten-minute recording, half of the answers carry a reason."
            ],
            "development_plan_priorities": ["Priority 2: oracy across the curriculum"],
            "personal_priority": None,
            "principles": ["1", "9"],
            "framework_items": [],
            "target_date": today() + timedelta(days=120),
        },
    )
    held = await _as(unit, learner, Action.GOAL_WRITE).locked(GOALS, goal_id)
    await goals.propose_goal(Owned(access, held))
