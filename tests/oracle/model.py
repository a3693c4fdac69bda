"""What there is in a world of the oracle: plain data, and the dates that count.

Written from the rules of the field, not from the program: nothing here imports `app`. Ids are the
strings of the wire; the order of what happens is a counter, since no two acts are one moment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

PARTY_CLASSES = ("coaches", "fellows", "advisers")
CLASSES = (*PARTY_CLASSES, "leaders", "systems")
CLASS_OF_ROLE = {
    "learner": "fellows",
    "coach": "coaches",
    "co_coach": "coaches",
    "mentor": "coaches",
    "tutor": "advisers",
    "specialist": "advisers",
}
LEADING = ("head_teacher", "professional_learning_lead")
KEEPS = ("nothing", "own", "their_time")
TERM_OF_KIND = {"goal": "goals", "evidence_item": "evidence"}


def counts(starts: date | None, ends: date | None, today: date) -> bool:
    """From the first day up to, not on, the last."""
    return (starts is None or starts <= today) and (ends is None or today < ends)


@dataclass
class Affiliation:
    id: str
    person: str
    organisation: str
    role: str
    starts: date
    ends: date | None = None
    accepted: bool = True
    """Whoever has a life elsewhere is asked first: until they say yes it counts for nobody."""

    def is_over(self, today: date) -> bool:
        return self.ends is not None and self.ends <= max(today, self.starts)


@dataclass
class Client:
    """An integration: bound to an organisation or to a network."""

    id: str
    organisation: str | None = None
    network: str | None = None
    disabled: bool = False


@dataclass
class Member:
    """A person or an organisation in a network."""

    id: str
    network: str
    person: str | None
    organisation: str | None
    role: str
    starts: date
    ends: date | None = None
    confirmed: bool = True


@dataclass
class Network:
    id: str
    closed_on: date | None = None


@dataclass(frozen=True)
class Named:
    """A person in one role of a text."""

    person: str
    role: str
    earlier: bool = False


@dataclass(frozen=True)
class Text:
    """What the parties sign, as far as it decides who reads."""

    parties: tuple[Named, ...]
    home: str | None
    networks: tuple[str, ...]
    terms: dict[str, frozenset[str]]
    former: str
    peripheral: bool
    purpose: str

    @property
    def people(self) -> list[str]:
        return list(dict.fromkeys(p.person for p in self.parties))

    def having(self, *roles: str) -> list[str]:
        return list(dict.fromkeys(p.person for p in self.parties if p.role in roles))

    @property
    def learners(self) -> list[str]:
        return self.having("learner")

    @property
    def coaches(self) -> list[str]:
        return self.having("coach", "co_coach", "mentor")

    def classes(self, person: str) -> set[str]:
        return {CLASS_OF_ROLE[p.role] for p in self.parties if p.person == person}


@dataclass
class Version:
    """One text; `asked` must sign it, `present` were parties to one that another made alone."""

    number: int
    act: str
    text: Text
    by: str
    state: str = "draft"
    asked: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    signed: set[str] = field(default_factory=set)
    digest: str = ""


@dataclass
class Left:
    """Of who has left: when, and the last version that they were a party to."""

    at: int
    number: int


@dataclass
class Agreement:
    id: str
    drafter: str
    state: str = "draft"
    versions: list[Version] = field(default_factory=list)
    ruling: int | None = None
    table: int | None = None
    lapses_on: date | None = None
    # Since when each person has belonged to each class of reader without a break.
    since: dict[tuple[str, str], int] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    # Since when the terms have opened networks to newcomers at the edge.
    edge_since: int | None = None
    complete_by: dict[str, str] = field(default_factory=dict)
    # A learner is at home again only since two records became one: closed to who leads there.
    closed_outside: bool = False

    def version(self, number: int) -> Version:
        return self.versions[number - 1]

    @property
    def in_force(self) -> Version | None:
        return None if self.ruling is None else self.version(self.ruling)

    @property
    def text(self) -> Text:
        """The text in force, or the one that is to be."""
        return (self.in_force or self.versions[-1]).text

    @property
    def parties(self) -> list[str]:
        return self.text.people if self.ruling else []

    def on_the_table(self, today: date) -> Version | None:
        """A proposal, or an amendment that has not lapsed."""
        if self.state == "proposed":
            return self.versions[-1]
        if self.state != "active" or self.table is None or self.lapses_on is None:
            return None
        return self.version(self.table) if today < self.lapses_on else None


@dataclass
class Kept:
    """A record as it stood when somebody left: the classes by which they read it, as far as they
    have been ticked ever since, and whether they typed it."""

    at: int
    words: str
    classes: frozenset[str]
    typed: bool


@dataclass
class Entry:
    """Something that hangs below a record: progress, an old wording, a file."""

    id: str
    made: int
    by: str
    gone: int | None = None
    words: str = ""


@dataclass
class Record:
    """A goal or an evidence item."""

    kind: str
    id: str
    owner: str
    author: str
    agreement: str | None
    made: int
    words: str
    ticks: set[str]
    wording: int = 1
    state: str = "draft"
    pupils: str = "unknown"
    consent: str | None = None
    delete_by: date | None = None
    controller: str | None = None
    goals: set[str] = field(default_factory=set)
    progress: list[Entry] = field(default_factory=list)
    revisions: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)

    def due(self, today: date) -> bool:
        """Its text and files are to be gone."""
        return self.delete_by is not None and self.delete_by <= today

    @property
    def may_show_pupils(self) -> bool:
        return self.pupils != "no"


@dataclass
class Share:
    id: str
    owner: str
    kind: str
    record: str
    person: str | None
    network: str | None
    with_evidence: bool
    ends: date | None
    made: int


@dataclass
class World:
    """Everything, and the questions about dates."""

    today: date
    clock: int = 0
    names: dict[str, str] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    affiliations: dict[str, Affiliation] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    agreements: dict[str, Agreement] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)

    def tick(self) -> int:
        """The next moment."""
        self.clock += 1
        return self.clock

    def name(self, what: str | None) -> str:
        return self.names.get(what or "", what or "nobody")

    def named(self, things: Iterable[str]) -> str:
        return ", ".join(sorted(self.name(thing) for thing in things)) or "none"

    def places(self, person: str) -> Iterator[Affiliation]:
        """The affiliations of a person that count today."""
        for tie in self.affiliations.values():
            if tie.person == person and tie.accepted and counts(tie.starts, tie.ends, self.today):
                yield tie

    def counts_unasked(self, writer: str, person: str, organisation: str) -> bool:
        """Whether an affiliation that somebody writes counts without its person's word: they are there,
        or were until today; they are nowhere else; or next door in the tree, and the writer administers
        both. (Nobody in these worlds has a way in.)"""
        theirs = [t for t in self.affiliations.values() if t.person == person and t.accepted]
        there = [t for t in theirs if t.ends is None or t.ends > self.today]
        if any(
            t.organisation == organisation and (t.ends is None or t.ends >= self.today)
            for t in theirs
        ):
            return True
        elsewhere = {t.organisation for t in there if t.organisation != organisation}
        return not elsewhere or any(
            self.parents.get(place) == organisation or self.parents.get(organisation) == place
            for place in elsewhere
            if self.administers(writer, place)
        )

    def administers(self, person: str, organisation: str) -> bool:
        return any(
            t.organisation == organisation and t.role == "administrator"
            for t in self.places(person)
        )

    def is_at(self, person: str, organisation: str | None) -> bool:
        return any(tie.organisation == organisation for tie in self.places(person))

    def leads(self, person: str, organisation: str | None) -> bool:
        """Of the organisation itself: a parent's leaders lead the parent."""
        return any(
            tie.organisation == organisation and tie.role in LEADING for tie in self.places(person)
        )

    def learner_at_home(self, agreement: Agreement) -> bool:
        home = agreement.text.home
        return home is not None and any(self.is_at(p, home) for p in agreement.text.learners)

    def is_open(self, network: str) -> bool:
        return counts(None, self.networks[network].closed_on, self.today)

    def roles_in(self, person: str, network: str) -> set[str]:
        """As a member of today in their own right; what an organisation is adds nobody."""
        return {
            m.role
            for m in self.members.values()
            if m.network == network
            and m.person == person
            and m.confirmed
            and counts(m.starts, m.ends, self.today)
        }

    def agreement_of(self, record: Record) -> Agreement | None:
        return None if record.agreement is None else self.agreements[record.agreement]

    def shares_of(self, record: str) -> list[Share]:
        return [share for share in self.shares.values() if share.record == record]
