"""Pages for people: files of `app/data/pages`, filled in. Nothing on them comes from elsewhere."""

import hashlib
import html
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from string import Template

from starlette.responses import HTMLResponse

from app.core.negotiation import Language

VARY = "Accept, Accept-Language"
"""What an answer depends on that is a page for people and JSON for programs."""

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PLAIN = f"{_NOTHING}; style-src 'self'; img-src 'self'"
# Swagger UI draws its icons from data addresses and sets styles by script.
_DOCUMENTATION = (
    f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
)

# Its address holds a code.
_BACK = f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self'"

ASSETS = {
    "tandem.css": "text/css",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "signed_in.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""What the pages load, with its media type."""


@cache
def asset(name: str) -> bytes:
    """The content of one of `ASSETS`: our own, or Swagger UI's from its package."""
    own = files("app").joinpath("data", "pages", name)
    found = own if own.is_file() else files("fastapi_swagger").joinpath("resources", name)
    return found.read_bytes()


@cache
def _address_of(name: str) -> str:
    """Where an asset is; another address when its content is another, so that caches may keep it."""
    return f"/assets/{name}?v={hashlib.sha256(asset(name)).hexdigest()[:12]}"


@cache
def _template(name: str) -> Template:
    file = files("app").joinpath("data", "pages", f"{name}.html")
    return Template(file.read_text(encoding="utf-8"))


def escaped(text: str) -> str:
    """Text as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def page(
    name: str, *, title: str, here: str, language: Language, chosen: str, **values: str
) -> HTMLResponse:
    """The page `name` in its frame. `values` are HTML already.

    `here`: its own path. `chosen`: the query with which links keep a chosen language, or nothing.
    """
    content = _template(f"{name}.{language}").substitute(
        values, title=escaped(title), chosen=chosen
    )
    whole = _template(f"frame.{language}").substitute(
        content=content,
        title=html.escape(title),
        here=html.escape(here),
        chosen=chosen,
        stylesheet=_address_of("tandem.css"),
        icon=_address_of("favicon-32x32.png"),
        version=version("tandem"),
    )
    headers = {"Content-Security-Policy": _PLAIN, "Content-Language": language, "Vary": VARY}
    return HTMLResponse(whole, headers=headers)


def documentation(*, client: str, issuer: str, redirect: str, password: bool) -> HTMLResponse:
    """The documentation page: Swagger UI with our own start and style, and how people sign in there."""
    whole = _template("docs").substitute(
        client=html.escape(client),
        issuer=html.escape(issuer),
        redirect=html.escape(redirect),
        password="data-password" if password else "",
        swagger_stylesheet=_address_of("swagger-ui.css"),
        swagger_script=_address_of("swagger-ui-bundle.js"),
        stylesheet=_address_of("docs.css"),
        script=_address_of("docs.js"),
        icon=_address_of("favicon-32x32.png"),
    )
    headers = {"Content-Security-Policy": _DOCUMENTATION, "Content-Language": "en"}
    return HTMLResponse(whole, headers=headers)


def back_to_documentation() -> HTMLResponse:
    """Where the window comes back to in which somebody signed in for the documentation page."""
    whole = _template("signed_in").substitute(
        stylesheet=_address_of("tandem.css"),
        script=_address_of("signed_in.js"),
        icon=_address_of("favicon-32x32.png"),
    )
    headers = {
        "Content-Security-Policy": _BACK,
        "Content-Language": "en",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(whole, headers=headers)
