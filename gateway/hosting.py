"""Camera host processes: where each answers, and, where the gateway supervises them, their starts, deaths and ends.

The gateway is to them what systemd is in production, in systemd's own words (sd_notify(3)): a host tells READY, then
WATCHDOG for as long as its work goes on, and is ended and started anew when it does not. Settings go over a pipe that
stays open; its end, however it comes about, is the order to end (docs/design/hosts.md).
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.handover import to_line
from config.settings import Settings
from gateway.fleet.links import HostPlace
from gateway.startup import SocketDirError
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

COMMAND = (sys.executable, "-P", "-m", "gateway.worker")
"""With the host's number. ``-P``: what lies in the working directory is no part of the product."""
BACKOFF = Backoff(base_s=0.25, cap_s=30.0, healthy_s=60.0)
"""After a death the next start comes within half a second; one that dies again and again is left alone for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a host may take, as the shipped units say it (systemd/sightline-host@.service)."""

    start_s: float = 120.0
    """From its start to READY."""
    watchdog_s: float = 30.0
    """Without a sign that its work goes on. It writes at least every 8 s (``recording.batch_s``)."""
    stacks_s: float = 2.0
    """To write where it stands, at SIGABRT."""
    end_s: float = 20.0
    """To end in order: views, sessions, then recordings, their last seconds written."""


class HostProcessError(SightlineError):
    """A camera host process ended, or had to be ended. It is started again."""

    code = "host.ended"


Starter = Callable[[Sequence[str], Mapping[str, str]], Awaitable[Process]]
"""Starts a command with an environment; its standard input is a pipe."""


def place_of(settings: Settings, index: int) -> HostPlace:
    """Return where camera host ``index`` answers and how an operator knows it."""
    name, restart = "inside the gateway", "stop and start Sightline"
    if settings.hosts.workers:
        name = f"camera host {index}"
        if settings.hosts.supervisor == "systemd":
            name, restart = f"sightline-host@{index}", f"systemctl restart sightline-host@{index}"
    return HostPlace(
        socket=settings.host_socket(index),
        owner=settings.owners[index],
        site=settings.site,
        name=name,
        restart=restart,
    )


async def start_process(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start a process in a session of its own: a Ctrl-C is the gateway's to pass on, in order."""
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, env=environment, start_new_session=True)


class HostProcess:
    """One camera host, started again whenever it ends. Made by :func:`open_hosting`."""

    def __init__(
        self, index: int, settings: Settings, *, clock: Clock, patience: Patience, start: Starter = start_process
    ) -> None:
        self.index = index
        self.starts = 0
        """So far."""
        self.pid: int | None = None
        """While it runs."""
        self.ended: HostProcessError | None = None
        """How it ended last."""
        self._line = to_line(settings)
        self._ear_path = settings.host_socket(index).with_name(f"notify-{index}.sock")
        self._clock = clock
        self._patience = patience
        self._start = start
        self._process: Process | None = None

    async def run(self) -> None:
        """Keep it running, for ever."""
        await try_forever(
            self._run_once, clock=self._clock, expected=(HostProcessError,), on_failure=self._failed, backoff=BACKOFF
        )

    async def _run_once(self) -> None:
        """Run it until it ends.

        Raises:
            HostProcessError: it did, whatever way.
        """
        async with _ear(self._ear_path, self._clock) as ear:
            process = await self._spawn()
            waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stuck(ear))]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.wait(waits)
            stuck = "" if process.returncode is not None else waits[1].result()
            if stuck:
                log.error("host.stuck", host=self.index, pid=process.pid, detail=stuck)
                await self._abort(process)
            self._let_go(process)
        raise HostProcessError(
            f"Camera host {self.index} {stuck}: it was ended."
            if stuck
            else f"Camera host {self.index} {_ending(process)}.",
            cure="It is started again; its own messages stand before this one.",
        )

    async def _spawn(self) -> Process:
        left_out = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
        environment = {key: value for key, value in os.environ.items() if key not in left_out}
        environment["NOTIFY_SOCKET"] = str(self._ear_path)
        environment["WATCHDOG_USEC"] = str(round(self._patience.watchdog_s * 1e6))
        try:
            process = await self._start((*COMMAND, str(self.index)), environment)
        except OSError as error:
            raise HostProcessError(
                f"Camera host {self.index} cannot be started: {error.strerror}.",
                cure="Make room on this machine: memory, processes, open files.",
            ) from error
        self._process, self.pid = process, process.pid
        self.starts += 1
        log.info("host.started", host=self.index, pid=process.pid)
        assert process.stdin is not None
        process.stdin.write(self._line)
        return process

    async def _stuck(self, ear: "_Ear") -> str:
        """Return once it is past all patience, saying what it did not do."""
        patience = self._patience
        while True:
            limit_s, said = {
                "": (patience.start_s, "was not ready within {:g} s"),
                "READY": (patience.watchdog_s, "has done no work for {:g} s"),
                "STOPPING": (patience.end_s, "did not end within {:g} s"),
            }[ear.stage]
            due_ns = ear.heard_ns + round(limit_s * NS_PER_S)
            now_ns = self._clock.monotonic_ns()
            if now_ns >= due_ns:
                return said.format(limit_s)
            # Not until then: with its next word it may be due earlier.
            await self._clock.sleep_until(min(due_ns, now_ns + NS_PER_S))

    async def _abort(self, process: Process) -> None:
        """End it as systemd's watchdog does: SIGABRT, at which it writes its stacks, then SIGKILL."""
        _signal(process, signal.SIGABRT)
        if not await self._ends(process, self._patience.stacks_s):
            _signal(process, signal.SIGKILL)
            await process.wait()

    async def end(self) -> None:
        """End it in order. To be called when :meth:`run` no longer runs."""
        process = self._process
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        if not await self._ends(process, self._patience.end_s):
            log.error("host.stuck", host=self.index, pid=process.pid, detail="it did not end when it was told to")
            await self._abort(process)
        self._let_go(process)

    async def _ends(self, process: Process, within_s: float) -> bool:
        waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._clock.sleep(within_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)
        return process.returncode is not None

    def _let_go(self, process: Process) -> None:
        self._process = self.pid = None
        assert process.stdin is not None
        process.stdin.close()

    def _failed(self, error: Exception, delay_s: float) -> None:
        assert isinstance(error, HostProcessError)
        self.ended = error
        log.error("host.ended", host=self.index, detail=error.message, starts=self.starts, again_in_s=round(delay_s, 1))


class _Ear:
    """Hears what one host tells its service manager (sd_notify(3)), by a socket that is its own."""

    def __init__(self, ear: socket.socket, clock: Clock) -> None:
        self.stage = ""
        """``""``, then READY, then STOPPING."""
        self.heard_ns = clock.monotonic_ns()
        """When it last told that its work goes on; before READY, when this was made."""
        self._ear = ear
        self._clock = clock

    def hear(self) -> None:
        """Take what was told."""
        with suppress(BlockingIOError):
            while True:
                for word in self._ear.recv(4096).decode(errors="replace").splitlines():
                    if word in {"READY=1", "STOPPING=1"}:
                        self.stage = word.removesuffix("=1")
                    elif word != "WATCHDOG=1":
                        continue
                    self.heard_ns = self._clock.monotonic_ns()


@asynccontextmanager
async def _ear(path: Path, clock: Clock) -> AsyncIterator[_Ear]:
    """Give an ear at ``path``, in a directory that is this user's alone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bound:
        await asyncio.to_thread(_bind, bound, path)
        ear = _Ear(bound, clock)
        loop = asyncio.get_running_loop()
        loop.add_reader(bound, ear.hear)
        try:
            yield ear
        finally:
            loop.remove_reader(bound)
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _bind(ear: socket.socket, path: Path) -> None:
    path.unlink(missing_ok=True)
    ear.bind(str(path))
    path.chmod(0o600)


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _ending(process: Process) -> str:
    code = process.returncode
    assert code is not None
    if code >= 0:
        return f"ended with status {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


@asynccontextmanager
async def open_hosting(
    settings: Settings, *, clock: Clock, patience: Patience = Patience(), start: Starter = start_process
) -> AsyncIterator[tuple[HostProcess, ...]]:
    """Keep ``hosts.workers`` camera hosts running for the time of the block; leaving ends them all at once, in order.

    Raises:
        StartError: the directory of their sockets cannot be used.
    """
    await asyncio.to_thread(_prepare, settings.host_socket(0).parent)
    hosts = tuple(
        HostProcess(index, settings, clock=clock, patience=patience, start=start)
        for index in range(settings.hosts.workers)
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            keeping = [tasks.create_task(host.run(), name=f"camera host {host.index}") for host in hosts]
            try:
                yield hosts
            finally:
                for task in keeping:
                    task.cancel()
    finally:
        # Not in the tasks: whoever is cancelled twice, as when the gateway fails, could not wait for an orderly end.
        await asyncio.gather(*(host.end() for host in hosts))


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise SocketDirError(
            f"The directory {folder} for the camera hosts' sockets cannot be used: {error.strerror}.",
            cure="Let the user who runs Sightline write it, or choose another hosts.socket_dir.",
        ) from None
