"""A camera host behind its Unix socket, in the gateway's process or in its own."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import sdnotify
import structlog
import uvicorn

from config.settings import Settings
from gateway.worker.host import CameraHost, open_cameras
from gateway.worker.problems import HostRequestError
from gateway.worker.routes import build_app
from kernel.clock import Clock

_log = structlog.get_logger(__name__)

BACKLOG = 128


class _Server(uvicorn.Server):
    """Ends when it is told to, in place of asking itself ten times a second whether it was."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def stop(self) -> None:
        """End once the open answers are given."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Wake once a second, for the Date header."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._told.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to whoever owns the process."""
        yield


def _bind(path: Path) -> socket.socket:
    """Return a listening socket that only this user may speak to; a dead host's socket is replaced."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as trial:
        try:
            trial.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise HostRequestError(f"Another camera host serves {path}.", cure="Stop it, or give this one another.")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise HostRequestError(
            f"The socket {path} cannot be made ({error.strerror}).", cure="Choose another hosts.socket_dir."
        ) from error
    finally:
        os.umask(before)
    listening.listen(BACKLOG)
    return listening


@asynccontextmanager
async def open_host(
    settings: Settings, socket_path: Path, *, clock: Clock, looking: Clock | None = None
) -> AsyncIterator[CameraHost]:
    """Give a camera host that answers on ``socket_path`` (mode 0600, its directory 0700).

    Pictures are looked at by the clock ``looking``, where that is another one.

    Raises:
        recording.RecordingError: the recordings cannot be opened.
        HostRequestError: the socket cannot be made, or another host is there.
    """
    listening = await asyncio.to_thread(_bind, socket_path)
    here = True
    try:
        async with open_cameras(settings, clock=clock, looking=looking) as host:
            server = _Server(
                uvicorn.Config(
                    build_app(host),
                    uds=str(socket_path),
                    log_config=None,
                    access_log=False,
                    lifespan="off",
                    timeout_graceful_shutdown=5,
                    timeout_keep_alive=75,
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listening]), name="camera host server")
            try:
                yield host
            finally:
                # While it still listens: whoever takes this place next finds it taken or empty, and what is removed
                # is never the next one's.
                await asyncio.to_thread(socket_path.unlink, missing_ok=True)
                here = False
                # The state streams end first: the server waits for open answers.
                host.broadcast.close()
                server.stop()
                await asyncio.wait([serving])
            serving.result()
    finally:
        if here:
            await asyncio.to_thread(socket_path.unlink, missing_ok=True)
        listening.close()


async def serve_host(settings: Settings, socket_path: Path, *, clock: Clock) -> None:
    """Run a camera host as a process of its own until SIGTERM or SIGINT, under the service manager's eye.

    READY is told once recordings are open and the socket answers: from then on whatever is assigned is recorded.
    The watchdog is fed only while :meth:`CameraHost.progress` grows.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    with contextlib.closing(ServiceManager()) as manager:
        await _serve(settings, socket_path, manager, ended, clock=clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


async def _serve(
    settings: Settings, socket_path: Path, manager: "ServiceManager", ended: asyncio.Event, *, clock: Clock
) -> None:
    async with open_host(settings, socket_path, clock=clock) as host:
        manager.notify("READY=1")
        _log.info("host.ready", socket=str(socket_path))
        feeding = asyncio.create_task(feed_watchdog(host, manager, clock=clock))
        stop = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait([stop, feeding], return_when=asyncio.FIRST_COMPLETED)
        finally:
            manager.notify("STOPPING=1")
            for task in (stop, feeding):
                task.cancel()
            await asyncio.wait([stop, feeding])
        if not feeding.cancelled():
            feeding.result()


class ServiceManager:
    """systemd's ear, where it listens; sdnotify leaves an open socket behind where nobody does.

    An ear that takes nothing any more, as that of a gateway which stands still, holds up nobody: ten words wait in it,
    and the next is lost.
    """

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier() if os.environ.get("NOTIFY_SOCKET") else None
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.settimeout(0)

    def notify(self, message: str) -> None:
        """Tell it, as sd_notify(3) writes."""
        if self._notifier is not None:
            self._notifier.notify(message)

    def close(self) -> None:
        """Let go of the socket."""
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.close()


async def feed_watchdog(host: CameraHost, manager: ServiceManager, *, clock: Clock) -> None:
    """Tell the service manager that work is done, each time more of it was."""
    timeout_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    period_s = timeout_us / 1e6 / 3 if timeout_us else 10.0
    before = -1
    while True:
        done = host.progress()
        if done > before:
            manager.notify("WATCHDOG=1")
        before = done
        await clock.sleep(period_s)
