"""What the acts of the parties do to a world of the oracle."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from tests.oracle.model import (
    CLASSES,
    KEEPS,
    TERM_OF_KIND,
    Agreement,
    Kept,
    Left,
    Named,
    Record,
    Text,
    Version,
    World,
)
from tests.oracle.policy import classes_reading, ticks_left, wrote_it

LAPSES_AFTER = timedelta(days=30)


def signers(old: Text | None, new: Text) -> frozenset[str]:
    """Everybody whom either text names; but who is only removed or replaced, while nothing is
    widened, cannot stand in the way."""
    if old is None or only_replaces(old, new):
        return frozenset(new.people)
    return frozenset([*old.people, *new.people])


def only_replaces(old: Text, new: Text) -> bool:
    """Some go, at most as many come, each in the role of one who goes and without what was before;
    nothing else is another."""
    staying = set(old.people) & set(new.people)
    gone = Counter(p.role for p in old.parties if p.person not in staying)
    come = [p for p in new.parties if p.person not in staying]
    same = replace(old, parties=()) == replace(new, parties=()) and {
        p for p in old.parties if p.person in staying
    } == {p for p in new.parties if p.person in staying}
    return (
        bool(gone)
        and same
        and not any(p.earlier for p in come)
        and not Counter(p.role for p in come) - gone
    )


def is_narrower(old: Text, new: Text) -> bool:
    """Whether terms open nothing that others keep closed."""
    return (
        all(new.terms[kind] <= old.terms[kind] for kind in old.terms)
        and KEEPS.index(new.former) <= KEEPS.index(old.former)
        and not (new.peripheral and not old.peripheral)
    )


def put_in_force(world: World, agreement: Agreement, version: Version) -> None:
    """A text rules from now on: who is a party, what is ticked, what former parties keep."""
    moment, text = world.tick(), version.text
    old = agreement.in_force
    records = [r for r in world.records.values() if r.agreement == agreement.id]
    if old is not None:
        keeps = min(old.text.former, text.former, key=KEEPS.index)
        for person in set(old.text.people) - set(text.people):
            _depart(world, agreement, person, records, moment, keeps)
        old.state = "superseded"
    agreement.since = {
        (person, reader): agreement.since.get((person, reader), moment)
        for person in text.people
        for reader in text.classes(person)
    }
    for person in text.people:
        agreement.left.pop(person, None)
    for side, person in list(agreement.complete_by.items()):
        if person not in text.people:
            del agreement.complete_by[side]
    # Narrowing works at once on everything; widening on nothing that is there.
    keep_less(records, text.former)
    agreement.edge_since = (agreement.edge_since or moment) if text.peripheral else None
    version.state = "in_force"
    # By an act of one hand nothing is opened.
    agreement.closed_outside &= version.act not in ("agreement", "amendment")
    agreement.ruling, agreement.state = version.number, "active"
    agreement.table = agreement.lapses_on = None
    for record in records:
        allowed = text.terms[TERM_OF_KIND[record.kind]]
        close_kept(record, set(CLASSES) - allowed)
        record.ticks &= allowed
        if old is not None and old.text.home != text.home:
            record.ticks = ticks_left(record.ticks)
    if old is not None:
        _close_to_outsiders(records, set(old.text.learners) - set(text.learners))
    _end_shares(world, agreement, text)


def _close_to_outsiders(records: list[Record], gone: set[str]) -> None:
    """Leaders and systems read while the learner is one: not on, because another learner is there."""
    for record in records:
        if record.owner in gone:
            record.ticks = ticks_left(record.ticks)


def _end_shares(world: World, agreement: Agreement, text: Text) -> None:
    """What was shared with a network that is named or ticked no more comes back, for good."""
    for share in list(world.shares.values()):
        record = world.records[share.record]
        if share.network is None or record.agreement != agreement.id:
            continue
        ticked = "networks" in text.terms[TERM_OF_KIND[record.kind]]
        if share.network not in text.networks or not ticked:
            del world.shares[share.id]


def _depart(
    world: World,
    agreement: Agreement,
    person: str,
    records: list[Record],
    moment: int,
    keeps: str,
) -> None:
    """Keeps what they typed for another, or all that they read, as it stands."""
    assert agreement.in_force is not None
    for record in records:
        read = classes_reading(agreement, person, record) if keeps == "their_time" else frozenset()
        typed = keeps != "nothing" and wrote_it(person, record)
        if record.owner != person and (read or typed) and not record.due(world.today):
            record.kept[person] = Kept(moment, record.words, read, typed)
    agreement.left[person] = Left(moment, agreement.in_force.number)


def keep_less(records: list[Record], former: str) -> None:
    """Terms that let former parties keep less take it from everybody who has left."""
    for record in records:
        for person, kept in list(record.kept.items()):
            if former == "nothing" or (former == "own" and not kept.typed):
                del record.kept[person]
            elif former == "own":
                kept.classes = frozenset()


def close_kept(record: Record, closed: set[str]) -> None:
    """What is closed to a class is closed to those who were of it, for good."""
    for kept in record.kept.values():
        kept.classes -= closed


def add_version(agreement: Agreement, act: str, text: Text, by: str) -> Version:
    version = Version(len(agreement.versions) + 1, act, text, by)
    agreement.versions.append(version)
    return version


def lapse(agreement: Agreement) -> None:
    """An amendment that is on the table is there no more."""
    if agreement.table is not None:
        version = agreement.version(agreement.table)
        if version.state == "proposed":
            version.state = "lapsed"
    agreement.table = agreement.lapses_on = None


def alone(world: World, agreement: Agreement, act: str, text: Text, by: str) -> None:
    """A protective act: a version that one party makes, in force at once."""
    lapse(agreement)
    present = frozenset(agreement.parties)
    version = add_version(agreement, act, text, by)
    version.present, version.signed = present & frozenset(text.people), {by}
    put_in_force(world, agreement, version)


def leave(world: World, agreement: Agreement, person: str) -> None:
    text = agreement.text
    rest = replace(text, parties=tuple(p for p in text.parties if p.person != person))
    alone(world, agreement, "departure", rest, person)
    if not rest.learners:
        finish(agreement, "ended")


def finish(agreement: Agreement, state: str) -> None:
    lapse(agreement)
    agreement.state = state


def sign(world: World, agreement: Agreement, version: Version, person: str) -> bool:
    """Whether with this signature everybody has signed, and the text rules."""
    version.signed.add(person)
    if version.signed != version.asked:
        return False
    put_in_force(world, agreement, version)
    return True


def complete(agreement: Agreement, person: str) -> None:
    """A learner and a coach, who are two people."""
    text, said = agreement.text, agreement.complete_by
    if person in text.learners and "learner" not in said and said.get("coach") != person:
        said["learner"] = person
    elif person in text.coaches and "coach" not in said and said.get("learner") != person:
        said["coach"] = person
    if len(said) == 2:
        finish(agreement, "completed")


def with_party(text: Text, *parties: Named) -> Text:
    return replace(text, parties=(*text.parties, *parties))


def without(text: Text, person: str) -> Text:
    return replace(text, parties=tuple(p for p in text.parties if p.person != person))


def delete_record(world: World, record: Record) -> None:
    """Its shares and what hangs below it go with it."""
    for share in world.shares_of(record.id):
        del world.shares[share.id]
    del world.records[record.id]
    for other in world.records.values():
        other.goals.discard(record.id)
