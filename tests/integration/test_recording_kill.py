"""A recording process is killed outright: how much is lost, and is what is left sound?"""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import pytest

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import CameraId, StreamName, new_camera_id
from kernel.media import GapCause
from recording import open_storage
from tests.fakes.probe import ffprobe, packets

ROOT = Path(__file__).parents[2]
LIMIT_NS = 10 * NS_PER_S


async def record_until_killed(directory: Path, camera: CameraId, gop_frames: int, after_pictures: int) -> list[int]:
    """Let a real process record in real time; kill -9 it, and return the wall times of all it was given."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.recording_child", str(directory), camera, str(gop_frames),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    given: list[int] = []
    try:
        while len(given) < after_pictures:
            given.append(int(await process.stdout.readline()))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
    # The last line may have been cut by the kill.
    given += [int(line) for line in rest.split(b"\n")[:-1]]
    assert process.returncode == -signal.SIGKILL
    return given


@pytest.mark.timeout(180)
async def test_kill_9_at_random_moments_loses_no_more_than_ten_seconds(tmp_path: Path) -> None:
    """Of what a killed process was given, all but the last ten seconds is there, whole, and ffprobe accepts it."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    kinds = [(50, chance.randint(25, 250)), (50, chance.randint(300, 550)), (25, chance.randint(200, 550)),
             (750, chance.randint(300, 550))]  # fmt: skip
    runs = [(tmp_path / str(number) / "disk", new_camera_id(), gop, after) for number, (gop, after) in enumerate(kinds)]
    given = await asyncio.gather(*(record_until_killed(*run) for run in runs))
    for (directory, camera, gop, after), times in zip(runs, given, strict=True):
        what = f"GOP of {gop}, killed after {after} pictures"
        settings = RecordingSettings(disks=(DiskSettings(path=directory),))
        async with open_storage(settings, clock=SystemClock()) as storage:
            line = await storage.timeline(camera, StreamName.MAIN, times[0] - NS_PER_S, times[-1] + NS_PER_S)
            kept_ns = line.newest_ns or times[0]
            lost_ns = times[-1] - kept_ns
            assert lost_ns <= LIMIT_NS, what
            report = await storage.verify()
            assert report.sound, (what, report.faults)
            if line.newest_ns is None:
                continue
            assert [span.start_ns for span in line.spans] == [times[0]], what
            async with storage.recorder(camera, StreamName.MAIN):
                pass
            later = await storage.timeline(camera, StreamName.MAIN, times[0], SystemClock().wall_ns())
            assert later.gaps[0].cause is GapCause.HOST, what
            assert later.gaps[0].start_ns == kept_ns, what
        files = await asyncio.to_thread(lambda top: sorted(top.rglob("*.mp4")), directory)
        pictures = 0
        for file in files:
            facts = await ffprobe(file)
            pictures += int(facts["streams"][0]["nb_read_frames"])
            assert await asyncio.to_thread(packets, file), what
        # No hole inside: as many pictures as were given up to the end of what was kept.
        assert pictures == sum(time < kept_ns for time in times), what
