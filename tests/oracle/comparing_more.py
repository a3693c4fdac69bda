"""Who could read, and what is found by words: asked beside lists and items."""

from tests.oracle import knowing, policy
from tests.oracle.comparing import PATHS, actors, same, things
from tests.oracle.model import Agreement, Record
from tests.oracle.service import Run


async def compare_audience(run: Run, kind: str, thing: Record | Agreement) -> None:
    """Everybody who could read a thing, at one go: the rules of one item for all actors at once.

    Its owner asks, or a party; a share has no such question.
    """
    world = run.world
    if isinstance(thing, Record):
        asker = thing.owner
    else:
        asker = thing.parties[0] if thing.parties else thing.drafter
    about = f"who could read {world.name(thing.id)}"
    answer = await run.call(asker, "GET", f"/v1/access/audience?resource={kind}:{thing.id}")
    if isinstance(thing, Agreement) and thing.ruling and not thing.parties:
        # All have left: there is nobody to whom it is owed.
        refused = knowing.refusal(world, asker, kind, thing)
        if answer.status != refused:
            run.differ(asker, about, refused, f"{answer.status} {answer.text}")
        return
    if answer.status != 200:
        run.differ(asker, about, 200, f"{answer.status} {answer.text}")
    found = {
        (reader["id"], reader["view"])
        for reader in answer.json()["readers"]
        if reader["id"] in run.tokens
    }
    views = {actor: policy.sees(world, actor, kind, thing) for actor in actors(run)}
    signed = isinstance(thing, Agreement)
    expected = {(a, view if signed else None) for a, view in views.items() if view is not None}
    run.figures.comparisons += len(views)
    if expected != found:
        less = [f"{world.name(a)} ({view})" for a, view in expected - found]
        more = [f"{world.name(a)} ({view})" for a, view in found - expected]
        run.differ(asker, about, f"also {sorted(less)}", f"also {sorted(more)}")


READ = {
    "learning_agreement": "agreement:read",
    "goal": "goal:read",
    "evidence_item": "evidence_item:read",
}


async def compare_explanation(run: Run, actor: str, kind: str, thing: Record | Agreement) -> None:
    """Why somebody may read a thing; what they do not see is not explained."""
    view = policy.sees(run.world, actor, kind, thing)
    path = f"/v1/access/explanation?resource={kind}:{thing.id}&action={READ[kind]}"
    answer = await run.call(actor, "GET", path)
    about = f"why to read {run.world.name(thing.id)}"
    run.figures.comparisons += 1
    if answer.status != (404 if view is None else 200):
        run.differ(actor, about, view, f"{answer.status} {answer.text[:900]}")
    if view is not None and not answer.json()["allowed"]:
        run.differ(actor, about, "allowed", answer.text)


def asked_about(run: Run) -> list[tuple[str, Record | Agreement]]:
    """Everything of which it can be asked who could read it."""
    found: list[tuple[str, Record | Agreement]] = [(r.kind, r) for r in run.world.records.values()]
    return [*found, *(("learning_agreement", a) for a in run.world.agreements.values())]


async def compare_search(run: Run, actor: str, kind: str, word: str) -> None:
    """The list of what somebody sees, narrowed by a word that stands in what they are shown."""
    world = run.world
    found = things(run, kind)
    expected = [id_ for id_, it in found.items() if knowing.finds(world, actor, kind, it, word)]
    answer = await run.call(actor, "GET", f"{PATHS[kind]}?limit=200&q={word}")
    about = f"the list of {kind} with q {word}"
    if answer.status != 200:
        run.differ(actor, about, 200, f"{answer.status} {answer.text}")
    ids = [row["id"] for row in answer.json()["items"]]
    same(run, actor, about, sorted(expected, reverse=True), ids)
    run.figures.comparisons += len(found)


def questions(run: Run) -> list[tuple[str, str]]:
    """Kinds, and the words that have ever been in one of it; names for agreements."""
    names = [("learning_agreement", run.world.name(person)) for person in run.world.people]
    return [*run.words, *names]


async def compare_some_searches(run: Run, how_many: int) -> None:
    """By anybody, for anything that was ever said."""
    asked = questions(run)
    recent = asked[: len(run.words)][-6:] or asked
    for number in range(how_many):
        kind, word = run.rng.choice(recent if number % 2 else asked)
        await compare_search(run, run.rng.choice(actors(run)), kind, word)
