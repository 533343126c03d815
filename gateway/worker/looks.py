"""Looks at the picture of every camera of a host in turn: a keyframe each, decoded in a confined process.

The process may take a bounded share of one core: after each look we rest for as long as keeps it to that. So a host
with more cameras looks at each more seldom, and nothing else that it does is late for it.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.live.transcode.process import Coder, CoderError, OpenCoder, open_coder
from gateway.transcoder.framing import Look, Seen
from gateway.worker.problems import NotSeenError
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
ASKED_S = 15.0
"""Who asks for a look waits so long at most. Cameras send a keyframe every few seconds, or when asked."""
POLL_S = 0.2
"""So often it is seen whether the picture has come that somebody waits for."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Somebody who waits for a look at a picture that came at an instant or later (monotonic)."""

    camera: Watched
    since_ns: int
    done: asyncio.Future[None]


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
        self._rested_ns = 0
        """Until when we rest."""
        self._at: CameraId | None = None
        """The camera that is being looked at."""
        self._unread: set[CameraId] = set()
        """Those whose last picture could not be decoded."""
        self._asked: list[_Asked] = []
        self._woken = asyncio.Event()

    async def at(self, camera: Watched, *, since_ns: int) -> None:
        """Look at a camera before all others; return once a picture was seen that came at ``since_ns`` or later.

        It takes no more of the processor: it is not kept waiting for the rest after another look, but rested for, too.

        Raises:
            NotSeenError: none comes, or none could be looked at in time.
        """
        if camera.keyframe() is None:
            raise NotSeenError("No picture of this camera comes.", cure="Ask again once it does.")
        if self._rests(camera):
            raise NotSeenError("Its picture could not be looked at.", cure="Ask again in ten minutes.")
        asked = _Asked(camera, since_ns, asyncio.get_running_loop().create_future())
        late = asyncio.create_task(self._clock.sleep(ASKED_S))
        self._asked.append(asked)
        self._woken.set()
        try:
            await asyncio.wait((asked.done, late), return_when=asyncio.FIRST_COMPLETED)
            if not asked.done.done():
                raise NotSeenError("No picture that has come since could be looked at.", cure="Ask again in a minute.")
        finally:
            self._asked.remove(asked)
            asked.done.cancel()
            late.cancel()
            with suppress(asyncio.CancelledError):
                await late

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
        self._unread &= known
        for camera in cameras:
            if self._rests(camera):
                continue
            keyframe = camera.keyframe()
            if keyframe is None:
                self._seen.pop(camera.id, None)
                camera.looked(None)
            elif keyframe is not self._seen.get(camera.id):
                await self._look(coder, camera, keyframe)
                await self._rest(coder)
        await self._rest(coder, due_ns)

    def _rests(self, camera: Watched) -> bool:
        return self._clock.monotonic_ns() < self._resting.get(camera.id, 0)

    async def _rest(self, coder: Coder, due_ns: int = 0) -> None:
        """Rest for as long as keeps us to our share, and until ``due_ns``; answer who asks meanwhile."""
        while self._clock.monotonic_ns() < max(due_ns, self._rested_ns):
            await self._answer(coder)
            await self._pause(max(due_ns, self._rested_ns))

    async def _answer(self, coder: Coder) -> None:
        """Look at what somebody waits for, as far as its picture has come."""
        for asked in tuple(self._asked):
            keyframe = asked.camera.keyframe()
            if asked.done.done() or keyframe is None or keyframe.received_ns < asked.since_ns:
                continue
            if keyframe is not self._seen.get(asked.camera.id) and not self._rests(asked.camera):
                await self._look(coder, asked.camera, keyframe)

    async def _pause(self, due_ns: int) -> None:
        """Wait until an instant, or until somebody asks for a look or has been waiting for one for a moment."""
        if any(not asked.done.done() for asked in self._asked):
            await self._clock.sleep(POLL_S)
            return
        self._woken.clear()
        waiting = asyncio.create_task(self._woken.wait()), asyncio.create_task(self._clock.sleep_until(due_ns))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _look(self, coder: Coder, camera: Watched, keyframe: AccessUnit) -> None:
        """Look at a picture, and owe the rest that keeps us to our share."""
        began_ns = self._clock.monotonic_ns()
        self._seen[camera.id] = keyframe
        await self._judge(coder, camera, keyframe)
        now_ns = self._clock.monotonic_ns()
        # It has one thread: it cannot have used more than the time that went by.
        self._rested_ns = max(now_ns, self._rested_ns) + round((now_ns - began_ns) * (1.0 / SHARE - 1.0))

    async def _judge(self, coder: Coder, camera: Watched, keyframe: AccessUnit) -> None:
        sets = keyframe.parameters
        nals = tuple(nal for nal in (sets.vps, sets.sps, sets.pps) if nal) + keyframe.nals
        self._at = camera.id
        answer = await self._ask(coder, Look(sets.codec, WIDTH, HEIGHT, nals))
        self._at, self._stuck_s = None, STUCK_S
        if not answer.pixels:
            # It is damaged: the next one may be whole. Where none is, it is told as not looked at.
            if camera.id not in self._unread:
                _log.info("looks.unreadable", camera=camera.id)
            self._unread.add(camera.id)
            return
        if len(answer.pixels) != WIDTH * HEIGHT:
            raise CoderError("gave a picture of another size")
        self._unread.discard(camera.id)
        camera.looked(np.frombuffer(answer.pixels, dtype=np.uint8).reshape(HEIGHT, WIDTH), keyframe.received_ns)
        for asked in self._asked:
            if asked.camera is camera and keyframe.received_ns >= asked.since_ns and not asked.done.done():
                asked.done.set_result(None)

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
