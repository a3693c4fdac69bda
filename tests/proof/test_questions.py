"""Search: no question finds what is said where the caller may not read."""

from collections import defaultdict
from typing import Any

import pytest

from tests.proof.asked import Asked
from tests.proof.hunting import Hunt
from tests.proof.listening import log_lines
from tests.proof.notation import ACTORS
from tests.proof.stage import OPERATORS, PARTIES, Scene
from tests.proof.unmade import unmade
from tests.scene import ENDPOINTS

pytestmark = pytest.mark.anyio

LISTS = {endpoint.route.path for endpoint in ENDPOINTS if "q" in endpoint.query}
NO_SEARCH = {"/v1/organisations"}
"""There `q` is a part of a name, and names are everybody's; `reads` asks for the part that all planted
texts have."""

_READERS = {*PARTIES, "former", "head", "lead", "member", "reader", "client", "network_client"}
FINDERS = {
    "/v1/goals": {*_READERS, "opener"},
    "/v1/evidence-items": {*_READERS, "opener"},
    # Existence is found by no word: a head finds nothing.
    "/v1/learning-agreements": {*PARTIES, "former", "newcomer", "opener"},
    "/v1/networks": {*PARTIES, *OPERATORS, "lead", "member", "network_client"},
    "/v1/people": {*OPERATORS, "stranger"},
}
"""Who finds something by a planted text, so that a search which finds nothing at all is noticed."""


def test_every_list_that_is_searched_has_its_finders() -> None:
    assert set(FINDERS) == LISTS - NO_SEARCH


async def test_a_question_finds_no_text_that_the_caller_may_not_read(
    scene: Scene, record_property: Any
) -> None:
    hunt, finders, wrong = Hunt(scene), defaultdict(set), []
    with unmade(), log_lines() as logged:
        for actor in ACTORS[1:]:
            hidden = [bird for bird in scene.planted.birds.values() if actor not in bird.allowed]
            for path in FINDERS:
                # All planted texts begin alike: where the beginning finds nothing, no whole text does.
                answer = await hunt.ask(actor, Asked("GET", path, "limit=200&q=canary"))
                # Under an opening the other lists are refused, whatever is asked.
                refused = actor == "opener" and actor not in FINDERS[path]
                if answer.status != (403 if refused else 200):
                    wrong.append(f"{actor}: {answer.status} {path}")
                if answer.status != 200 or not answer.json()["items"]:
                    continue
                finders[path].add(actor)
                for canary in hidden:
                    answer = await hunt.ask(actor, Asked("GET", path, f"limit=200&q={canary.text}"))
                    if answer.status != 200 or answer.json()["items"]:
                        wrong.append(f"{actor}: {answer.status} {path}, and finds {canary.label}")
    hunt.report(record_property, "Questions")
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:40])
    assert finders == FINDERS
    assert scene.planted.found("\n".join(logged).encode()) == set()
