"""A coder process without a process: answers from memory, and knobs for everything that can go wrong with one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.live.transcode.process import Coder, CoderError
from gateway.transcoder.framing import Coded, Flag, KeyframeWish, Message, Parameters

SETS = Parameters(1280, 720, (b"\x67\x42\xc0\x1f", b"\x68\xce"))


class FakeCoder:
    """One process. ``dumb``: takes pictures and gives none; ``stuck``: does not even take them."""

    def __init__(self, pid: int, *, dumb: bool, stuck: bool) -> None:
        self.pid = pid
        self.dumb = dumb
        self.stuck = stuck
        self.taken: list[Message] = []
        self.made: asyncio.Queue[Message | CoderError] = asyncio.Queue()
        self._wished = True
        self._told = False

    async def write(self, message: Message) -> None:
        """See ``Coder``."""
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        self.taken.append(message)
        if isinstance(message, KeyframeWish):
            self._wished = True
        elif isinstance(message, Coded) and not self.dumb:
            if not self._told:
                self._told = True
                self.made.put_nowait(SETS)
            flags = Flag.KEYFRAME if self._wished else 0
            self._wished = False
            self.made.put_nowait(Coded((b"\x65made",), message.time_90k, message.received_ns, flags))

    async def read(self) -> Message:
        """See ``Coder``."""
        made = await self.made.get()
        if isinstance(made, CoderError):
            raise made
        return made

    def die(self) -> None:
        """End as a killed process does."""
        self.made.put_nowait(CoderError("ended -9"))

    @property
    def pictures(self) -> list[Coded]:
        """The pictures it was handed."""
        return [message for message in self.taken if isinstance(message, Coded)]


class FakeCoders:
    """Satisfies ``OpenCoder``. ``running`` are those whose context is open; ``refuse`` lets none begin."""

    def __init__(self) -> None:
        self.all: list[FakeCoder] = []
        self.running: list[FakeCoder] = []
        self.dumb = False
        self.stuck = False
        self.refuse = False
        self.ending = asyncio.Event()
        """Cleared: a process that is being ended takes its time."""
        self.ending.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Coder]:
        """Start one."""
        if self.refuse:
            raise CoderError("no process")
        coder = FakeCoder(len(self.all) + 1, dumb=self.dumb, stuck=self.stuck)
        self.all.append(coder)
        self.running.append(coder)
        try:
            yield coder
        finally:
            await self.ending.wait()
            self.running.remove(coder)
