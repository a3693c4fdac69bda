"""What somebody learns beside the thing itself: links, what hangs below, versions, filters, words."""

from typing import Any

from tests.oracle.model import Agreement, Entry, Record, World, counts
from tests.oracle.policy import (
    is_invited,
    kept,
    outside_class,
    sees,
    sees_agreement,
    sees_record,
    sees_share,
    version_shown,
    words_shown,
)


def refusal(world: World, actor: str, kind: str, thing: Any) -> int:
    """How somebody is refused who may not do something: 403 for who sees the thing, in whatever part,
    and for a client, that never may; 404, as if it were not there, for the others."""
    sees_it = actor in world.clients or sees(world, actor, kind, thing) is not None
    return 403 if sees_it else 404


# Agreements


def versions_seen(world: World, actor: str, agreement: Agreement) -> set[int] | None:
    """The numbers of the versions that somebody may read; None: not for them at all.

    Every version is read by those who were parties to it, or asked to be; what is in force or on
    the table also by the parties of today; and by who wrote it.
    """
    view = sees_agreement(world, actor, agreement)
    inside = (
        actor == agreement.drafter
        or actor in agreement.parties
        or actor in agreement.left
        or is_invited(world, actor, agreement)
        or (agreement.ruling is None and view is not None)
    )
    if view is None or not inside:
        return None
    table = agreement.on_the_table(world.today)
    found = set()
    for version in agreement.versions:
        own = version.by == actor or (agreement.ruling is None and actor == agreement.drafter)
        party = actor in agreement.parties and version in (agreement.in_force, table)
        if own or party or actor in version.asked | version.present:
            found.add(version.number)
    return found


def history_open(world: World, actor: str, agreement: Agreement) -> bool:
    """The history is for the parties, who is asked, and the drafter as long as they are either."""
    if agreement.ruling is None:
        return sees_agreement(world, actor, agreement) is not None
    return actor in agreement.parties or is_invited(world, actor, agreement)


# Records


def links_shown(world: World, actor: str, record: Record) -> set[str]:
    """A link is shown only to who sees both ends."""
    return {g for g in record.goals if sees_record(world, actor, world.records[g]) is not None}


def entries_shown(world: World, actor: str, record: Record, entries: list[Entry]) -> set[str]:
    """All of them; of a former party's time; or one's own. Nothing is left of what is due.

    What was taken away since is gone for former parties, too.
    """
    view = sees_record(world, actor, record)
    if view in (None, "withheld") or record.due(world.today):
        return set()
    found = kept(world, actor, record)
    until = found.at if view == "kept" and found is not None else world.clock
    return {
        entry.id
        for entry in entries
        if entry.made <= until and entry.gone is None and (view != "written" or entry.by == actor)
    }


# Filters


def names_network(world: World, actor: str, agreement: Agreement, network: str) -> bool:
    """Who reads the text that rules may ask which networks it names."""
    return (
        agreement.ruling is not None
        and sees_agreement(world, actor, agreement) == "text"
        and network in agreement.text.networks
    )


def knows_shared(world: World, actor: str, record: Record, network: str) -> bool:
    """Whether somebody who sees a record may know that it is shared with a network: who sees the
    share, and the parties, who may know who could read it."""
    agreement = world.agreement_of(record)
    party = agreement is not None and actor in agreement.parties
    return any(
        share.network == network
        and counts(None, share.ends, world.today)
        and (party or sees_share(world, actor, share) is not None)
        for share in world.shares_of(record.id)
    )


def knows_home(world: World, actor: str, agreement: Agreement) -> bool:
    """Who sees where an agreement's home is today: one version may tell of another day."""
    if sees_agreement(world, actor, agreement) in ("text", "existence"):
        return True
    outside = None if agreement.closed_outside else outside_class(world, actor, agreement)
    return outside is not None and outside in agreement.text.terms["existence"]


# Search


def says(world: World, actor: str, kind: str, thing: Record | Agreement) -> list[str]:
    """The words by which somebody finds a thing: those of what they are shown of it."""
    if isinstance(thing, Agreement):
        return _agreement_says(world, actor, thing)
    texts = [words_shown(world, actor, thing) or ""]
    shown = entries_shown(world, actor, thing, thing.files)
    texts += [file.words for file in thing.files if file.id in shown]
    return " ".join(texts).split()


def _agreement_says(world: World, actor: str, agreement: Agreement) -> list[str]:
    """The version that they are shown, and for who reads the text the names in it: of the parties, of
    who was to sign, and of who signed alone."""
    view = sees_agreement(world, actor, agreement)
    if view == "version":
        return agreement.version(version_shown(world, actor, agreement)).text.purpose.split()
    if view != "text":
        return []
    ruling = agreement.in_force or agreement.versions[-1]
    named = {*agreement.parties, *ruling.asked, *ruling.signed}
    return [*ruling.text.purpose.split(), *(world.name(person) for person in named)]


def finds(world: World, actor: str, kind: str, thing: Record | Agreement, word: str) -> bool:
    """Whether a question of one whole word finds a thing."""
    return sees(world, actor, kind, thing) is not None and word in says(world, actor, kind, thing)
