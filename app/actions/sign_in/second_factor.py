"""The second step of the sign-in pages: a code of the person's app, or an app that is set up first."""

import contextlib

from app.access.accounts import AccountStanding, account_standing, hold_account
from app.access.oauth import Answer
from app.access.second_factors import (
    Enrolment,
    Proof,
    begin_factor,
    begun_factor,
    confirm_factor,
    enrolment_of,
    prove,
)
from app.actions.sign_in.authorizing import (
    Disabled,
    Pending,
    Step,
    consent_or_code,
    find_pending,
)
from app.core.db import Database, Unit
from app.core.passwords import hash_secret, new_secret
from app.core.sealing import Seals, Unreadable
from app.core.tokens import Tokens
from app.models.people import SignInIdentity
from app.models.sessions import Stage


async def begin_enrolment(database: Database, seals: Seals, step: Step) -> Enrolment:
    """What the page shows for an app to be set up: as it was begun, where a wrong code has been typed."""
    person_id = step.pending.row.person_id
    async with database.work() as unit:
        await hold_account(unit, person_id)
        account = await _account(unit, step.pending)
        begun = await begun_factor(unit, person_id) if step.wrong or step.wait else None
        if begun is not None:
            with contextlib.suppress(Unreadable):  # a new one, then
                return enrolment_of(begun, seals, account)
        return await begin_factor(unit, seals, person_id, account=account)


async def _account(unit: Unit, pending: Pending) -> str:
    """What the app shows beside the service's name."""
    identity = await unit.session.get(SignInIdentity, pending.row.identity_id)
    return (identity.email if identity is not None else None) or pending.client.name


async def take_code(
    database: Database, tokens: Tokens, seals: Seals, *, ticket: str, browser: str, code: str
) -> Step | Disabled | Answer | None:
    """What comes after a code: the next step, or the same one when it was wrong; None when nothing
    waits for one."""
    async with database.work() as unit:
        await unit.begin()
        pending = await find_pending(unit, ticket, browser, Stage.SECOND_FACTOR)
        if pending is None:
            return None
        standing = await account_standing(unit, pending.row.person_id)
        if not standing.is_open:
            return Disabled(standing.disabled_because or "")
        proof, made = await _judge(unit, seals, pending, standing, code)
        if proof.method is None:
            return Step(
                pending,
                ticket,
                enrols=not standing.has_factor,
                wrong=not proof.wait,
                wait=proof.wait,
            )
        row, ticket = pending.row, new_secret()
        row.method = f"{row.method} {proof.method}"
        row.stage, row.secret_hash = Stage.CONSENT, hash_secret(ticket)
        if made:
            return Step(pending, ticket, recovery_codes=tuple(made))
        return await consent_or_code(unit, tokens, pending, ticket)


async def _judge(
    unit: Unit, seals: Seals, pending: Pending, standing: AccountStanding, code: str
) -> tuple[Proof, list[str]]:
    person_id = pending.row.person_id
    if standing.has_factor:
        return await prove(unit, seals, person_id, code, actor=pending.actor), []
    begun = await begun_factor(unit, person_id)
    if begun is None:
        return Proof(None), []
    return await confirm_factor(unit, seals, begun, code, actor=pending.actor)


async def go_on(
    database: Database, tokens: Tokens, *, ticket: str, browser: str
) -> Step | Answer | None:
    """What comes when the person has kept their recovery codes; None when nothing waits."""
    async with database.work() as unit:
        await unit.begin()
        pending = await find_pending(unit, ticket, browser, Stage.CONSENT)
        return None if pending is None else await consent_or_code(unit, tokens, pending, ticket)
