"""What is not recorded on purpose, for privacy or because it was switched off: the timeline says so, none is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.recording import RecordingSettings
from gateway.health.availability import Figures, figures
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from kernel.media import GapCause
from recording import Storage, open_storage
from recording.disk import DiskState
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS, coded, units
from tests.unit.recording.conftest import CAMERA, feed

MAIN = StreamName.MAIN
WHY = "no deployment says why it stands here"


@asynccontextmanager
async def paused(settings: RecordingSettings, clock: ManualClock, cause: GapCause) -> AsyncIterator[Storage]:
    """Give the storage of a process that is told first of all not to record the camera."""
    async with open_storage(settings, clock=clock) as storage:
        await storage.pause(CAMERA, MAIN, cause, WHY)
        yield storage


async def recorded(storage: Storage, clock: ManualClock, seconds: int) -> None:
    """Record so long from now on."""
    async with storage.recorder(CAMERA, MAIN) as recorder:
        sent = units(coded(), seconds=seconds, start_ns=clock.wall_ns(), received_ns=clock.monotonic_ns())
        until_ns = clock.wall_ns() + seconds * NS_PER_S
        await feed(recorder, sent, clock)
        await clock.turn((until_ns - clock.wall_ns()) / NS_PER_S)


async def told(storage: Storage, clock: ManualClock) -> list[tuple[GapCause, int, int]]:
    """Return the gaps until now, in seconds since the start."""
    line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
    return [
        (gap.cause, (gap.start_ns - START_NS) // NS_PER_S, (gap.end_ns - START_NS) // NS_PER_S) for gap in line.gaps
    ]


async def figures_now(storage: Storage, clock: ManualClock) -> Figures:
    """Return what became of the time since the start."""
    line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
    return figures(line.spans, line.gaps, start_ns=START_NS, end_ns=clock.wall_ns())


async def test_what_is_withheld_is_a_gap_for_privacy(settings: RecordingSettings, clock: ManualClock) -> None:
    """Between two recordings of a camera its timeline has the withheld time, from its start to its end."""
    async with open_storage(settings, clock=clock) as storage:
        await recorded(storage, clock, 10)
        await storage.pause(CAMERA, MAIN, GapCause.PRIVACY, WHY)
        await clock.turn(60)
        await recorded(storage, clock, 10)
        line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
    assert [(gap.cause, gap.start_ns, gap.end_ns, gap.detail) for gap in line.gaps] == [
        (GapCause.PRIVACY, line.spans[0].end_ns, line.spans[1].start_ns, WHY)
    ]


async def test_half_a_day_off_tells_of_the_other_half(settings: RecordingSettings, clock: ManualClock) -> None:
    """Recording that was switched off counts neither as recorded nor as lost: all of the rest was recorded."""
    async with open_storage(settings, clock=clock) as storage:
        await recorded(storage, clock, 10)
        await storage.pause(CAMERA, MAIN, GapCause.OFF, "switched off")
        await clock.turn(10)
        found = await figures_now(storage, clock)
    assert found.share == 1.0
    assert found.recorded_ns // NS_PER_S == found.off_ns // NS_PER_S == 10
    assert (dict(found.lost_ns), found.unknown_ns) == ({}, 0)


async def test_what_was_lost_before_it_was_switched_off_stays_lost(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A camera that was silent for ten seconds and is then switched off lost those ten."""
    async with open_storage(settings, clock=clock) as storage:
        async with storage.recorder(CAMERA, MAIN) as recorder:
            await feed(recorder, units(coded(), seconds=10, received_ns=clock.monotonic_ns()), clock)
            await clock.turn(1)
            recorder.broken(GapCause.NETWORK, "reset")
            await clock.turn(10)
        await storage.pause(CAMERA, MAIN, GapCause.OFF, "switched off")
        await clock.turn(10)
        assert await told(storage, clock) == [(GapCause.NETWORK, 10, 20), (GapCause.OFF, 20, 30)]


async def test_a_camera_never_recorded_says_why(settings: RecordingSettings, clock: ManualClock) -> None:
    """Also before its first footage the withheld time is told, while it lasts."""
    async with paused(settings, clock, GapCause.PRIVACY) as storage:
        await clock.turn(60)
        assert await told(storage, clock) == [(GapCause.PRIVACY, 0, 60)]


async def test_it_goes_on_over_a_restart(settings: RecordingSettings, clock: ManualClock) -> None:
    """What was not to be recorded before a host starts anew, and is not to be after, was not in between either."""
    for cause in (GapCause.PRIVACY, GapCause.PRIVACY, GapCause.OFF):
        async with paused(settings, clock, cause) as storage:
            await clock.turn(60)
            gaps = await told(storage, clock)
        await clock.turn(30)
    assert gaps == [(GapCause.PRIVACY, 0, 180), (GapCause.OFF, 180, 240)]


async def test_who_records_after_a_restart_missed_what_lay_between(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A host that comes back and is to record lost the time since its last sign of life: since when, nobody says."""
    async with paused(settings, clock, GapCause.OFF) as storage:
        await clock.turn(60)
        await storage.keep()
    await clock.turn(30)
    async with open_storage(settings, clock=clock) as storage:
        await recorded(storage, clock, 10)
        assert await told(storage, clock) == [(GapCause.OFF, 0, 60), (GapCause.HOST, 60, 90)]


async def test_switched_off_while_the_host_was_down(settings: RecordingSettings, clock: ManualClock) -> None:
    """What was lost until the host came back is the host's; from then on it is off."""
    async with open_storage(settings, clock=clock) as storage:
        await recorded(storage, clock, 10)
    await clock.turn(30)
    async with paused(settings, clock, GapCause.OFF) as storage:
        await clock.turn(20)
        assert await told(storage, clock) == [(GapCause.HOST, 10, 40), (GapCause.OFF, 40, 60)]


async def test_a_camera_that_is_left_is_off(settings: RecordingSettings, clock: ManualClock) -> None:
    """One that was being recorded is off from then on, also over a restart, until it is recorded again."""
    async with open_storage(settings, clock=clock) as storage:
        await recorded(storage, clock, 10)
        await storage.leave(CAMERA, "taken away")
        await clock.turn(20)
    async with open_storage(settings, clock=clock) as storage:
        await storage.leave(CAMERA, "taken away")
        await clock.turn(20)
        await recorded(storage, clock, 10)
        assert await told(storage, clock) == [(GapCause.OFF, 10, 50)]


async def test_a_withheld_camera_that_is_left_stays_withheld(settings: RecordingSettings, clock: ManualClock) -> None:
    """A unit in store whose certificate is revoked is in store still; of a stream that never was, nothing is told."""
    async with paused(settings, clock, GapCause.PRIVACY) as storage:
        await clock.turn(10)
        await storage.leave(CAMERA, "taken away")
        await clock.turn(10)
        assert await told(storage, clock) == [(GapCause.PRIVACY, 0, 20)]
        line = await storage.timeline(CAMERA, StreamName.SUB, START_NS, clock.wall_ns())
        assert line.gaps == ()


async def test_a_recorder_that_waits_for_a_picture_is_the_hosts(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """From the moment that it is to record until the first picture comes, where nothing else is the cause."""
    async with paused(settings, clock, GapCause.OFF) as storage:
        await clock.turn(10)
        async with storage.recorder(CAMERA, MAIN):
            await clock.turn(5)
        await storage.pause(CAMERA, MAIN, GapCause.OFF, WHY)
        await clock.turn(5)
        assert await told(storage, clock) == [(GapCause.OFF, 0, 10), (GapCause.HOST, 10, 15), (GapCause.OFF, 15, 20)]


async def test_a_disk_that_was_away_as_recording_went_on_explains_no_later_gap(
    two_disks: RecordingSettings, clock: ManualClock
) -> None:
    """The gap that stayed open on it ended when footage went on, and not with the next gap of another cause."""
    async with open_storage(two_disks, clock=clock) as storage:
        await recorded(storage, clock, 10)
        await storage.pause(CAMERA, MAIN, GapCause.OFF, "switched off")
        (disk,) = [one for one in storage._disks if one.state is DiskState.OK][:1]
        await clock.turn(10)
        disk.mark(TimeoutError())
        async with storage.recorder(CAMERA, MAIN) as recorder:
            sent = units(coded(), seconds=9, start_ns=clock.wall_ns(), received_ns=clock.monotonic_ns())
            await feed(recorder, sent, clock)
            disk.trust()
            recorder.broken(GapCause.NETWORK, "reset")
            await clock.turn(11)
        assert await told(storage, clock) == [(GapCause.OFF, 10, 20), (GapCause.NETWORK, 29, 39)]
