"""Until when the certificate lasts that a camera shows, as its host tells it with its state."""

from pathlib import Path

import pytest

from config.cameras import CameraSettings
from config.live import LiveSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.fleet import rpc
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.ids import CameraId
from tests.fakes.camera_certificate import self_signed_in
from tests.fakes.onecamera import described, one_camera, target_of
from tests.fakes.waiting import until

CLOCK = SystemClock()
ONE = CameraId("1" * 32)
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("secure", [True, False])
async def test_a_host_tells_when_a_cameras_certificate_ends(tmp_path: Path, secure: bool) -> None:  # noqa: FBT001 - a case
    """Of one that sends its pictures by RTSPS; of another there is none to tell of."""
    settings = Settings(
        server=ServerSettings(data_dir=tmp_path),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings(loopback=True, port=0),
    )
    shown = self_signed_in(tmp_path, days=20)
    async with (
        one_camera(CLOCK, tls=shown.context if secure else None) as device,
        open_host(settings, tmp_path / "h.sock", clock=CLOCK) as host,
    ):
        description = described(device)
        (view,) = description.views
        if secure:
            main, sub = (
                one.model_copy(update={"rtsp_url": one.rtsp_url.replace("rtsp:", "rtsps:")})
                if one is not None
                else None
                for one in (view.main, view.sub)
            )
            view = view.model_copy(update={"main": main, "sub": sub})
        target = target_of(device).model_copy(update={"tls_fingerprint_sha256": shown.fingerprint})
        await host.assign(rpc.CameraAssignment(id=ONE, target=target, view=view, description=description))
        await until(lambda: host.camera(ONE).state().live is rpc.LiveState.LIVE, timeout_s=60.0, what="pictures")
        assert host.camera(ONE).state().certificate_ends_ns == (shown.ends_ns if secure else None)
