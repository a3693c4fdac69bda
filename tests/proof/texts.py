"""Records full of canaries, as the API takes them."""

from datetime import timedelta
from typing import Any

from app.core.clock import today
from tests.proof.planted import Aviary
from tests.worlds import World

EVERYBODY = ["coaches", "fellows", "advisers", "leaders", "systems"]
LATER = (today() + timedelta(days=30)).isoformat()

_LINES = (
    "purpose", "beneficiaries", "working_definition", "performance_management_boundary",
    "professional_standards", "development_plan", "data_controller", "lawful_basis", "retention",
    "records_afterwards", "coaching_model_reason", "adverse_effects",
)  # fmt: skip


def agreement(
    world: World,
    planted: Aviary,
    name: str,
    *allowed: str,
    first: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """A text in which every free field is a canary; `first`: who may read its first purpose."""

    def plant(field: str, *who: str) -> str:
        return planted.plant(f"{name} agreement, {field}", *(who or allowed))

    text = world.text(
        **{line: plant(line, *(first if line == "purpose" else ())) for line in _LINES}
    )
    text["ground_rules"] = [plant("ground rule")]
    text["supporters"] = [
        {
            "name": plant("supporter"),
            "support": plant("support"),
            "support_cy": plant("support in Welsh"),
        }
    ]
    text["dual_roles"] = [
        {
            "person_id": str(world.coach.id),
            "learner_id": str(world.learner.id),
            "relation": "line_manages",
            "safeguards": plant("safeguards"),
            "safeguards_cy": plant("safeguards in Welsh"),
        }
    ]
    text |= {
        f"{line}_cy": plant(f"{line} in Welsh") for line in _LINES if line != "data_controller"
    }
    text["ground_rules_cy"] = [plant("ground rule in Welsh")]
    return {**text, **more}


def goal(planted: Aviary, name: str, *allowed: str, **more: Any) -> dict[str, Any]:
    """A goal in which every free field is a canary."""

    def plant(field: str) -> str:
        return planted.plant(f"{name} goal, {field}", *allowed)

    return {
        "statement": plant("statement"),
        "baseline": plant("baseline"),
        "pupil_gain": plant("pupil gain"),
        "success_indicators": [plant("indicator")],
        "development_plan_priorities": [plant("priority")],
        "personal_priority": plant("personal priority"),
        "shows_pupils": "no",
        "pupil_basis": plant("basis"),
        **more,
    }


def evidence(
    planted: Aviary, name: str, *allowed: str, seen_by: str | None = None, **more: Any
) -> dict[str, Any]:
    """An evidence item in which every free field is a canary."""

    def plant(field: str) -> str:
        return planted.plant(f"{name} evidence, {field}", *allowed, seen_by=seen_by)

    return {
        "kind": "observation",
        "title": plant("title"),
        "description": plant("description"),
        "context": plant("context"),
        "whose_practice": plant("whose practice"),
        "what_it_shows": plant("what it shows"),
        "other_explanations": plant("other explanations"),
        "shows_pupils": "no",
        "pupil_basis": plant("basis"),
        **more,
    }
