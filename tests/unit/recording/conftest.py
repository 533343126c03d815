"""A small storage on a temporary directory, a clock that stands, and footage to feed it."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import AccessUnit
from recording import Recorder
from tests.fakes.clock import ManualClock, settle
from tests.fakes.footage import START_NS

CAMERA = CameraId("01a20b5d4c917c699a4b8037ed13065b")


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands at the start of the footage."""
    return ManualClock(wall_ns=START_NS)


@pytest.fixture
def settings(tmp_path: Path) -> RecordingSettings:
    """Return settings for one directory, with files of ten seconds."""
    return RecordingSettings(disks=(DiskSettings(path=tmp_path / "disk"),), file_s=10)


@pytest.fixture
def two_disks(tmp_path: Path) -> RecordingSettings:
    """Return settings for two directories."""
    return RecordingSettings(
        disks=(DiskSettings(path=tmp_path / "a"), DiskSettings(path=tmp_path / "b")), file_s=10, slow_write_s=0.5
    )


async def feed(recorder: Recorder, pictures: Iterable[AccessUnit], clock: ManualClock | None = None) -> None:
    """Hand pictures over, letting the recorder run now and then, and have them written.

    With ``clock`` time goes on as the pictures do.
    """
    for number, unit in enumerate(pictures):
        if clock is not None and number % 25 == 0:
            behind_ns = unit.wall_ns - clock.wall_ns()
            await clock.turn(max(0, behind_ns) / NS_PER_S)
        recorder.video(unit)
        if number % 100 == 99:
            await settle(3)
    await recorder.flush()
