"""One coder process: started, spoken to and always ended.

CoderError                    the process ended, or said what it may not; it is started again
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gateway.transcoder.framing import HEAD, FramingError, Message, body_bytes, pack, unpack

_ROOMS = Path(__file__).resolve().parents[3]
# Nothing of our environment is its business: that may hold passwords.
_ENVIRONMENT = {"PYTHONPATH": str(_ROOMS), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
_COMMAND = (sys.executable, "-s", "-P", "-m", "gateway.transcoder")
_LAST_WORDS_BYTES = 4096


class CoderError(Exception):
    """The process is of no use any more."""


class Coder:
    """A running process; its methods raise :class:`CoderError` when it is not."""

    def __init__(self, process: Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self._stdout = process.stdout

    @property
    def pid(self) -> int:
        """Return its process number."""
        return self._process.pid

    async def write(self, message: Message) -> None:
        """Hand over a message; returns when the process has begun to take it, or has gone, which ``read`` tells."""
        try:
            self._stdin.write(pack(message))
        except FramingError as error:
            raise CoderError(str(error)) from error
        with suppress(OSError):
            await self._stdin.drain()

    async def read(self) -> Message:
        """Return its next message."""
        try:
            head = await self._stdout.readexactly(HEAD.size)
            return unpack(head, await self._stdout.readexactly(body_bytes(head)))
        except FramingError as error:
            raise CoderError(str(error)) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise CoderError(await self._last_words()) from error

    async def _last_words(self) -> str:
        """Return how it ended, and the last line it wrote: a traceback's, or the kernel's signal."""
        assert self._process.stderr is not None
        with suppress(OSError):
            self._process.kill()
        said = await self._process.stderr.read()
        lines = said[-_LAST_WORDS_BYTES:].decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"ended {await self._process.wait()} {last}".strip()


@asynccontextmanager
async def open_coder() -> AsyncIterator[Coder]:
    """Give a process of its own session, so that a Ctrl-C for us is not one for it; leaving kills it.

    Raises:
        CoderError: the system gives none.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_ENVIRONMENT, cwd="/", start_new_session=True
        )
    except OSError as error:
        raise CoderError(error.strerror or "no process") from error
    try:
        yield Coder(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        # To their ends: a pipe that is not read to its end is never closed.
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.close()
        await asyncio.gather(process.stdout.read(), process.stderr.read(), return_exceptions=True)
        await process.wait()
        with suppress(OSError):
            await process.stdin.wait_closed()
