"""Reference frameworks and the 10+2 coaching principles."""

import pytest

from app.actions.frameworks import ChangedFramework, publish_frameworks, seeded
from tests.worlds import World

pytestmark = pytest.mark.anyio

EXPECTED = {
    "coaching-principles": (12, 50), "learner-principles": (4, 17), "core-skills": (5, 5),
    "dreyfus-stages": (5, 5), "reeves-elements": (4, 4), "hargreaves-performance": (2, 12),
    "tynjala-kinds": (3, 3), "timperley-elements": (7, 7), "thompson-problem-solving": (10, 10),
    "thompson-precise": (7, 7), "wenger-elements": (6, 6), "plc-marks": (5, 5),
    "collaboration-steps": (8, 8),
}  # fmt: skip
"""Items at the top, and items in all, of each seeded framework."""


async def test_the_principles_are_ten_and_two_with_their_38_practices(world: World) -> None:
    found = (await world.learner.get("/v1/principles")).json()["items"]
    assert [p["code"] for p in found] == [*(str(i) for i in range(1, 11)), "A1", "A2"]
    assert [p["code"] for p in found if p["additional"]] == ["A1", "A2"]
    counts = [len(p["items"]) for p in found]
    assert (sum(counts[:10]), sum(counts[10:])) == (32, 6)
    third = await world.client.get("/v1/principles/3")
    assert third.json()["title"] == "A learning agreement"
    assert third.json()["items"][0]["code"] == "3.1"
    assert (await world.learner.get("/v1/principles/11")).status_code == 404


async def test_every_framework_of_the_domain_is_there_with_its_source(world: World) -> None:
    listed = (await world.learner.get("/v1/frameworks")).json()["items"]
    assert {f["code"] for f in listed} == set(EXPECTED)
    for framework in listed:
        assert framework["source"]
        whole = (await world.learner.get(f"/v1/frameworks/{framework['code']}")).json()
        top = whole["items"]
        assert (len(top), sum(1 + len(i["items"]) for i in top)) == EXPECTED[framework["code"]]
        assert all(i["statement"] for item in top for i in (item, *item["items"]))
        one = await world.learner.get(f"/v1/frameworks/{framework['code']}/versions/1")
        assert one.json() == whole


async def test_reference_lists_carry_an_etag(world: World) -> None:
    for path in (
        "/v1/principles",
        "/v1/principles/A1",
        "/v1/frameworks",
        "/v1/frameworks/core-skills",
    ):
        etag = (await world.learner.get(path)).headers["ETag"]
        again = await world.learner.get(path, headers={"If-None-Match": etag})
        assert again.status_code == 304


async def test_publishing_is_idempotent_and_a_published_version_never_changes(
    world: World,
) -> None:
    frameworks = seeded()
    async with world.database.work() as unit:
        assert await publish_frameworks(unit, frameworks) == (0, len(EXPECTED))
        frameworks[0]["items"][0]["statement"] += " And more."
        with pytest.raises(ChangedFramework, match="new version"):
            await publish_frameworks(unit, frameworks)
