"""What people do with agreements; each step returns whether there was anything to do."""

from dataclasses import replace
from typing import Any

from app.core.clock import today
from app.models.agreement_text import OBLIGATIONS
from app.models.agreements import LearningAgreement
from tests.oracle import acts
from tests.oracle.knowing import refusal
from tests.oracle.model import Agreement, Text, Version
from tests.oracle.policy import sees_agreement
from tests.oracle.service import Run
from tests.oracle.start import Cast
from tests.oracle.texts import REST, amended, narrower, random_text, wire_disclosure, wire_text

PATH = "/v1/learning-agreements"
AT_MOST = 3


def choose(run: Run, *states: str, table: bool | None = None) -> Agreement | None:
    """One of the agreements in a state, with or without something on the table."""
    found = [
        a
        for a in run.world.agreements.values()
        if a.state in states
        and (table is None or table == (a.on_the_table(run.world.today) is not None))
    ]
    return run.rng.choice(found) if found else None


def someone(run: Run, people: Any) -> str:
    found: str = run.rng.choice(sorted(people, key=run.world.name))
    return found


async def draft(run: Run, cast: Cast) -> bool:
    """A draft, often proposed and signed at once."""
    world, rng = run.world, run.rng
    if len(world.agreements) >= AT_MOST:
        return False
    text = random_text(rng, run, cast)
    drafter = someone(run, {*text.learners, *text.coaches})
    text = replace(text, networks=await _networks_seen(run, drafter))
    made = await run.write(
        drafter, "POST", PATH, {**REST, **wire_text(world, text)}, allowed=True,
        doing=f"drafts {describe(run, text)}",
    )  # fmt: skip
    agreement = Agreement(made["id"], drafter)
    acts.add_version(agreement, "agreement", text, drafter)
    world.agreements[agreement.id] = agreement
    world.names[agreement.id] = f"agreement {len(world.agreements)}"
    run.say(f"(that is {world.name(agreement.id)})")
    if rng.random() < 0.9:
        await propose(run, cast, agreement)
        if rng.random() < 0.85:
            await sign_all(run, agreement)
    return True


def describe(run: Run, text: Text) -> str:
    parties = ", ".join(
        f"{run.world.name(p.person)} {p.role}{' earlier' if p.earlier else ''}"
        for p in text.parties
    )
    terms = "; ".join(f"{kind}: {' '.join(sorted(t)) or '-'}" for kind, t in text.terms.items())
    networks = run.world.named(text.networks)
    return (
        f"[{parties}; home {run.world.name(text.home)}; networks {networks}; {terms}; "
        f"former {text.former}; edge {text.peripheral}]"
    )


async def _networks_seen(run: Run, person: str) -> tuple[str, ...]:
    """Some of the networks that somebody can name: those that they see."""
    found = []
    for network in run.world.networks:
        answer = await run.call(person, "GET", f"/v1/networks/{network}")
        if answer.status == 200 and run.rng.random() < 0.8:
            found.append(network)
    return tuple(found)


async def propose(run: Run, cast: Cast, agreement: Agreement | None = None) -> bool:
    agreement = agreement or choose(run, "draft")
    if agreement is None:
        return False
    version = agreement.versions[-1]
    done = await run.write(
        agreement.drafter, "POST", f"{PATH}/{agreement.id}/proposal", allowed=None,
        doing=f"proposes {run.world.name(agreement.id)}",
    )  # fmt: skip
    if done:
        agreement.state = version.state = "proposed"
        version.asked, version.digest = acts.signers(None, version.text), done["digest"]
        check_asked(run, agreement, version, done)
    return True


def check_asked(run: Run, agreement: Agreement, version: Version, shown: Any) -> None:
    """Everybody whose signature the rules ask for, and nobody else."""
    asked = {s["person_id"] for s in shown["signatures"]}
    if asked != version.asked:
        about = f"who signs version {version.number} of {run.world.name(agreement.id)}"
        run.differ(version.by, about, run.world.named(version.asked), run.world.named(asked))


async def sign_one(run: Run, agreement: Agreement, version: Version, person: str) -> bool:
    """Whether the service took it; with the last one the text rules."""
    moment = run.world.clock
    done = await run.write(
        person, "POST", f"{PATH}/{agreement.id}/signatures",
        {"digest": version.digest, "obligations": list(OBLIGATIONS)},
        allowed=True if version.signed | {person} != version.asked else None,
        doing=f"signs version {version.number} of {run.world.name(agreement.id)}",
    )  # fmt: skip
    if done is None:
        return False
    assert moment == run.world.clock
    if acts.sign(run.world, agreement, version, person):
        run.say(f"(version {version.number} of {run.world.name(agreement.id)} is in force)")
    return True


async def sign_all(run: Run, agreement: Agreement) -> None:
    version = agreement.on_the_table(run.world.today)
    assert version is not None
    for person in sorted(version.asked - version.signed, key=run.world.name):
        if not await sign_one(run, agreement, version, person):
            return


async def sign(run: Run, cast: Cast) -> bool:
    """One signature, all that are missing, or none: a refusal, or a taking back."""
    agreement = choose(run, "proposed", "active", table=True)
    if agreement is None:
        return False
    version = agreement.on_the_table(run.world.today)
    assert version is not None
    act = run.rng.choice(("one", "all", "all", "decline", "withdraw", "uninvited"))
    if act == "all":
        await sign_all(run, agreement)
    elif act == "one" and version.asked - version.signed:
        await sign_one(run, agreement, version, someone(run, version.asked - version.signed))
    elif act == "decline":
        await _off_the_table(run, agreement, version, someone(run, version.asked), "declination")
    elif act == "withdraw":
        await _off_the_table(run, agreement, version, version.by, "withdrawal")
    elif act == "uninvited":
        others = set(run.world.people) - version.asked
        who = someone(run, others)
        await run.write(
            who, "POST", f"{PATH}/{agreement.id}/signatures",
            {"digest": version.digest, "obligations": list(OBLIGATIONS)}, allowed=False,
            refused_as=refusal(run.world, who, "learning_agreement", agreement),
            doing=f"signs version {version.number} of {run.world.name(agreement.id)} unasked",
        )  # fmt: skip
    return True


async def _off_the_table(
    run: Run, agreement: Agreement, version: Version, who: str, act: str
) -> None:
    # Who proposed and has left takes nothing back.
    may = act == "declination" or agreement.ruling is None or who in agreement.parties
    done = await run.write(
        who, "POST", f"{PATH}/{agreement.id}/{act}", allowed=may,
        doing=f"{act} of version {version.number} of {run.world.name(agreement.id)}",
    )  # fmt: skip
    if done is None:
        return
    version.state = "declined" if act == "declination" else "withdrawn"
    if agreement.ruling is not None:
        agreement.table = agreement.lapses_on = None
    elif act == "declination":
        agreement.state = "declined"
    else:
        agreement.state = "draft"
        acts.add_version(agreement, "agreement", version.text, agreement.drafter)


async def redraft(run: Run, cast: Cast) -> bool:
    agreement = choose(run, "draft")
    if agreement is None:
        return False
    drafter = agreement.drafter
    texts = (random_text(run.rng, run, cast) for _ in range(20))
    text = next((t for t in texts if drafter in (*t.learners, *t.coaches)), None)
    if text is None:
        return False
    done = await run.write(
        agreement.drafter, "PATCH", f"{PATH}/{agreement.id}", wire_text(run.world, text),
        allowed=None, doing=f"redrafts {run.world.name(agreement.id)} {describe(run, text)}",
    )  # fmt: skip
    if done:
        agreement.versions[-1].text = text
    return True


async def amend(run: Run, cast: Cast) -> bool:
    """An amendment, often signed at once."""
    agreement = choose(run, "active", table=False)
    if agreement is None:
        return False
    old = agreement.text
    by = someone(run, {*old.learners, *old.coaches})
    if run.rng.random() < 0.15:
        networks = await _networks_seen(run, by)
        new, what = replace(old, networks=networks), f"networks {run.world.named(networks)}"
    else:
        new, what = amended(run.rng, run, cast, old)
    before, after = wire_text(run.world, old), wire_text(run.world, new)
    changes = {name: after[name] for name in after if after[name] != before[name]}
    done = await run.write(
        by, "POST", f"{PATH}/{agreement.id}/amendments", {"changes": changes}, allowed=None,
        doing=f"proposes for {run.world.name(agreement.id)}: {what}",
    )  # fmt: skip
    if done is None:
        return True
    acts.lapse(agreement)
    version = acts.add_version(agreement, "amendment", new, by)
    version.state, version.asked = "proposed", acts.signers(old, new)
    agreement.table, agreement.lapses_on = version.number, run.world.today + acts.LAPSES_AFTER
    path = f"{PATH}/{agreement.id}/versions/{done['amendment_number']}"
    shown = (await run.call(by, "GET", path)).json()
    version.digest = shown["digest"]
    check_asked(run, agreement, version, shown)
    if run.rng.random() < 0.75:
        await sign_all(run, agreement)
    return True


async def let_lapse(run: Run, cast: Cast) -> bool:
    agreement = choose(run, "active", table=True)
    if agreement is None:
        return False
    run.say(f"(time passes: the amendment of {run.world.name(agreement.id)} lapses)")
    await run.change(LearningAgreement, agreement.id, amendment_lapses_on=today())
    agreement.lapses_on = run.world.today
    agreement.version(agreement.table or 0).state = "lapsed"
    return True


async def protect(run: Run, cast: Cast) -> bool:
    """One party alone: narrow, leave, detach; now and then somebody who is none."""
    states = ("active", "active", "active", "completed", "ended")
    agreement = choose(run, *states)
    if agreement is None or not agreement.parties:
        return False
    act = run.rng.choice(("narrow", "narrow", "leave", "leave", "detach", "stranger"))
    who, path = someone(run, agreement.parties), f"{PATH}/{agreement.id}"
    about = run.world.name(agreement.id)
    if act == "narrow":
        text = narrower(run.rng, agreement.text)
        if text == agreement.text:
            return False
        done = await run.write(
            who, "POST", f"{path}/narrowing", wire_disclosure(text), allowed=True,
            doing=f"narrows {about} {describe(run, text)}",
        )  # fmt: skip
        _alone(run, agreement, "narrowing", text, who, done)
    elif act == "leave":
        await run.write(who, "POST", f"{path}/departure", allowed=True, doing=f"leaves {about}")
        over = agreement.state
        acts.leave(run.world, agreement, who)
        if over != "active":
            agreement.state = over
    elif act == "detach" and agreement.text.networks:
        network = run.rng.choice(agreement.text.networks)
        done = await run.write(
            who, "POST", f"{path}/detachments", {"network_id": network}, allowed=True,
            doing=f"detaches {run.world.name(network)} from {about}",
        )  # fmt: skip
        rest = tuple(n for n in agreement.text.networks if n != network)
        _alone(run, agreement, "detachment", replace(agreement.text, networks=rest), who, done)
    else:
        await _stranger_acts(run, agreement)
    return True


def _alone(run: Run, agreement: Agreement, act: str, text: Text, who: str, done: Any) -> None:
    over = agreement.state
    acts.alone(run.world, agreement, act, text, who)
    agreement.state = over


async def _stranger_acts(run: Run, agreement: Agreement) -> None:
    """Nobody narrows, leaves, amends or ends what they are no party of."""
    who = someone(run, {*run.world.people, *run.world.clients} - set(agreement.parties))
    act, body = run.rng.choice(
        (("narrowing", {"goals": []}), ("departure", None), ("ending", None),
         ("completion", None), ("amendments", {"changes": {"purpose": "Mine."}}))
    )  # fmt: skip
    await run.write(
        who, "POST", f"{PATH}/{agreement.id}/{act}", body, allowed=False,
        refused_as=refusal(run.world, who, "learning_agreement", agreement),
        doing=f"tries {act} of {run.world.name(agreement.id)} "
        f"(sees {sees_agreement(run.world, who, agreement)})",
    )  # fmt: skip


async def finish(run: Run, cast: Cast) -> bool:
    """Completion by one, or the end."""
    agreement = choose(run, "active")
    if agreement is None or run.rng.random() < 0.4:
        return False
    path, about = f"{PATH}/{agreement.id}", run.world.name(agreement.id)
    if run.rng.random() < 0.3:
        who = someone(run, agreement.parties)
        await run.write(who, "POST", f"{path}/ending", allowed=True, doing=f"ends {about}")
        acts.finish(agreement, "ended")
        return True
    who = someone(run, {*agreement.text.learners, *agreement.text.coaches})
    await run.write(
        who, "POST", f"{path}/completion", allowed=True, doing=f"holds {about} complete"
    )
    acts.complete(agreement, who)
    return True
