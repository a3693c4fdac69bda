"""The pages' second step: the code of an authenticator app, and the codes for when it is lost."""

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.access.oauth import Answer
from app.actions import sign_in
from app.api.sign_in import browsers, forms, pages, steps
from app.api.sign_in.words import chosen_language
from app.core.routes import Route

router = APIRouter(tags=["Sign in"], route_class=Route)


@router.post("/oauth/second-factor", include_in_schema=False)
async def sign_in_by_code(request: Request) -> Response:
    """Takes the code; on to the question, or straight back to the client."""

    async def take(form: dict[str, str]) -> steps.Found:
        state = request.app.state
        return await sign_in.take_code(
            state.database,
            state.tokens,
            state.seals,
            ticket=form.get("ticket", ""),
            browser=form["browser"],
            code=form.get("code", ""),
        )

    return await _step(request, take)


@router.post("/oauth/recovery-codes", include_in_schema=False)
async def go_on(request: Request) -> Response:
    """Goes on when the person has kept their recovery codes."""

    async def take(form: dict[str, str]) -> steps.Found:
        state = request.app.state
        return await sign_in.go_on(
            state.database,
            state.tokens,
            ticket=form.get("ticket", ""),
            browser=form["browser"],
        )

    return await _step(request, take)


async def _step(request: Request, take: steps.Taking) -> Response:
    language = chosen_language(request)
    try:
        form = await forms.read(request)
    except OAuth2Error:
        return pages.refused(language, "malformed")
    language = chosen_language(request, form.get("ui_locales", ""))
    found = await take(form) if browsers.is_ours(request, form) else None
    if found is None:
        return pages.refused(language, "over")
    leads_to = ""
    if isinstance(found, Answer) and found.location is not None:
        leads_to = found.location.partition("?")[0]
    elif isinstance(found, sign_in.Step):
        leads_to = found.pending.row.redirect_uri
    return await steps.answer(
        request, found, language=language, browser=form["browser"], leads_to=leads_to
    )
