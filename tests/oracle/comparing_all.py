"""The whole comparison: every item, filter, page and list below a record, for everybody."""

from collections.abc import Iterable

from tests.oracle import policy
from tests.oracle.comparing import PATHS, actors, compare_item, compare_list, same, things
from tests.oracle.model import Agreement, Record
from tests.oracle.service import Run


async def compare_everything(run: Run) -> None:
    for kind in PATHS:
        await anonymous(run, kind)
        for actor in actors(run):
            await compare_list(run, actor, kind)
            await compare_pages(run, actor, kind)
            for thing in things(run, kind).values():
                await compare_item(run, actor, kind, thing)
    for actor in actors(run):
        await compare_filters(run, actor)
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


def seen(run: Run, actor: str, kind: str) -> list[str]:
    """Ids, newest first."""
    return sorted(
        (
            id_
            for id_, thing in things(run, kind).items()
            if policy.sees(run.world, actor, kind, thing) is not None
        ),
        reverse=True,
    )


async def compare_filters(run: Run, actor: str) -> None:
    world = run.world
    for kind in ("goal", "evidence_item", "share"):
        rows = {id_: things(run, kind)[id_] for id_ in seen(run, actor, kind)}
        for agreement in world.agreements:
            found = [i for i, t in rows.items() if _agreement_of(run, t) == agreement]
            await _filtered(run, actor, kind, "agreement_id", agreement, found)
        for owner in {thing.owner for thing in things(run, kind).values()}:
            found = [i for i, t in rows.items() if t.owner == owner]
            await _filtered(run, actor, kind, "owner_id", owner, found)
    for network in world.networks:
        for kind in ("goal", "evidence_item"):
            found = [
                i
                for i in seen(run, actor, kind)
                if policy.knows_shared(world, actor, world.records[i], network)
                and policy.as_it_is(world, actor, world.records[i])
            ]
            await _filtered(run, actor, kind, "network_id", network, found)
        rows = world.shares
        found = [i for i in seen(run, actor, "share") if rows[i].network == network]
        await _filtered(run, actor, "share", "network_id", network, found)
        found = [
            i
            for i in seen(run, actor, "learning_agreement")
            if policy.names_network(world, actor, world.agreements[i], network)
        ]
        await _filtered(run, actor, "learning_agreement", "network_id", network, found)
    for home in world.organisations:
        found = [
            i
            for i in seen(run, actor, "learning_agreement")
            if policy.knows_home(world, actor, world.agreements[i])
            and world.agreements[i].text.home == home
        ]
        await _filtered(run, actor, "learning_agreement", "home_organisation_id", home, found)
    for goal in things(run, "goal").values():
        sees_goal = policy.sees(world, actor, "goal", goal) is not None
        items = things(run, "evidence_item")
        found = [
            i
            for i in seen(run, actor, "evidence_item")
            if sees_goal and goal.id in items[i].goals and policy.as_it_is(world, actor, items[i])
        ]
        await _filtered(run, actor, "evidence_item", "goal_id", goal.id, found)


def _agreement_of(run: Run, thing: object) -> str | None:
    record = thing if isinstance(thing, Record) else run.world.records[thing.record]  # type: ignore[attr-defined]
    return record.agreement


async def _filtered(
    run: Run, actor: str, kind: str, name: str, value: str, expected: Iterable[str]
) -> None:
    answer = await run.call(actor, "GET", f"{PATHS[kind]}?limit=100&{name}={value}")
    about = f"the list of {kind} with {name} {run.world.name(value)}"
    if answer.status != 200:
        run.differ(actor, about, 200, f"{answer.status} {answer.text}")
    found = [row["id"] for row in answer.json()["items"]]
    same(run, actor, about, sorted(expected, reverse=True), found)


async def compare_versions(run: Run, actor: str, agreement: Agreement) -> None:
    """The versions by their numbers; 403 for who sees the agreement and is not of it."""
    about = f"the versions of {run.world.name(agreement.id)}"
    view = policy.sees_agreement(run.world, actor, agreement)
    expected = policy.versions_seen(run.world, actor, agreement)
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
    inside = policy.history_open(world, actor, agreement)
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
        expected = policy.entries_shown(world, actor, record, entries)
        if found != expected:
            run.differ(actor, about, sorted(expected), sorted(found))
