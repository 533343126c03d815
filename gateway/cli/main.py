"""The command and its subcommands."""

import asyncio
import json
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from config.redaction import redacted
from gateway.certificate import tls_files
from gateway.cli.demo import demo
from gateway.cli.failures import plainly
from gateway.cli.hosts import hosts
from gateway.cli.keys import keys
from gateway.cli.options import ConfigFile, settings_of
from gateway.cli.people import users
from gateway.cli.run import host, run
from gateway.cli.simulate import simulate
from gateway.cli.support import support
from gateway.cli.verify import verify
from kernel.clock import SystemClock

app = typer.Typer(
    name="sightline",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Video management for public-space CCTV: ONVIF cameras in, recordings and live WebRTC views out.\n\n"
    "Try it with `sightline demo`. Each command explains itself: `sightline COMMAND --help`.",
)


def check_config(
    config: ConfigFile = None,
    show: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--show", help="Print the settings in force, secrets hidden.")
    ] = False,
) -> None:
    """Check a configuration file without starting anything."""
    with plainly():
        settings = settings_of(config)
        if settings.server.tls_certificate is not None:
            asyncio.run(asyncio.to_thread(tls_files, settings.server, clock=SystemClock()))
    if show:
        typer.echo(json.dumps(redacted(settings), indent=2, ensure_ascii=False))
    else:
        typer.echo("The configuration is good.")


def version() -> None:
    """Print the version."""
    typer.echo(version_of("sightline"))


app.command()(run)
app.command()(demo)
app.command()(simulate)
app.command("check-config")(check_config)
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")
app.command()(hosts)
app.command()(verify)
app.command()(support)
app.command()(version)
app.command(hidden=True)(host)


def main() -> None:
    """Run the command."""
    app()
