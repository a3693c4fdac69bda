"""Idempotency-Key: a repeat is answered as the first was, to who may still read it, and never twice."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Integer, LargeBinary, String, null, select, true, type_coerce

from app.core import idempotency
from app.core.query import Query
from tests.amending import agreement_of, amend, in_force, leave, parties
from tests.worlds import World

pytestmark = pytest.mark.anyio

ALL = ["coaches", "fellows", "advisers"]
SAID = "Said by the coach."


def a_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def _deleted(world: World, path: str, goal: str) -> None:
    assert (await world.learner.delete(goal)).status_code == 204


async def _closed(world: World, path: str, goal: str) -> None:
    assert (await world.learner.patch(goal, json={"readers": []})).status_code == 200


async def _left(world: World, path: str, goal: str) -> None:
    await leave(world, path, "coach")


async def _sent_away(world: World, path: str, goal: str) -> None:
    await amend(world, path, parties=parties(world, coach=(), tutor=("coach",)))


ENDS: dict[str, Callable[[World, str, str], Awaitable[None]]] = {
    "deleted": _deleted, "closed": _closed, "left": _left, "sent away": _sent_away,
}  # fmt: skip
"""How a record becomes unreadable for the coach, who has written below it."""


@pytest.mark.parametrize("how", ENDS)
async def test_a_repeat_about_what_is_read_no_more_is_not_found(world: World, how: str) -> None:
    path = await in_force(world, disclosure={"goals": ALL, "former_parties": "nothing"})
    goal = f"/v1/goals/{(await world.goal(agreement_of(path)))['id']}"
    key, body = a_key(), {"note": SAID}
    first = await world.coach.post(f"{goal}/progress", headers=key, json=body)
    assert (first.status_code, first.json()["note"]) == (201, SAID)
    again = await world.coach.post(f"{goal}/progress", headers=key, json=body)
    assert again.content == first.content
    await ENDS[how](world, path, goal)
    gone = await world.coach.post(f"{goal}/progress", headers=key, json=body)
    never = await world.coach.post(f"/v1/goals/{uuid4()}/progress", headers=a_key(), json=body)
    assert gone.status_code == never.status_code == 404
    assert SAID not in gone.text
    assert gone.json() == never.json() | {"request_id": gone.json()["request_id"]}
    assert "Idempotency-Replayed" not in gone.headers


async def test_a_key_with_another_body_or_another_address_is_refused_and_does_nothing(
    world: World,
) -> None:
    key = a_key()
    made = await world.learner.post("/v1/goals", headers=key, json={"statement": "One."})
    goal = f"/v1/goals/{made.json()['id']}"
    others: list[tuple[str, Any]] = [
        ("/v1/goals", {"statement": "Two."}), ("/v1/goals", {"statement": "One.", "stage": "novice"}),
        (f"{goal}/progress", {"note": "One."}), (f"{goal}/proposal", None),
        ("/v1/evidence-items", {"kind": "other", "title": "One."}),
    ]  # fmt: skip
    for path, body in others:
        refused = await world.learner.post(path, headers=key, json=body)
        assert refused.status_code == 422, refused.text
        assert refused.json()["type"].endswith("/problems/idempotency-key-reused")
    assert (await world.learner.get(goal)).json() == made.json()
    assert len((await world.learner.get("/v1/goals")).json()["items"]) == 1
    assert (await world.learner.get("/v1/evidence-items")).json()["items"] == []
    # The order of the names in a body, and how it is spaced, make no other request of it.
    again = await world.learner.call(
        "POST", "/v1/goals", headers=key | {"Content-Type": "application/json"},
        content=b' {\n "statement"\t: "One." } ',
    )  # fmt: skip
    assert (again.status_code, again.content) == (201, made.content)


async def test_who_slips_in_while_the_first_is_being_answered_is_told_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL may see the rows as they were, and then find the lock free."""
    goal = f"/v1/goals/{(await world.goal())['id']}"
    key = a_key()
    first = await world.learner.post(f"{goal}/proposal", headers=key)
    assert first.status_code == 200
    none = [type_coerce(null(), t) for t in (String, Integer, String, LargeBinary, String, String)]
    columns = [c.label(f"c{n}") for n, c in enumerate((true(), *none, null()))]
    unseen = dict.fromkeys(("sqlite", "postgresql"), Query(select(*columns)))

    async def repeated(**headers: str) -> httpx.Response:
        return await world.learner.post(f"{goal}/proposal", headers=headers)

    with monkeypatch.context() as early:
        early.setattr(idempotency, "_ENTER", unseen)
        refused = await repeated(**key)
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("/problems/request-in-progress")
        assert refused.headers["Retry-After"] == "1"
        # A request of its own is told the truth.
        other = await repeated(**a_key())
        assert other.json()["type"].endswith("/problems/conflict")
    again = await repeated(**key)
    assert (again.status_code, again.content) == (200, first.content)
