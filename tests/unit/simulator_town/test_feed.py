"""Feeds: drawn once, encoded once per stream, only while somebody listens; and what a faulty camera does to them."""

import io
import itertools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from drivers.simulator.device import Aim, EncodedUnit, SimulatedDevice
from drivers.simulator.feed import Camera, open_feeds
from drivers.simulator.picture import strip
from kernel.clock import NS_PER_MS, NS_PER_S, SystemClock
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.fakes.clock import ManualClock
from tests.fakes.testcard import TestCard
from tests.fakes.waiting import until
from tests.unit.simulator_town.decoding import decoded, luma_of

MAIN, SUB = StreamName.MAIN, StreamName.SUB


class AtOnce(Executor):
    """Draws on the caller's own thread, so that a turned clock finds every picture done."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest_asyncio.fixture
async def camera(device: SimulatedDevice, card: TestCard) -> AsyncIterator[Camera]:
    """Keep the feeds of the device running over a test card."""
    async with open_feeds(device, card, pool=AtOnce()) as running:
        yield running


@pytest.fixture
def card() -> TestCard:
    """Return a scene that costs nothing."""
    return TestCard()


async def _frames(clock: ManualClock, units: list[EncodedUnit], count: int) -> list[EncodedUnit]:
    """Turn the clock until ``count`` more units have come, and return them."""
    start = len(units)
    for _ in range(count * 4):
        if len(units) >= start + count:
            break
        await clock.turn(0.05)
    assert len(units) >= start + count, "too few pictures came"
    return units[start : start + count]


def _readings(units: list[EncodedUnit]) -> list[strip.StripReading | None]:
    return [strip.read(luma_of(frame)) for frame in decoded(units[0].parameters, units)]


async def test_nobody_listens(camera: Camera, clock: ManualClock, card: TestCard) -> None:
    """Without a listener nothing is drawn or encoded, and the parameters are known all the same."""
    await clock.turn(2.0)
    assert not card.painted
    assert camera.feeds[MAIN].parameters.width == 320
    assert camera.feeds[SUB].parameters.width == 160
    assert camera.feeds[MAIN].codec is VideoCodec.H264


async def test_starts_with_a_keyframe(camera: Camera, clock: ManualClock) -> None:
    """A listener's first unit is a keyframe; units come at the frame rate, each with its time in its strip."""
    units: list[EncodedUnit] = []
    detach = camera.feeds[MAIN].attach(units.append)
    got = await _frames(clock, units, 7)
    assert [unit.keyframe for unit in got] == [True, False, False, False, False, True, False]
    assert {b.time_90k - a.time_90k for a, b in itertools.pairwise(got)} == {9000}
    assert {b.wall_ns - a.wall_ns for a, b in itertools.pairwise(got)} == {NS_PER_S // 10}
    assert _readings(got) == [strip.StripReading(7, unit.wall_ns // NS_PER_MS) for unit in got]
    assert all(unit.parameters is camera.feeds[MAIN].parameters for unit in got)
    detach()


async def test_encodes_once_for_two(camera: Camera, clock: ManualClock) -> None:
    """Two listeners get the very same units, encoded once; the second starts with a keyframe of its own."""
    first: list[EncodedUnit] = []
    second: list[EncodedUnit] = []
    feed = camera.feeds[MAIN]
    leave_first = feed.attach(first.append)
    await _frames(clock, first, 3)
    leave_second = feed.attach(second.append)
    await _frames(clock, second, 3)
    assert second[0].keyframe
    assert first[-3:] == second[-3:]
    assert all(one is two for one, two in zip(first[-3:], second[-3:], strict=True))
    assert feed.encoded == len(first)
    leave_first()
    leave_first()
    leave_second()
    assert not feed.listened


async def test_main_and_sub_share_a_drawing(camera: Camera, clock: ManualClock, card: TestCard) -> None:
    """Main and sub of one frame rate are drawn once, in the larger size, and show the same instant."""
    main: list[EncodedUnit] = []
    sub: list[EncodedUnit] = []
    leave = [camera.feeds[MAIN].attach(main.append), camera.feeds[SUB].attach(sub.append)]
    await _frames(clock, main, 4)
    assert camera.drawn == len(main) == len(sub)
    assert {(width, height) for _, _, width, height in card.painted} == {(320, 180)}
    assert [unit.wall_ns for unit in main] == [unit.wall_ns for unit in sub]
    assert _readings(sub) == _readings(main)
    for off in leave:
        off()


async def test_sub_alone_is_drawn_small(camera: Camera, clock: ManualClock, card: TestCard) -> None:
    """Where only sub is listened to, only sub's size is drawn."""
    sub: list[EncodedUnit] = []
    camera.feeds[SUB].attach(sub.append)
    await _frames(clock, sub, 2)
    assert {(width, height) for _, _, width, height in card.painted} == {(160, 90)}


async def test_different_rates(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """Streams of different frame rates keep each its own."""
    device.streams[SUB].frame_rate = 5.0
    main: list[EncodedUnit] = []
    sub: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(main.append)
    camera.feeds[SUB].attach(sub.append)
    await _frames(clock, sub, 4)
    assert {b.time_90k - a.time_90k for a, b in itertools.pairwise(sub)} == {18_000}
    assert {b.time_90k - a.time_90k for a, b in itertools.pairwise(main)} == {9000}


async def test_late_frames_are_skipped(camera: Camera, clock: ManualClock) -> None:
    """After a stall the next picture is of now; those that were missed are not made up for."""
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 2)
    clock._advance(clock.monotonic_ns() + 2 * NS_PER_S)
    await _frames(clock, units, 2)
    steps = [(b.time_90k - a.time_90k) // 9000 for a, b in itertools.pairwise(units)]
    assert len(units) == 4
    assert max(steps) >= 19


async def test_threads_draw(device: SimulatedDevice, pool: ThreadPoolExecutor) -> None:
    """With a pool of threads and the machine's clock, pictures come too, two cameras at a time."""
    device.clock = SystemClock()
    units: list[EncodedUnit] = []
    async with open_feeds(device, TestCard(), pool=pool) as camera:
        camera.feeds[MAIN].attach(units.append)
        await until(lambda: len(units) >= 3)
    assert units[0].keyframe
    assert len(_readings(units)) == len(units)


async def test_stops_when_the_last_leaves(camera: Camera, clock: ManualClock, card: TestCard) -> None:
    """When the last listener leaves nothing more is drawn; who comes later starts with a keyframe."""
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)()
    detach = camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 2)
    detach()
    drawn = len(card.painted)
    for _ in range(20):
        await clock.turn(0.1)
    assert len(card.painted) <= drawn + 1
    late: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(late.append)
    assert (await _frames(clock, late, 1))[0].keyframe


async def test_keyframe_on_request(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """A keyframe that was asked for comes with the next picture."""
    device.streams[MAIN].gop_frames = 100
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 3)
    camera.feeds[MAIN].request_keyframe()
    assert (await _frames(clock, units, 1))[0].keyframe


async def test_no_keyframes(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """Under no_keyframes only the first picture is one, whoever asks; a late listener gets nothing."""
    device.faults.no_keyframes = True
    units: list[EncodedUnit] = []
    late: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 4)
    camera.feeds[MAIN].request_keyframe()
    camera.feeds[MAIN].attach(late.append)
    await _frames(clock, units, 8)
    assert [unit.keyframe for unit in units].count(True) == 1
    assert not late


async def test_frozen(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """Under freeze_picture units go on with times that go on, and picture and strip stand still."""
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 2)
    device.faults.freeze_picture = True
    await _frames(clock, units, 6)
    readings = _readings(units)
    assert len(set(readings[-4:])) == 1
    assert len({unit.time_90k for unit in units[-4:]}) == 4
    assert units[-1].wall_ns - units[-4].wall_ns == 3 * NS_PER_S // 10
    device.faults.freeze_picture = False
    await _frames(clock, units, 3)
    assert _readings(units)[-1] != readings[-1]


async def test_resolution_changes_mid_stream(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """Under resolution_change main goes to half its size with new parameters at a keyframe, and back; sub stays."""
    units: list[EncodedUnit] = []
    sub: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    camera.feeds[SUB].attach(sub.append)
    for half in (True, False):
        await _frames(clock, units, 3)
        device.faults.resolution_change = half
    await _frames(clock, units, 3)
    sizes = [(unit.parameters.width, unit.parameters.height) for unit in units]
    assert set(sizes) == {(320, 180), (160, 90)}
    for before, unit in itertools.pairwise(units):
        changed = before.parameters is not unit.parameters
        assert not changed or unit.keyframe
    small = [unit for unit in units if unit.parameters.width == 160]
    frames = decoded(small[0].parameters, small)
    assert {(frame.width, frame.height) for frame in frames} == {(160, 90)}
    assert {unit.parameters.width for unit in sub} == {160}


async def test_clock_error_and_jump(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """A wrong clock shows in the strip and in wall times; media times do not jump with it."""
    device.faults.clock_error_s = -3600.0
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    first = (await _frames(clock, units, 1))[0]
    assert abs(first.wall_ns - clock.wall_ns() + 3600 * NS_PER_S) < NS_PER_S
    device.faults.clock_jump_s = 50.0
    last = (await _frames(clock, units, 3))[-1]
    steps = (last.time_90k - first.time_90k) // 9000
    assert last.wall_ns - first.wall_ns == 50 * NS_PER_S + steps * NS_PER_S // 10
    assert _readings(units)[-1] == strip.StripReading(7, last.wall_ns // NS_PER_MS)


async def test_settings_take_effect(camera: Camera, clock: ManualClock, device: SimulatedDevice) -> None:
    """What a client writes into a media profile is what the next pictures are."""
    units: list[EncodedUnit] = []
    camera.feeds[MAIN].attach(units.append)
    await _frames(clock, units, 2)
    device.streams[MAIN].codec = VideoCodec.H265
    device.streams[MAIN].width, device.streams[MAIN].height = 256, 144
    await _frames(clock, units, 3)
    assert units[-1].parameters.codec is VideoCodec.H265
    hevc = [unit for unit in units if unit.parameters.codec is VideoCodec.H265]
    assert hevc[0].keyframe
    assert {(f.width, f.height) for f in decoded(hevc[0].parameters, hevc)} == {(256, 144)}


async def test_snapshot(camera: Camera, clock: ManualClock) -> None:
    """A still is a JPEG of this instant in the stream's size, and needs no listener."""
    still = Image.open(io.BytesIO(await camera.feeds[MAIN].jpeg()))
    assert still.size == (320, 180)
    reading = strip.read(np.array(still.convert("L")))
    assert reading == strip.StripReading(7, clock.wall_ns() // NS_PER_MS)


async def test_night_wiper_focus_and_cover(camera: Camera, device: SimulatedDevice) -> None:
    """By night there is no colour; a wiper, a wrong focus and a bag over the lens each change the picture."""

    async def still() -> np.ndarray:
        return np.array(Image.open(io.BytesIO(await camera.feeds[MAIN].jpeg())))[20:-30].astype(int)

    plain = await still()
    device.night = True
    assert np.ptp(await still(), axis=2).max() <= 6
    device.night = False
    device.wiper = True
    assert np.abs(await still() - plain).max() > 60
    device.wiper = False
    device.autofocus, device.focus = False, 0.0
    blurred = await still()
    assert np.abs(np.diff(blurred[80, :, 0])).max() < np.abs(np.diff(plain[80, :, 0])).max()
    device.focus = 0.5
    assert np.abs(await still() - plain).max() < 12
    camera.covered = True
    assert (await still()).max() < 40


async def test_aims_with_the_head(camera: Camera, device: SimulatedDevice, card: TestCard) -> None:
    """Each picture is drawn as the head points at its instant; without one, as the mount says."""
    await camera.feeds[MAIN].jpeg()
    assert card.painted[-1][0].tilt_deg == device.mount.home_tilt_deg

    class Turned:
        def aim(self) -> Aim:
            return Aim(12.0, -3.0, 0.5, 20.0, moving=False)

    device.head = Turned()  # type: ignore[assignment]
    await camera.feeds[MAIN].jpeg()
    assert card.painted[-1][0].pan_deg == 12.0


async def test_the_callers_error_comes_out_as_it_is(device: SimulatedDevice, pool: ThreadPoolExecutor) -> None:
    """An error in the block that keeps feeds open is not wrapped in a group."""
    with pytest.raises(ZeroDivisionError):
        async with open_feeds(device, TestCard(), pool=pool):
            raise ZeroDivisionError
