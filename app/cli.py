"""The `tandem` command. Heavy imports wait until a command needs them: serving starts fast."""

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli_accounts import admins, mail
from app.cli_identity import clients, keys
from app.cli_providers import providers
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
    from app import serving

    if workers > 1 and settings().database_url.startswith("sqlite"):
        raise typer.BadParameter("several processes need PostgreSQL (TANDEM_DATABASE_URL)")
    serving.run(workers)


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
    from app.core.opened import opened

    async with opened() as database, database.work() as unit:
        await ensure_public_client(unit)
        return await publish_frameworks(unit, seeded())


@app.command()
def demonstrate() -> None:
    """Migrate, fill an empty database with a small demonstration cluster (any other is left alone),
    and print how to sign in."""
    migrate()
    file = settings().var / "demo.json"
    if asyncio.run(_demonstrate(file)):
        typer.echo(f"Demonstration cluster made; its accounts are in {file}.")
    typer.echo(f"\n  Documentation:  {settings().base_url}/docs")
    if file.exists():
        typer.echo(f"  Sign in with Authorize; accounts of the demonstration ({file}):")
        for account in json.loads(file.read_text())["accounts"]:
            typer.echo(f"    {account['role']:<14} {account['email']:<28} {account['password']}")
    typer.echo("")


async def _demonstrate(file: Path) -> bool:
    from app.core.opened import opened
    from app.jobs import demonstration

    async with opened() as database:
        if not await demonstration.is_empty(database):
            return False
        await demonstration.create(database, file)
        return True


@app.command()
def sweep() -> None:
    """Erase records whose date has come, end shares whose date has passed, and remove files that no
    record names. The server does it too, every hour."""
    done = asyncio.run(_sweep())
    typer.echo(
        f"Erased {done.records} records; ended {done.shares} shares; removed {done.files} files."
    )


async def _sweep() -> Any:
    from app.core.files import store
    from app.core.opened import opened
    from app.jobs import retention

    async with opened() as database:
        return await retention.sweep(database, store())


app.add_typer(admins, name="admin")
app.add_typer(clients, name="clients")
app.add_typer(keys, name="keys")
app.add_typer(mail, name="mail")
app.add_typer(providers, name="providers")


@app.command()
def openapi(
    folder: Annotated[Path, typer.Argument(help="Where to write openapi.json and .yaml.")] = Path(
        "openapi"
    ),
    release: Annotated[
        bool, typer.Option("--release", help="Keep it in releases/ as that of this version.")
    ] = False,
) -> None:
    """Write the OpenAPI document."""
    import yaml

    from app.main import create_app

    text: str = create_app().state.openapi_json()
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_text(text, encoding="utf-8")
    document = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True, width=100)
    (folder / "openapi.yaml").write_text(document, encoding="utf-8")
    if release:
        (folder / "releases").mkdir(exist_ok=True)
        name = json.loads(text)["info"]["version"]
        (folder / "releases" / f"{name}.json").write_text(text, encoding="utf-8")


@imports.command("organisations")
def import_organisations(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV file in UTF-8.")
    ],
    mapping: Annotated[
        str | None,
        typer.Option(help="What the columns mean: wales-schools, which ships, or a TOML file."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN, as in name='School Name'; repeat it.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="What every row is: school, college ...")] = None,
    kind_value: Annotated[
        list[str] | None, typer.Option(help="CELL=KIND for the column of the kind; repeat it.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Whose external identifiers these are.")
    ] = None,
    parent_kind: Annotated[
        str | None, typer.Option(help="What the organisations above are, to be made from the rows.")
    ] = None,
    parent_source: Annotated[
        str | None, typer.Option(help="Whose external identifiers those above have.")
    ] = None,
    none: Annotated[
        list[str] | None,
        typer.Option(help="A cell that means the same as an empty one; repeat it."),
    ] = None,
    date_format: Annotated[
        str | None, typer.Option(help="How dates are written; %Y-%m-%d if you do not say.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates cells; a comma if you do not say.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, say what would be done, write nothing."),
    ] = False,
) -> None:
    """Create and change organisations from a CSV file: all of it, or nothing if anything is wrong."""
    from app.jobs.imports import mapping as columns

    try:
        chosen = columns.read_mapping(
            mapping,
            columns=column or (),
            kind_values=kind_value or (),
            kind=kind,
            source=source,
            parent_kind=parent_kind,
            parent_source=parent_source,
            none=none,
            date_format=date_format,
            delimiter=delimiter,
        )
    except columns.WrongMapping as error:
        raise typer.BadParameter(str(error)) from error
    if not asyncio.run(_import_organisations(file, chosen, dry_run)):
        raise typer.Exit(1)


async def _import_organisations(file: Path, mapping: Any, dry_run: bool) -> bool:
    import sqlite3

    import asyncpg

    from app.core.errors import Problem
    from app.core.opened import opened
    from app.jobs.imports.organisations import import_file
    from app.jobs.imports.problems import Refused

    try:
        with _progress() as progress:
            async with opened() as database:
                done = await import_file(
                    database, file, mapping, dry_run=dry_run, progress=progress
                )
    except Refused as refused:
        wrong = [*map(str, refused.problems), f"{refused}; nothing was written."]
    except Problem as problem:
        wrong = [f"{problem.detail} Nothing was written; the import can be run again."]
    except (sqlite3.Error, asyncpg.PostgresError, OSError) as error:
        wrong = [f"{error}. Nothing was written; the import can be run again."]
    else:
        typer.echo(
            "\n".join([*(["Nothing was written; it would be:"] if dry_run else []), *done.lines()])
        )
        return True
    typer.echo("\n".join(wrong), err=True)
    return False


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on a terminal; nothing where the output goes elsewhere."""
    if not sys.stdout.isatty():
        yield lambda stage, done, total: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda stage, done, total: bar.update(
            task, description=stage, completed=done, total=total
        )


def main() -> None:
    """Entry point of the `tandem` command; what an operator can mend is said in a line."""
    # Starting makes many objects that stay; looking through them for garbage is a fifth of its time.
    gc.set_threshold(50_000, 20, 50)
    from app.core.errors import Problem

    try:
        app()
    except Problem as problem:
        typer.echo(problem.detail, err=True)
        for error in problem.errors:
            typer.echo(f"  {error.get('pointer', '')}: {error['detail']}", err=True)
        raise SystemExit(1) from problem


if __name__ == "__main__":
    main()
