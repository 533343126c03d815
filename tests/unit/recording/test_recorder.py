"""From the sink to files and facts."""

import asyncio
import errno
import threading
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import GapCause, StreamDescription, VideoCodec
from recording import DiskState, RecordingError, Storage, open_storage
from recording.segments import segments_on
from recording.timeline import look
from tests.fakes.clock import ManualClock, settle
from tests.fakes.footage import PCMU, START_NS, altered, coded, sound, units
from tests.fakes.probe import ffprobe
from tests.fakes.volume import FaultyVolume
from tests.fakes.waiting import until
from tests.unit.recording.conftest import CAMERA, feed

MAIN, SUB = StreamName.MAIN, StreamName.SUB
DAY_NS = 86_400 * NS_PER_S


async def files(storage: Storage, stream: StreamName = MAIN) -> list[str]:
    """Return the catalogued paths, oldest first."""
    found = [await disk.read(look, disk, CAMERA, stream.value, 0, START_NS + DAY_NS) for disk in storage._disks]
    rows = sorted((row for part in found for row in part.files), key=lambda row: row.start_ns)
    return [row.path for row in rows]


async def test_files_begin_at_keyframes_after_their_time(settings: RecordingSettings, clock: ManualClock) -> None:
    """25 s of pictures in files of 10 s are three files, each accepted by ffprobe, with every picture."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=25))
        recorder.broken(GapCause.CAMERA, "end")
        await recorder.flush()
        paths = await files(storage)
        counted = [await ffprobe(settings.disks[0].path / "host" / path) for path in paths]
    assert [int(facts["streams"][0]["nb_read_frames"]) for facts in counted] == [250, 250, 125]
    assert [facts["streams"][0]["codec_tag_string"] for facts in counted] == ["avc1"] * 3


async def test_h265_is_tagged_hvc1_and_sound_is_kept(settings: RecordingSettings, clock: ManualClock) -> None:
    """Ffprobe sees hvc1 and mu-law in an H.265 file with G.711."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        recorder.started(StreamDescription(video=VideoCodec.H265, audio=PCMU, metadata=False, transport="tcp"))
        hearing = iter(list(sound(seconds=5)))
        for unit in units(coded(VideoCodec.H265), seconds=5):
            recorder.video(unit)
            recorder.audio(next(hearing))
            recorder.audio(next(hearing))
        recorder.broken(GapCause.CAMERA, "end")
        await recorder.flush()
        (path,) = await files(storage)
        facts = await ffprobe(settings.disks[0].path / "host" / path)
    assert [stream["codec_tag_string"] for stream in facts["streams"]] == ["hvc1", "ulaw"]
    assert facts["streams"][0]["nb_read_frames"] == "125"


async def test_a_change_of_parameters_begins_a_file(settings: RecordingSettings, clock: ManualClock) -> None:
    """New parameter sets mean a new file and a new span, without a gap."""
    big = coded(width=320, height=192)
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=3))
        await feed(recorder, units(big, seconds=3, start_ns=START_NS + 3 * NS_PER_S, start_90k=270_000))
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 6 * NS_PER_S)
        assert len(await files(storage)) == 2
    assert [(span.width, span.start_ns - START_NS, span.end_ns - START_NS) for span in line.spans] == [
        (160, 0, 3 * NS_PER_S),
        (320, 3 * NS_PER_S, 6 * NS_PER_S),
    ]
    assert not line.gaps


async def test_equal_parameters_in_a_new_object_are_no_change(settings: RecordingSettings, clock: ManualClock) -> None:
    """Only what differs begins a file, not what was merely parsed again."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=2))
        again = altered(coded())
        await feed(recorder, units(coded(), seconds=2, start_ns=START_NS + 2 * NS_PER_S, start_90k=180_000,
                                   parameters=again))  # fmt: skip
        recorder.broken(GapCause.CAMERA, "end")
        await recorder.flush()
        assert len(await files(storage)) == 1


async def test_a_break_is_a_gap_with_its_cause(settings: RecordingSettings, clock: ManualClock) -> None:
    """What broke the stream is told between the two runs, from the last picture to the next."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=4))
        recorder.broken(GapCause.NETWORK, "connection reset")
        await recorder.flush()
        assert (recorder.state.recording, recorder.state.cause) == (False, GapCause.NETWORK)
        clock.jump_wall(9)
        open_ended = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 60 * NS_PER_S)
        assert open_ended.gaps[0].end_ns == clock.wall_ns()
        await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + 9 * NS_PER_S))
        assert recorder.state.recording
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 12 * NS_PER_S)
    (gap,) = line.gaps
    assert (gap.start_ns, gap.end_ns) == (START_NS + 4 * NS_PER_S, START_NS + 9 * NS_PER_S)
    assert (gap.cause, gap.detail) == (GapCause.NETWORK, "connection reset")


async def test_another_cause_begins_where_the_first_ends(settings: RecordingSettings, clock: ManualClock) -> None:
    """Repeating a cause adds nothing; a new cause splits the gap."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=2))
        clock.jump_wall(3)
        recorder.broken(GapCause.NETWORK, "reset")
        recorder.broken(GapCause.NETWORK, "refused")
        clock.jump_wall(3)
        recorder.broken(GapCause.CAMERA, "no keyframe")
        clock.jump_wall(3)
        await feed(recorder, units(coded(), seconds=2, start_ns=clock.wall_ns()))
        line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
    assert [(gap.cause, (gap.end_ns - gap.start_ns) // NS_PER_S) for gap in line.gaps] == [
        (GapCause.NETWORK, 4),
        (GapCause.CAMERA, 3),
    ]


async def test_a_jump_of_time_is_a_new_run(settings: RecordingSettings, clock: ManualClock) -> None:
    """Media time that goes back without a word ends the run; the hole is the camera's."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=2, start_90k=10**6))
        await feed(recorder, units(coded(), seconds=2, start_ns=START_NS + 5 * NS_PER_S, start_90k=5))
        clock.jump_wall(10)
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 7 * NS_PER_S)
    assert [(gap.cause, gap.detail) for gap in line.gaps] == [(GapCause.CAMERA, "its time jumped")]


async def test_written_and_flushed_before_it_is_catalogued(settings: RecordingSettings, clock: ManualClock) -> None:
    """When the flush fails, the catalog has no row of what was written."""
    volume = FaultyVolume()
    async with (
        open_storage(settings, clock=clock, volume=lambda: volume) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        await feed(recorder, units(coded(), seconds=2))
        assert volume.order == ["write", "sync"]
        assert len(await files(storage)) == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS])
async def test_a_failing_disk_loses_nothing_where_there_are_two(
    two_disks: RecordingSettings, clock: ManualClock, number: int
) -> None:
    """What could not be written on one disk is written on the other; the disk is marked; no gap."""
    volumes = [FaultyVolume(), FaultyVolume()]
    making = iter(volumes)
    async with (
        open_storage(two_disks, clock=clock, volume=lambda: next(making)) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        await feed(recorder, units(coded(), seconds=4))
        (path,) = await files(storage)
        used = next(disk for disk in storage._disks if disk.absolute(path).exists())
        assert isinstance(used.volume, FaultyVolume)
        used.volume.fail_with = number
        await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + 4 * NS_PER_S, start_90k=360_000))
        assert used.state is (DiskState.FAILED if number == errno.EIO else DiskState.READ_ONLY)
        assert recorder.state.recording
        assert len(await files(storage)) == 2
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 8 * NS_PER_S)
        assert [(s.start_ns - START_NS, s.end_ns - START_NS) for s in line.spans] == [(0, 8 * NS_PER_S)]
        assert not line.gaps
        used.volume.fail_with = None
        await storage.keep()
        assert [disk.state for disk in storage._disks] == [DiskState.OK] * 2


async def test_a_disk_that_hangs_is_left_within_seconds(two_disks: RecordingSettings, clock: ManualClock) -> None:
    """A write that does not return marks the disk as slow, and the same pictures go to the other."""
    stuck = threading.Event()
    volumes = [FaultyVolume(), FaultyVolume()]
    making = iter(volumes)
    async with (
        open_storage(two_disks, clock=clock, volume=lambda: next(making)) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        await feed(recorder, units(coded(), seconds=4))
        (path,) = await files(storage)
        used = next(disk for disk in storage._disks if disk.absolute(path).exists())
        other = next(disk for disk in storage._disks if disk is not used)
        assert isinstance(used.volume, FaultyVolume)
        used.volume.stuck = stuck
        for unit in units(coded(), seconds=4, start_ns=START_NS + 4 * NS_PER_S, start_90k=360_000):
            recorder.video(unit)
        recorder.broken(GapCause.CAMERA, "end")
        await until(lambda: other.bytes_written, what="the other disk to be written")
        assert used.state is DiskState.SLOW
        used.volume.stuck = None
        stuck.set()
        await storage.keep()
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 8 * NS_PER_S)
    assert [(s.start_ns - START_NS, s.end_ns - START_NS) for s in line.spans] == [(0, 8 * NS_PER_S)]


async def test_without_any_disk_the_loss_is_a_gap(settings: RecordingSettings, clock: ManualClock) -> None:
    """One disk that fails means a storage gap until it works again, and nothing raised to the camera."""
    volume = FaultyVolume()
    async with (
        open_storage(settings, clock=clock, volume=lambda: volume) as storage,
        storage.recorder(CAMERA, MAIN) as recorder,
    ):
        await feed(recorder, units(coded(), seconds=2))
        volume.fail_with = errno.EIO
        await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + 2 * NS_PER_S, start_90k=180_000))
        assert (recorder.state.recording, recorder.state.cause) == (False, GapCause.STORAGE)
        assert "Input/output error" in (recorder.state.last_error or "")
        volume.fail_with = None
        await storage.keep()
        await feed(recorder, units(coded(), seconds=2, start_ns=START_NS + 6 * NS_PER_S, start_90k=540_000))
        clock.jump_wall(8)
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 8 * NS_PER_S)
    assert [gap.cause for gap in line.gaps] == [GapCause.STORAGE]
    assert ((line.gaps[0].start_ns - START_NS) // NS_PER_S, (line.gaps[0].end_ns - START_NS) // NS_PER_S) == (1, 5)


async def test_an_overflow_ends_the_run_with_a_storage_gap(settings: RecordingSettings, clock: ManualClock) -> None:
    """When the writer cannot keep up, what is lost is told and the next run begins at a keyframe."""
    small = settings.model_copy(update={"lane_bytes": 160 * 1024})
    source = coded(width=640, height=384)
    async with open_storage(small, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(source, seconds=2))
        # Everything at once, without letting the writing task run: the lane must overflow.
        for unit in units(source, seconds=60, start_ns=START_NS + 2 * NS_PER_S, start_90k=180_000):
            recorder.video(unit)
        await until(lambda: recorder.state.cause is GapCause.STORAGE, what="the recorder to meet the overflow")
        await feed(recorder, units(source, seconds=4, start_ns=START_NS + 62 * NS_PER_S, start_90k=5_580_000))
        clock.jump_wall(70)
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 65 * NS_PER_S)
        assert recorder._lane.counters.overflows == 1
        assert (await storage.verify()).sound
    assert [(gap.cause, gap.detail) for gap in line.gaps] == [(GapCause.STORAGE, "the disk could not keep up")]
    assert line.spans[-1].end_ns == START_NS + 65 * NS_PER_S


async def test_main_and_sub_lie_on_different_disks(two_disks: RecordingSettings, clock: ManualClock) -> None:
    """One lost disk leaves a camera one of its streams."""
    async with (
        open_storage(two_disks, clock=clock) as storage,
        storage.recorder(CAMERA, MAIN) as main,
        storage.recorder(CAMERA, SUB) as sub,
    ):
        await feed(main, units(coded(), seconds=2))
        await feed(sub, units(coded(), seconds=2))
        where = [
            next(disk.id for disk in storage._disks if disk.absolute(path).exists())
            for path in (*await files(storage, MAIN), *await files(storage, SUB))
        ]
    assert len(set(where)) == 2


async def test_a_long_gop_is_split_and_played_as_one(settings: RecordingSettings, clock: ManualClock) -> None:
    """A GOP of ten seconds becomes fragments of at most four, listed as one segment."""
    source = coded(gop_frames=250, gops=1)
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(source, seconds=10))
        recorder.broken(GapCause.CAMERA, "end")
        await recorder.flush()
        disk = storage._disks[0]
        found = await disk.read(look, disk, CAMERA, "main", 0, START_NS + DAY_NS)
        (part,) = await disk.read(segments_on, disk, found.files, 0, START_NS + DAY_NS)
        (segment,) = part.segments
        assert [fragment.keyframe for fragment in segment.fragments] == [True, False, False]
        text = await storage.playlist(CAMERA, MAIN, START_NS, START_NS + DAY_NS // 2)
    assert "#EXTINF:10.000000," in text


async def test_an_old_batch_is_written_although_nothing_follows(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A camera that falls silent does not keep its last seconds in memory."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        for unit in units(coded(), seconds=3, received_ns=clock.monotonic_ns()):
            recorder.video(unit)
        await settle()
        assert recorder.state.bytes_written == 0
        await clock.turn(8)
        await until(lambda: recorder.state.bytes_written, what="the batch to be written")
        assert len(await files(storage)) == 1


async def test_pictures_before_the_first_keyframe_are_not_recorded(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A run begins with a picture that can be decoded."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=3, first=10))
        recorder.broken(GapCause.CAMERA, "end")
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 9 * NS_PER_S)
    assert line.spans[0].start_ns == START_NS + 15 * NS_PER_S // 25


async def test_a_restart_is_a_gap_of_the_host(settings: RecordingSettings, clock: ManualClock) -> None:
    """Between the last picture before and the first after a restart, the host is the cause."""
    for start_s in (0, 100):
        async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
            await feed(recorder, units(coded(), seconds=4, start_ns=START_NS + start_s * NS_PER_S))
            recorder.close()
            await settle()
        clock.jump_wall(95)
    async with open_storage(settings, clock=clock) as storage:
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 104 * NS_PER_S)
    assert [(gap.cause, gap.start_ns - START_NS, gap.end_ns - START_NS) for gap in line.gaps] == [
        (GapCause.HOST, 4 * NS_PER_S, 100 * NS_PER_S)
    ]


async def test_one_stream_has_one_recorder(settings: RecordingSettings, clock: ManualClock) -> None:
    """A second recorder of a stream, or one with a name that is no file name, is refused."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN):
        with pytest.raises(RecordingError):
            async with storage.recorder(CAMERA, MAIN):
                pass
        with pytest.raises(RecordingError):
            async with storage.recorder(CameraId("../../etc"), MAIN):
                pass


async def test_cancelled_recording_is_written_to_its_end(settings: RecordingSettings, clock: ManualClock) -> None:
    """Leaving by cancellation, as a service does at shutdown, loses no picture."""
    fed = asyncio.Event()

    async def record(storage: Storage) -> None:
        async with storage.recorder(CAMERA, MAIN) as recorder:
            for unit in units(coded(), seconds=4):
                recorder.video(unit)
            fed.set()
            await asyncio.Event().wait()

    async with open_storage(settings, clock=clock) as storage:
        task = asyncio.create_task(record(storage))
        await fed.wait()
        task.cancel()
        await asyncio.wait([task])
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 9 * NS_PER_S)
    assert line.newest_ns == START_NS + 4 * NS_PER_S


async def test_a_disk_that_works_off_a_queue_is_busy_and_not_slow(tmp_path: Path, clock: ManualClock) -> None:
    """Jobs that wait far longer than a write may take are done, as long as those before them get done."""
    settings = RecordingSettings(disks=(DiskSettings(path=tmp_path / "disk"),), writer_threads=1, slow_write_s=0.4)
    async with open_storage(settings, clock=clock) as storage:
        (disk,) = storage._disks
        pause = threading.Event()
        done = await asyncio.gather(*(disk.write(pause.wait, 0.1) for _ in range(12)))
    assert done == [False] * 12


async def test_a_queue_that_does_not_move_is_a_disk_that_hangs(tmp_path: Path, clock: ManualClock) -> None:
    """What waits behind a write that hangs gives up too, and is never begun."""
    settings = RecordingSettings(disks=(DiskSettings(path=tmp_path / "disk"),), writer_threads=1, slow_write_s=0.2)
    begun: list[int] = []
    async with open_storage(settings, clock=clock) as storage:
        (disk,) = storage._disks
        stuck = threading.Event()
        found = await asyncio.gather(
            disk.write(stuck.wait, 30), *(disk.write(begun.append, one) for one in range(3)), return_exceptions=True
        )
        stuck.set()
    assert [type(one) for one in found] == [TimeoutError] * 4
    assert begun == []


async def test_streams_that_begin_together_end_their_first_files_apart(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """The first stream's first file has its full time; others' are spread over it; all later ones are full again."""
    cameras = [CameraId(f"{number:032x}") for number in range(4)]
    lengths = []
    async with open_storage(settings, clock=clock) as storage, AsyncExitStack() as stack:
        recorders = [await stack.enter_async_context(storage.recorder(camera, MAIN)) for camera in cameras]
        for camera, recorder in zip(cameras, recorders, strict=True):
            await feed(recorder, units(coded(), seconds=25))
            (disk,) = storage._disks
            rows = (await disk.read(look, disk, camera, MAIN.value, 0, START_NS + DAY_NS)).files
            starts = sorted((row.start_ns - START_NS) // NS_PER_S for row in rows)
            lengths.append([after - before for before, after in pairwise(starts)])
    assert lengths[0] == [10, 10]
    assert len({one[0] for one in lengths}) == 4
    assert all(one[1] == 10 for one in lengths)
