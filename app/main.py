"""Assembles the application: routers, lifespan, problems, the OpenAPI document."""

import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncIterator
from functools import cache

import structlog
from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import openapi
from app.access.caller import OPENING_HEADER
from app.access.health import schema_of
from app.api import (
    access,
    accounts,
    agreements,
    audit,
    clients,
    closing,
    evidence,
    frameworks,
    goals,
    identity_links,
    identity_providers,
    joins,
    networks,
    openings,
    organisations,
    pages,
    people,
    scim,
    second_factors,
    service,
    shares,
    sign_in,
    ways_in,
)
from app.core import http, logs, rate_store
from app.core.compression import Compression
from app.core.db import SCHEMA, Database
from app.core.draining import Draining
from app.core.errors import Unavailable
from app.core.limits import Limits
from app.core.openid import Providers
from app.core.pages import Cursors
from app.core.private_files import create_once
from app.core.rates import Rates
from app.core.sealing import Seals
from app.core.settings import settings
from app.core.tokens import Tokens
from app.jobs import following, mail, retention

# Walked one after the other for every request: the hot ones first.
ROUTERS: tuple[APIRouter, ...] = (
    goals.router,
    *evidence.ROUTERS,
    *agreements.ROUTERS,
    organisations.router,
    people.router,
    people.affiliations_router,
    people.me_router,
    ways_in.router,
    ways_in.identities_router,
    ways_in.organisation_router,
    second_factors.router,
    closing.router,
    closing.me_router,
    *accounts.ROUTERS,
    access.router,
    access.me_router,
    clients.router,
    audit.me_router,
    audit.organisation_router,
    audit.router,
    networks.router,
    shares.router,
    openings.router,
    openings.agreement_router,
    frameworks.router,
    frameworks.principles_router,
    identity_providers.router,
    identity_links.router,
    joins.router,
    *sign_in.ROUTERS,
    service.router,
    pages.router,
)

# Other protocols than our own: not in the OpenAPI document, behind the same gates.
MOUNTED: tuple[APIRouter, ...] = (scim.router,)

log = structlog.get_logger()


async def _check_schema(database: Database) -> None:
    try:
        found = await schema_of(database)
    except Unavailable:
        log.warning("database_away", advice="serving 503 until it answers")
        return
    if found != SCHEMA:
        raise SystemExit(
            f"The database has the schema {found}, this version needs {SCHEMA}: run `tandem migrate`."
        )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configured = settings()
    database = Database(configured.database_url, connections=configured.database_connections)
    await database.open()
    await _check_schema(database)
    app.state.database = database
    app.state.tokens = Tokens(
        configured.var / "keys",
        issuer=configured.base_url,
        audience=configured.token_audience,
        algorithm=configured.token_algorithm,
        minutes=configured.token_minutes,
    )
    database.on_ended = app.state.tokens.end
    app.state.providers = Providers()
    app.state.seals = Seals(configured.var / "keys")
    database.on_narrowed = app.state.tokens.narrow
    app.state.cursors = Cursors(
        create_once(configured.var / "keys" / "cursors.key", lambda: os.urandom(32))
    )
    # What is here now stays: collecting it again and again only costs pauses.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    beside = [
        asyncio.create_task(retention.keep_sweeping(database)),
        asyncio.create_task(following.keep_following(database, app.state.tokens)),
        asyncio.create_task(mail.keep_sending(database)),
    ]
    if store := configured.rate_store.get_secret_value():
        rates: Rates = app.state.rates
        telling = rate_store.keep_telling(rate_store.connect(store), [rates.address, rates.caller])
        beside.append(asyncio.create_task(telling))
    try:
        with app.state.draining.told(configured.stop_notice_seconds):
            yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        gc.unfreeze()
        await app.state.providers.close()
        await database.close()


def create_app() -> FastAPI:
    """The application, configured from the environment."""
    logs.configure()
    configured = settings()
    app = FastAPI(
        title="Tandem",
        lifespan=_lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in (*ROUTERS, *MOUNTED):
        # Routes side by side in one list: FastAPI's include_router would have every request walk
        # routers inside routers. See docs/decisions/request-path.md.
        app.router.routes.extend(router.routes)
    http.install(app)
    # Made when it is first asked for, so that serving starts without it.
    app.state.openapi_json = cache(lambda: openapi.as_json(app))
    app.state.draining = Draining()
    app.state.rates = Rates(configured)
    # From the inside out.
    app.add_middleware(Compression)
    app.add_middleware(
        Limits,
        rates=app.state.rates,
        requests=configured.concurrent_requests,
        files=configured.concurrent_files,
    )
    if origins := configured.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                OPENING_HEADER,
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "If-Range",
                "Idempotency-Key",
                "Range",
            ],
            expose_headers=[
                "Accept-Ranges",
                "Content-Disposition",
                "Content-Range",
                "ETag",
                "Idempotency-Replayed",
                "Link",
                "Location",
                "RateLimit",
                "RateLimit-Policy",
                "Repr-Digest",
                "Retry-After",
                "X-Request-Id",
            ],
            max_age=600,
        )
    app.add_middleware(http.Envelope)
    return app
