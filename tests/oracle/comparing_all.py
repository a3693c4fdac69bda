"""The whole comparison: every item, filter, page and list below a record, for everybody."""

from tests.oracle import knowing, policy
from tests.oracle.comparing import PATHS, actors, compare_item, compare_list, same, seen, things
from tests.oracle.comparing_filters import compare_some_filters
from tests.oracle.comparing_more import asked_about, compare_audience, compare_some_searches
from tests.oracle.model import Agreement, Record
from tests.oracle.service import Run

SOME = 8
"""Filters, and searches, for each actor at the end of a world."""


async def compare_everything(run: Run) -> None:
    """Filters and searches are asked by some: all of them by everybody would be most of the time."""
    for kind in PATHS:
        await anonymous(run, kind)
        for actor in actors(run):
            await compare_list(run, actor, kind)
            await compare_pages(run, actor, kind)
            for thing in things(run, kind).values():
                await compare_item(run, actor, kind, thing)
    for kind, thing in asked_about(run):
        await compare_audience(run, kind, thing)
    await compare_some_filters(run, SOME * len(actors(run)))
    await compare_some_searches(run, SOME * len(actors(run)))
    for actor in actors(run):
        for agreement in run.world.agreements.values():
            await compare_versions(run, actor, agreement)
            await compare_history(run, actor, agreement)
        for record in run.world.records.values():
            await compare_below(run, actor, record)


async def anonymous(run: Run, kind: str) -> None:
    answer = await run.call(None, "GET", PATHS[kind])
    run.figures.comparisons += 1
    if answer.status != 401:
        run.differ(None, f"the list of {kind}", 401, answer.status)
    for thing in things(run, kind).values():
        await compare_item(run, None, kind, thing)


async def compare_pages(run: Run, actor: str, kind: str) -> None:
    """All pages of two together are the whole list."""
    expected = seen(run, actor, kind)
    found: list[str] = []
    cursor = ""
    while True:
        answer = await run.call(actor, "GET", f"{PATHS[kind]}?limit=2{cursor}")
        page = answer.json()
        found += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    same(run, actor, f"the list of {kind} in pages of two", expected, found)


async def compare_versions(run: Run, actor: str, agreement: Agreement) -> None:
    """The versions by their numbers; 403 for who sees the agreement and is not of it."""
    about = f"the versions of {run.world.name(agreement.id)}"
    view = policy.sees_agreement(run.world, actor, agreement)
    expected = knowing.versions_seen(run.world, actor, agreement)
    answer = await run.call(actor, "GET", f"{PATHS['learning_agreement']}/{agreement.id}/versions")
    _status(run, actor, about, view, expected is not None, answer.status)
    if expected is not None:
        found = [v["number"] for v in answer.json()["items"]]
        if found != sorted(expected):
            run.differ(actor, about, sorted(expected), found)


def _status(run: Run, actor: str, about: str, view: str | None, inside: bool, found: int) -> None:
    run.figures.comparisons += 1
    expected = 404 if view is None else 200 if inside else 403
    # A client may not ask at all, whatever it sees.
    if actor in run.world.clients:
        expected = 403
    if found != expected:
        run.differ(actor, about, expected, found)


async def compare_history(run: Run, actor: str, agreement: Agreement) -> None:
    """Of the records under an agreement it tells of those that somebody sees as they are."""
    world = run.world
    about = f"the history of {world.name(agreement.id)}"
    view = policy.sees_agreement(world, actor, agreement)
    inside = knowing.history_open(world, actor, agreement)
    path = f"{PATHS['learning_agreement']}/{agreement.id}/history?limit=200"
    answer = await run.call(actor, "GET", path)
    _status(run, actor, about, view, inside, answer.status)
    if not inside or actor in world.clients:
        return
    found = {
        entry["resource_id"]
        for entry in answer.json()["items"]
        if entry["resource_id"] in world.records
    }
    expected = {
        record.id
        for record in world.records.values()
        if record.agreement == agreement.id and policy.as_it_is(world, actor, record)
    }
    same(run, actor, about, sorted(expected), sorted(found))


async def compare_below(run: Run, actor: str, record: Record) -> None:
    """Progress, old wordings and files follow their record."""
    world = run.world
    view = policy.sees_record(world, actor, record)
    lists = (
        {"progress": record.progress, "revisions": record.revisions}
        if record.kind == "goal"
        else {"files": record.files}
    )
    for name, entries in lists.items():
        about = f"the {name} of {world.name(record.id)}"
        answer = await run.call(actor, "GET", f"{PATHS[record.kind]}/{record.id}/{name}?limit=200"
                                if name != "files" else f"{PATHS[record.kind]}/{record.id}/files")  # fmt: skip
        run.figures.comparisons += 1
        if (answer.status == 200) != (view is not None):
            run.differ(actor, about, 200 if view else 404, f"{answer.status} {answer.text}")
        if view is None:
            continue
        key = "number" if name == "revisions" else "id"
        found = {str(entry[key]) for entry in answer.json()["items"]}
        expected = knowing.entries_shown(world, actor, record, entries)
        if found != expected:
            run.differ(actor, about, sorted(expected), sorted(found))
