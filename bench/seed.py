"""The world that is measured: 200,000 goals of 1,000 learners under their agreements.

Learner 0 is the *owner*, with 200 goals of their own. Their *coach* coaches nobody else and so sees
the same 200. The *client* is bound to the owner's school, one of four, whose agreements all tick
`systems`: it sees a quarter of all goals and owes a receipt for each. The *writer*, under an
agreement of their own at another school, records goals in W1, so that nobody's pages move.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from app.access.grants import SCOPES
from app.core.ids import uuid7
from app.core.tokens import Tokens
from app.models.receipts import Receipt
from bench import rows
from bench.making import GOALS_EACH, SCHOOLS, Making
from bench.servers import ISSUER

KEYS = "keys"
"""Folder of the signing keys within TANDEM_VAR."""


@dataclass(frozen=True)
class Bearers:
    """An access token of each caller."""

    owner: str
    coach: str
    writer: str
    client: str


@dataclass(frozen=True)
class World:
    """Who asks, and for what."""

    owner: UUID
    coach: UUID
    writer: UUID
    client: UUID
    app: UUID
    """The client through which people sign in."""
    writer_agreement: UUID
    owner_goals: list[UUID]
    """All that the owner and the coach see, newest first."""
    client_goals: list[UUID]
    """All that the client sees, newest first."""

    def tokens(self, var: Path) -> Bearers:
        """New access tokens: they live for 15 minutes, so each round takes its own."""
        tokens = Tokens(var / KEYS, issuer=ISSUER, audience=ISSUER)
        scopes = frozenset(SCOPES)
        of_person = partial(tokens.issue, client=self.app, scopes=scopes, session=uuid7())
        return Bearers(
            owner=of_person(subject=self.owner),
            coach=of_person(subject=self.coach),
            writer=of_person(subject=self.writer),
            client=tokens.issue(subject=self.client, client=self.client, scopes=scopes),
        )


def seed(database_url: str, goals: int = 200_000) -> World:
    """Fills a migrated database that holds no people yet."""
    learners = max(2 * SCHOOLS, goals // GOALS_EACH)
    made = Making(learners)
    rows.insert(database_url, made.batches(goals))
    return World(
        owner=made.people[0],
        coach=made.coach_of(0),
        writer=made.people[learners],
        client=made.client,
        app=made.app,
        writer_agreement=made.agreements[learners],
        owner_goals=made.goals_of(lambda learner: learner == 0),
        client_goals=made.goals_of(lambda learner: made.school_of(learner) == made.schools[0]),
    )


def forget_receipts(database_url: str) -> None:
    """Lets the client's reads be the first of the day again."""
    verb = "DELETE FROM" if rows.is_sqlite(database_url) else "TRUNCATE"
    rows.execute(database_url, f"{verb} {Receipt.__tablename__}")
