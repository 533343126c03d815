"""What nothing allowed to be recorded is deleted before its time, and the timeline says why it is not there."""

import pytest

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S
from kernel.media import GapCause
from recording import BadRangeError, FootageUnreadableError, Storage, open_storage
from recording.erasing import Erased
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS
from tests.unit.recording.conftest import CAMERA
from tests.unit.recording.test_retention import MAIN, SUB, left, record

WHY = "it was recorded after its unit was down"
FROM_NS, TO_NS = START_NS + 14 * NS_PER_S, START_NS + 40 * NS_PER_S


async def gaps(storage: Storage) -> list[tuple[GapCause, str]]:
    """Return what the timeline says of the stretch that is to be deleted."""
    line = await storage.timeline(CAMERA, MAIN, FROM_NS, START_NS + 30 * NS_PER_S)
    return [(gap.cause, gap.detail) for gap in line.gaps]


async def test_a_stretch_is_deleted_of_both_streams(settings: RecordingSettings, clock: ManualClock) -> None:
    """To the fragment, in the middle of a file too; what lies before plays and is sound, over a restart as well."""
    clock.pass_by(60)
    async with open_storage(settings, clock=clock) as storage:
        for stream in (MAIN, SUB):
            await record(storage, stream)
        assert await storage.erase(CAMERA, FROM_NS, TO_NS, WHY) == Erased(files=4, kept=0)
        assert (await left(storage), await left(storage, SUB)) == ([0, 10], [0, 10])
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 30 * NS_PER_S)
        (span,) = line.spans
        assert FROM_NS <= span.end_ns < FROM_NS + 4 * NS_PER_S
        assert await gaps(storage) == [(GapCause.PRIVACY, WHY)]
        assert (await storage.verify()).sound
        assert await storage.erase(CAMERA, FROM_NS, TO_NS, WHY) == Erased()


async def test_what_is_held_stays_whole_until_it_is_let_go_of(settings: RecordingSettings, clock: ManualClock) -> None:
    """It is told of, and deleted when it is asked for again."""
    clock.pass_by(60)
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        held = [
            await storage.hold(CAMERA, START_NS + at * NS_PER_S, START_NS + (at + 1) * NS_PER_S, "evidence")
            for at in (11, 22)
        ]
        assert await storage.erase(CAMERA, FROM_NS, TO_NS, WHY) == Erased(files=0, kept=2)
        assert await left(storage) == [0, 10, 20]
        for one in held:
            await storage.release(one)
        assert await storage.erase(CAMERA, FROM_NS, TO_NS, WHY) == Erased(files=2, kept=0)
        assert await left(storage) == [0, 10]


async def test_what_goes_on_beyond_it_or_is_anothers_stays(settings: RecordingSettings, clock: ManualClock) -> None:
    """A file that ends later has footage that was allowed."""
    clock.pass_by(60)
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        assert await storage.erase(CAMERA, FROM_NS, START_NS + 25 * NS_PER_S, WHY) == Erased(files=1, kept=1)
        assert await storage.erase(CAMERA, START_NS - 2, START_NS - 1, WHY) == Erased()
        assert await left(storage) == [0, 10, 20]


async def test_a_range_or_a_disk_that_is_none_is_said(settings: RecordingSettings, clock: ManualClock) -> None:
    """Nobody is told that it is gone where a disk may have it still."""
    async with open_storage(settings, clock=clock) as storage:
        with pytest.raises(BadRangeError):
            await storage.erase(CAMERA, TO_NS, FROM_NS, WHY)
        storage._disks[0].mark(TimeoutError())
        with pytest.raises(FootageUnreadableError):
            await storage.erase(CAMERA, FROM_NS, TO_NS, WHY)
