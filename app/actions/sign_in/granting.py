"""The token endpoint's grants: what is fetched for authlib to judge, and what is written afterwards."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.credentials import Origin, check_password, still_opens
from app.access.oauth import Answer, Facts, Given, OAuthClient, Server, Subject
from app.access.sessions import end_sessions
from app.actions.sign_in.clients import mark_used
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.core.journal import Actor
from app.core.passwords import hash_secret, new_secret
from app.core.security_events import SecurityEvent, note
from app.core.settings import settings
from app.core.tokens import Tokens
from app.models.people import SignInIdentity
from app.models.sessions import Authorization, Ending, RefreshToken, Session, Stage

GRACE = timedelta(seconds=30)
"""How long a refresh token whose answer was lost may be sent again."""


async def grant_token(
    database: Database,
    tokens: Tokens,
    client: OAuthClient | None,
    form: dict[str, str],
    *,
    origin: Origin,
) -> Answer:
    """The answer to a token request of `client`; what it gave is committed."""
    grant = form.get("grant_type", "")
    if client is not None and grant == "password":
        answer = await _password(database, tokens, client, form, origin)
    elif client is None or grant not in _GRANTS:
        answer = Server(Facts(client), tokens).answer_token(form)
    else:
        answer = await _GRANTS[grant](database, tokens, client, form)
    if client is not None and answer.status == 200:
        await mark_used(database, client.known)
    return answer


async def _code(
    database: Database, tokens: Tokens, client: OAuthClient, form: dict[str, str]
) -> Answer:
    async with database.work() as unit:
        await unit.begin()
        found = await _use_code(unit, client, form.get("code", ""))
        given = None
        if found is not None:
            given = Given(
                client_id=found.client_id,
                subject=Subject(found.person_id, found.identity_id, found.session_id, found.method),
                scopes=found.scopes,
                redirect_uri=found.redirect_uri,
                code_challenge=found.code_challenge,
            )
        facts = Facts(client, given=given, refresh_token=new_secret())
        answer = Server(facts, tokens).answer_token(form)
        if answer.status == 200 and given is not None:
            await _begin_session(unit, client.known.id, given.subject, given.scopes)
            assert facts.refresh_token is not None
            await _keep_refresh_token(unit, given.subject.session_id, facts.refresh_token)
        return answer


async def _use_code(unit: Unit, client: OAuthClient, code: str) -> Authorization | None:
    """The code's row, marked as used: whoever presents it first uses it up, right or wrong."""
    found = await _locked(unit, Authorization, Authorization.secret_hash == hash_secret(code))
    if found is None or found.stage == Stage.CONSENT:
        return None
    if found.stage == Stage.USED:
        actor = Actor(found.person_id, client.known.id)
        await note(
            unit,
            SecurityEvent.CODE_REUSED,
            actor=actor,
            resource_id=found.session_id,
            owner_id=found.person_id,
        )
        await end_sessions(
            unit, actor=actor, because=Ending.CODE_REUSED, session_id=found.session_id
        )
        return None
    found.stage = Stage.USED
    live = found.expires_at > now() and await _is_open(unit, found.identity_id)
    return found if live else None


async def _is_open(unit: Unit, identity_id: UUID) -> bool:
    """Whether a way in is open, and stays so until the session is there: who closes it waits, and
    then finds the session that is to end."""
    identity = await unit.session.get(
        SignInIdentity, identity_id, with_for_update={"read": True}, populate_existing=True
    )
    return identity is not None and identity.closed_at is None


@dataclass
class _Chain:
    """A session's refresh token as it was sent, locked, and the one that follows it."""

    session: Session
    sent: RefreshToken
    salt: str
    successor: str
    repeated: bool
    """The same token came before, and its answer may have been lost."""


async def _refresh(
    database: Database, tokens: Tokens, client: OAuthClient, form: dict[str, str]
) -> Answer:
    async with database.work() as unit:
        await unit.begin()
        chain = await _follow(unit, client, form.get("refresh_token", ""))
        facts = Facts(client)
        if chain is not None:
            session, facts.refresh_token = chain.session, chain.successor
            facts.given = Given(
                client_id=session.client_id,
                subject=Subject(session.person_id, session.identity_id, session.id, session.method),
                scopes=session.scopes,
            )
        answer = Server(facts, tokens).answer_token(form)
        if answer.status == 200 and chain is not None and not chain.repeated:
            await _rotate(unit, chain)
        return answer


async def _follow(unit: Unit, client: OAuthClient, sent: str) -> _Chain | None:
    """Where in its chain a refresh token stands, or None when it counts no longer.

    The successor is made from the token itself and a salt: asked again, as when an answer was lost,
    it comes out the same, so however many ask at once there is one chain. Only its hash is kept, and
    the salt goes when the successor is used.
    """
    known = await unit.session.get(RefreshToken, hash_secret(sent))
    if known is None:
        return None
    session = await _locked(unit, Session, Session.id == known.session_id)
    if session is None or session.client_id != client.known.id:
        return None
    # Whoever held the lock before may have used it.
    await unit.session.refresh(known)
    moment = now()
    if session.ended_at is not None or session.expires_at <= moment:
        return None
    if known.used_at is None:
        salt = new_secret()
        return _Chain(session, known, salt, _successor(sent, salt), repeated=False)
    if known.salt is not None and moment <= known.used_at + GRACE:
        return _Chain(session, known, known.salt, _successor(sent, known.salt), repeated=True)
    await _punish_reuse(unit, client, session)
    return None


def _successor(token: str, salt: str) -> str:
    return hmac.new(token.encode(), salt.encode(), sha256).hexdigest()


async def _rotate(unit: Unit, chain: _Chain) -> None:
    moment = now()
    chain.session.last_used_at = chain.sent.used_at = moment
    chain.sent.salt, chain.sent.successor_hash = chain.salt, hash_secret(chain.successor)
    before = await unit.session.scalar(
        select(RefreshToken).where(
            RefreshToken.session_id == chain.session.id,
            RefreshToken.successor_hash == chain.sent.hash,
        )
    )
    if before is not None:
        before.salt = None
    await _keep_refresh_token(unit, chain.session.id, chain.successor)


async def _punish_reuse(unit: Unit, client: OAuthClient, session: Session) -> None:
    """Somebody has a copy: nobody can tell who, so the whole family ends."""
    actor = Actor(session.person_id, client.known.id)
    await note(
        unit,
        SecurityEvent.REFRESH_REUSED,
        actor=actor,
        resource_id=session.id,
        owner_id=session.person_id,
    )
    await end_sessions(unit, actor=actor, because=Ending.REFRESH_REUSED, session_id=session.id)


async def _password(
    database: Database,
    tokens: Tokens,
    client: OAuthClient,
    form: dict[str, str],
    origin: Origin,
) -> Answer:
    if not settings().password_grant or not {"username", "password"} <= form.keys():
        return Server(Facts(client), tokens).answer_token(form)
    identity = await check_password(
        database,
        form["username"],
        form["password"],
        origin=origin,
        client_id=client.known.id,
    )
    subject = identity and Subject(identity.person_id, identity.id, uuid7(), "password_grant")
    facts = Facts(client, subject=subject)
    async with database.work() as unit:
        await unit.begin()
        if identity is not None and not await still_opens(unit, identity):
            facts.subject = None
        answer = Server(facts, tokens).answer_token(form)
        if answer.status == 200 and subject is not None:
            assert facts.granted is not None
            await _begin_session(unit, client.known.id, subject, facts.granted)
        return answer


async def _begin_session(
    unit: Unit, client_id: UUID, subject: Subject, scopes: frozenset[str]
) -> None:
    moment = now()
    await unit.insert(
        Session(
            id=subject.session_id,
            person_id=subject.person_id,
            identity_id=subject.identity_id,
            client_id=client_id,
            scopes=sorted(scopes),
            method=subject.method,
            created_at=moment,
            last_used_at=moment,
            expires_at=moment + timedelta(days=settings().session_days),
        )
    )
    await note(
        unit,
        SecurityEvent.SIGNED_IN,
        actor=Actor(subject.person_id, client_id),
        resource_id=subject.session_id,
        owner_id=subject.person_id,
    )


async def _keep_refresh_token(unit: Unit, session_id: UUID, token: str) -> None:
    await unit.insert(
        RefreshToken(hash=hash_secret(token), session_id=session_id, created_at=now())
    )


async def _locked(unit: Unit, kind: Any, condition: Any) -> Any:
    return await unit.session.scalar(
        select(kind).where(condition).with_for_update().execution_options(populate_existing=True)
    )


_GRANTS = {"authorization_code": _code, "refresh_token": _refresh}
