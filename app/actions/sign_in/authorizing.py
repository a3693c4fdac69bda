"""The sign-in pages' writes: a password that is right, a consent, a code."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select

from app.access.accounts import account_standing, hold_account
from app.access.credentials import still_opens
from app.access.oauth import Answer, Facts, OAuthClient, Server, Subject
from app.access.sign_in import (
    KnownClient,
    KnownIdentity,
    find_client,
    find_consent,
)
from app.access.visibility import parameter
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.core.journal import Actor
from app.core.passwords import hash_secret, new_secret
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.tables import Id
from app.core.tokens import Tokens
from app.models.sessions import Authorization, Consent, Stage

CONSENT_MINUTES = 10
"""How long a person may look at the page that asks them."""
CODE_SECONDS = 60

_consents: Any = Consent.__table__
_FORGET = Query(
    delete(_consents).where(
        _consents.c.person_id == parameter("person_id", Id),
        _consents.c.client_id == parameter("client_id", Id),
    )
)


class Pending:
    """A person who has shown who they are, on their way to a code."""

    def __init__(self, row: Authorization, client: KnownClient) -> None:
        self.row, self.client = row, client

    @property
    def parameters(self) -> dict[str, str]:
        """The authorization request that they came with."""
        return {
            "response_type": "code",
            "client_id": str(self.client.id),
            "redirect_uri": self.row.redirect_uri,
            "scope": " ".join(self.row.scopes),
            "code_challenge": self.row.code_challenge,
            "code_challenge_method": "S256",
            **({"state": self.row.state} if self.row.state is not None else {}),
        }

    @property
    def scopes(self) -> frozenset[str]:
        """What the client asks for."""
        return frozenset(self.row.scopes)

    @property
    def actor(self) -> Actor:
        """The person through the client, as the journal writes it."""
        return Actor(self.row.person_id, self.client.id)


class Step(NamedTuple):
    """What a person is asked next: a code while `pending` is at the second factor, else consent."""

    pending: Pending
    ticket: str
    enrols: bool = False
    """They must set up an app first."""
    wrong: bool = False
    wait: int = 0
    """Seconds until a code is looked at again, after too many wrong ones."""
    recovery_codes: tuple[str, ...] = ()
    """Just made: shown before anything else is asked."""

    @property
    def stage(self) -> Stage:
        """Where they are."""
        return Stage(self.pending.row.stage)


class Disabled(NamedTuple):
    """Nobody signs in to this account, and why."""

    because: str


async def begin_authorization(
    database: Database,
    tokens: Tokens,
    *,
    client: KnownClient,
    identity: KnownIdentity,
    method: str,
    browser: str,
    scopes: frozenset[str],
    parameters: dict[str, str],
) -> Step | Disabled | Answer | None:
    """What comes after the password or a provider's word: the way to the client's address with a code
    when the person has allowed all of it before; or what they are asked next, with the ticket of the
    answer. None when the way in has been closed, or its password set anew, since it was shown."""
    async with database.work() as unit:
        standing = await account_standing(unit, identity.person_id)
        if not standing.is_open:
            return Disabled(standing.disabled_because or "")
        if not await still_opens(unit, identity):
            return None
        ticket, moment = new_secret(), now()
        row = Authorization(
            id=uuid7(),
            stage=Stage.SECOND_FACTOR if standing.asks_factor else Stage.CONSENT,
            secret_hash=hash_secret(ticket),
            browser_hash=hash_secret(browser),
            client_id=client.id,
            person_id=identity.person_id,
            identity_id=identity.id,
            method=method,
            session_id=uuid7(),
            redirect_uri=parameters["redirect_uri"],
            scopes=sorted(scopes),
            state=parameters.get("state"),
            code_challenge=parameters["code_challenge"],
            created_at=moment,
            expires_at=moment + timedelta(minutes=CONSENT_MINUTES),
        )
        pending = Pending(row, client)
        if standing.asks_factor:
            await unit.insert(row)
            return Step(pending, ticket, enrols=not standing.has_factor)
        found = await consent_or_code(unit, tokens, pending, ticket)
        await unit.insert(row)
        return found


async def consent_or_code(
    unit: Unit, tokens: Tokens, pending: Pending, ticket: str
) -> Step | Answer:
    """What comes when the person has shown all that they had to: the question, or straight the code."""
    row = pending.row
    if pending.scopes <= await find_consent(unit, row.person_id, pending.client.id):
        answer, row.secret_hash, row.expires_at = _with_code(pending, tokens)
        row.stage = Stage.CODE
        return answer
    return Step(pending, ticket)


async def find_pending(unit: Unit, ticket: str, browser: str, stage: Stage) -> Pending | None:
    """Who holds this ticket in this browser, locked, if they are at this stage."""
    holds = Authorization.secret_hash == hash_secret(ticket)
    person_id = await unit.session.scalar(select(Authorization.person_id).where(holds))
    if person_id is None:
        return None
    # Whoever disables the account takes it first, too.
    await hold_account(unit, person_id)
    row = await unit.session.scalar(
        select(Authorization)
        .where(holds, Authorization.browser_hash == hash_secret(browser))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.stage != stage or row.expires_at <= now():
        return None
    client = await find_client(unit.database, row.client_id)
    return Pending(row, client) if client is not None else None


async def decide(
    database: Database, tokens: Tokens, *, ticket: str, browser: str, allowed: bool
) -> Answer | None:
    """Where the browser goes when the person has allowed or refused; None when nothing waits."""
    async with database.work() as unit:
        await unit.begin()
        pending = await find_pending(unit, ticket, browser, Stage.CONSENT)
        if pending is None:
            return None
        row, client = pending.row, pending.client
        event = SecurityEvent.CONSENT_GIVEN if allowed else SecurityEvent.CONSENT_REFUSED
        if allowed:
            await _keep_consent(unit, row.person_id, client.id, pending.scopes)
            answer, row.secret_hash, row.expires_at = _with_code(pending, tokens)
            row.stage = Stage.CODE
        else:
            server = Server(Facts(OAuthClient(client)), tokens)
            answer = server.answer_authorization(pending.parameters, None)
            await unit.session.delete(row)
        await note(
            unit,
            event,
            actor=pending.actor,
            resource_id=client.id,
            owner_id=row.person_id,
            changed=["scopes"],
        )
        return answer


def _with_code(pending: Pending, tokens: Tokens) -> tuple[Answer, str, datetime]:
    """The way to the client with a code; the code's hash, and until when it counts."""
    row = pending.row
    facts = Facts(OAuthClient(pending.client))
    subject = Subject(row.person_id, row.identity_id, row.session_id, row.method)
    answer = Server(facts, tokens).answer_authorization(pending.parameters, subject)
    # What was asked for has been checked; only the client can have changed since.
    code = facts.code or new_secret()
    return answer, hash_secret(code), now() + timedelta(seconds=CODE_SECONDS)


async def _keep_consent(
    unit: Unit, person_id: UUID, client_id: UUID, scopes: frozenset[str]
) -> None:
    before = await find_consent(unit, person_id, client_id)
    named = {"person_id": person_id, "client_id": client_id}
    await unit.rows(_FORGET, named)
    await unit.insert(Consent(**named, scopes=sorted(before | scopes), given_at=now()))
