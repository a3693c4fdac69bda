"""How the sign-in pages are made: small, without script, and closed to whatever is not theirs."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from app.api.sign_in.account_words import WORDS as ACCOUNT_WORDS
from app.api.sign_in.words import SCOPE_WORDS, WORDS
from app.core.errors import TooManyRequests


@cache
def _environment() -> Any:
    import jinja2  # loaded with the first page

    return jinja2.Environment(
        loader=jinja2.PackageLoader("app", "data/pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )


@cache
def _style() -> tuple[Any, str]:
    """The style sheet, and the source expression that allows it and no other."""
    from markupsafe import Markup

    environment = _environment()
    text: str = environment.loader.get_source(environment, "style.css")[0]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"'sha256-{digest}'"  # noqa: S704 our own file


def origin_of(uri: str) -> str:
    """A redirect URI's origin as form-action takes it: Chromium follows a form's redirect to no other."""
    parts = urlsplit(uri)
    if parts.scheme not in ("https", "http"):
        return f"{parts.scheme}:"
    # No source expression names an IPv6 address.
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def _render(
    name: str, language: str, *, title: str, status: int, leads_to: str | None = None, **values: Any
) -> HTMLResponse:
    style, allowed = _style()
    page = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            **{"other": None, "words": WORDS[language], **values},
            language=language,
            title=title,
            style=style,
        )
    )
    targets = "'self'" + (f" {origin_of(leads_to)}" if leads_to else "")
    policy = (
        f"default-src 'none'; style-src {allowed}; form-action {targets}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return HTMLResponse(
        page,
        status,
        {
            "Content-Security-Policy": policy,
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",
        },
    )


def sign_in(
    language: str,
    *,
    client: str,
    hidden: dict[str, str],
    leads_to: str,
    other: str | None,
    email: str = "",
    failed: bool = False,
    wait: TooManyRequests | None = None,
) -> HTMLResponse:
    """The page that asks for address and password; 403 when they were wrong, 429 after too many."""
    words = WORDS[language]
    wrong = words["wrong"] if failed else None
    waiting = words["wait_password"].format(minutes=minutes_of(wait)) if wait else None
    page = _render(
        "sign_in",
        language,
        title=WORDS[language]["sign_in"],
        status=429 if wait else 403 if failed else 200,
        leads_to=leads_to,
        action="/oauth/authorize",
        client=client,
        hidden=hidden,
        other=other,
        email=email,
        wrong=waiting if wait else wrong,
        forgotten=f"/account/forgotten?ui_locales={language}",
    )
    if wait:
        page.headers.update(wait.headers)
    return page


def minutes_of(wait: TooManyRequests) -> int:
    """How long to wait, as a page tells it."""
    return -(-int(wait.headers["Retry-After"]) // 60)


def consent(
    language: str, *, client: str, scopes: frozenset[str], hidden: dict[str, str], leads_to: str
) -> HTMLResponse:
    """The page that asks whether the client may."""
    parts = urlsplit(leads_to)
    return _render(
        "consent",
        language,
        title=WORDS[language]["consent"],
        status=200,
        leads_to=leads_to,
        action="/oauth/consent",
        client=client,
        lines=[SCOPE_WORDS[language][scope] for scope in sorted(scopes)],
        target=parts.netloc or parts.scheme,
        hidden=hidden,
    )


def account(
    language: str,
    name: str,
    *,
    status: int = 200,
    hidden: dict[str, str] | None = None,
    asks: str = "",
    wrong: str | None = None,
    lines: tuple[str, ...] = (),
    other: str | None = None,
    username: str = "",
    leads: str = "",
    facts: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page to which a link in a message leads: with a form where there is `hidden`."""
    words = {**WORDS[language], **ACCOUNT_WORDS[language]}
    why = words.get(f"{name}_why")
    return _render(
        "account",
        language,
        title=words[name],
        words=words,
        status=status,
        action=f"/account/{name}",
        hidden=hidden or {},
        asks=asks,
        wrong=wrong,
        lines=lines or ([why.format_map(facts or {})] if why else []),
        button=words[f"{name}_do"] if hidden else None,
        other=other,
        username=username,
        leads=leads,
    )


def refused(language: str, reason: str) -> HTMLResponse:
    """The page that says why there is no way on from here."""
    words = WORDS[language]
    return _render("refused", language, title=words["refused"], status=400, reason=words[reason])
