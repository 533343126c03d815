"""What storage makes of its disks at start: identity, recovery, and clear refusals."""

import asyncio
import json
import shutil
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection

import pytest

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import GapCause
from recording import (
    DiskBusyError,
    DiskMissingError,
    DiskUnusableError,
    FootageMissingError,
    StorageStartError,
    open_storage,
)
from recording.catalog import Catalog, facts
from recording.identity import MARKER, REGISTER
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS, coded, units
from tests.fakes.probe import ffprobe
from tests.fakes.waiting import until
from tests.unit.recording.conftest import CAMERA, feed

MAIN = StreamName.MAIN
LATER_NS = START_NS + 100 * NS_PER_S


async def record(settings: RecordingSettings, clock: ManualClock, seconds: float = 25) -> list[Path]:
    """Record and close; return the files, oldest first."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=seconds))
    clock.jump_wall(seconds)
    return await asyncio.to_thread(lambda: sorted((settings.disks[0].path / "host" / "media").rglob("*.mp4")))


async def kept_s(settings: RecordingSettings, clock: ManualClock) -> tuple[float, bool]:
    """Open again; return seconds of footage, and whether all of it verifies."""
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CAMERA, MAIN, START_NS, LATER_NS)
        return sum(s.end_ns - s.start_ns for s in line.spans) / NS_PER_S, (await storage.verify()).sound


async def test_an_unmounted_disk_is_not_an_empty_one(settings: RecordingSettings, clock: ManualClock) -> None:
    """Where the known disk should be and is not, nothing is recorded and the error says what to do."""
    await record(settings, clock, 2)
    disk = settings.disks[0].path
    disk.rename(disk.with_name("elsewhere"))
    for mount_point in (False, True):
        if mount_point:
            disk.mkdir()
        with pytest.raises(DiskMissingError, match=r"is it mounted.*remove its line from"):
            async with open_storage(settings, clock=clock):
                pass
    disk.rmdir()
    disk.with_name("elsewhere").rename(disk)
    assert await kept_s(settings, clock) == (2, True)


async def test_another_disk_in_its_place_is_refused(settings: RecordingSettings, clock: ManualClock) -> None:
    """A disk with another identity is not recorded on until the register is told."""
    await record(settings, clock, 2)
    marker = settings.disks[0].path / MARKER
    marker.write_text(json.dumps({"id": "another"}))
    with pytest.raises(DiskMissingError, match="Another disk is there"):
        async with open_storage(settings, clock=clock):
            pass
    (settings.disks[0].path.parent / REGISTER).unlink()
    assert await kept_s(settings, clock) == (2, True)


async def test_one_directory_has_one_process(settings: RecordingSettings, clock: ManualClock) -> None:
    """A second storage on the same disk is refused; another owner is not."""
    async with open_storage(settings, clock=clock):
        with pytest.raises(DiskBusyError):
            async with open_storage(settings, clock=clock):
                pass
        async with open_storage(settings.model_copy(update={"owner": "host-1"}), clock=clock):
            pass


async def test_no_disk_is_an_error(clock: ManualClock) -> None:
    """Without a disk storage does not open."""
    with pytest.raises(StorageStartError, match=r"recording\.disks"):
        async with open_storage(RecordingSettings(), clock=clock):
            pass


async def test_a_file_in_place_of_a_directory_is_refused(settings: RecordingSettings, clock: ManualClock) -> None:
    """A path that is no directory is named."""
    settings.disks[0].path.write_text("not a disk")
    with pytest.raises(DiskUnusableError, match="not a directory"):
        async with open_storage(settings, clock=clock):
            pass


async def test_a_broken_disk_is_left_out_while_another_works(
    settings: RecordingSettings, tmp_path: Path, clock: ManualClock
) -> None:
    """One of two disks that cannot be used is told in the statistics; the other records."""
    (tmp_path / "broken").write_text("not a disk")
    both = settings.model_copy(update={"disks": (*settings.disks, DiskSettings(path=tmp_path / "broken"))})
    async with open_storage(both, clock=clock) as storage:
        stats = await storage.stats()
        assert len(stats.disks) == 1
        assert "not a directory" in stats.left_out[0]
        # What lies on it cannot be told of.
        assert not (await storage.timeline(CAMERA, StreamName.MAIN, START_NS, START_NS + NS_PER_S)).whole
    assert await record(both, clock, 2)


async def test_an_open_file_is_cut_after_its_last_whole_fragment(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """Wherever the tail was torn, what is whole stays, and ffprobe accepts the file."""
    (path,) = await record(settings, clock, 5)
    whole = path.read_bytes()
    catalog = settings.disks[0].path / "host" / "catalog.db"
    for cut, expected in [(1, 4), (len(whole) // 5 + 500, 3), (len(whole) - 100, 0)]:
        path.write_bytes(whole[:-cut] + b"\0" * 37)
        catalog.unlink()
        assert await kept_s(settings, clock) == (expected, True)
        if expected:
            facts = await ffprobe(path)
            assert facts["streams"][0]["nb_read_frames"] == str(expected * 25)


async def test_zeroes_in_the_tail_are_no_fragment(settings: RecordingSettings, clock: ManualClock) -> None:
    """After a power cut a file can have its length and not its bytes: the hash tells."""
    (path,) = await record(settings, clock, 3)
    data = path.read_bytes()
    path.write_bytes(data[:-300] + bytes(300))
    (settings.disks[0].path / "host" / "catalog.db").unlink()
    assert await kept_s(settings, clock) == (2, True)


async def test_a_catalogued_file_that_was_cut_is_told(settings: RecordingSettings, clock: ManualClock) -> None:
    """Footage that the catalog knew and the file lost becomes a storage gap, and the rest plays."""
    (path,) = await record(settings, clock, 5)
    data = path.read_bytes()
    for size, expected in [(len(data) - 10, 4), (3000, 0)]:
        path.write_bytes(data[:size])
        assert (await kept_s(settings, clock))[0] == expected
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 5 * NS_PER_S)
    assert {gap.cause for gap in line.gaps} == {GapCause.STORAGE}


@pytest.mark.parametrize("damage", ["lost", "garbage"])
async def test_the_catalog_is_made_again_from_the_files(
    settings: RecordingSettings, clock: ManualClock, damage: str
) -> None:
    """A lost or unreadable catalog costs no footage; the unreadable one is set aside."""
    await record(settings, clock)
    catalog = settings.disks[0].path / "host" / "catalog.db"
    if damage == "lost":
        catalog.unlink()
    else:
        catalog.write_bytes(b"this is not a database" * 1000)
    async with open_storage(settings, clock=clock) as storage:
        assert storage.recovered[0].rebuilt
        assert len(storage.recovered[0].adopted) == 3
        line = await storage.timeline(CAMERA, MAIN, START_NS, LATER_NS)
        text = await storage.playlist(CAMERA, MAIN, START_NS, LATER_NS)
        assert (await storage.verify()).sound
    assert [(s.start_ns, s.end_ns) for s in line.spans] == [(START_NS, START_NS + 25 * NS_PER_S)]
    assert text.count("#EXTINF") == 25
    assert len(list(catalog.parent.glob("catalog.broken-*"))) == (damage == "garbage")


async def test_unknown_files_are_adopted_or_left_alone(settings: RecordingSettings, clock: ManualClock) -> None:
    """A file of ours from elsewhere is entered; a copy and a stranger's file are not touched."""
    first, *_ = await record(settings, clock)
    stranger = first.with_name("holiday.mp4")
    stranger.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")
    copy = first.with_name("copy.mp4")
    shutil.copy(first, copy)
    async with open_storage(settings, clock=clock) as storage:
        assert sorted(Path(path).name for path in storage.recovered[0].foreign) == ["copy.mp4", "holiday.mp4"]
        assert storage.recovered[0].adopted == []
    assert stranger.exists()
    assert copy.exists()


async def test_much_missing_footage_stops_the_start(settings: RecordingSettings, clock: ManualClock) -> None:
    """When the files are gone, nothing is touched until somebody says that they are lost for good."""
    for path in await record(settings, clock):
        path.unlink()
    for _ in range(2):
        with pytest.raises(FootageMissingError, match=r"3 of the 3 files.*accept_missing"):
            async with open_storage(settings, clock=clock):
                pass
    accepting = settings.model_copy(update={"accept_missing": True})
    async with open_storage(accepting, clock=clock) as storage:
        assert len(storage.recovered[0].missing) == 3
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 25 * NS_PER_S)
    assert {gap.cause for gap in line.gaps} == {GapCause.STORAGE}


async def test_a_single_missing_file_is_a_gap(settings: RecordingSettings, clock: ManualClock) -> None:
    """One lost file of three does not stop the start; it is a storage gap between the other two."""
    paths = await record(settings, clock)
    paths[1].unlink()
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 25 * NS_PER_S)
    assert [(gap.cause, gap.start_ns - START_NS, gap.end_ns - START_NS) for gap in line.gaps] == [
        (GapCause.STORAGE, 10 * NS_PER_S, 20 * NS_PER_S)
    ]


async def test_a_gap_that_was_open_at_a_crash_ends_with_the_process(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A camera's gap does not swallow the time in which the host was down."""
    await record(settings, clock, 4)
    async with open_storage(settings, clock=clock) as storage:
        disk = storage._disks[0]

        def crash_in_gap() -> None:
            with disk.catalog.write() as db:
                db.execute("DELETE FROM gaps")
                db.execute("INSERT INTO gaps (camera, stream, start_ns, cause, detail) VALUES (?, 'main', ?, ?, '')",
                           (CAMERA, START_NS + 4 * NS_PER_S, "camera"))  # fmt: skip

        await disk.read(crash_in_gap)
        clock.jump_wall(6)
        await storage.keep()
    clock.jump_wall(20)
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + 30 * NS_PER_S))
        clock.jump_wall(10)
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 32 * NS_PER_S)
    assert [(gap.cause, (gap.start_ns - START_NS) // NS_PER_S) for gap in line.gaps] == [
        (GapCause.CAMERA, 4),
        (GapCause.HOST, 10),
    ]


async def test_a_round_that_hung_takes_no_sign_of_life_back(
    settings: RecordingSettings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of keeping that hangs while the next one goes by ends with the later time in the catalog."""
    late, begun, written = threading.Event(), list[None](), list[str]()
    write, set_meta = Catalog.write, facts.set_meta

    def slow(catalog: Catalog) -> AbstractContextManager[Connection]:
        begun.append(None)
        if len(begun) == 1:
            late.wait(20)
        return write(catalog)

    def noting(db: Connection, key: str, value: str) -> None:
        set_meta(db, key, value)
        written.append(value)

    async with open_storage(settings, clock=clock) as storage:
        monkeypatch.setattr(Catalog, "write", slow)
        monkeypatch.setattr(facts, "set_meta", noting)
        await until(lambda: begun, what="the first round")
        clock.jump_wall(6)
        await storage.keep()
        late.set()
        await until(lambda: len(written) == 2, what="both signs of life")
    assert written == [str(START_NS + 6 * NS_PER_S)] * 2


async def test_an_unfinished_deletion_is_finished(settings: RecordingSettings, clock: ManualClock) -> None:
    """A file that was garbage when the process died goes at the next start, and is not called missing."""
    paths = await record(settings, clock)
    async with open_storage(settings, clock=clock) as storage:
        disk = storage._disks[0]

        def doom() -> None:
            with disk.catalog.write() as db:
                db.execute("UPDATE files SET state = 2")

        await disk.read(doom)
    paths[0].unlink()
    async with open_storage(settings, clock=clock) as storage:
        assert (storage.recovered[0].deleted, storage.recovered[0].missing) == (3, [])
        assert (await storage.stats()).disks[0].files == 0
    assert not paths[1].exists()


async def test_another_version_of_the_catalog_is_set_aside(settings: RecordingSettings, clock: ManualClock) -> None:
    """A catalog of a later version is not written over: a new one is made from the files."""
    await record(settings, clock, 2)
    async with open_storage(settings, clock=clock) as storage:
        disk = storage._disks[0]

        def change() -> None:
            with disk.catalog.read() as db:
                db.execute("PRAGMA user_version = 99")

        await disk.read(change)
    assert await kept_s(settings, clock) == (2, True)
    assert len(list((settings.disks[0].path / "host").glob("catalog.broken-*"))) == 1


async def test_a_camera_never_recorded_has_an_empty_timeline(settings: RecordingSettings, clock: ManualClock) -> None:
    """Nothing recorded is neither footage nor gap."""
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CameraId("nobody"), MAIN, START_NS, LATER_NS)
    assert (line.spans, line.gaps, line.newest_ns) == ((), (), None)
