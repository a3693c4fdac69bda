"""How the sign-in pages are made: small, without script, and closed to whatever is not theirs."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from app.access.second_factors import Enrolment
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
    providers: Sequence[tuple[str, str]] = (),
    by_address: bool = False,
    notice: str | None = None,
) -> HTMLResponse:
    """The page that asks for address and password, or leads to a provider (id and name); 403 when
    address or password were wrong, 429 after too many, 400 when a word of `notice` says what else was."""
    words = WORDS[language]
    wrong = words["wrong"] if failed else None
    if wait:
        wrong = words["wait_password"].format(minutes=minutes_of(wait))
    page = _render(
        "sign_in",
        language,
        title=words["sign_in"],
        status=429 if wait else 403 if failed else 400 if notice else 200,
        leads_to=leads_to,
        action="/oauth/authorize",
        client=client,
        hidden=hidden,
        other=other,
        email=email,
        providers=providers,
        by_address=by_address,
        notice=notice and words[notice],
        wrong=wrong,
        forgotten=f"/account/forgotten?ui_locales={language}",
    )
    if wait:
        page.headers.update(wait.headers)
    return page


def minutes_of(wait: TooManyRequests) -> int:
    """How long to wait, as a page tells it."""
    return -(-int(wait.headers["Retry-After"]) // 60)


def link(
    language: str, *, provider: str, person: str, client: str, hidden: dict[str, str]
) -> HTMLResponse:
    """The page that asks whether one more account is to open somebody's record."""
    return _render(
        "link",
        language,
        title=WORDS[language]["link"],
        status=200,
        provider=provider,
        person=person,
        client=client,
        hidden=hidden,
    )


def leading_on(language: str, *, address: str, name: str) -> HTMLResponse:
    """The page that leads on to a provider by itself: a form's redirect could not, since Chromium
    follows one only to addresses that the page has named beforehand."""
    page = _render(
        "leading_on",
        language,
        title=f"{WORDS[language]['continue_to']} {name}",
        status=200,
        address=address,
    )
    page.headers["Refresh"] = f"0; url={address}"
    return page


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


def second_factor(
    language: str,
    *,
    client: str,
    hidden: dict[str, str],
    leads_to: str,
    wrong: bool = False,
    wait: int = 0,
    enrolment: Enrolment | None = None,
) -> HTMLResponse:
    """The page that asks for a code, with what an app needs when one is set up first; 403 when the code
    was wrong, 429 when too many were."""
    words = WORDS[language]
    minutes = -(-wait // 60)
    page = _render(
        "second_factor" if enrolment is None else "enrol",
        language,
        title=words["second_factor" if enrolment is None else "enrol"],
        status=429 if wait else 403 if wrong else 200,
        leads_to=leads_to,
        action="/oauth/second-factor",
        client=client,
        hidden=hidden,
        failed=words["wait"].format(minutes=minutes)
        if wait
        else words["wrong_code"]
        if wrong
        else None,
        **({} if enrolment is None else _shown(enrolment)),
    )
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


def _shown(enrolment: Enrolment) -> dict[str, Any]:
    """What the app needs: as a picture, as a link for the telephone itself, and to be typed."""
    import segno
    from markupsafe import Markup

    picture = segno.make(enrolment.uri, error="m", micro=False)
    # Its own white border and black squares: a camera reads no dark theme.
    drawn = picture.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)
    secret = enrolment.secret
    return {
        "picture": Markup(drawn),  # noqa: S704 drawn here, of squares alone
        "uri": enrolment.uri,
        "groups": [secret[place : place + 4] for place in range(0, len(secret), 4)],
    }


def recovery_codes(
    language: str, *, codes: tuple[str, ...], hidden: dict[str, str], leads_to: str
) -> HTMLResponse:
    """The page that shows recovery codes, once."""
    return _render(
        "recovery_codes",
        language,
        title=WORDS[language]["recovery_codes"],
        status=200,
        leads_to=leads_to,
        action="/oauth/recovery-codes",
        codes=codes,
        hidden=hidden,
    )


def disabled(language: str, *, because: str) -> HTMLResponse:
    """The page that tells somebody that their account is disabled, and why."""
    return _render(
        "disabled", language, title=WORDS[language]["disabled"], status=403, because=because
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
