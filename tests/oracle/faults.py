"""Deliberate faults in the policy, planted one at a time; the oracle has to find each."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from sqlalchemy import and_, select, true, update

from app.access import door, evidence, owned, records, ticking, visibility
from app.access import relations as r
from app.access.agreements import AGREEMENTS
from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.visibility import Resource, Way
from app.actions.accounts import joining
from app.actions.agreements import enacting, protecting
from app.models.organisations import Organisation
from app.models.records import Record as RecordRow
from app.models.terms import Reader

Plant = Callable[[pytest.MonkeyPatch], None]
RECORDS_SEEN = (GOALS, EVIDENCE_ITEMS)


@dataclass(frozen=True)
class Fault:
    """What is wrong, the steps among which it shows soonest (beside all others), and the number of
    the world with which the search for it begins: one in which it showed soon."""

    plant: Plant
    often: tuple[str, ...]
    seed: int = 0


def _of_frozen(patch: pytest.MonkeyPatch, resource: Resource, name: str, value: Any) -> None:
    """Changes a field of a frozen resource until the test is over."""
    patch.setitem(resource.__dict__, name, value)


def _change_ways(
    patch: pytest.MonkeyPatch, resource: Resource, change: Callable[[Any, Way], Way | None]
) -> None:
    """Puts other ways of seeing in the place of those that are there; None leaves one out."""
    before = resource.ways

    def ways(row: Any, kind: Any) -> list[Way]:
        return [new for way in before(row, kind) if (new := change(row, way)) is not None]

    _of_frozen(patch, resource, "ways", ways)


def parent_leads(patch: pytest.MonkeyPatch) -> None:
    """Leaders of the parent organisation read what leaders of the home organisation read."""
    below: Any = Organisation.__table__.alias("below")
    home = owned.leading.c.organisation_id

    def change(row: Any, way: Way) -> Way:
        if way.name != "leader":
            return way
        parent = (
            select(below.c.parent_id)
            .where(below.c.id == row.c.home_organisation_id)
            .correlate_except(below)
        )
        return replace(
            way, link=(row.c.home_organisation_id == home) | (home == parent.scalar_subquery())
        )

    for resource in RECORDS_SEEN:
        _change_ways(patch, resource, change)


def newcomers_read_all(patch: pytest.MonkeyPatch) -> None:
    """Who joins reads what was written before, whatever the amendment says."""
    patch.setattr(r, "reached_by", lambda party, record: true())


def who_has_left_reads(patch: pytest.MonkeyPatch) -> None:
    """A coach who has left reads on."""
    party = owned.party

    def change(row: Any, way: Way) -> Way:
        if way.name != "coaches":
            return way
        return replace(way, mine=and_(party.c.person_id == r.me, party.c.reader == Reader.COACHES))

    for resource in RECORDS_SEEN:
        _change_ways(patch, resource, change)


def ticks_of_another_class(patch: pytest.MonkeyPatch) -> None:
    """Fellows read what is ticked for advisers."""

    def change(row: Any, way: Way) -> Way:
        if way.name != "fellows":
            return way
        return replace(way, condition=and_(row.c.to_advisers, r.reached_by(owned.party, row)))

    _change_ways(patch, GOALS, change)


def the_edge_reads(patch: pytest.MonkeyPatch) -> None:
    """Newcomers at the edge of a network read, whatever the terms say."""
    patch.setattr(
        owned,
        "member_reads",
        lambda row, kind, member, shared: owned.network_reads(row, kind, member.c.network_id),
    )


def ended_shares_count(patch: pytest.MonkeyPatch) -> None:
    """A share goes on after its last day."""
    patch.setattr(r, "share_counts", lambda share: true())


def withdrawn_consent_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """Leaders and systems read on when consent was withdrawn."""
    before = RecordRow.say_of_pupils

    def say(self: RecordRow, values: dict[str, Any]) -> set[str]:
        readers = self.readers
        changed = before(self, values)
        self.tick(readers)
        return changed

    patch.setattr(RecordRow, "say_of_pupils", say)


def widening_reaches_back(patch: pytest.MonkeyPatch) -> None:
    """Terms that are widened open what was written before."""
    before = ticking.narrow

    async def narrow(access: Any, agreement_id: Any, old: Any, new: Any) -> None:
        await before(access, agreement_id, old, new)
        for kind, resource in records.RECORDS.items():
            for reader in new.disclosure.ticks(kind) - old.disclosure.ticks(kind):
                if reader != Reader.NETWORKS:
                    table = resource.table
                    await access.unit.session.execute(
                        update(table)
                        .values({f"to_{reader}": True})
                        .where(table.c.agreement_id == agreement_id)
                    )

    patch.setattr(ticking, "narrow", narrow)


def home_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """Leaders and systems read on when the learners have left."""
    patch.setattr(owned, "at_home", lambda row: true())


def clients_of_others_read(patch: pytest.MonkeyPatch) -> None:
    """The client of any organisation reads what is ticked for systems."""

    def change(row: Any, way: Way) -> Way:
        if way.name != "system":
            return way
        return replace(
            way, condition=and_(row.c.to_systems, owned.at_home(row), owned.open_to_others(row))
        )

    _change_ways(patch, GOALS, change)


def kept_shows_today(patch: pytest.MonkeyPatch) -> None:
    """Who has left reads the words of today."""

    def put_back(row: dict[str, Any], lists: tuple[str, ...]) -> None:
        row["kept_at"], row["view"] = row["updated_at"], visibility.KEPT
        row["only_written"] = False

    patch.setattr(records, "_put_back", put_back)


def lists_forget_named_shares(patch: pytest.MonkeyPatch) -> None:
    """Somebody with whom a record is shared reads it, and does not find it in the list."""
    before = visibility.page_query

    @cache
    def page_query(resource: Resource, kind: Any, filters: Any, *, continued: bool) -> Any:
        ways = resource.ways
        less = replace(
            resource, ways=lambda row, who: [w for w in ways(row, who) if w.name != "share"]
        )
        return before.__wrapped__(less, kind, filters, continued=continued)

    patch.setattr(door, "page_query", page_query)


def former_parties_read_the_text(patch: pytest.MonkeyPatch) -> None:
    """Who has left reads the text that rules today, not the last that was theirs."""
    columns = AGREEMENTS.columns

    def change(row: Any, kind: Any) -> list[Any]:
        return [
            row.c.shown_number.label("number") if c.name == "number" else c
            for c in columns(row, kind)
        ]

    _of_frozen(patch, AGREEMENTS, "columns", change)


def nothing_stays_behind(patch: pytest.MonkeyPatch) -> None:
    """A learner who has moved on reads on what may show children."""
    before = evidence._finish

    def finish(row: dict[str, Any]) -> None:
        row["withheld"] = False
        before(row)

    prepare = records._prepare(
        {"title": "", **dict.fromkeys(evidence._TEXT), "files": "[]"}, ("goal_ids", "files"), finish
    )
    _of_frozen(patch, EVIDENCE_ITEMS, "prepare", prepare)


def what_waits_counts(patch: pytest.MonkeyPatch) -> None:
    """An affiliation counts before its person has accepted it."""
    patch.setattr(r, "current", r.on_its_days)


def a_join_opens(patch: pytest.MonkeyPatch) -> None:
    """Where one record of a person has left and the other is, leaders read again what was left."""

    async def keep_closed(unit: Any, **both: Any) -> None:
        return None

    patch.setattr(joining, "keep_closed", keep_closed)


def a_join_leaves_the_parties(patch: pytest.MonkeyPatch) -> None:
    """The acts of one hand on an agreement that is over know a record only by its old id."""

    async def text_today(owned: Any, version: Any) -> Any:
        return version.text

    for module in (enacting, protecting):
        patch.setattr(module, "text_today", text_today)


FAULTS = {
    plant.__name__: Fault(plant, often, seed)
    for plant, often, seed in (
        (parent_leads, ("move", "write_record"), 4),
        (newcomers_read_all, ("amend", "write_record"), 4),
        (who_has_left_reads, ("amend", "protect", "write_record"), 5),
        (ticks_of_another_class, ("write_record", "retick"), 2),
        (the_edge_reads, ("share", "join", "write_record"), 7),
        (ended_shares_count, ("share", "end_share", "write_record"), 22),
        (withdrawn_consent_is_ignored, ("revise", "write_record"), 4),
        (widening_reaches_back, ("amend", "write_record"), 18),
        (home_is_ignored, ("depart", "write_record"), 11),
        (clients_of_others_read, ("write_record",), 0),
        (kept_shows_today, ("protect", "revise", "write_record"), 4),
        (lists_forget_named_shares, ("share", "write_record"), 0),
        (former_parties_read_the_text, ("amend", "protect"), 1),
        (nothing_stays_behind, ("depart", "write_record"), 11),
        (what_waits_counts, ("move", "move", "write_record"), 0),
        (a_join_opens, ("depart", "finish", "become_one"), 55),
        (a_join_leaves_the_parties, ("finish", "become_one", "protect"), 12),
    )
}


def _make_queries_anew(patch: pytest.MonkeyPatch) -> None:
    """Queries are made once and kept, wherever they are made: with a fault others are made, and those
    without it are there again when the fault is gone."""
    anew: dict[Any, Any] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith("app."):
            continue
        for key, made in list(vars(module).items()):
            if hasattr(made, "cache_clear") and made.__module__.startswith(
                ("app.access", __name__)
            ):
                if made not in anew:
                    anew[made] = cache(made.__wrapped__)
                patch.setattr(module, key, anew[made])


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        _make_queries_anew(patch)
        yield
