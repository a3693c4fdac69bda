"""What people see in a browser: the first page, the pages of problems, the documentation.

By `Accept` the first two are JSON for programs. All are public and hold nobody's records.
"""

import html
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.access.sign_in import PUBLIC_CLIENT, documentation_redirect
from app.core import wire
from app.core.errors import NotFound, Problem, problem_types
from app.core.html import ASSETS, VARY, asset, back_to_documentation, documentation, escaped, page
from app.core.negotiation import ACCEPT_LANGUAGE, Language, language_of, media_type_of
from app.core.pages import Whole
from app.core.routes import Route
from app.core.settings import settings
from app.core.translations import Translation, words_of_problem

router = APIRouter(tags=["Service"], route_class=Route)


class Choice(BaseModel):
    """A language that somebody chose by a link. Whatever else a shared link carries is no matter."""

    language: Annotated[
        Language | None,
        Field(description="Goes before `Accept-Language`; links on the page keep it."),
    ] = None

    def spoken(self, request: Request) -> Language:
        """The language of the answer."""
        return self.language or language_of(request)

    @property
    def query(self) -> str:
        """What links carry so that the choice stays."""
        return f"?language={self.language}" if self.language else ""


Chosen = Annotated[Choice, wire.Parameters]
Slug = Annotated[
    str, Path(max_length=60, pattern=r"^[a-z-]{1,60}$", description="Last part of the `type`.")
]
Address = Annotated[str, wire.Says(maxLength=300, format="uri")]
_ALSO_A_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or a page for people when `Accept` would rather have `text/html`.",
        "content": {"text/html": {"schema": {"type": "string", "maxLength": 100_000}}},
    }
}


def _is_page(request: Request) -> bool:
    return media_type_of(request, ("application/json", "text/html")) == "text/html"


def _page(name: str, request: Request, chosen: Choice, title: str, **values: str) -> HTMLResponse:
    language, here = chosen.spoken(request), request.url.path
    return page(name, title=title, here=here, language=language, chosen=chosen.query, **values)


class ServiceLinks(BaseModel):
    """Where to go on from here; absolute addresses."""

    documentation: Address
    openapi: Address
    problems: Address
    token: Annotated[Address, Field(description="Access tokens (OAuth 2.0).")]
    jwks: Annotated[Address, Field(description="The public keys of the access tokens.")]
    live: Annotated[Address, Field(description="Health: whether the process runs.")]
    ready: Annotated[Address, Field(description="Health: whether requests can be answered.")]


class ServiceOut(BaseModel):
    """What answers here."""

    name: wire.Word
    version: wire.Word
    links: ServiceLinks


@router.get(
    "/",
    summary="What this service is",
    response_model=ServiceOut,
    responses=_ALSO_A_PAGE,
    openapi_extra=ACCEPT_LANGUAGE,
)
async def describe_service(request: Request, response: Response, chosen: Chosen) -> Any:
    """For programs a list of links, for people the first page."""
    base = settings().base_url
    if _is_page(request):
        return _page("landing", request, chosen, "Tandem", base_url=html.escape(base))
    response.headers["Vary"] = VARY
    links = ServiceLinks(
        documentation=f"{base}/docs",
        openapi=f"{base}/openapi.json",
        problems=f"{base}/problems",
        token=f"{base}/oauth/token",
        jwks=f"{base}/.well-known/jwks.json",
        live=f"{base}/health/live",
        ready=f"{base}/health/ready",
    )
    return ServiceOut(name="Tandem", version=version("tandem"), links=links)


class ProblemTypeOut(BaseModel):
    """What a problem means."""

    type: Annotated[Address, Field(description="As in the `type` of a refusal.")]
    title: wire.Name
    status: Annotated[int, wire.Says(minimum=400, maximum=599)]
    advice: Annotated[wire.Text, Field(description="What the caller can do about it.")]
    translation: Annotated[
        Translation | None,
        Field(description="In Welsh: whether anybody has reviewed our translation."),
    ]


def _explained(slug: str, kind: type[Problem], language: Language) -> ProblemTypeOut:
    title, advice, translation = words_of_problem(kind, language)
    return ProblemTypeOut(
        type=f"{settings().base_url}/problems/{slug}",
        title=title,
        status=kind.status,
        advice=advice,
        translation=translation,
    )


def _speak(response: Response, language: Language) -> None:
    response.headers.update({"Content-Language": language, "Vary": VARY})


@router.get(
    "/problems",
    summary="List what problems mean",
    response_model=Whole[ProblemTypeOut],
    responses=_ALSO_A_PAGE,
    openapi_extra=ACCEPT_LANGUAGE,
)
async def list_problems(request: Request, response: Response, chosen: Chosen) -> Any:
    """Every way in which a request can be refused, by status."""
    language = chosen.spoken(request)
    kinds = sorted(problem_types().items(), key=lambda item: (item[1].status, item[0]))
    found = {slug: _explained(slug, kind, language) for slug, kind in kinds}
    if not _is_page(request):
        _speak(response, language)
        return Whole(items=list(found.values()), next=None)
    lines = (
        f'<dt><a href="/problems/{slug}{chosen.query}">{escaped(p.title)}</a> <code>{p.status} {slug}</code></dt>'
        f"\n<dd>{escaped(p.advice)}</dd>"
        for slug, p in found.items()
    )
    title = "Problemau" if language == "cy" else "Problems"
    return _page("problems", request, chosen, title, problems="\n".join(lines))


@router.get(
    "/problems/{slug}",
    summary="What a problem means",
    response_model=ProblemTypeOut,
    responses=_ALSO_A_PAGE,
    openapi_extra=ACCEPT_LANGUAGE,
)
async def explain_problem(
    request: Request,
    response: Response,
    slug: Slug,
    chosen: Chosen,
) -> Any:
    """Where the `type` of a problem leads."""
    kind = problem_types().get(slug)
    if kind is None:
        raise NotFound()
    language = chosen.spoken(request)
    found = _explained(slug, kind, language)
    if not _is_page(request):
        _speak(response, language)
        return found
    values = {"slug": slug, "status": str(found.status), "advice": escaped(found.advice)}
    return _page("problem", request, chosen, found.title, **values)


@router.get("/docs", include_in_schema=False)
async def read_documentation() -> Response:
    """The documentation page; all that it loads is the service's own."""
    return documentation(
        client=str(PUBLIC_CLIENT),
        issuer=settings().base_url,
        redirect=documentation_redirect(),
        password=settings().password_grant,
    )


@router.get("/docs/oauth2-redirect", include_in_schema=False)
async def come_back() -> Response:
    """Where the documentation page's window comes back to after signing in."""
    return back_to_documentation()


@router.get("/assets/{name}", include_in_schema=False)
async def read_asset(name: str) -> Response:
    """One file that a page loads."""
    if name not in ASSETS:
        raise NotFound()
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(asset(name), media_type=ASSETS[name], headers=headers)
