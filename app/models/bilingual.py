"""An agreement in English and Welsh: the Welsh beside each free text, signed under the same digest."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.core.text import Line, Prose

CONFIDENTIALITY_LIMIT_CY = (
    "Mae'r hyn a ddywedir ac a ysgrifennir o dan y cytundeb hwn yn gyfrinachol i'r rhai y mae'n eu "
    "henwi. Mae un terfyn: mae pryder y gall plentyn neu oedolyn fod mewn perygl yn mynd ar unwaith at "
    "arweinydd diogelu'r sefydliad, y tu allan i'r gwasanaeth hwn, nad yw'n cofnodi'r pryder."
)
"""Our own Welsh of the limit, which nobody has reviewed: the signed text says so."""

FIXED_CY = {
    "confidentiality_limit_cy": CONFIDENTIALITY_LIMIT_CY,
    "unreviewed": ["confidentiality_limit_cy"],
}
"""What stands in every agreement that is in two languages."""

SAID_CY = (
    "purpose",
    "beneficiaries",
    "working_definition",
    "performance_management_boundary",
    "professional_standards",
    "development_plan",
    "ground_rules",
    "lawful_basis",
    "retention",
    "records_afterwards",
    "coaching_model_reason",
    "adverse_effects",
)
"""The texts that have their Welsh beside them, as `<name>_cy`; names of people and places have none."""

_WITHIN = {"supporters": "support", "dual_roles": "safeguards"}

WelshProse = Annotated[Prose | None, Field(description="The same in Welsh.")]
WelshLine = Annotated[Line | None, Field(description="The same in Welsh.")]


class InWelsh(BaseModel):
    """The Welsh of an agreement's free texts: of all of them, or of none."""

    purpose_cy: Annotated[
        Prose | None,
        Field(
            description="The same in Welsh. An agreement is in one language or in two: as soon as one text "
            "has its Welsh, each needs it before the agreement is proposed."
        ),
    ] = None
    beneficiaries_cy: WelshProse = None
    working_definition_cy: WelshProse = None
    performance_management_boundary_cy: WelshProse = None
    professional_standards_cy: WelshProse = None
    development_plan_cy: WelshProse = None
    ground_rules_cy: Annotated[
        list[Prose], Field(max_length=40, description="The same rules in Welsh, in the same order.")
    ] = []
    lawful_basis_cy: WelshLine = None
    retention_cy: WelshLine = None
    records_afterwards_cy: WelshProse = None
    coaching_model_reason_cy: WelshProse = None
    adverse_effects_cy: WelshProse = None


def _pairs(content: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each free text with its Welsh, by the pointer of the first."""
    for name in SAID_CY:
        yield f"/{name}", content.get(name), content.get(f"{name}_cy")
    for kind, name in _WITHIN.items():
        for index, part in enumerate(content[kind]):
            yield f"/{kind}/{index}/{name}", part[name], part.get(f"{name}_cy")


def said_in_welsh(content: dict[str, Any]) -> list[str]:
    """The Welsh texts of a content; none if it is in one language."""
    found: list[str] = []
    for _, _, welsh in _pairs(content):
        found.extend(welsh if isinstance(welsh, list) else [welsh] if welsh else [])
    return found


def problems_in_welsh(content: dict[str, Any]) -> list[dict[str, str]]:
    """What keeps an agreement that has any Welsh from being one in two languages."""
    if not said_in_welsh(content):
        return []
    found = []
    for pointer, english, welsh in _pairs(content):
        if english and not welsh:
            detail = "is needed: the agreement is in two languages"
            found.append({"pointer": f"{pointer}_cy", "detail": detail})
        elif welsh and not english:
            found.append({"pointer": pointer, "detail": "is needed beside its Welsh"})
        elif isinstance(english, list) and len(english) != len(welsh):
            detail = "must say each rule, in the same order"
            found.append({"pointer": f"{pointer}_cy", "detail": detail})
    return found


def without_absent_welsh(value: Any) -> Any:
    """A content without Welsh fields that say nothing: in one language it is as it always was."""
    if isinstance(value, list):
        return [without_absent_welsh(item) for item in value]
    if isinstance(value, dict):
        kept = ((n, v) for n, v in value.items() if v or not n.endswith("_cy"))
        return {name: without_absent_welsh(v) for name, v in kept}
    return value
