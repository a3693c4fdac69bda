"""What the service answers against what the oracle says, for everybody."""

from typing import Any

from app.access.records import RECORDS
from app.access.visibility import RESOURCES
from app.main import ROUTERS
from tests.oracle import knowing, policy
from tests.oracle.model import TERM_OF_KIND, Agreement, Record, Share
from tests.oracle.service import Run

assert ROUTERS  # every resource is registered
PATHS = {kind: RESOURCES[kind].path for kind in policy.ORACLES}
EXISTENCE = {
    "id", "view", "active", "home_organisation_id", "starts_on", "ends_on", "parties",
}  # fmt: skip
"""Never a reason, a version, a count, or the time of the last change."""
ELSEWHERE = {
    "organisation", "person", "affiliation", "network", "network_member", "opening", "client", "invitation",
    "address_change", "identity_provider",
}  # fmt: skip
"""Kinds whose readers no agreement decides; they have tests of their own."""
SEEN_BY_PERSON = 200


def check_registry() -> None:
    """A kind of the application without an oracle is a hole."""
    owned = {resource.kind for resource in RESOURCES.values()} - ELSEWHERE
    records = {resource.kind for resource in RECORDS.values()}
    missing = (owned | records) - set(policy.ORACLES)
    assert not missing, f"kinds without an oracle in tests/oracle/policy.py: {sorted(missing)}"
    written = {resource.kind: str(term) for term, resource in RECORDS.items()}
    assert written == TERM_OF_KIND, "kinds of record, and their terms, in tests/oracle/model.py"
    unchecked = set(policy.ORACLES) ^ set(_CHECKS)
    assert not unchecked, f"kinds whose rows are not looked at: {sorted(unchecked)}"


def things(run: Run, kind: str) -> dict[str, Any]:
    world = run.world
    if kind == "learning_agreement":
        return dict(world.agreements)
    if kind == "share":
        return dict(world.shares)
    return {id_: record for id_, record in world.records.items() if record.kind == kind}


def actors(run: Run) -> list[str]:
    return [*run.world.people, *run.world.clients]


def verdicts(run: Run) -> dict[tuple[str, str, str], str | None]:
    """What the oracle says of each kind, thing and actor."""
    return {
        (kind, id_, actor): policy.sees(run.world, actor, kind, thing)
        for kind in PATHS
        for id_, thing in things(run, kind).items()
        for actor in actors(run)
    }


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


async def compare_list(run: Run, actor: str, kind: str) -> None:
    """The exact list of one actor, newest first, and what each row shows."""
    expected = {
        id_: thing
        for id_, thing in things(run, kind).items()
        if policy.sees(run.world, actor, kind, thing) is not None
    }
    answer = await run.call(actor, "GET", f"{PATHS[kind]}?limit={SEEN_BY_PERSON}")
    found = answer.json().get("items")
    if answer.status != 200 or found is None:
        run.differ(actor, f"the list of {kind}", "200", f"{answer.status} {answer.text}")
    ids = [row["id"] for row in found]
    same(run, actor, f"the list of {kind}", sorted(expected, reverse=True), ids)
    for row in found:
        check_row(run, actor, kind, expected[row["id"]], row)
    run.figures.comparisons += len(things(run, kind))


def same(run: Run, actor: str | None, about: str, expected: list[str], found: list[str]) -> None:
    """Ids in their order, shown by the names that a human knows."""
    run.figures.comparisons += 1
    if expected == found:
        return
    world = run.world
    more = world.named(set(found) - set(expected))
    less = world.named(set(expected) - set(found))
    run.differ(
        actor, about, [world.name(i) for i in expected],
        f"{[world.name(i) for i in found]} (too many: {more}; missing: {less})",
    )  # fmt: skip


async def compare_item(run: Run, actor: str | None, kind: str, thing: Any) -> None:
    """Status and view of one thing for one actor."""
    about = run.world.name(thing.id)
    answer = await run.call(actor, "GET", f"{PATHS[kind]}/{thing.id}")
    run.figures.comparisons += 1
    if actor is None:
        if answer.status != 401:
            run.differ(None, about, 401, answer.status)
        return
    view = policy.sees(run.world, actor, kind, thing)
    if (answer.status == 200) != (view is not None) or answer.status not in (200, 404):
        expected = "404" if view is None else f"200 ({view})"
        run.differ(actor, about, expected, f"{answer.status} {answer.text[:900]}")
    if view is not None:
        check_row(run, actor, kind, thing, answer.json())


def check_row(run: Run, actor: str, kind: str, thing: Any, row: dict[str, Any]) -> None:
    """What a row shows against what its reader may see of it."""
    expected, found = _CHECKS[kind](run, actor, thing, row)
    run.figures.comparisons += 1
    if expected != found:
        about = f"what is shown of {run.world.name(thing.id)}"
        run.differ(actor, about, expected, found)


def _agreement(run: Run, actor: str, thing: Agreement, row: dict[str, Any]) -> Any:
    world, view = run.world, policy.sees(run.world, actor, "learning_agreement", thing)
    found: dict[str, Any] = {"view": row["view"]}
    expected: dict[str, Any] = {"view": view}
    if row["view"] != "version":
        found |= {"home": row["home_organisation_id"], "active": row["active"]}
        expected |= {"home": thing.text.home, "active": thing.state == "active"}
        found["parties"] = {(p["person_id"], p["role"]) for p in row["parties"]}
        ruling = thing.text.parties if thing.ruling else ()
        expected["parties"] = {(p.person, p.role) for p in ruling}
    if view == "existence":
        found["fields"], expected["fields"] = set(row), EXISTENCE
    elif view == "text":
        table = thing.on_the_table(world.today) if thing.ruling else None
        found["amendment"] = row["amendment_number"]
        expected["amendment"] = table.number if table and actor in thing.parties else None
        found |= {"state": row["state"], "purpose": row["text"]["purpose"]}
        expected |= {"state": thing.state, "purpose": thing.text.purpose}
    elif view == "version":
        number = policy.version_shown(world, actor, thing)
        found |= {"number": row["number"], "purpose": row["text"]["purpose"]}
        expected |= {"number": number, "purpose": thing.version(number).text.purpose}
    return expected, found


def _record(run: Run, actor: str, thing: Record, row: dict[str, Any]) -> Any:
    world, view = run.world, policy.sees(run.world, actor, thing.kind, thing)
    words = row.get("statement" if thing.kind == "goal" else "title")
    found: dict[str, Any] = {"view": row["view"], "words": words}
    expected: dict[str, Any] = {"view": view, "words": policy.words_shown(world, actor, thing)}
    if view in ("full", "withheld"):
        found["readers"], expected["readers"] = set(row["readers"]), thing.ticks
    if thing.kind == "evidence_item" and view != "withheld":
        # What a former party keeps of the links, `kept` says; it is never more than is there.
        links = knowing.links_shown(world, actor, thing)
        found["goals"], expected["goals"] = set(row["goal_ids"]), links
        if view == "kept":
            found["goals"] -= links
            expected["goals"] = set()
        found["files"] = {file["id"] for file in row["files"]}
        expected["files"] = knowing.entries_shown(world, actor, thing, thing.files)
    return expected, found


def _share(run: Run, actor: str, thing: Share, row: dict[str, Any]) -> Any:
    found = (row[f"{thing.kind}_id"], row["person_id"], row["network_id"], row["owner_id"])
    return (thing.record, thing.person, thing.network, thing.owner), found


_CHECKS: dict[str, Any] = {
    "learning_agreement": _agreement,
    "goal": _record,
    "evidence_item": _record,
    "share": _share,
}
