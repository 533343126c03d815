"""`sightline hosts`: what each camera host carries, asked of the hosts themselves."""

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.settings import Settings
from gateway.cli.failures import FAILED, plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.fleet import rpc
from gateway.fleet.handshake import HostVersion
from gateway.fleet.hosts import HostClient, HostError, HostSilentError
from gateway.fleet.links import HostPlace, mismatch
from gateway.fleet.load import HostLoad
from gateway.hosting import place_of
from kernel.clock import NS_PER_S, Clock, SystemClock

PATIENCE_S = 4.0
"""A host that has not answered by then is silent."""
WIDTH = 150
"""Of the table where it goes to a file or a pipe."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """One camera host, as it answered or did not."""

    place: HostPlace
    version: HostVersion | None = None
    health: rpc.HostHealth | None = None
    problem: rpc.Problem | None = None
    """Why it is not up."""

    @property
    def state(self) -> str:
        """Return up, silent, or down: whatever else keeps the gateway from it."""
        if self.problem is None:
            return "up"
        return "silent" if self.problem.type == HostSilentError.code else "down"

    @property
    def load(self) -> HostLoad | None:
        """Return what it carries."""
        return self.health.load if self.health is not None else None


def hosts(
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Show what each camera host carries: cameras, traffic, CPU, memory, queues, losses.

    Asks each host over its socket, whether the gateway runs or not. Ends with 1 when a host does not answer.
    """
    clock = SystemClock()
    with plainly():
        settings = settings_of(config)
        reports = asyncio.run(ask_all(settings))
    if as_json:
        typer.echo(json.dumps({"hosts": [as_object(report, clock=clock) for report in reports]}, ensure_ascii=False))
    else:
        show(reports, Console(soft_wrap=False, highlight=False))
    if any(report.problem is not None for report in reports):
        raise typer.Exit(FAILED)


async def ask_all(settings: Settings, *, patience_s: float = PATIENCE_S) -> list[HostReport]:
    """Ask every host at once; one that does not answer costs ``patience_s`` and no other anything."""
    places = [place_of(settings, index) for index in range(len(settings.owners))]
    return list(await asyncio.gather(*(_ask(place, patience_s) for place in places)))


async def _ask(place: HostPlace, patience_s: float) -> HostReport:
    version = None
    try:
        async with HostClient(place.socket, timeout_s=patience_s) as client, asyncio.timeout(patience_s):
            version = await client.version()
            if (error := mismatch(version, place)) is not None:
                return HostReport(place=place, version=version, problem=error.problem)
            return HostReport(place=place, version=version, health=await client.health())
    except TimeoutError:
        return HostReport(place=place, version=version, problem=HostSilentError(place.socket, "no answer").problem)
    except HostError as error:
        problem = error.problem
        if await asyncio.to_thread(_forbidden, place):
            cure = "Run this as the user that Sightline runs as: `sudo -u sightline sightline hosts`."
            problem = problem.model_copy(update={"title": f"{place.socket} is not this user's to open.", "cure": cure})
        return HostReport(place=place, version=version, problem=problem)


def _forbidden(place: HostPlace) -> bool:
    try:
        place.socket.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def as_object(report: HostReport, *, clock: Clock) -> dict[str, Any]:
    """Return a report as JSON has it: what is not known is null."""
    health, problem = report.health, report.problem
    return {
        "name": report.place.name,
        "socket": str(report.place.socket),
        "state": report.state,
        "problem": problem.model_dump(include={"type", "title", "cure"}) if problem is not None else None,
        "version": report.version.version if report.version is not None else None,
        "pid": health.pid if health is not None else None,
        "up_s": round((clock.wall_ns() - health.started_ns) / NS_PER_S) if health is not None else None,
        "load": report.load.model_dump() if report.load is not None else None,
        "disks": list(health.disks) if health is not None else [],
    }


def show(reports: list[HostReport], console: Console) -> None:
    """Print a table, and under it what is wrong."""
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("host", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for report in reports:
        state = Text(report.state, style="" if report.state == "up" else "bold red")
        cells = _cells(report.load) if report.load is not None else ["\u2013"] * len(HEADINGS)
        table.add_row(report.place.name, state, *cells)
    console.print(table)
    for report in reports:
        if report.problem is not None:
            console.print()
            console.print(Text(f"{report.place.name}: {report.problem.title}"), soft_wrap=True)
            if report.problem.cure:
                console.print(Text(f"  {report.problem.cure}"), soft_wrap=True)


HEADINGS = (
    "cameras",
    "recording",
    "viewers",
    "coded\nanew",
    "Mbit/s",
    "frames/s",
    "CPU %\nof a core",
    "memory\nMiB",
    "loop lag ms\np99 / max",
    "for disks MiB\nall / fullest",
    "for viewers\npictures",
    "pictures\ndropped",
    "packets\nlost",
    "gaps",
)


def _cells(load: HostLoad) -> list[str]:
    limit = load.record_lane_limit_bytes
    fullest = f"{100 * load.record_lane_max_bytes / limit:.0f} %" if limit else "\u2013"
    return [
        str(load.cameras),
        str(load.recording),
        f"{load.viewers} / {load.viewers_max}",
        f"{load.transcodes} / {load.transcodes_max}",
        f"{load.mbit_s:.1f}",
        f"{load.frames_s:.0f}",
        f"{load.cpu_percent:.1f}",
        f"{load.memory_bytes / MIB:.0f}",
        f"{load.loop_lag_p99_ms:.1f} / {load.loop_lag_max_ms:.1f}",
        f"{load.record_lane_bytes / MIB:.1f} / {fullest}",
        str(load.live_lane_pictures),
        str(load.pictures_dropped),
        str(load.packets_lost),
        str(load.gaps),
    ]
