"""How people move, and how clients come and go."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.access.homes import mark_gone
from app.core.clock import now
from app.core.files import store
from app.jobs import retention
from app.models.people import Client as ClientRow
from tests.oracle.model import Affiliation, counts
from tests.oracle.service import Run
from tests.oracle.start import ABLE, SCHOOLS, Cast
from tests.oracle.step_agreements import someone

PATH = "/v1/affiliations"
SWEEP = retention.sweep
"""As it is, when a test has stilled the one that runs by itself."""
ROLES = ("teacher", "teacher", "supply_teacher", "head_teacher", "professional_learning_lead",
         "student")  # fmt: skip


async def move(run: Run, cast: Cast) -> bool:
    """Somebody comes to a school, is to come, or was there; the operator's people write it. Whoever is
    somewhere else often accepts it at once."""
    world, rng = run.world, run.rng
    person, place = someone(run, cast.all(ABLE)), someone(run, cast.all(SCHOOLS))
    role, day = rng.choice(ROLES), timedelta(days=1)
    starts, ends = rng.choice(
        (
            (world.today, None),
            (world.today - 9 * day, None),
            (world.today - 9 * day, world.today + day),
            (world.today + day, None),
            (world.today - 9 * day, world.today),
        )
    )
    tie = Affiliation("", person, place, role, starts, ends)
    tie.accepted = world.counts_unasked(cast["Olwen"], person, place)
    # Nobody is asked about what is over.
    made = await run.write(
        cast["Olwen"], "POST", PATH,
        {
            "person_id": person, "organisation_id": place, "role": role,
            "starts_on": starts.isoformat(), "ends_on": ends.isoformat() if ends else None,
        },
        allowed=tie.accepted or not tie.is_over(world.today), refused_as=422,
        doing=f"writes: {world.name(person)} at {world.name(place)} as {role}, {starts} to {ends}",
    )  # fmt: skip
    if made is None:
        return True
    tie.id = made["id"]
    world.affiliations[tie.id] = tie
    _check_accepted(run, tie, made)
    if not tie.accepted and rng.random() < 0.35:
        await _accept(run, tie, person)
    return True


def _check_accepted(run: Run, tie: Affiliation, shown: Any) -> None:
    if (shown["accepted_at"] is not None) != tie.accepted:
        run.differ(tie.person, f"affiliation {tie.id}", f"accepted: {tie.accepted}", shown)


async def _accept(run: Run, tie: Affiliation, who: str) -> None:
    waits = not tie.accepted and not tie.is_over(run.world.today)
    told = await run.write(
        who, "POST", f"{PATH}/{tie.id}/acceptance", allowed=waits and who == tie.person,
        doing=f"accepts {run.world.name(tie.person)} at {run.world.name(tie.organisation)}",
    )  # fmt: skip
    if told:
        tie.accepted = True
        _check_accepted(run, tie, told)


async def answer(run: Run, cast: Cast) -> bool:
    """Somebody accepts what waits for their word, or refuses it; or tries what is not theirs, or is not
    waiting any more."""
    world, rng = run.world, run.rng
    ties = list(world.affiliations.values())
    waiting = [t for t in ties if not t.accepted and not t.is_over(world.today)]
    tie = rng.choice(waiting if waiting and rng.random() < 0.8 else ties)
    who = tie.person if rng.random() < 0.8 else someone(run, world.people)
    if rng.random() < 0.7:
        await _accept(run, tie, who)
        return True
    waits = not tie.accepted and not tie.is_over(world.today)
    told = await run.write(
        who, "POST", f"{PATH}/{tie.id}/refusal", allowed=waits and who == tie.person,
        doing=f"refuses {world.name(tie.person)} at {world.name(tie.organisation)}",
    )  # fmt: skip
    if told:
        tie.ends = max(world.today, tie.starts)
    return True


async def depart(run: Run, cast: Cast) -> bool:
    """A tie to a school ends, or begins to count again."""
    world, rng = run.world, run.rng
    schools = cast.all(SCHOOLS)
    homes = {(who, a.text.home) for a in world.agreements.values() for who in a.text.learners}
    ties = [
        t
        for t in world.affiliations.values()
        if t.organisation in schools and t.person != cast["Olwen"]
    ]
    # Learners who leave the home organisation are what this is for.
    at_home = [t for t in ties if (t.person, t.organisation) in homes]
    tie = rng.choice(at_home if at_home and rng.random() < 0.6 else ties)
    ends = None
    if counts(tie.starts, tie.ends, world.today):
        ends = max(world.today, tie.starts)
    # What is over begins again only where the person need not be asked.
    revives = tie.is_over(world.today) and ends is None
    unasked = world.counts_unasked(cast["Olwen"], tie.person, tie.organisation)
    told = await run.write(
        cast["Olwen"], "PATCH", f"{PATH}/{tie.id}",
        {"ends_on": ends.isoformat() if ends else None},
        allowed=unasked or not revives, refused_as=409,
        doing=f"writes: {world.name(tie.person)} at {world.name(tie.organisation)} as {tie.role}, "
        f"{tie.starts} to {ends}",
    )  # fmt: skip
    if told:
        tie.ends = ends
        tie.accepted = tie.accepted or revives
        _check_accepted(run, tie, told)
    return True


async def client(run: Run, cast: Cast) -> bool:
    """A client is disabled, or enabled again."""
    found = run.world.clients[someone(run, run.world.clients)]
    if not found.disabled and run.rng.random() < 0.7:
        return False
    found.disabled = not found.disabled
    run.say(f"({run.world.name(found.id)} is {'disabled' if found.disabled else 'enabled'})")
    async with run.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(ClientRow)
            .where(ClientRow.id == UUID(found.id))
            .values(disabled_at=now() if found.disabled else None)
        )
    return True


async def sweep(run: Run, cast: Cast) -> bool:
    """What has come to its date is erased, with what others hold of it; shares that are over go."""
    world = run.world
    for share in list(world.shares.values()):
        if share.ends is not None and share.ends <= world.today:
            del world.shares[share.id]
    for record in world.records.values():
        if record.due(world.today):
            record.kept.clear()
            for share in world.shares_of(record.id):
                del world.shares[share.id]
    run.say("(the sweep erases what is due)")
    await SWEEP(run.database, store())
    return True


async def mark(run: Run, cast: Cast) -> bool:
    """The mark of agreements whose learners have gone: it hides nothing that the dates show."""
    run.say("(the sweep marks agreements whose learners have gone)")
    async with run.database.work() as unit:
        await mark_gone(unit, 1000)
    return True
