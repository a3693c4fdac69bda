"""The rows of the measured world, made with the models themselves so that they keep their rules."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from app.core.journal import journal
from app.core.search import Searched
from app.core.text import fold
from app.models.agreement_text import OBLIGATIONS, AgreementText, Disclosure, Party, digest_of
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    AgreementTerm,
    AgreementVersion,
    LearningAgreement,
    VersionAct,
    VersionState,
    terms_of,
)
from app.models.goals import Goal
from app.models.organisations import Organisation, OrganisationKind
from app.models.people import Affiliation, AffiliationRole, Client, Person
from app.models.terms import READER_OF_ROLE, FormerParties, PartyRole
from bench import goal_rows
from bench.goal_rows import DAYS, TICKED
from bench.rows import Batch, Row

SCHOOLS = 4
GOALS_EACH = 200
_LEARNERS_OF_A_COACH = 5


class Making:
    """The ids of the world, and its rows in the order of their foreign keys."""

    def __init__(self, learners: int) -> None:
        self._random = random.Random(7)  # the same world in every run, its dates apart
        self.began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS + 5)
        count = learners + 1  # the last is the writer of W1
        self.schools = [self.new_id(n) for n in range(SCHOOLS)]
        self.people = [self.new_id(n) for n in range(count)]
        self.agreements = [self.new_id(n) for n in range(count)]
        self.coaches = [self.new_id(n) for n in range(2 + count // _LEARNERS_OF_A_COACH)]
        self.client, self.app = self.new_id(1), self.new_id(2)
        self.goals: list[UUID] = []

    def new_id(self, sequence: int = 0, at: datetime | None = None) -> UUID:
        """A UUIDv7 of the moment `at`, else of the world's beginning."""
        milliseconds = int((at or self.began).timestamp() * 1000)
        head = milliseconds << 80 | 0x7 << 76 | (sequence & 0xFFF) << 64
        return UUID(int=head | 0b10 << 62 | self._random.getrandbits(62))

    def school_of(self, learner: int) -> UUID:
        """The writer is at the last school: the client does not see what W1 records."""
        is_writer = learner == len(self.people) - 1
        return self.schools[-1 if is_writer else learner % SCHOOLS]

    def coach_of(self, learner: int) -> UUID:
        """The owner's coach is nobody else's."""
        return self.coaches[0 if learner == 0 else 1 + learner // _LEARNERS_OF_A_COACH]

    def goals_of(self, wanted: Callable[[int], bool]) -> list[UUID]:
        """Ids of the goals of the learners `wanted`, newest first."""
        learners = len(self.people) - 1
        keep = [wanted(learner) for learner in range(learners)]
        return [goal for n, goal in enumerate(self.goals) if keep[n % learners]][::-1]

    def batches(self, goals: int) -> Iterator[Batch]:
        """Everything there is."""
        texts = [self._text(n) for n in range(len(self.people))]
        yield _table(Organisation), self._schools()
        yield _table(Person), self._persons()
        yield _table(Affiliation), self._affiliations()
        yield _table(Client), self._clients()
        yield _table(LearningAgreement), self._agreements(texts)
        yield _table(AgreementVersion), self._versions(texts)
        yield _table(AgreementSignature), self._signatures(texts)
        yield _table(AgreementParty), self._parties(texts)
        yield (
            _table(AgreementTerm),
            (
                _row(t)
                for n, text in enumerate(texts)
                for t in terms_of(self.agreements[n], text, 1)
            ),
        )
        yield _table(Goal), goal_rows.goals(self, goals)
        yield journal, goal_rows.journal(self)

    def _versioned(self, **values: Any) -> dict[str, Any]:
        return {"version": 1, "created_at": self.began, "updated_at": self.began, **values}

    def _schools(self) -> Iterator[Row]:
        for n, school in enumerate(self.schools):
            name = f"Ysgol Meinciau {n + 1}"
            yield _row(
                Organisation(
                    **self._versioned(id=school, kind=OrganisationKind.SCHOOL, name=name),
                    folded=fold(name),
                    address=[],
                )
            )

    def _persons(self) -> Iterator[Row]:
        for n, person in enumerate([*self.people, *self.coaches]):
            name = f"Gwenllian Prys {n}"
            yield _row(Person(**self._versioned(id=person, name=name)))

    def _affiliations(self) -> Iterator[Row]:
        at = [(person, self.school_of(n)) for n, person in enumerate(self.people)]
        at += [(coach, self.schools[n % SCHOOLS]) for n, coach in enumerate(self.coaches)]
        for n, (person, school) in enumerate(at):
            yield _row(
                Affiliation(
                    **self._versioned(id=self.new_id(n), person_id=person, organisation_id=school),
                    role=AffiliationRole.TEACHER,
                    starts_on=self.began.date(),
                    accepted_at=self.began,
                )
            )

    def _clients(self) -> Iterator[Row]:
        for client, school in ((self.client, self.schools[0]), (self.app, None)):
            yield _row(
                Client(
                    **self._versioned(id=client, name="bench", organisation_id=school),
                    kind="confidential" if school else "public",
                    scopes=["goals:read"],
                )
            )

    def _text(self, learner: int) -> AgreementText:
        return AgreementText(
            parties=[
                Party(person_id=self.people[learner], role=PartyRole.LEARNER),
                Party(person_id=self.coach_of(learner), role=PartyRole.COACH),
            ],
            home_organisation_id=self.school_of(learner),
            purpose="Better questions.",
            disclosure=Disclosure(goals=list(TICKED)),
            starts_on=self.began.date(),
        )

    def _agreements(self, texts: list[AgreementText]) -> Iterator[Row]:
        for n, text in enumerate(texts):
            agreement = LearningAgreement(
                **self._versioned(id=self.agreements[n], created_by=self.people[n]),
                state=AgreementState.ACTIVE,
                shown_number=1,
                proposed_at=self.began,
                active_at=self.began,
                former_parties=FormerParties.OWN,
            )
            agreement.enact(text, 1, by_all=True)
            yield _row(agreement)

    def _versions(self, texts: list[AgreementText]) -> Iterator[Row]:
        for n, text in enumerate(texts):
            version = AgreementVersion(
                agreement_id=self.agreements[n],
                number=1,
                act=VersionAct.AGREEMENT,
                state=VersionState.IN_FORCE,
                created_by=self.people[n],
                created_at=self.began,
                proposed_at=self.began,
                settled_at=self.began,
            )
            version.text = text
            version.digest = digest_of(self.agreements[n], 1, version.content)
            yield _row(version)

    def _signatures(self, texts: list[AgreementText]) -> Iterator[Row]:
        for n, text in enumerate(texts):
            for party in text.parties:
                yield _row(
                    AgreementSignature(
                        agreement_id=self.agreements[n],
                        number=1,
                        person_id=party.person_id,
                        asked=True,
                        signed_at=self.began,
                        digest="0" * 64,
                        obligations=list(OBLIGATIONS),
                    )
                )

    def _parties(self, texts: list[AgreementText]) -> Iterator[Row]:
        for n, text in enumerate(texts):
            for party in text.parties:
                yield _row(
                    AgreementParty(
                        agreement_id=self.agreements[n],
                        person_id=party.person_id,
                        role=party.role,
                        reader=READER_OF_ROLE[party.role],
                        since=self.began,
                        earlier_records=True,
                    )
                )


def _table(kind: Any) -> Table:
    table: Table = kind.__table__
    return table


def _row(entity: Any) -> Row:
    """Every column of an entity that no session knows; what was not set is null."""
    if isinstance(entity, Searched):
        entity.fold()
    return {column.key: getattr(entity, column.key) for column in _table(type(entity)).columns}
