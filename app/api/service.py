"""Health, problem pages and the documentation page: public, and without anybody's records."""

import asyncio
import html
from importlib.resources import files
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.access.health import check_ready
from app.core.errors import NotFound, Unavailable, problem_types
from app.core.routes import Route

router = APIRouter(tags=["Service"], route_class=Route)


class Health(BaseModel):
    """How the service is."""

    status: Literal["live", "ready"]


@router.get("/health/live", summary="Whether the process runs")
async def live() -> Health:
    """200 as long as the process answers."""
    return Health(status="live")


@router.get("/health/ready", summary="Whether requests can be answered")
async def ready(request: Request) -> Health:
    """200 when the database answers and has the schema of this version; 503 otherwise."""
    if not await check_ready(request.app.state.database):
        raise Unavailable("The database has another schema: run `tandem migrate`.")
    return Health(status="ready")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>{title}</h1><p>Status {status}.</p><p>{advice}</p></main></body></html>
"""


_HTML = {"text/html": {"schema": {"type": "string", "maxLength": 10_000}}}
Slug = Annotated[
    str, Path(max_length=60, pattern=r"^[a-z-]{1,60}$", description="Last part of the `type`.")
]


@router.get(
    "/problems/{slug}",
    summary="What a problem means",
    response_class=HTMLResponse,
    responses={200: {"content": _HTML}},
)
async def explain(slug: Slug) -> Response:
    """The page that the `type` of a problem leads to."""
    kind = problem_types().get(slug)
    if kind is None:
        raise NotFound()
    page = _PAGE.format(
        title=html.escape(kind.title), status=kind.status, advice=html.escape(kind.advice)
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'"})


_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


@router.get("/docs", include_in_schema=False)
async def documentation(request: Request) -> Response:
    """The documentation page; its assets are the service's own."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon-32x32.png",
        swagger_ui_parameters={"persistAuthorization": True, "displayRequestDuration": True},
    )


@router.get("/docs/assets/{name}", include_in_schema=False)
async def asset(name: str) -> Response:
    """One file of the documentation page."""
    if name not in _ASSETS:
        raise NotFound()
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(content, media_type=_ASSETS[name], headers=headers)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI document, as committed under openapi/."""
    document = await asyncio.to_thread(request.app.state.openapi_json)
    return Response(document, media_type="application/json")
