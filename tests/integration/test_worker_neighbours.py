"""One camera's trouble is not its neighbour's."""

import asyncio
from pathlib import Path

import pytest

from config.cameras import CameraSettings
from config.live import LiveSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from drivers.simulator.device import SimulatedDevice
from gateway.fleet import rpc
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.ids import CameraId, new_camera_id
from tests.fakes.onecamera import described, one_camera, target_of
from tests.fakes.waiting import until

CLOCK = SystemClock()


def _assignment(device: SimulatedDevice, identity: CameraId) -> rpc.CameraAssignment:
    description = described(device)
    return rpc.CameraAssignment(
        id=identity, target=target_of(device), view=description.views[0], description=description
    )


@pytest.mark.parametrize("fault", ["garbage", "endless_body", "refuse_connections", "packet_loss=0.2"])
async def test_a_good_camera_goes_on_beside_a_bad_one(tmp_path: Path, fault: str) -> None:
    """While one camera answers garbage, never ends, is shut or loses packets, the other's frames reach the disk."""
    settings = Settings(
        server=ServerSettings(data_dir=tmp_path),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings(loopback=True, port=0),
        recording=RecordingSettings(batch_s=0.5),
    )
    async with (
        one_camera(CLOCK, number=1, sub=False) as good,
        one_camera(CLOCK, number=2, sub=False) as bad,
        open_host(settings, tmp_path / "h.sock", clock=CLOCK) as host,
    ):
        one, two = new_camera_id(), new_camera_id()
        await asyncio.gather(host.assign(_assignment(good, one)), host.assign(_assignment(bad, two)))

        def frames() -> int:
            return host.camera(one).state().main.frames

        await until(lambda: host.camera(two).state().main.frames > 3, what="both cameras")
        bad.faults.set(fault)
        before = frames()
        await until(lambda: frames() > before + 25, what="the good camera's frames")
        recording = host.camera(one).state().main.recording
        assert recording is not None
        await until(lambda: (host.camera(one).state().main.recording or recording).on, what="the good one on disk")
        assert host.camera(one).state().live is rpc.LiveState.LIVE
