"""`sightline run` and `sightline host`: the service itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import sdnotify
import structlog
import typer
from rich.console import Console

from config.errors import BadValueError
from config.settings import Settings
from gateway.app import Gateway, open_gateway, when_settled
from gateway.cli.failures import plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.turns import by_turns
from gateway.fleet.hosts import HostError
from gateway.logs import configure
from gateway.loop import serve
from gateway.worker import calm_collector, open_host, serve_host
from kernel.clock import Clock, SystemClock

log = structlog.get_logger()


def run(config: ConfigFile = None) -> None:
    """Run the gateway until it is told to stop.

    With hosts.workers = 0 the cameras run in the same process; else in so many processes beside it, which the gateway
    starts itself unless hosts.supervisor is "systemd".
    """
    with plainly():
        settings = settings_of(config)
        configure(settings.log)
        serve(_run(settings, clock=SystemClock()))


def host(
    name: str = typer.Option(..., "--name", help="Number of this camera host, from 0."), config: ConfigFile = None
) -> None:
    """Run one camera host (systemd starts it as sightline-host@N)."""
    with plainly():
        settings = settings_of(config)
        configure(settings.log)
        if not name.isdigit() or int(name) >= max(1, settings.hosts.workers):
            raise BadValueError(
                f"There is no camera host {name}: hosts.workers is {settings.hosts.workers}.",
                cure=f"Use a number from 0 to {max(0, settings.hosts.workers - 1)}, or raise hosts.workers.",
            )
        structlog.contextvars.bind_contextvars(host=int(name))
        calm_collector()
        serve(serve_host(settings.of_host(int(name)), settings.host_socket(int(name)), clock=SystemClock()))


async def _run(settings: Settings, *, clock: Clock) -> None:
    manager = sdnotify.SystemdNotifier()
    async with stopping() as stop, open_gateway(settings, clock=clock, open_host=open_host) as gateway:
        greet(gateway)
        async with asyncio.TaskGroup() as tasks:
            jobs = [
                tasks.create_task(when_settled(gateway.fleet, clock=clock, told=lambda: _ready(manager))),
                tasks.create_task(feed_watchdog(gateway, manager, clock=clock)),
            ]
            await stop.wait()
            manager.notify("STOPPING=1")
            log.info("gateway.stopping")
            for job in jobs:
                job.cancel()
    log.info("gateway.stopped")


def greet(gateway: Gateway) -> None:
    """Tell whoever started it where to go, and how the first administrator is made."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Sightline is at {gateway.url}")
    if gateway.tls is not None and gateway.tls.made:
        console.print(
            "A self-signed certificate was made; browsers will ask once. "
            f"Its SHA-256 fingerprint is\n  {gateway.tls.fingerprint}"
        )
    if gateway.setup_code is not None:
        console.print(
            f"Nobody can sign in yet. Make the first administrator with this one-time code:\n"
            f"  {gateway.setup_code}\n  {gateway.url}/#setup={gateway.setup_code}"
        )


def _ready(manager: sdnotify.SystemdNotifier) -> None:
    manager.notify("READY=1")
    log.info("gateway.ready")


@asynccontextmanager
async def stopping() -> AsyncIterator[asyncio.Event]:
    """Give an event that SIGTERM and SIGINT set; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def feed_watchdog(gateway: Gateway, manager: sdnotify.SystemdNotifier, *, clock: Clock) -> None:
    """Feed the service manager's watchdog by progress alone.

    The database has answered and, where the cameras run in this process, their host has done more of its work since
    the last time.
    """
    timeout_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    if not timeout_us:
        return
    inside = gateway.rooms.settings.hosts.workers == 0
    before = -1

    async def feed() -> None:
        nonlocal before
        await gateway.database.ping()
        if inside:
            done = before
            with suppress(HostError):
                done = (await gateway.fleet.links[0].client.health()).progress
            if done <= before:
                log.warning("watchdog.no_progress", progress=done)
                return
            before = done
        manager.notify("WATCHDOG=1")

    await by_turns(feed, clock=clock, period_s=timeout_us / 1e6 / 3, failed="watchdog.database_failed")
