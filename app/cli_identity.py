"""Commands of `tandem` about clients and signing keys, for operators without a browser."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from app.core.settings import settings

clients = typer.Typer(help="Integration clients and apps.", no_args_is_help=True)
keys = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)

_ClientId = Annotated[UUID, typer.Argument(help="Id of the client.")]


def written(write: Callable[[Any], Awaitable[Any]]) -> Any:
    """What `write` returns, in a transaction of the configured database."""

    async def run() -> Any:
        from app.core.opened import opened
        from app.models import registry

        assert registry.metadata.tables, "an entity is written when all tables are known"
        async with opened() as database, database.work() as unit:
            return await write(unit)

    return asyncio.run(run())


@clients.command("create")
def create_client(
    name: Annotated[str, typer.Argument(help="What it is, for people.")],
    place: Annotated[
        UUID | None,
        typer.Argument(help="Id of the organisation it belongs to; none with --public."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope that it may ask for; repeatable.")
    ] = None,
    network: Annotated[bool, typer.Option("--network", help="The id is of a network.")] = False,
    public: Annotated[
        bool,
        typer.Option("--public", help="An app that can keep no secret; people sign in with it."),
    ] = False,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="Where people come back to after signing in; repeatable, exact."),
    ] = None,
    key_set: Annotated[
        Path | None,
        typer.Option(
            "--keys", help="File with its public keys (JWKS), to sign in without a secret."
        ),
    ] = None,
) -> None:
    """Make an integration client of an organisation or a network, or a public app. Prints its id, and
    its secret once."""
    from app.access.grants import SCOPES
    from app.actions import accounts
    from app.core.journal import COMMAND_LINE

    scopes, uris = scope or [], redirect_uri or []
    if unknown := set(scopes) - set(SCOPES):
        raise typer.BadParameter(f"no such scope: {', '.join(sorted(unknown))}")
    if not scopes:
        raise typer.BadParameter("name at least one --scope")
    if public and (place is not None or network or key_set is not None or not uris):
        raise typer.BadParameter("a public app has a --redirect-uri, and neither place nor keys")
    if public:
        app_id = written(
            lambda unit: accounts.create_app(
                unit, actor=COMMAND_LINE, name=name, scopes=scopes, redirect_uris=uris
            )
        )
        typer.echo(f"client_id      {app_id}")
        return
    if place is None:
        raise typer.BadParameter("name the organisation, or say --public")
    try:
        described = None if key_set is None else json.loads(key_set.read_text())
        client_id, secret = written(
            lambda unit: accounts.create_client(
                unit,
                actor=COMMAND_LINE,
                name=name,
                organisation_id=None if network else place,
                network_id=place if network else None,
                scopes=scopes,
                redirect_uris=uris,
                keys=described,
            )
        )
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--keys: {error}") from error
    typer.echo(f"client_id      {client_id}\nclient_secret  {secret}")


@clients.command("rotate")
def rotate_client(client_id: _ClientId) -> None:
    """Give a client a new secret, printed once. The old one counts for another seven days."""
    from app.actions import accounts
    from app.core.journal import COMMAND_LINE

    secret = written(
        lambda unit: accounts.add_secret(unit, actor=COMMAND_LINE, client_id=client_id)
    )
    typer.echo(f"client_secret  {secret}")


@clients.command("secrets")
def list_secrets(client_id: _ClientId) -> None:
    """List the secrets of a client that count: fingerprint, when it was made, when it ends."""
    from app.access.clients import fingerprint
    from app.actions import accounts

    for secret in written(lambda unit: accounts.list_secrets(unit, client_id)):
        end = f"{secret.expires_at:%Y-%m-%d %H:%M}" if secret.expires_at else "-"
        typer.echo(f"{fingerprint(secret.hash)}  {secret.created_at:%Y-%m-%d %H:%M}  {end}")


@clients.command("remove-secret")
def remove_secret(
    client_id: _ClientId,
    shown_as: Annotated[str, typer.Argument(help="Its fingerprint, as `secrets` shows it.")],
) -> None:
    """Remove a secret at once, and end every access token that the client was given before."""
    from app.actions import accounts
    from app.core.journal import COMMAND_LINE

    written(
        lambda unit: accounts.remove_secret(
            unit, actor=COMMAND_LINE, client_id=client_id, shown_as=shown_as
        )
    )
    typer.echo("Removed.")


@clients.command("disable")
def disable_client(client_id: _ClientId) -> None:
    """Give a client no more tokens, and end what it was given: everywhere within a minute."""
    from app.actions import accounts
    from app.core.journal import COMMAND_LINE

    written(lambda unit: accounts.disable_client(unit, actor=COMMAND_LINE, client_id=client_id))
    typer.echo("Disabled.")


@clients.command("list")
def list_clients() -> None:
    """List the clients: id, kind, day of last use, scopes, name."""
    from app.actions import accounts

    for client in written(accounts.list_clients):
        used = "disabled" if client.disabled_at else str(client.last_used_on or "unused")
        scopes = " ".join(client.scopes) or "all"
        typer.echo(f"{client.id}  {client.kind:<12}  {used:<10}  {scopes}  {client.name}")


def _folder() -> tuple[Path, str]:
    return settings().var / "keys", settings().token_algorithm


def _journal(key_id: UUID, *, retired: bool) -> None:
    from app.core.journal import COMMAND_LINE
    from app.core.security_events import SecurityEvent, note

    event = SecurityEvent.KEY_RETIRED if retired else SecurityEvent.KEY_CREATED
    written(lambda unit: note(unit, event, actor=COMMAND_LINE, resource_id=key_id))


@keys.command("rotate")
def rotate_keys(
    now: Annotated[
        bool,
        typer.Option("--now", help="Sign with it at once: when the old key is in wrong hands."),
    ] = False,
) -> None:
    """Make a new key: every process shows it within seconds, and signs with it after six minutes."""
    from app.core import keys as folder

    key = folder.rotate(*_folder(), at_once=now)
    _journal(key.id, retired=False)
    typer.echo(f"Made {key.kid}; it signs {'now' if now else 'in six minutes'}.")


@keys.command("rotate-sealing")
def rotate_sealing() -> None:
    """Make a new key for secrets that are kept in the database: what is written after the next start is
    sealed by it. The older ones stay: they open what they have sealed."""
    from uuid import uuid5

    from app.core import sealing
    from app.core.journal import COMMAND_LINE
    from app.core.security_events import SecurityEvent, note

    name = sealing.rotate(_folder()[0])
    key_id = uuid5(UUID(int=0), name)
    event = SecurityEvent.SEALING_KEY_CREATED
    written(lambda unit: note(unit, event, actor=COMMAND_LINE, resource_id=key_id))
    typer.echo(f"Made {name}; it seals from the next start on.")


@keys.command("list")
def list_keys() -> None:
    """List the keys, the oldest first: id, day made, and what each is for."""
    from datetime import UTC, datetime

    from app.core import keys as folder

    folder.ensure(*_folder())
    found = folder.read(*_folder())
    signing = found.index(folder.signing(found))
    for place, key in enumerate(found):
        state = "signs" if place == signing else "announced" if place > signing else "verifies"
        typer.echo(f"{key.kid}  {datetime.fromtimestamp(key.made, UTC):%Y-%m-%d %H:%M}  {state}")


# An id may begin with a hyphen, and is no option then.
@keys.command("retire", context_settings={"ignore_unknown_options": True})
def retire_key(
    kid: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it.")],
    now: Annotated[
        bool, typer.Option("--now", help="Although tokens of it still live: they end.")
    ] = False,
) -> None:
    """Remove a key that no longer signs; its tokens count no longer."""
    from app.core import keys as folder

    key = folder.retire(*_folder(), kid, at_once=now)
    _journal(key.id, retired=True)
    typer.echo(f"Retired {key.kid}.")
