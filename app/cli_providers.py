"""Commands of `tandem` about identity providers, for operators without a browser."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from app.cli_identity import written
from app.core.settings import settings

providers = typer.Typer(
    help="Identity providers, through which people sign in.", no_args_is_help=True
)


def _with_seals(write: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    from app.core.sealing import Seals

    seals = Seals(settings().var / "keys")
    return written(lambda unit: write(unit, seals))


@providers.command("add")
def add_provider(
    name: Annotated[str, typer.Argument(help="As the button on the sign-in page says it.")],
    issuer: Annotated[str, typer.Argument(help="As its discovery document names it, exactly.")],
    client_id: Annotated[str, typer.Argument(help="As it knows this service.")],
    organisation: Annotated[
        UUID | None, typer.Option(help="Id of the organisation whose accounts they are.")
    ] = None,
    trusted_domain: Annotated[
        list[str] | None,
        typer.Option(help="A mail domain for whose addresses it may speak; repeatable."),
    ] = None,
    required_claim: Annotated[
        list[str] | None,
        typer.Option(help="name=value that each ID token must have; repeatable."),
    ] = None,
    name_cy: Annotated[str | None, typer.Option(help="The name in Welsh.")] = None,
    vouches_for_addresses: Annotated[
        bool,
        typer.Option(
            "--vouches-for-addresses", help="Nobody chooses their own address in its directory."
        ),
    ] = False,
    creates_people: Annotated[
        bool, typer.Option("--creates-people", help="Unknown accounts become people.")
    ] = False,
) -> None:
    """Add an identity provider. Asks for the client secret, or reads it from the standard input.
    Prints the provider's id, and the address to register there."""
    from app.actions import identity_providers, sign_in
    from app.core.journal import COMMAND_LINE

    pairs = [claim.partition("=") for claim in required_claim or []]
    if any(not key or not value for key, _, value in pairs):
        raise typer.BadParameter("--required-claim is name=value")
    secret = typer.prompt("Client secret", hide_input=sys.stdin.isatty()).strip()
    values = {
        "organisation_id": organisation,
        "name": name,
        "name_cy": name_cy,
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": secret,
        "trusted_domains": trusted_domain or [],
        "required_claims": [{"claim": key, "value": value} for key, _, value in pairs],
        "vouches_for_addresses": vouches_for_addresses,
        "creates_people": creates_people,
        "enabled": True,
    }
    made = _with_seals(
        lambda unit, seals: identity_providers.create_provider(
            unit, seals, actor=COMMAND_LINE, values=values
        )
    )
    typer.echo(f"id            {made}\nredirect_uri  {sign_in.callback()}")


@providers.command("list")
def list_providers() -> None:
    """List the identity providers: id, whether they are on, trusted domains, issuer, name."""
    from app.actions import identity_providers

    for found in written(identity_providers.list_providers):
        state = "on" if found.enabled else "off"
        domains = ",".join(found.trusted_domains) or "no domain"
        typer.echo(f"{found.id}  {state:<3}  {domains}  {found.issuer}  {found.name}")


@providers.command("disable")
def disable_provider(
    provider_id: Annotated[UUID, typer.Argument(help="Id of the provider.")],
) -> None:
    """Let nobody sign in through a provider any more; sessions that it began go on until they end."""
    from app.actions import identity_providers
    from app.core.journal import COMMAND_LINE

    _with_seals(
        lambda unit, seals: identity_providers.disable_provider(
            unit, seals, actor=COMMAND_LINE, provider_id=provider_id
        )
    )
    typer.echo("Disabled.")


@providers.command("check")
def check_provider(
    issuer: Annotated[str, typer.Argument(help="The issuer's address, as you would add it.")],
) -> None:
    """Ask a provider for its discovery document, as signing in does, and say what it answers."""
    from app.core.openid import ProviderAway, Providers

    async def ask() -> Any:
        asking = Providers()
        try:
            return await asking.discover(issuer)
        finally:
            await asking.close()

    try:
        found = asyncio.run(ask())
    except ProviderAway as away:
        typer.echo(f"It cannot be used: {away}.", err=True)
        raise typer.Exit(1) from away
    typer.echo(f"It answers. People sign in at {found.authorization_endpoint}")
