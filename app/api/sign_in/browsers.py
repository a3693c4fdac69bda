"""The browser in which somebody signs in: the cookie that ties the pages to it."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.core.settings import settings


def _cookie_name() -> str:
    # A browser takes __Host- from this very host alone, and only over TLS.
    return "__Host-sign-in" if settings().base_url.startswith("https://") else "sign-in"


def of(request: Request) -> str:
    """What names this browser: as its cookie has it, or new."""
    kept = request.cookies.get(_cookie_name(), "")
    return kept if len(kept) == 43 and kept.isascii() else secrets.token_urlsafe(32)


def with_cookie(page: HTMLResponse, browser: str) -> HTMLResponse:
    """The page, and the cookie that names the browser for an hour."""
    page.set_cookie(
        _cookie_name(),
        browser,
        max_age=3600,
        secure=settings().base_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return page


def is_ours(request: Request, form: dict[str, str]) -> bool:
    """Whether a form was filled in on a page that this browser was given."""
    kept, sent = request.cookies.get(_cookie_name(), ""), form.get("browser", "")
    same = hmac.compare_digest(kept.encode(), sent.encode()) and len(kept) == 43
    return same and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
