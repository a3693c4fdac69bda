"""What a person is shown between the password, or a provider's word, and the way back to the client."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.access.oauth import Answer
from app.actions import sign_in
from app.api.sign_in import pages
from app.core.settings import settings
from app.models.sessions import Stage


def go(answer: Answer, redirect_uri: str) -> Response:
    """To the client's address, with the issuer's name beside the answer (RFC 9207)."""
    assert answer.location is not None
    assert answer.location.startswith(redirect_uri.partition("?")[0])
    issuer = quote(settings().base_url, safe="")
    # 303: a browser sends the password to nobody else (RFC 9700, section 4.12).
    return RedirectResponse(f"{answer.location}&iss={issuer}", 303)


Found = sign_in.Step | sign_in.Disabled | Answer | None
Taking = Callable[[dict[str, str]], Awaitable[Found]]
"""Takes a form, and says what comes next; None when nothing waits for it."""


async def answer(
    request: Request,
    found: sign_in.Step | sign_in.Disabled | Answer,
    *,
    language: str,
    browser: str,
    leads_to: str,
) -> Response:
    """The page of the next step, or the way to the client's address `leads_to`."""
    if isinstance(found, Answer):
        return go(found, leads_to)
    if isinstance(found, sign_in.Disabled):
        return pages.disabled(language, because=found.because)
    hidden = {"ticket": found.ticket, "browser": browser, "ui_locales": language}
    client = found.pending.client.name
    if found.recovery_codes:
        return pages.recovery_codes(
            language, codes=found.recovery_codes, hidden=hidden, leads_to=leads_to
        )
    if found.stage is not Stage.SECOND_FACTOR:
        return pages.consent(
            language,
            client=client,
            scopes=found.pending.scopes,
            hidden=hidden,
            leads_to=leads_to,
        )
    enrolment = None
    if found.enrols:
        state = request.app.state
        enrolment = await sign_in.begin_enrolment(state.database, state.seals, found)
    return pages.second_factor(
        language,
        client=client,
        hidden=hidden,
        leads_to=leads_to,
        wrong=found.wrong,
        wait=found.wait,
        enrolment=enrolment,
    )
