"""A host's looks at its cameras: how often, how much, and what becomes of a process that fails at one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.live.transcode.process import Coder, open_coder
from gateway.transcoder.framing import Look, Message, Seen
from gateway.worker.looks import ASKED_S, POLL_S, PROGRAM, REST_S, ROUND_S, SHARE, START_S, STUCK_S, Looks
from gateway.worker.problems import NotSeenError
from kernel.ids import CameraId
from kernel.media import AccessUnit, VideoCodec
from tests.fakes.clock import ManualClock, settle
from tests.fakes.pattern import PatternCamera

PIXELS = bytes(range(180)) * WIDTH


class Camera:
    """Satisfies ``Watched``."""

    def __init__(self, name: str, unit: AccessUnit | None) -> None:
        self.id = CameraId(name)
        self.unit = unit
        self.seen: list[Grey | None] = []

    def keyframe(self) -> AccessUnit | None:
        """See ``Watched``."""
        return self.unit

    def looked(self, grey: Grey | None, received_ns: int = 0) -> None:
        """See ``Watched``."""
        self.seen.append(grey)


class Eye:
    """Satisfies ``Coder``: answers every look after ``takes_s``; ``stuck``: none; ``answer`` instead of a picture."""

    def __init__(self, clock: ManualClock) -> None:
        self.pid = 1
        self.takes_s = 0.0
        self.stuck = False
        self.answer: Message = Seen(PIXELS)
        self.looks: list[Look] = []
        self.opened = 0
        self._clock = clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Coder]:
        """Satisfies ``OpenCoder``."""
        self.opened += 1
        yield self

    async def write(self, message: Message) -> None:
        """See ``Coder``."""
        assert isinstance(message, Look)
        self.looks.append(message)

    async def read(self) -> Message:
        """See ``Coder``."""
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        if self.takes_s:
            await self._clock.sleep(self.takes_s)
        return self.answer


class Looking:
    """A host that looks, begun by ``begin``."""

    def __init__(self, clock: ManualClock, *cameras: Camera) -> None:
        self.clock = clock
        self.eye = Eye(clock)
        self.cameras = list(cameras)
        self.looks = Looks(clock=clock, cameras=lambda: self.cameras, open_coder=self.eye.open)

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Look for the time of the block."""
        task = asyncio.create_task(self.looks.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
def unit(clock: ManualClock) -> AccessUnit:
    """Give a keyframe."""
    return PatternCamera(clock, width=320, height=180).unit(keyframe=True)


async def test_each_camera_is_looked_at_once_a_round(clock: ManualClock, unit: AccessUnit) -> None:
    """Its parameter sets go before its picture; what was seen is handed to it, and the same keyframe not again."""
    camera = Camera("c1", unit)
    looking = Looking(clock, camera)
    async with looking.going():
        await clock.turn(ROUND_S)
    (wish,) = looking.eye.looks
    assert wish.nals == (unit.parameters.sps, unit.parameters.pps, *unit.nals)
    (grey,) = camera.seen
    assert grey is not None
    assert grey.shape == (HEIGHT, WIDTH)
    assert grey.tobytes() == PIXELS


async def test_a_camera_without_pictures_is_told_so(clock: ManualClock) -> None:
    """And the process is asked for nothing."""
    camera = Camera("c1", None)
    looking = Looking(clock, camera)
    async with looking.going():
        assert (camera.seen, looking.eye.looks) == ([None], [])


async def test_looks_take_a_bounded_share(clock: ManualClock, unit: AccessUnit) -> None:
    """After a look of a second nineteen are rested, whatever waits."""
    cameras = [Camera(f"c{place}", unit) for place in range(3)]
    looking = Looking(clock, *cameras)
    looking.eye.takes_s = 1.0
    async with looking.going():
        await clock.turn(1.0)
        rest_s = 1.0 / SHARE - 1.0
        await clock.turn(rest_s - 0.1)
        before = len(looking.eye.looks)
        await clock.turn(0.2)
        assert (before, len(looking.eye.looks)) == (1, 2)


async def test_a_picture_that_kills_the_process_is_not_tried_again_soon(clock: ManualClock, unit: AccessUnit) -> None:
    """Another process looks at the others; after ten minutes at that one, too."""
    bad, good = Camera("bad", unit), Camera("good", unit)
    looking = Looking(clock, bad, good)
    looking.eye.stuck = True
    async with looking.going():
        await clock.turn(START_S)
        looking.eye.stuck = False
        await clock.turn(ROUND_S)
        assert (looking.eye.opened, bad.seen, len(good.seen)) == (2, [], 1)
        bad.unit = replace(unit)
        await clock.turn(REST_S)
        assert len(bad.seen) == 1


async def test_a_process_that_once_answered_is_given_less_time(clock: ManualClock, unit: AccessUnit) -> None:
    """It need not start any more."""
    camera = Camera("c1", unit)
    looking = Looking(clock, camera)
    async with looking.going():
        looking.eye.stuck = True
        camera.unit = replace(unit)
        await clock.turn(ROUND_S)
        await clock.turn(STUCK_S - 0.1)
        before = looking.eye.opened
        await clock.turn(0.2 + ROUND_S)
        assert (before, looking.eye.opened) == (1, 2)


async def test_a_picture_that_cannot_be_decoded_is_no_finding(clock: ManualClock, unit: AccessUnit) -> None:
    """It is damaged: the next one may be whole."""
    camera = Camera("c1", unit)
    looking = Looking(clock, camera)
    looking.eye.answer = Seen(b"")
    async with looking.going():
        assert (camera.seen, looking.eye.opened) == ([], 1)


@pytest.mark.parametrize("answer", [Seen(b"short"), Look(VideoCodec.H264, 1, 1, (b"x",))])
async def test_a_process_that_answers_anything_else_is_ended(
    clock: ManualClock, unit: AccessUnit, answer: Message
) -> None:
    """A picture of another size, or none at all."""
    looking = Looking(clock, Camera("bad", unit))
    looking.eye.answer = answer
    async with looking.going():
        await clock.turn(ROUND_S)
        assert looking.eye.opened == 2


async def ask(looking: Looking, camera: Camera) -> asyncio.Task[None]:
    """Ask for a look at what a camera shows from now on."""
    asking = asyncio.create_task(looking.looks.at(camera, since_ns=looking.clock.monotonic_ns()))
    await settle()
    return asking


async def test_who_asks_is_shown_no_older_picture(clock: ManualClock, unit: AccessUnit) -> None:
    """The one that was looked at before shows what the camera showed before; the next one is looked at, at once."""
    camera = Camera("c1", unit)
    looking = Looking(clock, camera)
    async with looking.going():
        await clock.turn(1.0)
        asking = await ask(looking, camera)
        await clock.turn(1.0)
        before = (asking.done(), len(camera.seen))
        camera.unit = replace(unit, received_ns=clock.monotonic_ns())
        await clock.turn(POLL_S)
        await asking
        assert (before, len(camera.seen)) == ((False, 1), 2)


async def test_one_that_is_asked_for_goes_before_all_others(clock: ManualClock, unit: AccessUnit) -> None:
    """Without the rest that others wait for; that is taken afterwards, with its own."""
    cameras = [Camera(f"c{place}", replace(unit)) for place in range(4)]
    looking = Looking(clock, *cameras)
    looking.eye.takes_s = 1.0
    rest_s = 1.0 / SHARE - 1.0
    async with looking.going():
        await clock.turn(1.0)
        cameras[3].unit = replace(unit, received_ns=clock.monotonic_ns())
        asking = await ask(looking, cameras[3])
        await clock.turn(1.0)
        await asking
        await clock.turn(2 * rest_s - 1.1)
        before = [len(one.seen) for one in cameras]
        await clock.turn(1.2)
        assert (before, [len(one.seen) for one in cameras]) == ([1, 0, 0, 1], [1, 1, 0, 1])


@pytest.mark.parametrize("answer", [Seen(PIXELS), Seen(b"")])
async def test_who_asks_in_vain_is_told_so(clock: ManualClock, unit: AccessUnit, answer: Message) -> None:
    """No new picture comes in time, or none that can be decoded."""
    camera = Camera("c1", unit)
    looking = Looking(clock, camera)
    looking.eye.answer = answer
    async with looking.going():
        await clock.turn(1.0)
        asking = await ask(looking, camera)
        if answer == Seen(b""):
            camera.unit = replace(unit, received_ns=clock.monotonic_ns())
        await clock.turn(ASKED_S)
        with pytest.raises(NotSeenError):
            await asking


async def test_nobody_waits_for_a_camera_that_is_not_looked_at(clock: ManualClock, unit: AccessUnit) -> None:
    """No picture of it comes, or the last one ended the process."""
    away, bad = Camera("away", None), Camera("bad", unit)
    looking = Looking(clock, away, bad)
    looking.eye.stuck = True
    async with looking.going():
        await clock.turn(START_S)
        for camera in (away, bad):
            with pytest.raises(NotSeenError):
                await looking.looks.at(camera, since_ns=0)


@pytest.mark.parametrize("codec", VideoCodec)
async def test_the_real_process_shows_what_the_camera_sees(codec: VideoCodec) -> None:
    """Either codec, 640 by 360: what comes back is the size that was asked for, and has the picture's own light."""
    camera = PatternCamera(ManualClock(), codec=codec)
    keyframe = camera.unit(keyframe=True)
    sets = keyframe.parameters
    nals = (*(nal for nal in (sets.vps, sets.sps, sets.pps) if nal), *keyframe.nals)
    async with open_coder(PROGRAM) as coder, asyncio.timeout(60):
        await coder.write(Look(codec, WIDTH, HEIGHT, nals))
        seen = await coder.read()
        await coder.write(Look(codec, WIDTH, HEIGHT, (*nals[:-1], b"\x00" * 40)))
        damaged = await coder.read()
    assert isinstance(seen, Seen)
    grey = np.frombuffer(seen.pixels, dtype=np.uint8)
    assert grey.size == WIDTH * HEIGHT
    assert int(grey.max()) - int(grey.min()) > 60
    assert damaged == Seen(b"")
