"""An authenticator app in the hands of a person of the tests."""

from dataclasses import dataclass, field
from uuid import UUID

import httpx

from app.access.accounts import hold_account
from app.access.second_factors import begin_factor, begun_factor, confirm_factor
from app.core import one_time
from app.core.clock import now
from app.core.journal import Actor
from tests.signing_in import Browser, Desk, hidden


@dataclass
class Authenticator:
    """Shows a new code whenever it is asked, without waiting for half a minute."""

    secret: str
    recovery_codes: list[str] = field(default_factory=list)
    shown: int = -1

    def code(self) -> str:
        """A code that counts now: of the step before, of this one, then of the next."""
        here = int(now().timestamp() // one_time.SECONDS)
        self.shown = max(self.shown + 1, here - 1)
        assert self.shown <= here + 1, "no more than three codes count within half a minute"
        return one_time.code_at(self.secret, self.shown)

    def wrong(self) -> str:
        """Six digits that are no code of these minutes."""
        here = int(now().timestamp() // one_time.SECONDS)
        near = {one_time.code_at(self.secret, here + away) for away in range(-4, 5)}
        return next(f"{number:06}" for number in range(100) if f"{number:06}" not in near)


async def enrolled(desk: Desk, person_id: UUID | None = None) -> Authenticator:
    """The desk's person with an app, and a code of it that has been used."""
    person = person_id or desk.world.learner.id
    seals = desk.world.app.state.seals
    async with desk.world.database.work() as unit:
        await hold_account(unit, person)
        begun = await begin_factor(unit, seals, person, account="x")
        app = Authenticator(begun.secret)
        factor = await begun_factor(unit, person)
        assert factor is not None
        proof, app.recovery_codes = await confirm_factor(
            unit, seals, factor, app.code(), actor=Actor(person, desk.app.id)
        )
        assert proof.method == "otp"
    return app


async def type_code(browser: Browser, page: httpx.Response, code: str) -> httpx.Response:
    """What comes after a code on the page that asks for one."""
    return await browser.http.post("/oauth/second-factor", data={**hidden(page.text), "code": code})


async def keep_codes(browser: Browser, page: httpx.Response) -> httpx.Response:
    """What comes after the page with recovery codes."""
    return await browser.http.post("/oauth/recovery-codes", data=hidden(page.text))
