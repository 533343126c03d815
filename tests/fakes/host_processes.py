"""Camera host processes that are none: they tell their supervisor what a test wants, and end when it says so."""

import asyncio
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from typing import cast

DEAF = frozenset({signal.SIGTERM, signal.SIGABRT})


class Pipe:
    """A standard input that remembers what was written, and whether it was closed."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        """Take it."""
        self.written += data

    def close(self) -> None:
        """Note the end."""
        self.closed = True


class PretendedProcess:
    """Satisfies what ``gateway.hosting`` asks of an asyncio process. Signals in ``deaf_to`` do nothing to it."""

    def __init__(self, pid: int, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.pid = pid
        self.command = command
        self.environment = environment
        self.stdin = Pipe()
        self.returncode: int | None = None
        self.signals: list[signal.Signals] = []
        self.deaf_to: frozenset[signal.Signals] = frozenset()
        self._ended = asyncio.Event()

    def tell(self, words: str) -> None:
        """Say something to the supervisor (sd_notify(3))."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.connect(self.environment["NOTIFY_SOCKET"])
            mouth.send(words.encode())

    def end(self, code: int) -> None:
        """End; a negative code is the signal that did it."""
        self.returncode = code
        self._ended.set()

    def send_signal(self, number: signal.Signals) -> None:
        """Take a signal."""
        if self.returncode is not None:
            raise ProcessLookupError
        self.signals.append(number)
        if number not in self.deaf_to:
            self.end(0 if number is signal.SIGTERM else -number)

    async def wait(self) -> int:
        """Return once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class Machine:
    """Starts pretended processes. ``refuse`` makes the next starts fail, ``deaf_to`` is what new ones do not hear."""

    def __init__(self) -> None:
        self.processes: list[PretendedProcess] = []
        self.refuse: OSError | None = None
        self.deaf_to: frozenset[signal.Signals] = frozenset()

    async def start(self, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Satisfy ``gateway.hosting.Starter``."""
        if self.refuse is not None:
            raise self.refuse
        process = PretendedProcess(4000 + len(self.processes), command, environment)
        process.deaf_to = self.deaf_to
        self.processes.append(process)
        return cast("Process", process)

    def of(self, host: int) -> list[PretendedProcess]:
        """Return every process that was started for a host, the oldest first."""
        return [process for process in self.processes if process.command[-1] == str(host)]
