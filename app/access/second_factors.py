"""Second factors: whether a code is right, how an app is set up, and what stands in for a lost one."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import delete, select

from app.access.identity_holders import tell
from app.access.visibility import parameter
from app.core import one_time
from app.core.clock import now
from app.core.db import Unit
from app.core.ids import uuid7
from app.core.journal import Actor, about_accounts, journal
from app.core.passwords import hash_secret
from app.core.query import Query
from app.core.sealing import Seals, Unreadable
from app.core.security_events import SecurityEvent, note
from app.core.settings import settings
from app.core.tables import Id, Moment, as_moment
from app.models.second_factors import RecoveryCode, SecondFactor

log = structlog.get_logger()

MOST_WRONG = 5
WINDOW = timedelta(minutes=30)
"""How many wrong codes a person may type in how long; then no code is taken until one is older."""
RECOVERY_CODES = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"

_failed_kind, _failed_action = SecurityEvent.SECOND_FACTOR_FAILED.value
_WRONG = Query(
    select(journal.c.at)
    .where(
        about_accounts(_failed_kind),
        journal.c.owner_id == parameter("person_id", Id),
        journal.c.action == _failed_action,
        journal.c.at > parameter("since", Moment),
    )
    .order_by(journal.c.sequence.desc())
    .limit(MOST_WRONG)
)
_codes: Any = RecoveryCode.__table__
_factors: Any = SecondFactor.__table__
_FORGET_CODES = Query(delete(_codes).where(_codes.c.person_id == parameter("person_id", Id)))
_FORGET_BEGUN = Query(
    delete(_factors).where(
        _factors.c.person_id == parameter("person_id", Id), _factors.c.confirmed_at.is_(None)
    )
)


class Proof(NamedTuple):
    """What a code has shown."""

    method: str | None
    """`otp` or `recovery_code`; None when it was wrong, or not looked at."""
    wait: int = 0
    """Seconds until a code is looked at again."""


class Enrolment(NamedTuple):
    """An app that is being set up: what it needs, shown once."""

    id: UUID
    secret: str
    uri: str


async def seconds_to_wait(unit: Unit, person_id: UUID) -> int:
    """How long no code of the person is looked at, in seconds; 0: one is."""
    moment = now()
    rows = await unit.rows(_WRONG, {"person_id": person_id, "since": moment - WINDOW})
    if len(rows) < MOST_WRONG:
        return 0
    oldest: datetime = as_moment(rows[-1][0])
    return max(1, int((oldest + WINDOW - moment).total_seconds()) + 1)


async def confirmed_factors(unit: Unit, person_id: UUID) -> list[SecondFactor]:
    """The person's apps that count, the oldest first."""
    found = await unit.session.scalars(
        select(SecondFactor)
        .where(SecondFactor.person_id == person_id, SecondFactor.confirmed_at.is_not(None))
        .order_by(SecondFactor.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def begun_factor(unit: Unit, person_id: UUID) -> SecondFactor | None:
    """The app that is being set up and has not been confirmed."""
    return await unit.session.scalar(
        select(SecondFactor)
        .where(SecondFactor.person_id == person_id, SecondFactor.confirmed_at.is_(None))
        .execution_options(populate_existing=True)
    )


async def prove(unit: Unit, seals: Seals, person_id: UUID, code: str, *, actor: Actor) -> Proof:
    """Whether `code` is one of the person's apps, or a recovery code; then it is used up.

    The account is held (`hold_account`), and the caller commits whatever comes out: a wrong code
    is journaled and counted.
    """
    if wait := await seconds_to_wait(unit, person_id):
        return Proof(None, wait)
    typed = _typed(code)
    if len(typed) == one_time.DIGITS:
        for factor in await confirmed_factors(unit, person_id):
            if _take(factor, seals, typed):
                return Proof("otp")
    elif await _use_recovery_code(unit, person_id, typed, actor):
        return Proof("recovery_code")
    await _note_wrong(unit, person_id, actor)
    return Proof(None)


def _typed(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code[:100].lower())


def _take(factor: SecondFactor, seals: Seals, typed: str) -> bool:
    """Whether it is a code of this app that has not been taken yet; then it is."""
    try:
        secret = seals.open(factor.secret, factor.about)
    except Unreadable:
        # Their recovery codes still count.
        log.error("second_factor_unreadable", id=str(factor.id))
        return False
    step = one_time.step_of(secret, typed, after=factor.last_step)
    if step is None:
        return False
    factor.last_step, factor.last_used_at = step, now()
    if seals.is_old(factor.secret):
        factor.secret = seals.seal(secret, factor.about)
    return True


async def _use_recovery_code(unit: Unit, person_id: UUID, typed: str, actor: Actor) -> bool:
    found = await unit.session.get(RecoveryCode, _hashed(person_id, typed), populate_existing=True)
    if found is None or found.used_at is not None:
        return False
    found.used_at = now()
    await note(
        unit,
        SecurityEvent.RECOVERY_CODE_USED,
        actor=actor,
        resource_id=person_id,
        owner_id=person_id,
    )
    return True


async def _note_wrong(unit: Unit, person_id: UUID, actor: Actor) -> None:
    await note(
        unit,
        SecurityEvent.SECOND_FACTOR_FAILED,
        actor=actor,
        resource_id=person_id,
        owner_id=person_id,
    )


def _hashed(person_id: UUID, code: str) -> str:
    return hash_secret(f"{person_id}:{code}")


async def begin_factor(
    unit: Unit, seals: Seals, person_id: UUID, *, account: str, name: str | None = None
) -> Enrolment:
    """A new app, which counts when a code has confirmed it; one that was begun before is forgotten."""
    await unit.rows(_FORGET_BEGUN, {"person_id": person_id})
    factor = SecondFactor(id=uuid7(), person_id=person_id, name=name, created_at=now())
    secret = one_time.new_secret()
    factor.secret = seals.seal(secret, factor.about)
    await unit.insert(factor)
    return Enrolment(factor.id, secret, _uri(secret, account))


def enrolment_of(factor: SecondFactor, seals: Seals, account: str) -> Enrolment:
    """As `begin_factor`, of one that was begun: for a page that is shown again. Unreadable."""
    secret = seals.open(factor.secret, factor.about)
    return Enrolment(factor.id, secret, _uri(secret, account))


def _uri(secret: str, account: str) -> str:
    issuer = f"Tandem {urlsplit(settings().base_url).hostname}"
    return one_time.uri_of(secret, account=account.replace(":", " "), issuer=issuer)


async def confirm_factor(
    unit: Unit, seals: Seals, factor: SecondFactor, code: str, *, actor: Actor
) -> tuple[Proof, list[str]]:
    """Makes the app count, if `code` is one of it; with recovery codes, shown once, for who has none.

    As with `prove`, the account is held and the caller commits.
    """
    person_id = factor.person_id
    if wait := await seconds_to_wait(unit, person_id):
        return Proof(None, wait), []
    if not _take(factor, seals, _typed(code)):
        await _note_wrong(unit, person_id, actor)
        return Proof(None), []
    factor.confirmed_at = now()
    await unit.flush()
    await note(
        unit,
        SecurityEvent.SECOND_FACTOR_ADDED,
        actor=actor,
        resource_id=factor.id,
        owner_id=person_id,
    )
    await tell(unit, person_id, "second_factor_added")
    if await unused_codes(unit, person_id):
        return Proof("otp"), []
    return Proof("otp"), await make_recovery_codes(unit, person_id, actor=actor)


async def unused_codes(unit: Unit, person_id: UUID) -> int:
    """How many recovery codes the person has left."""
    found = await unit.session.scalars(
        select(RecoveryCode.hash).where(
            RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
        )
    )
    return len(found.all())


async def make_recovery_codes(unit: Unit, person_id: UUID, *, actor: Actor) -> list[str]:
    """Ten new recovery codes, returned only here; those before count no longer."""
    await unit.flush()
    await unit.rows(_FORGET_CODES, {"person_id": person_id})
    made = []
    for _ in range(RECOVERY_CODES):
        code = "".join(secrets.choice(_LETTERS) for _ in range(16))
        await unit.insert(
            RecoveryCode(hash=_hashed(person_id, code), person_id=person_id, created_at=now())
        )
        made.append("-".join(code[place : place + 4] for place in range(0, 16, 4)))
    await note(
        unit,
        SecurityEvent.RECOVERY_CODES_MADE,
        actor=actor,
        resource_id=person_id,
        owner_id=person_id,
    )
    return made


_FORGET_FACTORS = Query(delete(_factors).where(_factors.c.person_id == parameter("person_id", Id)))


async def forget_factors(unit: Unit, person_id: UUID) -> None:
    """Removes all apps and recovery codes of a person."""
    await unit.rows(_FORGET_FACTORS, {"person_id": person_id})
    await unit.rows(_FORGET_CODES, {"person_id": person_id})
