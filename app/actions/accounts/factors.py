"""Writes of a person's own second factor, and the operator's way out when all of it is lost."""

from uuid import UUID

from app.access.accounts import account_standing, check_fresh, hold_account
from app.access.door import Access
from app.access.identity_holders import tell
from app.access.second_factors import (
    MOST_WRONG,
    WINDOW,
    Enrolment,
    Proof,
    begin_factor,
    confirm_factor,
    confirmed_factors,
    forget_factors,
    make_recovery_codes,
    prove,
)
from app.core import journal
from app.core.db import Unit
from app.core.errors import Conflict, Invalid, NotFound, Problem, TooManyRequests
from app.core.sealing import Seals
from app.core.security_events import SecurityEvent, note
from app.models.second_factors import SecondFactor

MOST_FACTORS = 5


def check_proof(proof: Proof) -> None:
    """The problem of a code that was wrong, or not looked at; that it was stays written."""
    if proof.method is not None:
        return
    problem: Problem
    if proof.wait:
        window = int(WINDOW.total_seconds())
        problem = TooManyRequests("second factor", MOST_WRONG, window, proof.wait)
        problem.detail = f"{MOST_WRONG} codes were wrong: no code is looked at for a while."
    else:
        problem = Invalid.field(
            "/code", "is wrong, or has been used: wait for the app to show another"
        )
    problem.recorded = True
    raise problem


async def show_factor(access: Access, seals: Seals, code: str | None) -> None:
    """Before what cannot be taken back: who has a second factor shows a code of it. The account is held."""
    me = _me(access)
    if not (await account_standing(access.unit, me)).has_factor:
        return
    if code is None:
        raise Invalid.field("/code", "is needed: a code of your app, or a recovery code")
    check_proof(await prove(access.unit, seals, me, code, actor=access.caller.actor))


async def start_factor(
    access: Access, seals: Seals, *, name: str | None, code: str | None, account: str
) -> Enrolment:
    """An app that is to be confirmed; who has one already shows a code of it."""
    me = _me(access)
    await hold_account(access.unit, me)
    had = await confirmed_factors(access.unit, me)
    if len(had) >= MOST_FACTORS:
        raise Conflict(f"You have {MOST_FACTORS} apps: remove one first.")
    if not had:
        check_fresh(access)
    elif code is None:
        raise Invalid.field(
            "/code", "is needed: a code of the app that you have, or a recovery code"
        )
    else:
        check_proof(await prove(access.unit, seals, me, code, actor=access.caller.actor))
        await access.unit.flush()
    return await begin_factor(access.unit, seals, me, account=account, name=name)


async def finish_factor(
    access: Access, seals: Seals, factor: SecondFactor, code: str
) -> list[str] | None:
    """Makes the app count; recovery codes, shown only here, for who has none."""
    if factor.confirmed_at is not None:
        raise Conflict("This app has been confirmed already.")
    proof, made = await confirm_factor(access.unit, seals, factor, code, actor=access.caller.actor)
    check_proof(proof)
    return made or None


async def remove_factor(access: Access, seals: Seals, factor: SecondFactor, code: str) -> None:
    """Removes an app; with the last one the recovery codes go."""
    me, unit = _me(access), access.unit
    standing = await account_standing(unit, me)
    counting = await confirmed_factors(unit, me)
    last = [found.id for found in counting] == [factor.id]
    if last and standing.must_have_factor:
        raise Conflict("You must have a second factor here: set up another app first.")
    if counting:
        check_proof(await prove(unit, seals, me, code, actor=access.caller.actor))
    await unit.flush()
    if last:
        await forget_factors(unit, me)
    else:
        await unit.session.delete(factor)
    await note(
        unit,
        SecurityEvent.SECOND_FACTOR_REMOVED,
        actor=access.caller.actor,
        resource_id=factor.id,
        owner_id=me,
    )
    await tell(unit, me, "second_factor_removed")


async def renew_recovery_codes(access: Access, seals: Seals, code: str) -> list[str]:
    """Ten new recovery codes, shown only here; the old ones count no longer."""
    me, unit = _me(access), access.unit
    await hold_account(unit, me)
    if not await confirmed_factors(unit, me):
        raise Conflict("Recovery codes stand in for an app: set one up first.")
    check_proof(await prove(unit, seals, me, code, actor=access.caller.actor))
    return await make_recovery_codes(unit, me, actor=access.caller.actor)


async def reset_second_factor(unit: Unit, *, actor: journal.Actor, person_id: UUID) -> None:
    """Removes all apps and recovery codes of somebody who has lost both: the operator's command line
    alone. Shown to the person."""
    await hold_account(unit, person_id)
    if not await confirmed_factors(unit, person_id):
        raise NotFound()
    await forget_factors(unit, person_id)
    await note(
        unit,
        SecurityEvent.SECOND_FACTOR_RESET,
        actor=actor,
        resource_id=person_id,
        owner_id=person_id,
    )
    await tell(unit, person_id, "second_factor_removed")


def _me(access: Access) -> UUID:
    assert access.caller.person_id is not None, "the grants let people in alone"
    return access.caller.person_id
