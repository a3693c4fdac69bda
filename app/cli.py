"""The `tandem` command. Heavy imports wait until a command needs them: serving starts fast."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.core.settings import settings

app = typer.Typer(
    help="Tandem: the coaching record behind every school's front end.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
imports = typer.Typer(help="Bring in what other systems have.", no_args_is_help=True)
app.add_typer(imports, name="import")


@app.command()
def serve(
    workers: Annotated[int, typer.Option(help="Processes; more than one needs PostgreSQL.")] = 1,
) -> None:
    """Serve the API on the configured address."""
    import uvicorn

    if workers > 1 and settings().database_url.startswith("sqlite"):
        raise typer.BadParameter("several processes need PostgreSQL (TANDEM_DATABASE_URL)")
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings().host,
        port=settings().port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level=settings().log_level,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=20,
    )


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema and publish the reference frameworks."""
    from app.migrations import upgrade

    upgrade(settings().database_url)
    loaded = asyncio.run(_load_reference())
    typer.echo(
        f"Database ready; frameworks: {loaded.published} published, {loaded.unchanged} unchanged."
    )


async def _load_reference() -> Any:
    from app.actions.accounts import ensure_public_client
    from app.actions.frameworks import publish_frameworks, seeded

    async with _opened() as database, database.work() as unit:
        await ensure_public_client(unit)
        return await publish_frameworks(unit, seeded())


@app.command()
def demonstrate() -> None:
    """Fill an empty database with a small demonstration cluster; leave any other alone."""
    file = settings().var / "demo.json"
    made = asyncio.run(_demonstrate(file))
    if made:
        typer.echo(f"Demonstration cluster made; its accounts are in {file}.")


async def _demonstrate(file: Path) -> bool:
    from app.jobs import demonstration

    async with _opened() as database:
        if not await demonstration.is_empty(database):
            return False
        await demonstration.create(database, file)
        return True


@app.command()
def welcome() -> None:
    """Print where the documentation is and how to sign in."""
    base = settings().base_url
    typer.echo(f"\n  Documentation:  {base}/docs")
    file = settings().var / "demo.json"
    if file.exists():
        accounts = json.loads(file.read_text())["accounts"]
        typer.echo(f"  Sign in with Authorize; accounts of the demonstration ({file}):")
        for account in accounts:
            typer.echo(f"    {account['role']:<14} {account['email']:<28} {account['password']}")
    typer.echo("")


@app.command()
def openapi(
    folder: Annotated[Path, typer.Argument(help="Where to write openapi.json and .yaml.")] = Path(
        "openapi"
    ),
) -> None:
    """Write the OpenAPI document."""
    import yaml

    from app.main import create_app

    text: str = create_app().state.openapi_json
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_text(text, encoding="utf-8")
    document = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True, width=100)
    (folder / "openapi.yaml").write_text(document, encoding="utf-8")


def _opened() -> Any:
    import contextlib
    from collections.abc import AsyncIterator

    from app.core.db import Database

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Database]:
        database = Database(settings().database_url)
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    return opened()


def main() -> None:
    """Entry point of the `tandem` command."""
    app()


if __name__ == "__main__":
    main()
