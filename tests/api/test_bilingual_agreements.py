"""An agreement in English and Welsh: both are the text, under one digest."""

import hashlib
import json
from typing import Any

import pytest

from app.models.bilingual import CONFIDENTIALITY_LIMIT_CY, SAID_CY
from tests.worlds import World

pytestmark = pytest.mark.anyio

RULE = "Gall y naill neu'r llall roi'r gorau i bwnc."


def in_both(world: World, **changes: Any) -> dict[str, Any]:
    """Each free text of the world's agreement, in Welsh."""
    english = world.text()
    welsh = {f"{name}_cy": f"Cymraeg: {name}" for name in SAID_CY if name in english}
    return {**welsh, "ground_rules_cy": [RULE], **changes}


async def test_one_digest_covers_the_english_and_the_welsh(world: World) -> None:
    path, digest = await world.propose(**in_both(world))
    shown = (await world.coach.get(path)).json()
    assert shown["text"]["purpose_cy"] == "Cymraeg: purpose"
    document = {"agreement": shown["id"], "number": shown["number"], "text": shown["text"]}

    def digest_of(text: dict[str, Any]) -> str:
        encoded = json.dumps(
            {**document, "text": text}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(encoded.encode()).hexdigest()

    assert digest_of(shown["text"]) == digest
    for name in ("purpose", "purpose_cy", "ground_rules_cy", "confidentiality_limit_cy"):
        assert digest_of({**shown["text"], name: "Another."}) != digest
    signed = await world.sign(path, digest, "learner", "fellow", "coach", "tutor")
    assert signed.json()["state"] == "active"


async def test_what_is_signed_says_which_of_its_welsh_nobody_has_reviewed(world: World) -> None:
    path = await world.draft(**in_both(world))
    text = (await world.learner.get(path)).json()["text"]
    assert text["confidentiality_limit_cy"] == CONFIDENTIALITY_LIMIT_CY
    assert text["unreviewed"] == ["confidentiality_limit_cy"]


async def test_an_agreement_in_one_language_is_as_it_was(world: World) -> None:
    path = await world.draft()
    text = (await world.learner.get(path)).json()["text"]
    assert [name for name in text if name.endswith("_cy")] == []
    assert "unreviewed" not in text
    # Welsh that is taken out again leaves nothing behind, neither of ours nor theirs.
    welsh = in_both(world)
    assert (await world.learner.patch(path, json=welsh)).status_code == 200
    taken = await world.learner.patch(path, json=dict.fromkeys(welsh))
    assert taken.json()["text"] == text


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"purpose_cy": None}, "/purpose_cy"),
        ({"ground_rules_cy": []}, "/ground_rules_cy"),
        ({"ground_rules_cy": [RULE, RULE]}, "/ground_rules_cy"),
        ({"adverse_effects_cy": "Dim."}, "/adverse_effects"),
        ({"supporters": [{"name": "Head", "support": "Time."}]}, "/supporters/0/support_cy"),
    ],
)
async def test_half_of_a_translation_is_not_proposed(
    world: World, changes: dict[str, Any], pointer: str
) -> None:
    path = await world.draft(**in_both(world, **changes))
    refused = await world.learner.post(f"{path}/proposal")
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_an_agreement_is_found_by_its_welsh_words_by_whoever_reads_its_text(
    world: World,
) -> None:
    word = "penbleth" + world.learner.name[-6:]
    agreement = await world.agreement(**in_both(world, purpose_cy=f"Datrys {word} ynghyd."))

    async def found(who: str) -> list[str]:
        answer = await world.actors[who].get("/v1/learning-agreements", params={"q": word})
        return [item["id"] for item in answer.json()["items"]]

    assert await found("coach") == [agreement]
    assert await found("head") == []
    existence = (await world.head.get(f"/v1/learning-agreements/{agreement}")).json()
    assert existence["view"] == "existence"
    assert "text" not in existence


async def test_the_welsh_changes_by_an_amendment_and_goes_along_when_somebody_leaves(
    world: World,
) -> None:
    dual = {
        "person_id": str(world.tutor.id),
        "learner_id": str(world.learner.id),
        "relation": "assesses",
        "safeguards": "Another marks.",
        "safeguards_cy": "Un arall sy'n marcio.",
    }
    agreement = await world.agreement(**in_both(world, dual_roles=[dual]))
    path = f"/v1/learning-agreements/{agreement}"
    proposed = await world.learner.post(
        f"{path}/amendments", json={"changes": {"purpose_cy": "Diben arall."}}
    )
    assert proposed.status_code == 201, proposed.text
    number = proposed.json()["amendment_number"]
    version = (await world.coach.get(f"{path}/versions/{number}")).json()
    await world.sign(path, version["digest"], "learner", "fellow", "coach", "tutor")
    left = await world.tutor.post(f"{path}/departure")
    assert left.status_code in (200, 201, 204), left.text
    text = (await world.learner.get(path)).json()["text"]
    assert text["purpose_cy"] == "Diben arall."
    assert text["dual_roles"] == []
