"""Texts of agreements: chosen at random, and as the wire has them."""

import random
from dataclasses import replace
from typing import Any

from tests.oracle.model import CLASSES, KEEPS, PARTY_CLASSES, Named, Text, World
from tests.oracle.service import Run
from tests.oracle.start import ABLE, SCHOOLS, Cast

SUPPORT = ("coach", "co_coach", "mentor", "tutor", "specialist")
READERS = (*CLASSES, "networks")


def _some(rng: random.Random, things: tuple[str, ...], odds: float) -> frozenset[str]:
    return frozenset(thing for thing in things if rng.random() < odds)


def random_terms(rng: random.Random) -> dict[str, frozenset[str]]:
    existence = frozenset(PARTY_CLASSES) | _some(rng, ("leaders", "systems"), 0.6)
    text = frozenset(PARTY_CLASSES) | (existence & _some(rng, ("leaders", "systems"), 0.3))
    return {
        "existence": existence,
        "text": text,
        "goals": _some(rng, READERS, 0.65),
        "evidence": _some(rng, READERS, 0.65),
    }


def random_home(rng: random.Random, world: World, cast: Cast, learners: list[str]) -> str | None:
    """Where a learner is today; sometimes nowhere."""
    places = [p for p in cast.all(SCHOOLS) if any(world.is_at(who, p) for who in learners)]
    return rng.choice(places) if places and rng.random() < 0.85 else None


def random_text(rng: random.Random, run: Run, cast: Cast) -> Text:
    people = cast.all(ABLE)
    rng.shuffle(people)
    learners = [people.pop() for _ in range(rng.choice((1, 2, 2)))]
    parties = [Named(person, "learner") for person in learners]
    parties.append(Named(people.pop(), rng.choice(SUPPORT[:3])))
    parties += [Named(people.pop(), rng.choice(SUPPORT)) for _ in range(rng.choice((0, 1, 1, 2)))]
    if rng.random() < 0.15:
        parties.append(Named(parties[-1].person, _other_role(rng, parties[-1].role)))
    return Text(
        parties=tuple(parties),
        home=random_home(rng, run.world, cast, learners),
        networks=(),
        terms=random_terms(rng),
        former=rng.choice(KEEPS),
        peripheral=rng.random() < 0.3,
        purpose=run.serial("purpose", "learning_agreement"),
    )


def _other_role(rng: random.Random, role: str) -> str:
    return rng.choice([r for r in SUPPORT if r != role])


def amended(rng: random.Random, run: Run, cast: Cast, text: Text) -> tuple[Text, str]:
    """Another text, and in words what is another in it."""
    outside = [p for p in cast.all(ABLE) if p not in text.people]
    supporting = [p for p in text.parties if p.role != "learner"]
    what = rng.choice(
        ("terms", "terms", "replace", "replace", "add", "add", "add earlier", "remove", "role",
         "second role", "home", "former", "edge", "purpose", "earlier of another")
    )  # fmt: skip
    parties = list(text.parties)
    if what == "terms":
        new = random_terms(rng)
        kinds = rng.sample(sorted(new), rng.choice((1, 2, 4)))
        terms = {kind: new[kind] if kind in kinds else text.terms[kind] for kind in text.terms}
        terms["existence"] |= terms["text"]
        return replace(text, terms=terms), "other terms"
    if what in ("replace", "add", "add earlier") and outside:
        came = rng.choice(outside)
        earlier = what == "add earlier" or (what == "replace" and rng.random() < 0.2)
        if what == "replace":
            gone = rng.choice(parties)
            parties = [p for p in parties if p.person != gone.person]
            role = gone.role
        else:
            role = rng.choice((*SUPPORT, "learner"))
        parties.append(Named(came, role, earlier))
        who = run.world.name(came) + (" with earlier records" if earlier else "")
        return replace(text, parties=tuple(parties)), f"{what}: {who} as {role}"
    if what == "remove" and len(text.people) > 2:
        gone_person = rng.choice(text.people)
        left = tuple(p for p in parties if p.person != gone_person)
        return replace(text, parties=left), f"without {run.world.name(gone_person)}"
    if what == "role" and supporting:
        old = rng.choice(supporting)
        role = _other_role(rng, old.role)
        changed = [replace(p, role=role) if p == old else p for p in parties]
        return replace(text, parties=tuple(dict.fromkeys(changed))), (
            f"{run.world.name(old.person)} as {role}"
        )
    if what == "second role":
        named = rng.choice(parties)
        more = Named(named.person, rng.choice((*SUPPORT, "learner")))
        if all((p.person, p.role) != (more.person, more.role) for p in parties):
            return replace(text, parties=(*parties, more)), (
                f"{run.world.name(more.person)} also as {more.role}"
            )
    if what == "earlier of another":
        named = rng.choice(parties)
        changed = [replace(p, earlier=not p.earlier) if p == named else p for p in parties]
        return replace(text, parties=tuple(changed)), (
            f"earlier records of {run.world.name(named.person)}: {not named.earlier}"
        )
    if what == "home":
        home = random_home(rng, run.world, cast, text.learners)
        return replace(text, home=home), f"home {run.world.name(home)}"
    if what == "former":
        former = rng.choice([k for k in KEEPS if k != text.former])
        return replace(text, former=former), f"former parties keep {former}"
    if what == "edge":
        return replace(text, peripheral=not text.peripheral), f"edge {not text.peripheral}"
    return replace(text, purpose=run.serial("purpose", "learning_agreement")), "another purpose"


def narrower(rng: random.Random, text: Text) -> Text:
    """Terms that take something away, where there is something."""
    terms = {
        kind: ticks if kind in ("existence", "text") else ticks & _some(rng, READERS, 0.6)
        for kind, ticks in text.terms.items()
    }
    outside = _some(rng, ("leaders", "systems"), 0.5)
    for kind in ("existence", "text"):
        terms[kind] = frozenset(PARTY_CLASSES) | (terms[kind] & outside)
    former = rng.choice(KEEPS[: KEEPS.index(text.former) + 1])
    return replace(
        text, terms=terms, former=former, peripheral=text.peripheral and rng.random() < 0.5
    )


def wire_disclosure(text: Text) -> dict[str, Any]:
    return {
        **{kind: sorted(ticks) for kind, ticks in text.terms.items()},
        "former_parties": text.former,
        "peripheral_members": text.peripheral,
    }


def wire_text(world: World, text: Text) -> dict[str, Any]:
    """The text as the service takes it; where a supporting party leads the home, it says so."""
    at_home = [who for who in text.learners if text.home and world.is_at(who, text.home)]
    leading = [
        person for person in text.having(*SUPPORT) if text.home and world.leads(person, text.home)
    ]
    return {
        "parties": [
            {"person_id": p.person, "role": p.role, "earlier_records": p.earlier}
            for p in text.parties
        ],
        "dual_roles": [
            {"person_id": p, "learner_id": who, "relation": "leads", "safeguards": "The deputy."}
            for p in leading
            for who in at_home
        ],
        "home_organisation_id": text.home,
        "networks": list(text.networks),
        "purpose": text.purpose,
        "disclosure": wire_disclosure(text),
    }


REST: dict[str, Any] = {
    "beneficiaries": "Year 7.",
    "working_definition": "A structured conversation.",
    "performance_management_boundary": "Nothing goes into appraisal.",
    "ground_rules": ["Either may stop a topic."],
    "data_controller": "The school",
    "lawful_basis": "Public task",
    "retention": "Two years",
    "records_afterwards": "Erased.",
    "rhythm": {"every_weeks": 3, "minutes": 45, "minimum_conversations": 6},
    "coaching_model": "GROW",
    "starts_on": "2026-09-01",
}
"""What a proposal needs, and what says nothing of who reads."""
