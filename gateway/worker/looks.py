"""Looks at the picture of every camera of a host in turn: a keyframe each, decoded in a confined process.

The process may take a bounded share of one core: after each look we rest for as long as keeps it to that. So a host
with more cameras looks at each more seldom, and nothing else that it does is late for it.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

import numpy as np
import structlog

from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.live.transcode.process import Coder, CoderError, OpenCoder, open_coder
from gateway.transcoder.framing import Look, Seen
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId
from kernel.media import AccessUnit

_log = structlog.get_logger(__name__)

SHARE = 0.05
"""Of one core."""
ROUND_S = 30.0
"""No camera is looked at more often."""
STUCK_S = 10.0
"""A look that takes longer never ends: the process is killed."""
START_S = 60.0
"""The first one may take longer: a busy machine is slow to start a process, which is no picture's fault."""
REST_S = 600.0
"""A camera at whose picture the process ended is not looked at again before: it might be meant to."""
PROGRAM = "gateway.transcoder.looking"
"""What runs in the process."""


class Watched(Protocol):
    """A camera whose picture is looked at."""

    @property
    def id(self) -> CameraId:
        """Return which."""
        ...

    def keyframe(self) -> AccessUnit | None:
        """Return its newest keyframe of the smallest stream; ``None`` where no pictures come."""
        ...

    def looked(self, grey: Grey | None, received_ns: int = 0) -> None:
        """Take what was seen and when it came (monotonic); ``None`` where no picture comes."""
        ...


class Looks:
    """Of one host. :meth:`run` lasts as long as it does."""

    def __init__(
        self,
        *,
        clock: Clock,
        cameras: Callable[[], Iterable[Watched]],
        open_coder: OpenCoder | None = None,
    ) -> None:
        self._clock = clock
        self._cameras = cameras
        self._open = open_coder or _open
        self._seen: dict[CameraId, AccessUnit] = {}
        self._resting: dict[CameraId, int] = {}
        self._stuck_s = START_S
        self._at: CameraId | None = None
        """The camera that is being looked at."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                self._stuck_s = START_S
                async with self._open() as coder:
                    while True:
                        await self._round(coder)
            except CoderError as error:
                _log.warning("looks.ended", camera=self._at, error=str(error))
                if self._at is not None:
                    self._resting[self._at] = self._clock.monotonic_ns() + round(REST_S * NS_PER_S)
                    self._at = None
                await self._clock.sleep(ROUND_S)

    async def _round(self, coder: Coder) -> None:
        due_ns = self._clock.monotonic_ns() + round(ROUND_S * NS_PER_S)
        cameras = tuple(self._cameras())
        known = {camera.id for camera in cameras}
        for kept in (self._seen, self._resting):
            for gone in kept.keys() - known:
                del kept[gone]
        for camera in cameras:
            began_ns = self._clock.monotonic_ns()
            if began_ns < self._resting.get(camera.id, 0):
                continue
            keyframe = camera.keyframe()
            if keyframe is None:
                self._seen.pop(camera.id, None)
                camera.looked(None)
            elif keyframe is not self._seen.get(camera.id):
                self._seen[camera.id] = keyframe
                await self._look(coder, camera, keyframe)
                took_s = (self._clock.monotonic_ns() - began_ns) / NS_PER_S
                # It has one thread: it cannot have used more than the time that went by.
                await self._clock.sleep(took_s * (1.0 / SHARE - 1.0))
        await self._clock.sleep_until(due_ns)

    async def _look(self, coder: Coder, camera: Watched, keyframe: AccessUnit) -> None:
        sets = keyframe.parameters
        nals = tuple(nal for nal in (sets.vps, sets.sps, sets.pps) if nal) + keyframe.nals
        self._at = camera.id
        answer = await self._ask(coder, Look(sets.codec, WIDTH, HEIGHT, nals))
        self._at, self._stuck_s = None, STUCK_S
        if len(answer.pixels) == WIDTH * HEIGHT:
            camera.looked(np.frombuffer(answer.pixels, dtype=np.uint8).reshape(HEIGHT, WIDTH), keyframe.received_ns)
        elif answer.pixels:
            raise CoderError("gave a picture of another size")

    async def _ask(self, coder: Coder, wish: Look) -> Seen:
        """Return the answer to a look.

        Raises:
            CoderError: there is none in time.
        """
        asking = asyncio.create_task(_asked(coder, wish))
        stuck = asyncio.create_task(self._clock.sleep(self._stuck_s))
        try:
            await asyncio.wait((asking, stuck), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise CoderError("was stuck")
            return asking.result()
        finally:
            for task in (asking, stuck):
                task.cancel()
                with suppress(asyncio.CancelledError, CoderError):
                    await task


async def _asked(coder: Coder, wish: Look) -> Seen:
    await coder.write(wish)
    answer = await coder.read()
    if not isinstance(answer, Seen):
        raise CoderError("spoke out of turn")
    return answer


def _open() -> AbstractAsyncContextManager[Coder]:
    return open_coder(PROGRAM)
