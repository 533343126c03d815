"""One coder process: started, spoken to and always ended.

CoderError                    the process ended, or said what it may not; it is started again
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import structlog

from gateway.transcoder.framing import HEAD, UNCONFINED, FramingError, Message, body_bytes, pack, unpack

_log = structlog.get_logger(__name__)

MAX_CODED_BYTES = 2 * 1024 * 1024
"""Of one message that comes back; at 2.5 Mbit/s it is never near."""
_ROOMS = Path(__file__).resolve().parents[3]
# Nothing of our environment is its business: that may hold passwords.
_ENVIRONMENT = {"PYTHONPATH": str(_ROOMS), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
_COMMAND = (sys.executable, "-s", "-P", "-m")
_PROGRAM = "gateway.transcoder"
_LAST_WORDS_BYTES = 4096


class CoderError(Exception):
    """The process is of no use any more."""


class Coder(Protocol):
    """A process that codes one stream anew; its methods raise :class:`CoderError` when it is of no use any more."""

    @property
    def pid(self) -> int:
        """Return its process number."""
        ...

    async def write(self, message: Message) -> None:
        """Hand over a message; returns when the process has begun to take it, or has gone, which ``read`` tells."""
        ...

    async def read(self) -> Message:
        """Return its next message."""
        ...


class OpenCoder(Protocol):
    """Starts a process, which ends with the context."""

    def __call__(self) -> AbstractAsyncContextManager[Coder]:
        """Start it."""
        ...


class _Process:
    """Satisfies ``Coder``."""

    def __init__(self, process: Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._stderr = process.stderr
        self._said = b""
        # All the while: one who writes much there would otherwise wait for us, and we for its pictures.
        self._hearing = asyncio.create_task(self._hear())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def write(self, message: Message) -> None:
        try:
            self._stdin.write(pack(message))
        except FramingError as error:
            raise CoderError(str(error)) from error
        with suppress(OSError):
            await self._stdin.drain()

    async def read(self) -> Message:
        try:
            head = await self._stdout.readexactly(HEAD.size)
            return unpack(head, await self._stdout.readexactly(body_bytes(head, MAX_CODED_BYTES)))
        except FramingError as error:
            raise CoderError(str(error)) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise CoderError(await self._last_words()) from error

    async def _hear(self) -> None:
        with suppress(OSError):
            while piece := await self._stderr.read(_LAST_WORDS_BYTES):
                if not self._said and piece.startswith(UNCONFINED.encode()):
                    undone = piece.split(b"\n", 1)[0].decode(errors="replace").removeprefix(UNCONFINED)
                    _log.warning("transcode.unconfined", pid=self.pid, undone=undone)
                self._said = (self._said + piece)[-_LAST_WORDS_BYTES:]

    async def _last_words(self) -> str:
        """Return how it ended, and the last line it wrote: a traceback's, or the kernel's signal.

        One that has hung up and does not end is killed when it is found to be silent.
        """
        await asyncio.wait([self._hearing])
        lines = self._said.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"ended {await self._process.wait()} {last}".strip()

    async def end(self) -> None:
        """Kill it; return when nothing of it is left."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._stdin.close()
        # To their ends: a pipe that is not read to its end is never closed.
        await asyncio.gather(self._stdout.read(), self._hearing, return_exceptions=True)
        await self._process.wait()
        with suppress(OSError):
            await self._stdin.wait_closed()


@asynccontextmanager
async def open_coder(program: str = _PROGRAM) -> AsyncIterator[Coder]:
    """Give a process of ``gateway.transcoder``, which confines itself (``confine`` there); leaving kills it.

    Raises:
        CoderError: the system gives none.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, program, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_ENVIRONMENT, cwd="/"
        )
    except OSError as error:
        raise CoderError(error.strerror or "no process") from error
    coder = _Process(process)
    try:
        yield coder
    finally:
        await coder.end()
