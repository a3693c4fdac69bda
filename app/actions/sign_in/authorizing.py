"""The sign-in pages' writes: a password that is right, a consent, a code."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

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
) -> tuple[Pending, str] | Answer | None:
    """What comes after the password: the way to the client's address with a code when the person has
    allowed all of it before; or what they are to be asked, with the ticket of the answer. None when
    the way in has been closed, or its password set anew, since it was shown."""
    async with database.work() as unit:
        if not await still_opens(unit, identity):
            return None
        ticket, moment = new_secret(), now()
        row = Authorization(
            id=uuid7(),
            stage=Stage.CONSENT,
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
        if scopes <= await find_consent(unit, identity.person_id, client.id):
            answer, row.secret_hash, row.expires_at = _with_code(pending, tokens)
            row.stage = Stage.CODE
            await unit.insert(row)
            return answer
        await unit.insert(row)
        return pending, ticket


async def _pending(unit: Unit, ticket: str, browser: str) -> Pending | None:
    row = await unit.session.scalar(
        select(Authorization)
        .where(
            Authorization.secret_hash == hash_secret(ticket),
            Authorization.browser_hash == hash_secret(browser),
        )
        .with_for_update()
    )
    if row is None or row.stage != Stage.CONSENT or row.expires_at <= now():
        return None
    client = await find_client(unit.database, row.client_id)
    return Pending(row, client) if client is not None else None


async def decide(
    database: Database, tokens: Tokens, *, ticket: str, browser: str, allowed: bool
) -> Answer | None:
    """Where the browser goes when the person has allowed or refused; None when nothing waits."""
    async with database.work() as unit:
        await unit.begin()
        pending = await _pending(unit, ticket, browser)
        if pending is None:
            return None
        row, client = pending.row, pending.client
        actor = Actor(row.person_id, client.id)
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
            actor=actor,
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
