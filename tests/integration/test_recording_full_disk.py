"""Disks that are really full or really read-only: a small tmpfs, mounted for the test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import StreamName, new_camera_id
from kernel.media import GapCause
from recording import DiskState, DiskUnusableError, open_storage
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS, coded, units

MAIN = StreamName.MAIN
MIB = 1024 * 1024


async def command(*words: str) -> None:
    """Run a command that must succeed."""
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    assert process.returncode == 0, (
        f"{' '.join(words)}: {complaint.decode()} This test mounts a tmpfs: run it as root, or in a container with"
        " `--cap-add SYS_ADMIN`."
    )


@pytest_asyncio.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """Mount eight megabytes."""
    path = tmp_path / "disk"
    path.mkdir()
    await command("mount", "-t", "tmpfs", "-o", f"size={8 * MIB}", "tmpfs", str(path))
    try:
        yield path
    finally:
        await command("umount", "--lazy", str(path))


def settings_for(path: Path) -> RecordingSettings:
    """Return settings with small files and batches, so that a small disk is soon full."""
    return RecordingSettings(disks=(DiskSettings(path=path),), file_s=5, batch_bytes=256 * 1024)


async def test_a_full_disk_at_start_is_a_clear_error(small_disk: Path) -> None:
    """A disk that somebody else filled is named, with the cure; after making room it is used."""
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(9 * MIB))
    with pytest.raises(DiskUnusableError, match=r"is full\. Free some space"):
        async with open_storage(settings_for(small_disk), clock=ManualClock()):
            pass
    filler.unlink()
    async with open_storage(settings_for(small_disk), clock=ManualClock()) as storage:
        assert (await storage.stats()).disks[0].state is DiskState.OK


async def test_a_read_only_disk_at_start_is_a_clear_error(small_disk: Path) -> None:
    """A disk mounted read-only is named, with the cure, and what it holds is untouched."""
    async with open_storage(settings_for(small_disk), clock=ManualClock()):
        pass
    await command("mount", "-o", "remount,ro", str(small_disk))
    with pytest.raises(DiskUnusableError, match=r"is read-only\. Look in the kernel's log"):
        async with open_storage(settings_for(small_disk), clock=ManualClock()):
            pass


async def test_a_disk_that_fills_rolls_over_its_oldest_footage(small_disk: Path) -> None:
    """Far more than fits is recorded; the newest is there without a gap, and everything left verifies."""
    clock = ManualClock(wall_ns=START_NS)
    camera = new_camera_id()
    source = coded()
    # Noise that does not compress, behind each picture, as SEI: a disk's worth in a minute of footage.
    noise = b"\x06" + bytes(range(1, 256)) * 40
    async with (
        open_storage(settings_for(small_disk), clock=clock) as storage,
        storage.recorder(camera, MAIN) as recorder,
    ):
        written = 0
        for number, unit in enumerate(units(source, seconds=120)):
            recorder.video(type(unit)(nals=(noise, *unit.nals), time_90k=unit.time_90k, wall_ns=unit.wall_ns,
                                      keyframe=unit.keyframe, parameters=unit.parameters,
                                      received_ns=unit.received_ns))  # fmt: skip
            written += len(noise)
            if number % 50 == 49:
                await recorder.flush()
                await storage.keep()
        assert written > 2 * 8 * MIB
        recorder.broken(GapCause.CAMERA, "end")
        clock.jump_wall(120)
        line = await storage.timeline(camera, MAIN, START_NS, START_NS + 120 * NS_PER_S)
        assert line.newest_ns == START_NS + 120 * NS_PER_S
        assert {gap.cause for gap in line.gaps} == {GapCause.RETENTION}
        assert len(line.spans) == 1
        assert (await storage.verify()).sound
        assert (await storage.stats()).disks[0].state is DiskState.OK
