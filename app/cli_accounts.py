"""Commands of `tandem` about the operator's administrators and about mail, without a browser."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

admins = typer.Typer(help="The operator's administrators.", no_args_is_help=True)
mail = typer.Typer(help="Messages that could not be sent.", no_args_is_help=True)

_Email = Annotated[str, typer.Argument(help="The address with which they sign in.")]


@admins.command("create")
def create_administrator(
    name: Annotated[str, typer.Argument(help="Their full name.")],
    email: Annotated[str, typer.Argument(help="The address with which they sign in.")],
) -> None:
    """Make an administrator of the operator: they look after organisations and people, and see no
    coaching content. Prints their password once."""
    password = asyncio.run(_create_administrator(name, email))
    typer.echo(f"{email} can sign in with the password {password}")


async def _create_administrator(name: str, email: str) -> str:
    from app.actions.accounts import create_operator
    from app.core.opened import opened
    from app.core.passwords import new_password

    password = new_password()
    async with opened() as database, database.work() as unit:
        await create_operator(unit, name=name, email=email, password=password)
    return password


def _written(write: Callable[[Any], Awaitable[Any]]) -> Any:
    """What `write` returns, in a transaction of the configured database; a refusal ends the command."""

    async def run() -> Any:
        from app.core.opened import opened
        from app.models import registry

        assert registry.metadata.tables, "an entity is written when all tables are known"
        async with opened() as database, database.work() as unit:
            return await write(unit)

    from app.core.errors import Conflict, NotFound

    try:
        return asyncio.run(run())
    except NotFound:
        raise typer.BadParameter("nobody signs in with that address") from None
    except Conflict as conflict:
        raise typer.BadParameter(conflict.detail) from None


@admins.command("reset")
def reset_administrator(email: _Email) -> None:
    """Print a link, good for an hour and once, with which an administrator of the operator sets a new
    password. Their sessions end when it is used."""
    from app.actions import accounts
    from app.core.links import LinkKind, url_of

    reset_id = _written(lambda unit: accounts.reset_administrator(unit, email))
    typer.echo(url_of(LinkKind.PASSWORD, reset_id))


@admins.command("disable")
def disable_administrator(email: _Email) -> None:
    """Take the right from an administrator of the operator, and close all their ways in: everywhere
    within a minute."""
    from app.actions import accounts

    closed = _written(lambda unit: accounts.disable_administrator(unit, email))
    typer.echo(f"Disabled; {closed} ways in closed.")


@admins.command("address")
def move_address(
    email: _Email,
    new: Annotated[str, typer.Argument(help="The address with which they shall sign in.")],
) -> None:
    """Change anybody's sign-in address at once, when they have lost their mailbox and have shown who they
    are. The old address is told, and their sessions end."""
    from pydantic import TypeAdapter, ValidationError

    from app.actions import accounts
    from app.core.text import Mailbox

    try:
        address: str = TypeAdapter(Mailbox).validate_python(new)
    except ValidationError:
        raise typer.BadParameter(f"{new} is no e-mail address") from None
    _written(lambda unit: accounts.move_address(unit, email, address))
    typer.echo(f"From now on {address} signs in, and {email} does not.")


@mail.command("list")
def list_mail() -> None:
    """List the messages that were given up in the last 30 days: id, template, when, why."""
    for mail_id, template, moment, error in asyncio.run(_given_up()):
        typer.echo(f"{mail_id}  {template:<22}  {moment}  {error}")


async def _given_up() -> Any:
    from app.core.opened import opened
    from app.jobs.mail import given_up

    async with opened() as database:
        return await given_up(database)


@mail.command("retry")
def retry_mail() -> None:
    """Have the server try again what was given up, and is still of use."""
    typer.echo(f"{asyncio.run(_again())} messages wait to be sent.")


async def _again() -> int:
    from app.core.opened import opened
    from app.jobs.mail import try_again

    async with opened() as database:
        return await try_again(database)
