"""The words of disclosure: kinds of record, classes of reader, roles of parties."""

from enum import StrEnum

from sqlalchemy.orm import Mapped


class Reader(StrEnum):
    """A class of reader that the signed terms tick, kind by kind."""

    COACHES = "coaches"
    FELLOWS = "fellows"
    ADVISERS = "advisers"
    LEADERS = "leaders"
    NETWORKS = "networks"
    SYSTEMS = "systems"


class RecordReader(StrEnum):
    """A class of reader that a record ticks; a network is reached by a share instead."""

    COACHES = "coaches"
    FELLOWS = "fellows"
    ADVISERS = "advisers"
    LEADERS = "leaders"
    SYSTEMS = "systems"


PARTY_READERS = (Reader.COACHES, Reader.FELLOWS, Reader.ADVISERS)


class RecordKind(StrEnum):
    """A kind of record that the terms speak of."""

    EXISTENCE = "existence"
    TEXT = "text"
    GOALS = "goals"
    CONVERSATIONS = "conversations"
    EXPERIMENTS = "experiments"
    EVIDENCE = "evidence"
    REFLECTIONS = "reflections"


DEFAULT_TERMS: dict[RecordKind, tuple[Reader, ...]] = {
    RecordKind.EXISTENCE: (*PARTY_READERS, Reader.LEADERS),
    RecordKind.TEXT: PARTY_READERS,
    RecordKind.GOALS: (Reader.COACHES, Reader.ADVISERS),
    RecordKind.CONVERSATIONS: (Reader.COACHES,),
    RecordKind.EXPERIMENTS: (Reader.COACHES,),
    RecordKind.EVIDENCE: (Reader.COACHES,),
    RecordKind.REFLECTIONS: (),
}
"""Who is ticked when an agreement says nothing."""


class PartyRole(StrEnum):
    """What a person is in an agreement."""

    LEARNER = "learner"
    COACH = "coach"
    CO_COACH = "co_coach"
    MENTOR = "mentor"
    TUTOR = "tutor"
    SPECIALIST = "specialist"


READER_OF_ROLE: dict[PartyRole, Reader] = {
    PartyRole.LEARNER: Reader.FELLOWS,
    PartyRole.COACH: Reader.COACHES,
    PartyRole.CO_COACH: Reader.COACHES,
    PartyRole.MENTOR: Reader.COACHES,
    PartyRole.TUTOR: Reader.ADVISERS,
    PartyRole.SPECIALIST: Reader.ADVISERS,
}
"""The class of reader that a party's role belongs to."""


class FormerParties(StrEnum):
    """What someone who has left keeps reading."""

    OWN = "own"
    NOTHING = "nothing"
    THEIR_TIME = "their_time"


class Ticked:
    """One column for each class of reader: what the record ticks AND what the terms tick."""

    to_coaches: Mapped[bool]
    to_fellows: Mapped[bool]
    to_advisers: Mapped[bool]
    to_leaders: Mapped[bool]
    to_systems: Mapped[bool]

    @property
    def readers(self) -> frozenset[RecordReader]:
        """The classes of reader that are ticked."""
        return frozenset(r for r in RecordReader if getattr(self, f"to_{r}"))

    def tick(self, readers: frozenset[RecordReader]) -> None:
        """Ticks `readers` and nobody else."""
        for reader in RecordReader:
            setattr(self, f"to_{reader}", reader in readers)
