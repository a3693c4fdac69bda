"""Health and the OpenAPI document: public, and without anybody's records."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.access.health import check_ready
from app.core.errors import Unavailable
from app.core.routes import Route

router = APIRouter(tags=["Service"], route_class=Route)


class Health(BaseModel):
    """How the service is."""

    status: Literal["live", "ready"]


@router.get("/health/live", summary="Whether the process runs")
async def read_liveness() -> Health:
    """200 as long as the process answers."""
    return Health(status="live")


@router.get("/health/ready", summary="Whether requests can be answered")
async def read_readiness(request: Request) -> Health:
    """200 when the database answers and has the schema of this version; 503 otherwise, and when the
    process is about to end."""
    if request.app.state.draining.began:
        raise Unavailable("The service is stopping.")
    if not await check_ready(request.app.state.database):
        raise Unavailable("The database has another schema: run `tandem migrate`.")
    return Health(status="ready")


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI document, as committed under openapi/."""
    document = await asyncio.to_thread(request.app.state.openapi_json)
    return Response(document, media_type="application/json")
