"""`sightline verify`: was the record altered, is the footage still what was written?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import Settings
from gateway.app import database_url
from gateway.audit.chain import ChainReport
from gateway.audit.trail import Trail
from gateway.cli.failures import FAILED, plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.engine import open_database
from gateway.fleet.hosts import HostClient, HostUnreachableError
from gateway.worker.host import recording_settings
from kernel.clock import Clock, SystemClock
from recording import open_storage

SHOWN_MAX = 20


def verify(
    config: ConfigFile = None,
    audit_only: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--audit-only", help="Check the audit alone; recordings take as long as reading them all.")
    ] = False,
) -> None:
    """Check the audit's chain and the recordings.

    Asks the camera hosts that run; where none does, reads the disks itself. Ends with 1 when something is wrong.
    """
    with plainly():
        settings = settings_of(config)
        sound = asyncio.run(_verify(settings, recordings=not audit_only, clock=SystemClock()))
    if not sound:
        raise typer.Exit(FAILED)


async def _verify(settings: Settings, *, recordings: bool, clock: Clock) -> bool:
    async with open_database(database_url(settings)) as database:
        chain = await Trail(database, clock=clock).verify()
    _tell_chain(chain)
    sound = chain.sound
    if recordings:
        hosts = settings.hosts.workers
        for index in range(max(1, hosts)):
            report = await _recordings(settings.of_host(index), settings.host_socket(index), clock=clock)
            _tell_recordings(report, f"host {index}" if hosts else "recordings")
            sound = sound and not report["faults"]
    return sound


async def _recordings(settings: Settings, socket: Path, *, clock: Clock) -> dict[str, Any]:
    try:
        async with HostClient(socket) as host:
            return await host.verify()
    except HostUnreachableError:
        # Nobody holds the disks: read them ourselves.
        async with _storage_report(settings, clock=clock) as report:
            return report


@asynccontextmanager
async def _storage_report(settings: Settings, *, clock: Clock) -> AsyncIterator[dict[str, Any]]:
    async with open_storage(recording_settings(settings), clock=clock) as storage:
        yield asdict(await storage.verify())


def _tell_chain(report: ChainReport) -> None:
    typer.echo(f"audit: {report.entries} entries, " + ("unbroken." if report.sound else "NOT as they were written:"))
    for problem in report.problems[:SHOWN_MAX]:
        typer.echo(f"  {problem}")
    if report.sound:
        typer.echo(f"  The chain ends in {report.head}; note it elsewhere to be able to prove it later.")


def _tell_recordings(report: dict[str, Any], name: str) -> None:
    faults = report["faults"]
    typer.echo(
        f"{name}: {report['files']} files, {report['fragments']} fragments, {report['bytes']} bytes, "
        + ("all as written." if not faults else f"{len(faults)} NOT as written:")
    )
    for fault in faults[:SHOWN_MAX]:
        where = f", fragment {fault['index']}" if fault["index"] is not None else ""
        typer.echo(f"  {fault['disk']}/{fault['path']}{where}: {fault['what']}")
    if len(faults) > SHOWN_MAX:
        typer.echo(f"  and {len(faults) - SHOWN_MAX} more.")
