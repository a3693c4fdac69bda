"""Somebody turns out to be somebody else, too: two records of one person become one."""

from itertools import permutations

from tests.oracle import joining
from tests.oracle.service import Run
from tests.oracle.start import ABLE, Cast
from tests.oracle.step_agreements import someone

PATH = "/v1/me/joins"
NEEDED = ("Huw", "Gwen")
"""Who leads the networks goes into nobody."""
AT_MOST = 2
"""So many in a world: somebody must be left."""


async def become_one(run: Run, cast: Cast) -> bool:
    """By a sign-in as each; refused where both are named, or where who goes is bound or awaited."""
    world = run.world
    if len(cast.gone) >= AT_MOST:
        return False
    needed = {cast[name] for name in NEEDED}
    pairs = [(gone, stays) for gone, stays in permutations(cast.all(ABLE), 2) if gone not in needed]
    possible = [pair for pair in pairs if joining.may_become_one(world, *pair)]
    if possible and run.rng.random() < 0.8:
        pairs = possible
    gone = someone(run, {pair[0] for pair in pairs})
    stays = someone(run, {pair[1] for pair in pairs if pair[0] == gone})
    # A text that nobody was shown names who goes: its drafter will be told that nobody is there.
    if any(
        a.state == "draft" and gone in a.versions[-1].text.people for a in world.agreements.values()
    ):
        return False
    asked = await run.write(
        stays, "POST", PATH, {}, allowed=True, doing="asks to join another record with theirs"
    )
    done = await run.write(
        gone, "POST", f"{PATH}/completion", {"join_code": asked["join_code"]},
        allowed=joining.may_become_one(world, gone, stays),
        refused_as=409, doing=f"goes into {world.name(stays)}",
    )  # fmt: skip
    if done is not None:
        joining.become_one(world, gone, stays)
        cast.gone.add(gone)
    return True
