"""Playlists, stills, exports and verification of what was recorded."""

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S, SteadyClock
from kernel.ids import CameraId, StreamName
from kernel.media import GapCause, StreamDescription, VideoCodec
from recording import (
    BadRangeError,
    BusyError,
    FootageUnreadableError,
    MixedCodecError,
    NothingRecordedError,
    Recorder,
    Storage,
    UnknownFileError,
    open_storage,
)
from recording.placement import choose
from recording.timeline import look
from tests.fakes.clock import ManualClock
from tests.fakes.footage import PCMU, START_NS, coded, luma_of, sound, units
from tests.fakes.probe import ffprobe, packets
from tests.unit.recording.conftest import CAMERA, feed

MAIN = StreamName.MAIN


def at(seconds: float) -> int:
    """Return a wall time after the start of the footage."""
    return START_NS + round(seconds * NS_PER_S)


@asynccontextmanager
async def recorded(settings: RecordingSettings, clock: ManualClock) -> AsyncIterator[tuple[Storage, Recorder]]:
    """Give storage with 25 s, a gap of 5 s, and 5 s more, sound with the first part."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        recorder.started(StreamDescription(video=VideoCodec.H264, audio=PCMU, metadata=False, transport="tcp"))
        hearing = iter(list(sound(seconds=26)))
        for number, unit in enumerate(units(coded(), seconds=25)):
            recorder.video(unit)
            recorder.audio(next(hearing))
            recorder.audio(next(hearing))
            if number % 100 == 99:
                await recorder.flush()
        recorder.broken(GapCause.NETWORK, "cable")
        clock.jump_wall(36)
        await feed(recorder, units(coded(), seconds=5, start_ns=at(30)))
        recorder.broken(GapCause.CAMERA, "end")
        yield storage, recorder


async def save(path: Path, storage: Storage, start_s: float, end_s: float, title: str | None = None) -> Path:
    """Write an export to a file."""
    export = await storage.export(CAMERA, MAIN, at(start_s), at(end_s), title=title)
    data = b"".join([piece async for piece in export])
    assert len(data) == export.size_bytes
    path.write_bytes(data)
    return path


async def test_a_playlist_crosses_files_and_gaps(settings: RecordingSettings, clock: ManualClock) -> None:
    """Every file begins with a discontinuity, its map and its wall time; every segment is there and plays."""
    async with recorded(settings, clock) as (storage, _):
        text = await storage.playlist(CAMERA, MAIN, at(0), at(60))
        assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n")
        assert text.endswith("#EXT-X-ENDLIST\n")
        assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
        assert text.count("#EXT-X-DISCONTINUITY") == 3
        assert re.findall("PROGRAM-DATE-TIME:(.*)", text) == [
            f"2026-09-21T14:13:{second}.000Z" for second in (20, 30, 40, 50)
        ]
        assert len(re.findall("#EXTINF:1.000000,", text)) == 30
        names = [line for line in text.splitlines() if line.endswith(".m4s")]
        file_id, index = names[3].removesuffix(".m4s").rsplit("-", 1)
        init = await storage.init_segment(CAMERA, MAIN, file_id)
        segment = await storage.fragment(CAMERA, MAIN, file_id, int(index))
    path = settings.disks[0].path.parent / "segment.mp4"
    path.write_bytes(init + segment)
    facts = await ffprobe(path)
    assert [(stream["codec_name"], stream["nb_read_frames"]) for stream in facts["streams"]] == [("h264", "25")]
    assert packets(path)[0][0] == 3 * 90_000


async def test_a_growing_playlist_has_no_end(settings: RecordingSettings, clock: ManualClock) -> None:
    """While a stream records, an open-ended playlist is an EVENT that lists what was recorded seconds ago."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        for unit in units(coded(), seconds=4.2, received_ns=clock.monotonic_ns()):
            recorder.video(unit)
        clock.jump_wall(4.2)
        text = await storage.playlist(CAMERA, MAIN, at(0), None, uri=lambda file, index: f"{len(file)}/{index}")
        assert "#EXT-X-ENDLIST" not in text
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
        assert [line for line in text.splitlines() if line.startswith("32/")] == [f"32/{n}" for n in range(4)]


async def test_a_growing_playlist_waits_for_the_end_of_a_long_gop(
    settings: RecordingSettings, clock: ManualClock
) -> None:
    """A GOP of which only the first part is on disk is not listed: its segment would change."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(gop_frames=250, gops=1), seconds=15))
        clock.jump_wall(15)
        text = await storage.playlist(CAMERA, MAIN, at(0), None)
        assert text.count("#EXTINF:10.000000,") == text.count("#EXTINF") == 1


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_a_still_is_the_picture_of_its_instant(
    settings: RecordingSettings, clock: ManualClock, codec: VideoCodec
) -> None:
    """The grey of the picture tells which one was decoded: the one shown at that moment."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(codec), seconds=12))
        recorder.broken(GapCause.CAMERA, "end")
        still = await storage.still(CAMERA, MAIN, at(10.5))
        picture = await asyncio.to_thread(lambda: Image.open(io.BytesIO(still.jpeg)).convert("L"))
        assert still.wall_ns == at(10.48)
        assert picture.size == (160, 96)
        grey = picture.getpixel((80, 48))
        assert isinstance(grey, int)
        assert abs(grey - (luma_of(262) - 16) * 255 / 219) < 4


async def test_a_still_in_a_gap_says_why_there_is_none(settings: RecordingSettings, clock: ManualClock) -> None:
    """The error names the cause."""
    async with recorded(settings, clock) as (storage, _):
        with pytest.raises(NothingRecordedError, match="network: cable"):
            await storage.still(CAMERA, MAIN, at(27))


async def test_too_many_stills_are_refused(settings: RecordingSettings, clock: ManualClock) -> None:
    """Beyond the queue a still is refused at once, and those in the queue are served."""
    small = settings.model_copy(update={"still_queue": 2})
    async with recorded(small, clock) as (storage, _):
        asked = [storage.still(CAMERA, MAIN, at(second)) for second in range(1, 5)]
        results = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(result, BusyError) for result in results] == [False, False, True, True]


async def test_an_export_is_one_playable_file(settings: RecordingSettings, clock: ManualClock, tmp_path: Path) -> None:
    """Pictures and sound untouched, from the keyframe before the start, with times, title and what is missing."""
    async with recorded(settings, clock) as (storage, _):
        path = await save(tmp_path / "clip.mp4", storage, 3.5, 32, title="Café, camera 12")
    facts = await ffprobe(path)
    video, audio = facts["streams"]
    assert (video["codec_tag_string"], audio["codec_name"]) == ("avc1", "pcm_mulaw")
    assert int(video["nb_read_frames"]) == 22 * 25 + 2 * 25
    assert float(facts["format"]["duration"]) == pytest.approx(29.0, abs=0.05)
    tags = facts["format"]["tags"]
    assert tags["title"] == "Café, camera 12"
    assert tags["creation_time"] == "2026-09-21T14:13:23.000000Z"
    assert tags["date"] == "2026-09-21T14:13:23.000Z"
    assert "14:13:45-14:13:50 network: cable" in tags["comment"]
    found = await asyncio.to_thread(packets, path)
    source = coded()
    expected = [*[source.pictures[number % 50][0] for number in range(75, 625)],
                *[source.pictures[number % 50][0] for number in range(50)]]  # fmt: skip
    assert [data for _, data, _ in found] == [
        b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals) for nals in expected
    ]
    # Over the gap time goes on: the first picture behind it stands at 27 s, as it was recorded.
    assert found[550][0] == 27 * 90_000
    heard = await asyncio.to_thread(packets, path, "audio")
    assert abs(heard[0][0]) <= 160


async def test_an_export_without_gaps_says_so(settings: RecordingSettings, clock: ManualClock, tmp_path: Path) -> None:
    """A complete range is stated to be complete."""
    async with recorded(settings, clock) as (storage, _):
        path = await save(tmp_path / "clip.mp4", storage, 8, 13)
    facts = await ffprobe(path)
    assert facts["format"]["tags"]["comment"].startswith("Complete")
    assert facts["format"]["tags"]["title"] == f"{CAMERA} main"


async def test_an_export_crosses_a_change_of_format(
    settings: RecordingSettings, clock: ManualClock, tmp_path: Path
) -> None:
    """Both formats decode in one file; each keyframe behind a change, and a change back, carries its parameter sets."""
    big = coded(width=320, height=192)
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=3))
        await feed(recorder, units(big, seconds=3, start_ns=at(3), start_90k=270_000))
        await feed(recorder, units(coded(), seconds=2, start_ns=at(6), start_90k=540_000))
        recorder.broken(GapCause.CAMERA, "end")
        path = await save(tmp_path / "clip.mp4", storage, 0, 8)
    facts = await ffprobe(path)
    assert facts["streams"][0]["nb_read_frames"] == "200"
    found = await asyncio.to_thread(packets, path)
    assert big.parameters.sps in found[75][1]
    assert big.parameters.sps not in found[76][1]
    assert coded().parameters.sps not in found[0][1]
    assert coded().parameters.sps in found[150][1]


async def test_an_export_of_two_codecs_says_where_to_cut(settings: RecordingSettings, clock: ManualClock) -> None:
    """H.264 and H.265 in one range are refused, with the moment of the change."""
    async with open_storage(settings, clock=clock) as storage, storage.recorder(CAMERA, MAIN) as recorder:
        await feed(recorder, units(coded(), seconds=2))
        await feed(recorder, units(coded(VideoCodec.H265), seconds=2, start_ns=at(2), start_90k=180_000))
        recorder.broken(GapCause.CAMERA, "end")
        with pytest.raises(MixedCodecError) as caught:
            await storage.export(CAMERA, MAIN, at(0), at(4))
    assert caught.value.facts["cuts_ns"] == [at(2)]


async def test_an_export_survives_the_deletion_of_its_files(
    settings: RecordingSettings, clock: ManualClock, tmp_path: Path
) -> None:
    """Files that retention takes while an export runs are still read to their end; one not begun closes them."""
    async with recorded(settings, clock) as (storage, _):
        export = await storage.export(CAMERA, MAIN, at(0), at(20))
        unused = await storage.export(CAMERA, MAIN, at(0), at(20))
        clock.jump_wall(40 * 86_400)
        storage._steady = SteadyClock(clock)
        await storage.keep()
        path = tmp_path / "clip.mp4"
        path.write_bytes(b"".join([piece async for piece in export]))
        before = len(list(Path("/proc/self/fd").iterdir()))
        await unused.aclose()
        assert len(list(Path("/proc/self/fd").iterdir())) < before
        with pytest.raises(NothingRecordedError):
            await storage.export(CAMERA, MAIN, at(0), at(20))
    assert (await ffprobe(path))["streams"][0]["nb_read_frames"] == "500"


@pytest.mark.parametrize(("start_s", "end_s"), [(5, 5), (5, 4), (0, 25 * 3600)])
async def test_ranges_that_make_no_sense_are_refused(
    settings: RecordingSettings, clock: ManualClock, start_s: int, end_s: int
) -> None:
    """A range that ends before it starts, is empty or too long is the asker's error."""
    async with open_storage(settings, clock=clock) as storage:
        for ask in (storage.playlist, storage.export):
            with pytest.raises(BadRangeError):
                await ask(CAMERA, MAIN, at(start_s), at(end_s))
        if end_s <= start_s:
            with pytest.raises(BadRangeError):
                await storage.timeline(CAMERA, MAIN, at(start_s), at(end_s))
            with pytest.raises(BadRangeError):
                await storage.hold(CAMERA, at(start_s), at(end_s), "why")


async def test_a_file_is_given_only_to_its_own_camera(settings: RecordingSettings, clock: ManualClock) -> None:
    """Whoever may see one camera cannot name another's file; unknown fragments are unknown."""
    async with recorded(settings, clock) as (storage, _):
        text = await storage.playlist(CAMERA, MAIN, at(0), at(60))
        match = re.search("init-(.*).mp4", text)
        assert match
        file_id = match[1]
        for camera, stream, file, index in [
            (CameraId("another"), MAIN, file_id, 0),
            (CAMERA, StreamName.SUB, file_id, 0),
            (CAMERA, MAIN, "0" * 32, 0),
            (CAMERA, MAIN, file_id, 999),
            (CAMERA, MAIN, file_id, -1),
        ]:
            with pytest.raises(UnknownFileError):
                await storage.fragment(camera, stream, file, index)
        with pytest.raises(UnknownFileError):
            await storage.init_segment(CameraId("another"), MAIN, file_id)


async def test_verify_finds_what_was_altered(settings: RecordingSettings, clock: ManualClock) -> None:
    """One changed byte, a cut file, a changed head and a lost file are each named; the rest is sound."""
    async with recorded(settings, clock) as (storage, _):
        assert (await storage.verify()).sound
        disk = storage._disks[0]
        rows = (await disk.read(look, disk, CAMERA, "main", at(0), at(60))).files
        paths = [disk.absolute(row.path) for row in rows]
        with paths[0].open("r+b") as file:
            file.seek(rows[0].size_bytes // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        os.truncate(paths[1], rows[1].size_bytes - 1)
        with paths[2].open("r+b") as file:
            file.seek(30)
            file.write(b"!")
        paths[3].unlink()
        report = await storage.verify(CAMERA)
        assert (await storage.verify(CameraId("another"))).files == 0
        with pytest.raises(UnknownFileError):
            await storage.init_segment(CAMERA, MAIN, rows[3].id)
        with pytest.raises(FootageUnreadableError):
            await storage.export(CAMERA, MAIN, at(0), at(60))
        with pytest.raises(FootageUnreadableError):
            await storage.still(CAMERA, MAIN, at(32))
    assert not report.sound
    assert [fault.what for fault in report.faults] == [
        "its bytes were altered",
        "is cut short",
        "its head was altered",
        "cannot be opened: No such file or directory",
    ]


async def test_a_disk_that_does_not_answer_is_told_of(two_disks: RecordingSettings, clock: ManualClock) -> None:
    """Footage on it is no host's loss: the timeline says what it lacks, and is whole once the disk answers again."""
    async with open_storage(two_disks, clock=clock) as storage:
        disk = choose(storage._disks, CAMERA, MAIN)
        assert disk is not None
        for answers in (False, True, False):
            disk.trust()
            if not answers:
                disk.mark(TimeoutError())
            async with storage.recorder(CAMERA, MAIN) as recorder:
                await feed(recorder, units(coded(), seconds=10, start_ns=clock.wall_ns()))
            clock.jump_wall(10)
        line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
        assert not line.whole
        assert [((gap.start_ns - START_NS) // NS_PER_S, gap.cause, gap.detail) for gap in line.gaps] == [
            (10, GapCause.STORAGE, "a disk does not answer")
        ]
        disk.trust()
        line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
        assert (line.whole, line.gaps, line.spans[-1].end_ns) == (True, (), clock.wall_ns())
