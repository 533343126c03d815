"""`sightline keys`: the keys that stored secrets are sealed with."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from gateway.app import database_url, key_file
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.audit.trail import open_trail
from gateway.cli.failures import FAILED, plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.engine import Database, open_database
from gateway.startup import prepare_data_dir
from gateway.vault import KeyFileError
from gateway.vault.rotation import KeyStatus, Rotation
from gateway.vault.rotation import rotate as rotate_keys
from gateway.vault.rotation import status as key_status
from kernel.clock import SystemClock

keys = typer.Typer(no_args_is_help=True, help="Keep the keys that stored secrets are sealed with.")

ME = Actor(id="console", name="sightline command", address="")
T = TypeVar("T")


@keys.command()
def rotate(config: ConfigFile = None) -> None:
    """Seal every stored secret with a new key and drop the old one.

    The gateway may run meanwhile. Broken off, it is finished by asking again. Ends with 1 where a secret opens with no
    key.
    """

    async def work(database: Database, settings: Settings) -> Rotation:
        done = await rotate_keys(database, key_file(settings))
        async with open_trail(database, clock=SystemClock()) as trail:
            await trail.append(
                AuditEvent(
                    action=Action.KEYS_ROTATED,
                    actor=ME,
                    outcome=Outcome.FAILED if done.lost else Outcome.DONE,
                    details={"key": done.key, "sealed_anew": done.sealed_anew, "lost": len(done.lost)},
                )
            )
        return done

    done = _with_database(config, work)
    typer.echo(f"{done.sealed_anew} secrets are sealed anew, by the key {done.key}; {done.dropped} older are dropped.")
    if done.resumed:
        typer.echo("An earlier rotation had been broken off; this finished it with the key that it had made.")
    for where in done.lost:
        typer.echo(f"No key opens {where}: enter it again.", err=True)
    if done.lost:
        raise typer.Exit(FAILED)


@keys.command()
def status(config: ConfigFile = None) -> None:
    """Show which keys there are and what is sealed with them. Ends with 1 where a rotation is unfinished or due."""

    async def work(database: Database, settings: Settings) -> KeyStatus:
        try:
            return await key_status(database, key_file(settings))
        except FileNotFoundError:
            raise KeyFileError("There are no keys yet.", cure="Start Sightline; the first run makes one.") from None

    known = _with_database(config, work)
    console = Console(soft_wrap=True, highlight=False)
    for place, (key, wrapped) in enumerate(zip(known.keys, known.wrapped_by, strict=True)):
        lies = "in the clear in its file" if wrapped == "plain" else f"wrapped by the credential's key {wrapped}"
        console.print(f"key {key}: {'seals' if not place else 'opens, until the rotation is finished'}; {lies}")
    table = Table("column", "by this key", "by an older one", "opened by none", box=None, pad_edge=False)
    for column in known.columns:
        table.add_row(column.name, str(column.current), str(column.older), str(column.lost))
    console.print(table)
    if not known.whole:
        console.print("`sightline keys rotate` is due.")
        raise typer.Exit(FAILED)


def _with_database(config: ConfigFile, work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    async def opened(settings: Settings) -> T:
        await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
        async with open_database(database_url(settings)) as database:
            return await work(database, settings)

    with plainly():
        return asyncio.run(opened(settings_of(config)))
    raise AssertionError
