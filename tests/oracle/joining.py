"""What becomes of a world when two records of one person become one: whatever names the one names the
other, and nobody else sees more by that alone."""

from dataclasses import replace
from datetime import date
from typing import Any

from tests.oracle.model import Agreement, Record, Text, World
from tests.oracle.policy import ticks_left


def named(agreement: Agreement) -> set[str]:
    """Everybody who was ever asked to sign it, or a party of it."""
    found = {*agreement.parties, *agreement.left}
    for version in agreement.versions:
        found |= version.asked | version.present | version.signed
    return found


def may_become_one(world: World, gone: str, stays: str) -> bool:
    """They are nowhere two people, and nothing waits for who goes or binds them."""
    for agreement in world.agreements.values():
        if {gone, stays} <= named(agreement):
            return False
        table = agreement.on_the_table(world.today)
        waits = table is not None and gone in table.asked
        own = agreement.drafter == gone and agreement.state in ("draft", "proposed")
        if waits or own or (agreement.state == "active" and gone in agreement.parties):
            return False
    return True


def become_one(world: World, gone: str, stays: str) -> None:
    _keep_closed(world, gone, stays)
    for ties in (world.affiliations, world.members):
        _merge(ties, gone, stays)
    _end_shares_twice(world, gone, stays)

    def of(person: Any) -> Any:
        return stays if person == gone else person

    for tie in (*world.affiliations.values(), *world.members.values()):
        tie.person = of(tie.person)
    for agreement in world.agreements.values():
        _rename_agreement(agreement, of)
    for record in world.records.values():
        record.owner, record.author = of(record.owner), of(record.author)
        record.kept = {of(person): kept for person, kept in record.kept.items()}
        for entry in (*record.progress, *record.revisions, *record.files):
            entry.by = of(entry.by)
    for share in world.shares.values():
        share.owner, share.person = of(share.owner), of(share.person)
    world.people.remove(gone)


def _rename_agreement(agreement: Agreement, of: Any) -> None:
    agreement.drafter = of(agreement.drafter)
    for version in agreement.versions:
        version.text, version.by = _renamed(version.text, of), of(version.by)
        version.asked = frozenset(map(of, version.asked))
        version.present = frozenset(map(of, version.present))
        version.signed = set(map(of, version.signed))
    agreement.since = {(of(person), r): since for (person, r), since in agreement.since.items()}
    agreement.left = {of(person): left for person, left in agreement.left.items()}
    agreement.complete_by = {side: of(person) for side, person in agreement.complete_by.items()}


def _renamed(text: Text, of: Any) -> Text:
    return replace(text, parties=tuple(replace(p, person=of(p.person)) for p in text.parties))


def _keep_closed(world: World, gone: str, stays: str) -> None:
    """What was closed since one has left a place stays closed, though the other is there."""
    other = {gone: stays, stays: gone}
    for agreement in world.agreements.values():
        learners = [p for p in agreement.parties if p in other and p in agreement.text.learners]
        home = agreement.text.home
        comes = any(_is_or_will_be_at(world, other[p], home) for p in learners)
        if comes and not world.learner_at_home(agreement):
            agreement.closed_outside = True
            for record in world.records.values():
                if record.agreement == agreement.id:
                    record.ticks = ticks_left(record.ticks)
    for record in world.records.values():
        if record.owner in other and _wakes(world, record, other[record.owner]):
            for share in world.shares_of(record.id):
                del world.shares[share.id]
            for goal in record.goals:
                for share in world.shares_of(goal):
                    share.with_evidence = False


def _wakes(world: World, record: Record, other: str) -> bool:
    return (
        record.kind == "evidence_item"
        and record.may_show_pupils
        and record.controller is not None
        and not world.is_at(record.owner, record.controller)
        and _is_or_will_be_at(world, other, record.controller)
    )


def _is_or_will_be_at(world: World, person: str, place: str | None) -> bool:
    return any(
        tie.person == person and tie.organisation == place and world.today < (tie.ends or date.max)
        for tie in world.affiliations.values()
    )


def _merge(ties: dict[str, Any], gone: str, stays: str) -> None:
    """Of two that say the same of the same days one is left, with the days of both."""
    rows = [ties[id_] for id_ in sorted(ties)]
    for row in (row for row in rows if row.person == gone):
        twin = next((t for t in rows if t.person == stays and _same(t, row)), None)
        if twin is None:
            continue
        if _confirmed(row) and not _confirmed(twin):
            row, twin = twin, row
        elif _confirmed(row):
            twin.starts = min(twin.starts, row.starts)
            twin.ends = None if None in (twin.ends, row.ends) else max(twin.ends, row.ends)
        row.ends = row.starts


def _confirmed(tie: Any) -> bool:
    return getattr(tie, "confirmed", True)


def _same(one: Any, other: Any) -> bool:
    def where(tie: Any) -> tuple[Any, ...]:
        return (tie.role, getattr(tie, "network", None), tie.organisation)

    begin = max(one.starts, other.starts)
    end = min(one.ends or date.max, other.ends or date.max)
    days = all(tie.starts < (tie.ends or date.max) for tie in (one, other)) and begin < end
    return where(one) == where(other) and days


def _end_shares_twice(world: World, gone: str, stays: str) -> None:
    """With themself; and of two shares of one record with them the shorter."""
    both = {gone, stays}
    for share in list(world.shares.values()):
        if share.person not in both:
            continue
        if share.owner in both:
            del world.shares[share.id]
            continue
        others = [s for s in world.shares_of(share.record) if s.person in both - {share.person}]
        for other in others:
            mine, theirs = share.ends or date.max, other.ends or date.max
            if theirs > mine or (theirs == mine and share.person == gone):
                world.shares.pop(share.id, None)
