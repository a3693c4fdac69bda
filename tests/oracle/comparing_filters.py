"""Lists narrowed by a filter: a filter tells nothing that the rows themselves do not."""

from typing import Any

from tests.oracle import knowing, policy
from tests.oracle.comparing import PATHS, actors, same, seen, things
from tests.oracle.model import Record
from tests.oracle.service import Run

Filter = tuple[str, str, str]
"""Kind, name of the parameter, value."""


def filters(run: Run) -> list[Filter]:
    """Every filter that there is, with every value that might find something."""
    world, goals = run.world, things(run, "goal")
    found: list[Filter] = []
    for kind in ("goal", "evidence_item", "share"):
        found += [(kind, "agreement_id", agreement) for agreement in world.agreements]
        owners = sorted({thing.owner for thing in things(run, kind).values()})
        found += [(kind, "owner_id", owner) for owner in owners]
    found += [(kind, "network_id", network) for kind in PATHS for network in world.networks]
    found += [("learning_agreement", "home_organisation_id", o) for o in world.organisations]
    found += [("evidence_item", "goal_id", goal) for goal in goals]
    found += [("share", f"{r.kind}_id", r.id) for r in world.records.values()]
    return found


def passes(run: Run, actor: str, asked: Filter, thing: Any) -> bool:
    """Whether a thing that somebody sees passes a filter, as far as they may know that it does."""
    kind, name, value = asked
    world = run.world
    if kind == "learning_agreement":
        if name == "network_id":
            return knowing.names_network(world, actor, thing, value)
        return knowing.knows_home(world, actor, thing) and thing.text.home == value
    if name == "owner_id":
        return bool(thing.owner == value)
    if kind == "share":
        if name == "agreement_id":
            return world.records[thing.record].agreement == value
        return bool((thing.network if name == "network_id" else thing.record) == value)
    assert isinstance(thing, Record)
    if name == "agreement_id":
        return thing.agreement == value
    # Who sees only what was learns nothing of what has changed since.
    if not policy.as_it_is(world, actor, thing):
        return False
    if name == "network_id":
        return knowing.knows_shared(world, actor, thing, value)
    goal = world.records[value]
    return value in thing.goals and policy.sees_record(world, actor, goal) is not None


async def compare_filter(run: Run, actor: str, asked: Filter) -> None:
    kind, name, value = asked
    found = things(run, kind)
    expected = [i for i in seen(run, actor, kind) if passes(run, actor, asked, found[i])]
    answer = await run.call(actor, "GET", f"{PATHS[kind]}?limit=100&{name}={value}")
    about = f"the list of {kind} with {name} {run.world.name(value)}"
    if answer.status != 200:
        run.differ(actor, about, 200, f"{answer.status} {answer.text}")
    same(run, actor, about, expected, [row["id"] for row in answer.json()["items"]])
    run.figures.comparisons += len(found)


async def compare_some_filters(run: Run, how_many: int) -> None:
    every = filters(run)
    for _ in range(how_many):
        await compare_filter(run, run.rng.choice(actors(run)), run.rng.choice(every))
