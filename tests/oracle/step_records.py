"""What people do with goals and evidence; each step returns whether there was anything to do."""

from datetime import timedelta
from typing import Any

from app.models.evidence import EvidenceItem
from app.models.goals import Goal
from tests.oracle import acts
from tests.oracle.knowing import refusal
from tests.oracle.model import CLASSES, TERM_OF_KIND, Agreement, Entry, Record
from tests.oracle.policy import sees_record, stays_behind, ticks_left
from tests.oracle.service import Run
from tests.oracle.start import SCHOOLS, Cast
from tests.oracle.step_agreements import choose, someone

PATHS = {"goal": "/v1/goals", "evidence_item": "/v1/evidence-items"}
ENTITIES: dict[str, Any] = {"goal": Goal, "evidence_item": EvidenceItem}
WORDS = {"goal": "statement", "evidence_item": "title"}
AT_MOST = 12


def pick(run: Run, *kinds: str) -> Record | None:
    found = [r for r in run.world.records.values() if not kinds or r.kind in kinds]
    return run.rng.choice(found) if found else None


def path_of(record: Record) -> str:
    return f"{PATHS[record.kind]}/{record.id}"


def writable(run: Run, record: Record) -> bool:
    """Whether more than readers to be taken away may be changed by its owner."""
    agreement = run.world.agreement_of(record)
    goes_on = agreement is None or (
        agreement.state == "active" and record.owner in agreement.text.learners
    )
    return goes_on and not record.due(run.world.today) and not stays_behind(run.world, record)


def _pupils(run: Run) -> dict[str, Any]:
    """What may be said of pupils."""
    later = (run.world.today + timedelta(days=30)).isoformat()
    return run.rng.choice(
        (
            {},
            {"shows_pupils": "no"},
            {"shows_pupils": "no"},
            {"shows_pupils": "no"},
            {"shows_pupils": "no", "delete_by": later},
            {"shows_pupils": "unknown"},
            {"shows_pupils": "yes", "pupil_basis": "Public task", "delete_by": later},
            {"shows_pupils": "yes", "pupil_consent": "given", "delete_by": later},
            {"pupil_consent": "withdrawn"},
        )
    )


def _take(run: Run, record: Record, said: dict[str, Any]) -> None:
    """The model after something was said of pupils."""
    record.pupils = said.get("shows_pupils", record.pupils)
    if "delete_by" in said:
        record.delete_by = run.world.today + timedelta(days=30)
    if "pupil_consent" in said and record.consent != said["pupil_consent"]:
        record.consent = said["pupil_consent"]
        if record.consent == "withdrawn":
            record.ticks = ticks_left(record.ticks)
            for share in run.world.shares_of(record.id):
                del run.world.shares[share.id]


async def write_record(run: Run, cast: Cast) -> bool:
    """A new goal or evidence item, under an agreement or not; now and then ticked too widely."""
    world, rng = run.world, run.rng
    if len(world.records) >= AT_MOST:
        return False
    kind = rng.choice(sorted(PATHS))
    agreement = choose(run, "active") if rng.random() < 0.9 else None
    if agreement is not None:
        owner = someone(run, agreement.text.learners)
    else:
        owner = someone(run, cast.all(("Ann", "Bet", "Cai")))
    author = owner
    if kind == "goal" and agreement is not None and rng.random() < 0.35:
        others = set(agreement.text.coaches) | set(agreement.text.having("tutor", "specialist"))
        author = someone(run, (others - {owner}) or {owner})
    return await _post(run, cast, kind, agreement, owner, author)


async def _post(
    run: Run, cast: Cast, kind: str, agreement: Agreement | None, owner: str, author: str
) -> bool:
    world, rng = run.world, run.rng
    allowed = agreement.text.terms[TERM_OF_KIND[kind]] - {"networks"} if agreement else frozenset()
    words, said = run.serial(kind, kind), _pupils(run)
    body: dict[str, Any] = {WORDS[kind]: words, **said}
    if agreement is not None:
        body["agreement_id"] = agreement.id
    ticks, fine = set(allowed), True
    if rng.random() < 0.5:
        odds = 0.7 if rng.random() < 0.8 else 0.4
        pool = sorted(allowed) if rng.random() < 0.85 else list(CLASSES)
        ticks = {c for c in pool if rng.random() < odds}
        body["readers"], fine = sorted(ticks), ticks <= allowed
    if kind == "goal" and author != owner:
        body["owner_id"] = owner
    if kind == "evidence_item":
        body |= {"kind": "observation", **_where(run, cast, agreement, owner)}
        own = [r.id for r in world.records.values() if r.kind == "goal" and r.owner == owner]
        body["goal_ids"] = rng.sample(own, min(len(own), rng.choice((0, 1, 2, 2))))
    for_whom = "" if author == owner else f" for {world.name(owner)}"
    done = await run.write(
        author, "POST", PATHS[kind], body, allowed=fine,
        doing=f"records {words}{for_whom} under {world.name(agreement.id) if agreement else '-'}, "
        f"readers {body.get('readers', 'left out')}, {said or 'pupils unknown'}"
        + (f", links {world.named(body['goal_ids'])}" if body.get("goal_ids") else ""),
    )  # fmt: skip
    if done is None:
        return True
    record = Record(
        kind, done["id"], owner, author, agreement.id if agreement else None, world.tick(), words,
        ticks, goals=set(body.get("goal_ids", ())), controller=done.get("controller_organisation_id"),
    )  # fmt: skip
    record.state = "draft" if author == owner else "proposed"
    world.names[record.id] = words
    world.records[record.id] = record
    run.figures.kinds[kind] += 1
    _take(run, record, said)
    return True


def _where(run: Run, cast: Cast, agreement: Agreement | None, owner: str) -> dict[str, Any]:
    """Where evidence was captured: often a school where its owner is today."""
    places = [p for p in cast.all(SCHOOLS) if run.world.is_at(owner, p)]
    if places and run.rng.random() < 0.7:
        return {"controller_organisation_id": run.rng.choice(places)}
    return {}


def _strange(run: Run, who: str, record: Record) -> int | None:
    """The refusal of who is not the owner."""
    return None if who == record.owner else refusal(run.world, who, record.kind, record)


async def revise(run: Run, cast: Cast) -> bool:
    """Other words, other links, or something else said of pupils; by its owner or by another."""
    record = pick(run)
    if record is None:
        return False
    world, rng = run.world, run.rng
    stranger = rng.random() < 0.1
    who = someone(run, set(world.people) - {record.owner}) if stranger else record.owner
    what = rng.choice(("words", "words", "pupils", "pupils", "withdrawn", "links", "links"))
    words = run.serial(record.kind, record.kind)
    body: dict[str, Any] = {WORDS[record.kind]: words}
    if what in ("pupils", "withdrawn"):
        body = _pupils(run) if what == "pupils" else {"pupil_consent": "withdrawn"}
        if not body:
            return False
    elif what == "links" and record.kind == "evidence_item":
        own = [r.id for r in world.records.values() if r.kind == "goal" and r.owner == record.owner]
        body = {"goal_ids": rng.sample(own, min(len(own), rng.choice((0, 1, 2))))}
    may: bool | None = writable(run, record) and not stranger
    if may and what == "pupils":
        may = None  # what shows children needs a date, which only some of the changes bring
    done = await run.write(
        who, "PATCH", path_of(record), body, allowed=may, refused_as=_strange(run, who, record),
        doing=f"changes {world.name(record.id)}: {body}",
    )  # fmt: skip
    if done is None:
        return True
    moment = world.tick()
    if WORDS[record.kind] in body:
        record.words = words
        world.names[record.id] += f" ({words})"
        if record.kind == "goal":
            record.revisions.append(Entry(str(record.wording), moment, who))
            record.wording += 1
    if "goal_ids" in body:
        record.goals = set(body["goal_ids"])
    _take(run, record, body)
    return True


async def retick(run: Run, cast: Cast) -> bool:
    """Narrowing is always the owner's; a tick is added by the owner, and only if the terms have it."""
    record = pick(run)
    if record is None:
        return False
    world, rng = run.world, run.rng
    ticks = {c for c in CLASSES if rng.random() < 0.5}
    if rng.random() < 0.4:
        ticks &= record.ticks
    elif rng.random() < 0.4:
        ticks = record.ticks | {rng.choice(CLASSES)}
    agreement = world.agreement_of(record)
    stranger = rng.random() < 0.15
    who = someone(run, set(world.people) - {record.owner}) if stranger else record.owner
    allowed = agreement.text.terms[TERM_OF_KIND[record.kind]] if agreement else frozenset()
    added = ticks - record.ticks
    withdrawn = record.consent == "withdrawn" and added - ticks_left(added)
    # Of what is due or stays behind readers are only taken away.
    open_to_more = writable(run, record) and added <= allowed and not withdrawn
    may: bool | None = not stranger and (not added or open_to_more)
    if not stranger and record.due(world.today) and added <= allowed and not withdrawn:
        may = None  # nothing is left to be shown: the rules do not speak of it
    done = await run.write(
        who, "PATCH", path_of(record), {"readers": sorted(ticks)}, allowed=may,
        refused_as=_strange(run, who, record),
        doing=f"ticks {sorted(ticks) or 'nobody'} on {world.name(record.id)} "
        f"(was {sorted(record.ticks) or 'nobody'})",
    )  # fmt: skip
    if done is not None:
        acts.close_kept(record, record.ticks - ticks)
        record.ticks = ticks
    return True


async def progress(run: Run, cast: Cast) -> bool:
    """By its learner, and any party who may read it."""
    record = pick(run, "goal")
    if record is None:
        return False
    world = run.world
    agreement = world.agreement_of(record)
    who = someone(run, {record.owner, *(agreement.parties if agreement else ())})
    view = sees_record(world, who, record)
    may = view == "full" and (
        agreement is None
        or (agreement.state == "active" and record.owner in agreement.text.learners)
    )
    done = await run.write(
        who, "POST", f"{path_of(record)}/progress", {"note": run.serial("note", "goal")},
        allowed=None if record.due(world.today) else may,
        refused_as=None if view == "full" else refusal(world, who, "goal", record),
        doing=f"notes progress of {world.name(record.id)}",
    )  # fmt: skip
    if done:
        record.progress.append(Entry(done["id"], world.tick(), who))
    return True


async def delete(run: Run, cast: Cast) -> bool:
    record = pick(run)
    if record is None or run.rng.random() < 0.5:
        return False
    stranger = run.rng.random() < 0.2
    others = {*run.world.people, *run.world.clients} - {record.owner}
    who = someone(run, others) if stranger else record.owner
    done = await run.write(
        who, "DELETE", path_of(record), allowed=not stranger, refused_as=_strange(run, who, record),
        doing=f"deletes {run.world.name(record.id)}",
    )  # fmt: skip
    if done is not None:
        acts.delete_record(run.world, record)
    return True


async def let_be_due(run: Run, cast: Cast) -> bool:
    """The day comes on which a record's text is to be gone."""
    world = run.world
    found = [r for r in world.records.values() if r.delete_by and not r.due(world.today)]
    if not found:
        return False
    record = run.rng.choice(found)
    record.delete_by = run.world.today
    run.say(f"(time passes: {run.world.name(record.id)} is due)")
    await run.change(ENTITIES[record.kind], record.id, delete_by=run.world.today)
    return True


async def files(run: Run, cast: Cast) -> bool:
    """A file is added, or taken away."""
    record = pick(run, "evidence_item")
    if record is None:
        return False
    there = [f for f in record.files if f.gone is None]
    if there and run.rng.random() < 0.4:
        file = run.rng.choice(there)
        done = await run.write(
            record.owner, "DELETE", f"{path_of(record)}/files/{file.id}", allowed=None,
            doing=f"deletes a file of {run.world.name(record.id)}",
        )  # fmt: skip
        if done is not None:
            file.gone = run.world.tick()
        return True
    boundary, words = "tandem-oracle", run.serial("notes", record.kind)
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{words}.txt"\r\n\r\n'
        f"What the pupils said.\r\n--{boundary}--\r\n"
    ).encode()
    done = await run.write(
        record.owner, "POST", f"{path_of(record)}/files", body, allowed=writable(run, record),
        doing=f"adds a file to {run.world.name(record.id)}",
        content_type=f"multipart/form-data; boundary={boundary}",
    )  # fmt: skip
    if done:
        made = Entry(done["id"], run.world.tick(), record.owner, words=f"{words} txt")
        record.files.append(made)
    return True
