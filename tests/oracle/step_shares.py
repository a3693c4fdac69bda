"""What people do with shares, networks and their members."""

from datetime import timedelta
from typing import Any

from app.core.clock import now
from app.models.networks import Network as NetworkRow
from app.models.networks import NetworkMember
from app.models.shares import Share as ShareRow
from tests.oracle.knowing import refusal
from tests.oracle.model import TERM_OF_KIND, Member, Record, Share
from tests.oracle.policy import stays_behind
from tests.oracle.service import Run
from tests.oracle.start import Cast, add_member
from tests.oracle.step_agreements import someone
from tests.oracle.step_records import pick

PATH = "/v1/shares"


async def share(run: Run, cast: Cast) -> bool:
    """With a named person or a network, by its owner; now and then by another."""
    record = pick(run)
    if record is None:
        return False
    world, rng = run.world, run.rng
    body: dict[str, Any] = {f"{record.kind}_id": record.id}
    ends = None
    if rng.random() < 0.55:
        ends = world.today + timedelta(days=20)
        body |= {
            "person_id": someone(run, set(world.people) - {record.owner}),
            "reason": "Advice.", "ends_on": ends.isoformat(),
        }  # fmt: skip
        if record.kind == "goal" and rng.random() < 0.5:
            body["with_evidence"] = True
    else:
        record, network = _for_network(run, record)
        body = {f"{record.kind}_id": record.id, "network_id": network}
    agreement = world.agreement_of(record)
    stranger = rng.random() < 0.15
    parties = set(agreement.parties if agreement else ()) - {record.owner}
    who = someone(run, parties or {cast["Huw"]}) if stranger else record.owner
    if who == record.owner and stranger:
        return False
    done = await run.write(
        who, "POST", PATH, body, allowed=_may(run, record, body, own=who == record.owner),
        doing=f"shares {world.name(record.id)} with "
        f"{world.name(body.get('person_id') or body.get('network_id'))}"
        f"{' and its evidence' if body.get('with_evidence') else ''}",
    )  # fmt: skip
    if done is None:
        return True
    for old in world.shares_of(record.id):
        # One whose last day has passed makes room.
        if (old.person, old.network) == (body.get("person_id"), body.get("network_id")):
            del world.shares[old.id]
    made = Share(
        done["id"], record.owner, record.kind, record.id, body.get("person_id"),
        body.get("network_id"), body.get("with_evidence", False), ends, world.tick(),
    )  # fmt: skip
    world.shares[made.id] = made
    with_whom = world.name(made.person or made.network)
    world.names[made.id] = f"share of {world.name(record.id)} with {with_whom}"
    return True


def _for_network(run: Run, record: Record) -> tuple[Record, str]:
    """A record and a network; more often than not such as the rules let be shared."""
    world = run.world
    fitting = [
        (other, network)
        for other in world.records.values()
        for network in world.networks
        if _may(run, other, {"network_id": network}, own=True) is None
        and not any(share.network == network for share in world.shares_of(other.id))
    ]
    if fitting and run.rng.random() < 0.75:
        return run.rng.choice(fitting)
    return record, someone(run, world.networks)


def _may(run: Run, record: Record, body: dict[str, Any], *, own: bool) -> bool | None:
    """False: the rules refuse it. None: whether they see whom they share with is not ours."""
    world = run.world
    if not own or record.consent == "withdrawn" or record.due(world.today):
        return False
    if "network_id" not in body or stays_behind(world, record):
        return None
    agreement = world.agreement_of(record)
    named = (
        agreement is not None
        and body["network_id"] in agreement.text.networks
        and "networks" in agreement.text.terms[TERM_OF_KIND[record.kind]]
        and not (record.may_show_pupils and record.consent != "given")
    )
    return None if named else False


async def end_share(run: Run, cast: Cast) -> bool:
    """Taken back by its owner, or over by its date; refused to everybody else."""
    world = run.world
    if not world.shares:
        return False
    found = world.shares[run.rng.choice(list(world.shares))]
    act = run.rng.choice(("back", "over", "over", "stranger"))
    if act == "over":
        found.ends = world.today - timedelta(days=run.rng.choice((0, 1)))
        run.say(f"(time passes: the {world.name(found.id)} is over)")
        await run.change(ShareRow, found.id, ends_on=found.ends)
        return True
    others = {*world.people, *world.clients} - {found.owner}
    who = found.owner if act == "back" else someone(run, others)
    done = await run.write(
        who, "DELETE", f"{PATH}/{found.id}", allowed=act == "back",
        refused_as=None if act == "back" else refusal(world, who, "share", found),
        doing=f"takes back the {world.name(found.id)}",
    )  # fmt: skip
    if done is not None:
        del world.shares[found.id]
    return True


async def join(run: Run, cast: Cast) -> bool:
    """Somebody joins a network, or asks to, which counts for nothing."""
    world = run.world
    network = someone(run, world.networks)
    lead = cast["Huw"] if network == cast["N1"] else cast["Gwen"]
    who = someone(run, set(world.people) - {lead})
    if run.rng.random() < 0.2:
        made = await run.write(
            who, "POST", f"/v1/networks/{network}/members", {"person_id": who},
            allowed=None, doing=f"asks to join {world.name(network)}",
        )  # fmt: skip
        if made:
            member = Member(made["id"], network, who, None, "member", world.today, confirmed=False)
            world.members[member.id] = member
        return True
    role = run.rng.choice(("member", "member", "peripheral", "specialist", "facilitator"))
    await add_member(run, lead, network, who, role)
    return True


async def change_member(run: Run, cast: Cast) -> bool:
    """A membership ends, is yet to begin, takes another role, or is confirmed; by its dates."""
    world, rng = run.world, run.rng
    found = [m for m in world.members.values() if m.role != "lead"]
    if not found:
        return False
    member = rng.choice(found)
    who = f"{world.name(member.person or member.organisation)} in {world.name(member.network)}"
    act = rng.choice(("end", "end", "future", "again", "role", "confirm"))
    values: dict[str, Any]
    if act == "end":
        member.starts = world.today - timedelta(days=9)
        member.ends = world.today - timedelta(days=rng.choice((0, 3)))
        values = {"starts_on": member.starts, "ends_on": member.ends}
    elif act == "future":
        member.starts, member.ends = world.today + timedelta(days=1), None
        values = {"starts_on": member.starts, "ends_on": None}
    elif act == "again":
        member.starts, member.ends = world.today, world.today + timedelta(days=1)
        values = {"starts_on": member.starts, "ends_on": member.ends}
    elif act == "role":
        if member.organisation:
            return False
        member.role = rng.choice(("member", "peripheral", "specialist"))
        values = {"role": member.role}
    else:
        member.confirmed = True
        values = {"confirmed_at": now()}
    run.say(f"(time passes: {who}: {act} {values})")
    await run.change(NetworkMember, member.id, **values)
    return True


async def close_network(run: Run, cast: Cast) -> bool:
    world = run.world
    network = world.networks[someone(run, world.networks)]
    is_open = world.is_open(network.id)
    if is_open and run.rng.random() < 0.6:
        return False
    network.closed_on = world.today if is_open else None
    run.say(f"({world.name(network.id)} is {'closed' if is_open else 'opened again'})")
    await run.change(NetworkRow, network.id, closed_on=network.closed_on)
    return True
