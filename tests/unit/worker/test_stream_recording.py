"""What a host says of a stream that is not recorded: whose fault it is, for as long as it is."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.recording import DiskSettings, RecordingSettings
from drivers.model import CameraTarget, Credentials
from gateway.fleet.rpc import StreamRecording
from gateway.worker.stream import StreamPlan, recording_of
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from kernel.media import GapCause
from recording import Recorder, Storage, open_storage
from tests.fakes.clock import ManualClock
from tests.fakes.descriptions import view
from tests.fakes.footage import START_NS, coded, units
from tests.fakes.volume import FaultyVolume
from tests.fakes.waiting import until
from tests.unit.recording.conftest import CAMERA, feed

PLAN = StreamPlan(
    camera=CAMERA,
    stream=StreamName.MAIN,
    profile=view().main,
    target=CameraTarget(address="192.0.2.1", credentials=Credentials(username="a", password="b")),
    recording=True,
    clock_offset_s=0.0,
)


class Desk:
    """A recorder on a disk with knobs."""

    def __init__(self, recorder: Recorder, storage: Storage, volume: FaultyVolume) -> None:
        self.recorder = recorder
        self.storage = storage
        self.volume = volume
        self._second = 0

    @property
    def said(self) -> StreamRecording:
        """Return what the host says of it."""
        return recording_of(PLAN, self.recorder.state)

    async def record(self, *, seconds: int) -> None:
        """Have so much come from the camera, and what can be written written."""
        start_ns, start_90k = START_NS + self._second * NS_PER_S, self._second * 90_000
        await feed(self.recorder, units(coded(), seconds=seconds, start_ns=start_ns, start_90k=start_90k))
        self._second += seconds

    async def lose_link(self) -> None:
        """Have the camera's link break off."""
        self.recorder.broken(GapCause.NETWORK, "it was unplugged")
        await until(lambda: not self.recorder.state.recording, what="the end of the run")


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[Desk]:
    """Give a stream of which two seconds are recorded."""
    volume = FaultyVolume()
    settings = RecordingSettings(disks=(DiskSettings(path=folder / "disk"),))
    async with (
        open_storage(settings, clock=ManualClock(wall_ns=START_NS), volume=lambda: volume) as storage,
        storage.recorder(CAMERA, StreamName.MAIN) as recorder,
    ):
        desk = Desk(recorder, storage, volume)
        await desk.record(seconds=2)
        yield desk


async def test_a_disk_that_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    """For as long as it does."""
    async with recording(tmp_path) as desk:
        desk.volume.fail_with = errno.EIO
        await desk.record(seconds=4)
        assert (desk.said.on, desk.said.failed) == (False, True)
        assert "Input/output error" in (desk.said.cause or "")


async def test_a_link_that_is_lost_after_a_disks_hiccup_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    """It is written again; what stops afterwards has its own cause."""
    async with recording(tmp_path) as desk:
        desk.volume.fail_with = errno.EIO
        await desk.record(seconds=4)
        desk.volume.fail_with = None
        await desk.storage.keep()
        await desk.record(seconds=4)
        assert desk.said.on
        await desk.lose_link()
        assert desk.said == StreamRecording(on=False, cause="no pictures come from the camera")


async def test_a_link_that_is_lost_while_the_disk_refuses_is_the_cameras(tmp_path: Path) -> None:
    """There is nothing that the disk could refuse."""
    async with recording(tmp_path) as desk:
        desk.volume.fail_with = errno.EIO
        await desk.record(seconds=4)
        desk.recorder.broken(GapCause.NETWORK, "it was unplugged")
        await until(lambda: not desk.said.failed, what="the end of the run")
        assert desk.said == StreamRecording(on=False, cause="no pictures come from the camera")


async def test_a_disk_that_could_not_keep_up_is_told(tmp_path: Path) -> None:
    """It refuses nothing, and yet it is what is missing: no picture is."""
    volume = FaultyVolume()
    settings = RecordingSettings(disks=(DiskSettings(path=tmp_path / "disk"),), lane_bytes=160 * 1024)
    async with (
        open_storage(settings, clock=ManualClock(wall_ns=START_NS), volume=lambda: volume) as storage,
        storage.recorder(CAMERA, StreamName.MAIN) as recorder,
    ):
        for unit in units(coded(width=640, height=384), seconds=60):
            recorder.video(unit)
        await until(lambda: recorder.state.cause is GapCause.STORAGE, what="the lane to run over")
        said = recording_of(PLAN, recorder.state)
    assert (said.failed, said.cause) == (True, "the disk could not keep up")
