"""The two cookies of the sign-in pages: what ties a form to its browser, and what a browser keeps of
the accounts that have been used in it. Neither keeps anybody signed in."""

import hmac
import secrets
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.access.credentials import Origin
from app.core import devices
from app.core.rates import network_of
from app.core.settings import settings

_LENGTH = 43


def _secure() -> bool:
    return settings().base_url.startswith("https://")


def _name(name: str) -> str:
    # A browser takes __Host- from this very host alone, and only over TLS.
    return f"__Host-{name}" if _secure() else name


def _keep(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        _name(name), value, max_age=seconds, secure=_secure(), httponly=True, samesite="lax"
    )


def of(request: Request) -> str:
    """What ties the next form to this browser: what it has, or something new."""
    kept = request.cookies.get(_name("sign-in"), "")
    return kept if len(kept) == _LENGTH and kept.isascii() else secrets.token_urlsafe(32)


def with_cookie(page: HTMLResponse, browser: str) -> HTMLResponse:
    """The page, and the cookie that names the browser for an hour."""
    _keep(page, "sign-in", browser, 3600)
    return page


def is_ours(request: Request, form: dict[str, str]) -> bool:
    """Whether a form was filled in on a page that this browser was given."""
    kept, sent = request.cookies.get(_name("sign-in"), ""), form.get("browser", "")
    same = hmac.compare_digest(kept.encode(), sent.encode()) and len(kept) == _LENGTH
    return same and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _marks(request: Request) -> tuple[str, ...]:
    return tuple(request.cookies.get(_name("known"), "")[:1000].split("~")[: devices.MOST])


def origin_of(request: Request) -> Origin:
    """Where a request comes from."""
    return Origin(network_of(request.scope), _marks(request))


def keep_account(request: Request, answer: Response, identity_id: UUID) -> None:
    """Has the browser keep that this account has been used in it."""
    others = [m for m in _marks(request) if m and not devices.is_mark(m, identity_id)]
    kept = [devices.mark(identity_id), *others][: devices.MOST]
    _keep(answer, "known", "~".join(kept), devices.DAYS * 86_400)
