"""`sightline demo`: the product, with a simulated borough in place of real cameras."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from config.cameras import CameraSettings
from config.errors import BadValueError
from config.live import LiveSettings
from config.logs import LogSettings
from config.map import MapSettings
from config.outgoing import OutgoingSettings
from config.recording import DiskSettings, RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from config.telemetry import TelemetrySettings
from gateway.access.permissions import Role
from gateway.app import Gateway, open_gateway
from gateway.audit.events import Action, AuditEvent
from gateway.cli.borough import BoroughError, BoroughProcess, borough_process
from gateway.cli.demo_places import Carrier
from gateway.cli.demo_trouble import Troublemaker, obey, typed
from gateway.cli.demo_units import NEWCOMER, enrol_units
from gateway.cli.enrolment import ME, enrol_borough
from gateway.cli.failures import plainly
from gateway.cli.run import stopping
from gateway.deployments.deployment import Stage
from gateway.logs import configure
from gateway.loop import serve
from gateway.startup import prepare_data_dir
from gateway.worker import open_host
from kernel.clock import SystemClock

log = structlog.get_logger()

QUOTA_BYTES = 10 * 1024**3
RETENTION_DAYS = 2
CORES_FOR_720P = 4


def demo(
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept between runs.")] = Path("demo-data"),
    cameras: Annotated[int, typer.Option(min=1, max=64, help="How many simulated cameras.")] = 6,
    units: Annotated[int, typer.Option(min=0, max=33, help="How many deployable units, which call in.")] = 3,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8080,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Try it: Sightline with a simulated borough.

    Prints one URL with a one-time sign-in; Ctrl-C ends it all. Everything is real but the cameras: a small town, each
    camera an ONVIF device on its own port. The page is served on this machine only, so plain HTTP will do.
    """
    with plainly():
        if log_level not in {"debug", "info", "warning", "error"}:
            raise BadValueError(f"{log_level} is no log level.", cure="Use debug, info, warning or error.")
        configure(LogSettings.model_validate({"level": log_level}))
        settings = demo_settings(data_dir.absolute(), port=port, units_port=free_port() if units else None)
        serve(_demo(settings, cameras, units))


def demo_settings(data_dir: Path, *, port: int, units_port: int | None = None) -> Settings:
    """Return the settings of a demonstration in ``data_dir``; units, if any, call in at ``units_port``."""
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=port, plain_http=True, data_dir=data_dir),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings(loopback=True, port=0),
        outgoing=OutgoingSettings(rtsps=True, host="127.0.0.1", port=0),
        recording=RecordingSettings(
            disks=(DiskSettings(path=data_dir / "recordings", quota_bytes=QUOTA_BYTES),), retention_days=RETENTION_DAYS
        ),
        telemetry=TelemetrySettings()
        if units_port is None
        else TelemetrySettings(embedded=True, host="127.0.0.1", port=units_port),
        map=MapSettings(ground_file=data_dir / "ground.geojson"),
    )


async def _demo(settings: Settings, cameras: int, units: int) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Building a town with {cameras} cameras …")
    await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
    async with (
        stopping() as stop,
        borough_process(
            "--cameras", str(cameras), "--units", str(units), "--size", picture_size(), "--discovery", "--own-passwords"
        ) as borough,
        open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway,
    ):
        await asyncio.to_thread(_write_ground, settings, borough.ground)
        await _unless(stop, enrol_borough(gateway, borough, told=console.print))
        carrier = Carrier(gateway.rooms.deployments, borough, borough.units)
        await carrier.settle()
        await _unless(stop, enrol_units(gateway, borough, told=console.print))
        if not stop.is_set():
            console.print(f"\n  Open [bold]{await sign_in_url(gateway)}[/bold]\n")
            if await _to_put_up(gateway):
                console.print(
                    f"  The field team's page is [bold]{gateway.url}/field[/bold]: {NEWCOMER} waits to be put up.\n"
                )
            console.print("Ctrl-C ends it. What was recorded stays in", str(settings.server.data_dir))
            await _unless(stop, _attend(borough, carrier, told=console.print))
        console.print("Stopping …")


def free_port() -> int:
    """Return a port on this machine that nobody has; units are told of it with each start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def picture_size() -> str:
    """Return the size of the main pictures: drawing, coding and showing six of them shares this machine's cores."""
    return "1280x720" if (os.cpu_count() or 1) >= CORES_FOR_720P else "960x540"


async def sign_in_url(gateway: Gateway) -> str:
    """Return the one address to open: with a code that makes the administrator, or that signs the existing one in."""
    if gateway.setup_code is not None:
        return f"{gateway.url}/#setup={gateway.setup_code}"
    users = await gateway.rooms.people.users()
    admin = next(user for user in users if user.role == Role.ADMINISTRATOR and not user.disabled)
    code = await gateway.rooms.access.new_sign_in_code(admin.id)
    await gateway.trail.append(AuditEvent(action=Action.CODE_ISSUED, actor=ME, subject=admin.id))
    return f"{gateway.url}/#code={code}"


async def _unless(stop: asyncio.Event, work: Any) -> None:
    """Do ``work`` until it ends or ``stop`` is set."""
    jobs = [asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.wait(jobs)
    if not jobs[0].cancelled():
        jobs[0].result()


async def _to_put_up(gateway: Gateway) -> bool:
    planned = await gateway.rooms.deployments.newest(stage=Stage.PLANNED)
    return any(one.unit == NEWCOMER for one in planned)


async def _attend(borough: BoroughProcess, carrier: Carrier, *, told: Callable[[str], None]) -> None:
    """Do what is typed to the units, and carry them to where they are put up, as long as the borough lives."""
    async with asyncio.TaskGroup() as tasks:
        if borough.units:
            tasks.create_task(carrier.run(), name="who carries units")
            troublemaker = Troublemaker(borough, borough.units, carrier.stands)
            told(troublemaker.usage)
            tasks.create_task(obey(typed(), troublemaker, told), name="what is typed")
        await _watch(borough)


async def _watch(borough: BoroughProcess) -> None:
    code = await borough.process.wait()
    raise BoroughError(f"The simulated borough ended by itself ({code}).", cure="Start the demo again.")


def _write_ground(settings: Settings, ground: dict[str, Any]) -> None:
    assert settings.map.ground_file is not None
    settings.map.ground_file.write_text(json.dumps(ground), encoding="utf-8")
