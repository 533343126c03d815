"""What is deleted, in which order, and what never is."""

import asyncio
import contextlib
import errno
import shutil
import sqlite3
from pathlib import Path

import pytest

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from kernel.media import GapCause
from recording import DiskState, Storage, UnknownHoldError, open_storage
from recording.retention import floor_bytes
from recording.timeline import look
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS, coded, units
from tests.fakes.volume import FaultyVolume
from tests.unit.recording.conftest import CAMERA, feed

MAIN, SUB = StreamName.MAIN, StreamName.SUB
DAY_S = 86_400


async def record(storage: Storage, stream: StreamName = MAIN, seconds: float = 30) -> None:
    """Record files of ten seconds."""
    async with storage.recorder(CAMERA, stream) as recorder:
        await feed(recorder, units(coded(), seconds=seconds))


async def left(storage: Storage, stream: StreamName = MAIN) -> list[int]:
    """Return at which second after the start each remaining file began."""
    disk = storage._disks[0]
    found = await disk.read(look, disk, CAMERA, stream.value, 0, START_NS + 100 * DAY_S * NS_PER_S)
    on_disk = await asyncio.to_thread(lambda: {path.name for path in (disk.root / "media").rglob("*.mp4")})
    assert {Path(row.path).name for row in found.files} <= on_disk
    return [(row.start_ns - START_NS) // NS_PER_S for row in found.files]


async def test_age_deletes_and_says_so(settings: RecordingSettings, clock: ManualClock) -> None:
    """What is older than the retention goes, and the timeline says that retention took it."""
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        clock.pass_by(31 * DAY_S + 25)
        await storage.keep()
        assert await left(storage) == [20]
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 30 * NS_PER_S)
        assert [(gap.cause, gap.end_ns - START_NS) for gap in line.gaps] == [(GapCause.RETENTION, 20 * NS_PER_S)]
        assert (await storage.verify()).sound


async def test_a_clock_gone_astray_deletes_nothing(settings: RecordingSettings, clock: ManualClock) -> None:
    """A wall clock that leaps by years as the process runs does not empty the disk; what gets old goes all the same."""
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        clock.jump_wall(400 * DAY_S)
        await storage.keep()
        assert await left(storage) == [0, 10, 20]
        clock.pass_by(31 * DAY_S + 25)
        await storage.keep()
        assert await left(storage) == [20]


async def test_over_quota_main_goes_before_sub(settings: RecordingSettings, clock: ManualClock) -> None:
    """The oldest main goes first; sub goes only when no main is left."""
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        await record(storage, SUB)
        size = (await storage.stats()).disks[0].recorded_bytes
    for share, main, sub in [(0.8, [20], [0, 10, 20]), (0.4, [], [10, 20])]:
        disks = (DiskSettings(path=settings.disks[0].path, quota_bytes=round(size * share)),)
        async with open_storage(settings.model_copy(update={"disks": disks}), clock=clock) as storage:
            await storage.keep()
            assert (await left(storage), await left(storage, SUB)) == (main, sub)


async def test_below_free_space_the_oldest_goes(settings: RecordingSettings, clock: ManualClock) -> None:
    """A disk that others fill is emptied of its oldest footage, but not of the file that is being written."""
    volume = FaultyVolume()
    async with open_storage(settings, clock=clock, volume=lambda: volume) as storage:
        await record(storage)
        async with storage.recorder(CAMERA, SUB) as recorder:
            await feed(recorder, units(coded(), seconds=5))
            volume.free = (0, 10**12)
            await storage.keep()
            assert (await left(storage), await left(storage, SUB)) == ([], [0])
            assert storage._disks[0].state is DiskState.OK


async def test_held_footage_stays(settings: RecordingSettings, clock: ManualClock) -> None:
    """A hold keeps every file it touches through age, quota and want of space; its release frees them."""
    volume = FaultyVolume()
    async with open_storage(settings, clock=clock, volume=lambda: volume) as storage:
        await record(storage)
        hold = await storage.hold(CAMERA, START_NS + 12 * NS_PER_S, START_NS + 15 * NS_PER_S, "request 7")
        assert [(h.id, h.reason) for h in await storage.holds()] == [(hold, "request 7")]
        clock.pass_by(100 * DAY_S)
        volume.free = (0, 10**12)
        await storage.keep()
        assert await left(storage) == [10]
        await storage.release(hold)
        await storage.keep()
        assert await left(storage) == []
        with pytest.raises(UnknownHoldError):
            await storage.release(hold)


async def test_a_hold_says_by_whose_word_and_until_when(settings: RecordingSettings, clock: ManualClock) -> None:
    """Also once its review was put off, and with the catalog lost: its terms stand beside the footage."""
    async with open_storage(settings, clock=clock) as storage:
        hold = await storage.hold(
            CAMERA, START_NS, START_NS + NS_PER_S, "evidence", authority="DC Ames", placed_by="olga", review_ns=7
        )
        await storage.review(hold, 9)
        root = storage._disks[0].root
    for catalog in (True, False):
        async with open_storage(settings, clock=clock) as storage:
            (found,) = await storage.holds()
            assert (found.authority, found.placed_by, found.review_ns) == ("DC Ames", "olga", 9)
            with pytest.raises(UnknownHoldError):
                await storage.review("nothing", 9)
        if catalog:
            (root / "catalog.db").unlink()


async def test_a_catalog_of_the_first_kind_is_carried_over(settings: RecordingSettings, clock: ManualClock) -> None:
    """Its holds are there, with nobody's word and no review."""
    async with open_storage(settings, clock=clock) as storage:
        hold = await storage.hold(CAMERA, START_NS, START_NS + NS_PER_S, "evidence")
        catalog = storage._disks[0].root / "catalog.db"
    with contextlib.closing(sqlite3.connect(catalog)) as before:
        for column in ("authority", "placed_by", "review_ns"):
            before.execute(f"ALTER TABLE holds DROP COLUMN {column}")
        before.execute("PRAGMA user_version = 1")
        before.commit()
    async with open_storage(settings, clock=clock) as storage:
        (found,) = await storage.holds()
        assert (found.id, found.reason, found.authority, found.review_ns) == (hold, "evidence", "", None)


async def test_a_hold_covers_what_is_still_to_come(settings: RecordingSettings, clock: ManualClock) -> None:
    """Footage recorded after the hold was placed, within its stretch, is held and linked too."""
    async with open_storage(settings, clock=clock) as storage:
        hold = await storage.hold(CAMERA, START_NS, START_NS + 100 * NS_PER_S, "preserve now")
        await record(storage)
        await storage.keep()
        links = await asyncio.to_thread(lambda: len(list((storage._disks[0].root / "held" / hold).glob("*.mp4"))))
        assert links == 3
        clock.pass_by(100 * DAY_S)
        await storage.keep()
        assert await left(storage) == [0, 10, 20]


async def test_held_footage_survives_unlink_and_a_lost_catalog(settings: RecordingSettings, clock: ManualClock) -> None:
    """With the media directory and the catalog gone, the hard links bring the held files and the hold back."""
    async with open_storage(settings, clock=clock) as storage:
        await record(storage)
        hold = await storage.hold(CAMERA, START_NS, START_NS + 15 * NS_PER_S, "evidence")
        root = storage._disks[0].root
    (root / "catalog.db").unlink()
    async with open_storage(settings, clock=clock) as storage:
        assert [h.id for h in await storage.holds()] == [hold]
    await asyncio.to_thread(shutil.rmtree, root / "media")
    async with open_storage(settings.model_copy(update={"accept_missing": True}), clock=clock) as storage:
        assert await left(storage) == [0, 10]
        assert (await storage.verify()).sound


async def test_a_full_disk_makes_room_and_goes_on(settings: RecordingSettings, clock: ManualClock) -> None:
    """ENOSPC while writing deletes the oldest and writes the same batch again: no gap."""
    volume = FaultyVolume()
    async with (
        open_storage(settings, clock=clock, volume=lambda: volume) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        await feed(recorder, units(coded(), seconds=21))
        volume.fail_with = errno.ENOSPC
        original = volume.free_bytes

        def freed(path: Path) -> tuple[int, int]:
            volume.fail_with = None
            return original(path)

        volume.free_bytes = freed  # type: ignore[method-assign]
        await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + 21 * NS_PER_S, start_90k=21 * 90_000))
        assert storage._disks[0].state is DiskState.OK
        assert recorder.state.recording
        assert await left(storage) == [20]


async def test_a_full_disk_with_nothing_to_delete_is_marked(settings: RecordingSettings, clock: ManualClock) -> None:
    """Where nothing may go, the loss is a storage gap with the disk's state to see."""
    volume = FaultyVolume()
    async with (
        open_storage(settings, clock=clock, volume=lambda: volume) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        volume.fail_with = errno.ENOSPC
        await feed(recorder, units(coded(), seconds=4))
        assert (await storage.stats()).disks[0].state is DiskState.FULL
        assert recorder.state.cause is GapCause.STORAGE


def test_the_floor_is_the_larger_of_share_and_minutes(settings: RecordingSettings) -> None:
    """Two per cent of the disk, or thirty minutes of writing."""
    assert floor_bytes(10**12, 0, settings) == 2 * 10**10
    assert floor_bytes(10**12, 5 * 10**7, settings) == 5 * 10**7 * 1800
