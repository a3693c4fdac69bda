"""Who sees what: the rules of the field in plain Python, one oracle for each kind of record.

A new kind joins by being registered here with `@oracle`; the comparing part fails for a kind of the
application that has none.
"""

from collections.abc import Callable
from typing import Any

from tests.oracle.model import (
    CLASS_OF_ROLE,
    PARTY_CLASSES,
    TERM_OF_KIND,
    Agreement,
    Client,
    Kept,
    Record,
    Share,
    World,
    counts,
)

View = str | None
"""None; of an agreement existence, version, text; of a record written, kept, withheld, full."""

ORACLES: dict[str, Callable[[World, str, Any], View]] = {}


def oracle(kind: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        ORACLES[kind] = function
        return function

    return register


def sees(world: World, actor: str, kind: str, thing: Any) -> View:
    """What an actor (a person's id or a client's) gets to see of a thing today."""
    return ORACLES[kind](world, actor, thing)


# Agreements


def outside_class(world: World, actor: str, agreement: Agreement) -> str | None:
    """leaders or systems: who belongs to the home organisation while a learner is there."""
    if agreement.ruling is None or not world.learner_at_home(agreement):
        return None
    home = agreement.text.home
    client = world.clients.get(actor)
    if client is not None:
        return "systems" if client.organisation == home and not client.disabled else None
    return "leaders" if world.leads(actor, home) else None


def is_invited(world: World, actor: str, agreement: Agreement) -> bool:
    version = agreement.on_the_table(world.today)
    return version is not None and actor in version.asked


@oracle("learning_agreement")
def sees_agreement(world: World, actor: str, agreement: Agreement) -> View:
    if agreement.ruling is None:
        last = agreement.versions[-1]
        named = agreement.state in ("proposed", "declined") and actor in last.asked
        return "text" if actor == agreement.drafter or named else None
    if actor in agreement.parties:
        return "text"
    terms = agreement.text.terms
    outside = None if agreement.closed_outside else outside_class(world, actor, agreement)
    if outside is not None and outside in terms["text"]:
        return "text"
    if is_invited(world, actor, agreement) or actor in agreement.left:
        return "version"
    return "existence" if outside is not None and outside in terms["existence"] else None


def version_shown(world: World, actor: str, agreement: Agreement) -> int:
    """The number that somebody gets who sees a version: what is on the table, or their last."""
    if is_invited(world, actor, agreement):
        version = agreement.on_the_table(world.today)
        assert version is not None
        return version.number
    return agreement.left[actor].number


# Goals and evidence


def reads_as_party(world: World, actor: str, record: Record) -> bool:
    """Ticked for a class that they belong to, and written in their time or opened to them."""
    agreement = world.agreement_of(record)
    if agreement is None or agreement.in_force is None:
        return False
    return bool(classes_reading(agreement, actor, record))


def classes_reading(agreement: Agreement, actor: str, record: Record) -> frozenset[str]:
    """The classes by which a party reads a record.

    What somebody wrote before a newcomer came is opened by signing together: not what a learner
    wrote who has left, since nobody but its owner widens a record.
    """
    found = set()
    for reader in agreement.text.classes(actor) & record.ticks:
        opened = record.owner in agreement.text.learners and any(
            p.earlier and p.person == actor and CLASS_OF_ROLE[p.role] == reader
            for p in agreement.text.parties
        )
        if opened or record.made > agreement.since[actor, reader]:
            found.add(reader)
    return frozenset(found)


def wrote_it(actor: str, record: Record) -> bool:
    """Who typed it for another, in the words that they typed."""
    return record.author == actor != record.owner and record.wording == 1


def reads_as_author(world: World, actor: str, record: Record) -> bool:
    """Who typed it reads what they wrote while a party: no more than that."""
    agreement = world.agreement_of(record)
    return agreement is not None and actor in agreement.parties and wrote_it(actor, record)


def outsiders_may(world: World, record: Record) -> bool:
    """Consent withdrawn, or its date: leaders, systems, networks and shares stop."""
    return record.consent != "withdrawn" and not record.due(world.today)


def share_counts(world: World, share: Share, record: Record | None = None) -> bool:
    """Whether a share shows `record` (by default the one that is shared) to anybody today."""
    record = record or world.records[share.record]
    if not counts(None, share.ends, world.today) or not outsiders_may(world, record):
        return False
    if stays_behind(world, record):
        return False  # who may no longer read it shows it to nobody
    if share.network is None:
        return True
    agreement = world.agreement_of(record)
    return (
        agreement is not None
        and share.network in agreement.text.networks
        and "networks" in agreement.text.terms[TERM_OF_KIND[record.kind]]
        and world.is_open(share.network)
        and (not record.may_show_pupils or record.consent == "given")
    )


def share_reaches(world: World, actor: str, share: Share) -> bool:
    """Whether an actor is whom the share is with; newcomers at the edge only by the terms."""
    client = world.clients.get(actor)
    record = world.records[share.record]
    if client is not None:
        return _share_reaches_client(world, client, share, record)
    if share.network is None:
        return share.person == actor
    roles = world.roles_in(actor, share.network)
    agreement = world.agreement_of(record)
    if agreement is None or not roles:
        return False
    # Opening the terms to the edge is a widening: it touches nothing that is there already.
    edge = agreement.text.peripheral and share.made > (agreement.edge_since or 0)
    return edge or bool(roles - {"peripheral"})


def _share_reaches_client(world: World, client: Client, share: Share, record: Record) -> bool:
    agreement = world.agreement_of(record)
    return (
        share.network is not None
        and client.network == share.network
        and not client.disabled
        and "systems" in record.ticks
        and agreement is not None
        and world.learner_at_home(agreement)
    )


def shares_that_show(world: World, actor: str, record: Record) -> list[Share]:
    """The shares by which an actor reads a record: its own, and of goals that bring evidence."""
    found = [
        share
        for share in world.shares_of(record.id)
        if share_counts(world, share) and share_reaches(world, actor, share)
    ]
    for goal in record.goals if record.kind == "evidence_item" else ():
        found += [
            share
            for share in world.shares_of(goal)
            if share.with_evidence
            and share.owner == record.owner
            and share_counts(world, share)
            and share_counts(world, share, record)
            and share_reaches(world, actor, share)
        ]
    return found


def kept(world: World, actor: str, record: Record) -> Kept | None:
    """What a former party keeps of a record, as it stood: what they typed, and what they read as
    long as it ticks a class by which they read it."""
    found = record.kept.get(actor)
    if found is None or record.due(world.today):
        return None  # that it was there only its owner and the parties see
    return found if found.typed or found.classes & record.ticks else None


@oracle("goal")
@oracle("evidence_item")
def sees_record(world: World, actor: str, record: Record) -> View:
    if actor == record.owner:
        return "withheld" if stays_behind(world, record) else "full"
    agreement = world.agreement_of(record)
    if reads_as_party(world, actor, record):
        return "full"
    if agreement is not None and outsiders_may(world, record):
        outside = outside_class(world, actor, agreement)
        if outside is not None and outside in record.ticks:
            return "full"
    if shares_that_show(world, actor, record):
        return "full"
    found = kept(world, actor, record)
    if found is not None and found.classes & record.ticks:
        return "kept"
    return "written" if found is not None or reads_as_author(world, actor, record) else None


def as_it_is(world: World, actor: str, record: Record) -> bool:
    """Who sees only what was learns nothing of what has changed since: not by a filter, and not by
    the history."""
    return sees_record(world, actor, record) in ("full", "withheld")


def stays_behind(world: World, record: Record) -> bool:
    """Evidence that may show children stays where it was captured when the learner moves on."""
    return (
        record.kind == "evidence_item"
        and record.may_show_pupils
        and record.controller is not None
        and not world.is_at(record.owner, record.controller)
    )


def words_shown(world: World, actor: str, record: Record) -> str | None:
    """The words in which somebody reads it; none once it is due."""
    view = sees_record(world, actor, record)
    if view is None or view == "withheld":
        return None
    if record.due(world.today):
        return ""
    found = kept(world, actor, record) if view in ("kept", "written") else None
    return record.words if found is None else found.words


# Shares


@oracle("share")
def sees_share(world: World, actor: str, share: Share) -> View:
    """Its owner, whom it is with while it counts, and the parties who read the record as such."""
    record = world.records[share.record]
    if actor == share.owner:
        return "full"
    if share_counts(world, share) and share_reaches(world, actor, share):
        return "full"
    return "full" if reads_as_party(world, actor, record) else None


def ticks_left(ticks: set[str]) -> set[str]:
    """What is left of a record's ticks when nobody outside the parties may read it."""
    return ticks & set(PARTY_CLASSES)
