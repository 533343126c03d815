"""`sightline support`: what somebody far away needs to help, in one file."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import Settings
from gateway.app import database_url, key_file
from gateway.cli.failures import plainly
from gateway.cli.hosts import as_object, ask_all
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.engine import sqlite_path
from gateway.support import Part, Site, collect, write_bundle
from kernel.clock import Clock, SystemClock, utc


def support(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; without it one with today's date in this directory."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="Log whose newest lines go in, names and addresses hidden: one JSON event on each line."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write a file for whoever helps you: versions, settings, states, counts. Nothing secret, nobody's name.

    Changes nothing, and works while Sightline runs or when it does not start. Look through the file before you send it.
    """
    clock = SystemClock()
    with plainly():
        parts = asyncio.run(_parts(settings_of(config), log, clock=clock))
        path = output or Path(f"sightline-support-{utc(clock.wall_ns()):%Y%m%d-%H%M%S}.tar.gz")
        write_bundle(path, parts, clock=clock)
    typer.echo(f"{path}: {', '.join(part.name for part in parts)}")


async def _parts(settings: Settings, log: Path | None, *, clock: Clock) -> list[Part]:
    async def hosts() -> list[dict[str, Any]]:
        return [as_object(report, clock=clock) for report in await ask_all(settings)]

    return await collect(
        Site(
            settings=settings,
            database=sqlite_path(database_url(settings)),
            keys=key_file(settings),
            log=log,
            clock=clock,
            ask_hosts=hosts,
        )
    )
