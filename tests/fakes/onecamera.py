"""One simulated camera with real ONVIF and RTSP servers and a plain picture, for tests of what talks to cameras."""

import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt

from drivers.model import CameraDescription, CameraTarget, CameraView, Credentials, DeviceIdentity, StreamProfile
from drivers.simulator.device import Aim, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.faults import Faults
from drivers.simulator.feed import Eye, open_feeds
from drivers.simulator.head import Head
from drivers.simulator.onvif.server import onvif_server
from drivers.simulator.rtsp.server import rtsp_server
from kernel.clock import Clock
from kernel.geography import Place
from kernel.head import Axis, HeadAbilities
from kernel.ids import StreamName
from kernel.media import VideoCodec


class PlainEye:
    """Draws one colour that turns with the head."""

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Return a picture whose brightness follows the pan."""
        return np.full((height, width, 3), round(aim.pan_deg) % 200, dtype=np.uint8)


def target_of(device: SimulatedDevice, *, password: str | None = None) -> CameraTarget:
    """Return how a gateway would be told of the device."""
    return CameraTarget(
        address=f"{device.host}:{device.http_port}",
        credentials=Credentials(username=device.username, password=password or device.password),
    )


class MovingEye:
    """Draws one colour that changes with every picture: nobody may call it frozen."""

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Return a picture whose brightness runs with the time."""
        del aim
        return np.full((height, width, 3), (wall_ns // 20_000_000) % 200, dtype=np.uint8)


@asynccontextmanager
async def one_camera(
    clock: Clock,
    *,
    number: int = 7,
    sub: bool = True,
    faults: Faults | None = None,
    eye: Eye | None = None,
    codec: VideoCodec = VideoCodec.H264,
    sub_codec: VideoCodec = VideoCodec.H264,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[SimulatedDevice]:
    """Serve one camera on loopback while the context lasts; with ``tls`` its streams are by RTSPS."""
    mount = Mount(place=Place(51.5, -0.1, 8.0), bearing_deg=90.0)
    streams = {StreamName.MAIN: StreamSettings(token="main", name=StreamName.MAIN, width=320, height=180, codec=codec)}
    if sub:
        streams[StreamName.SUB] = StreamSettings(
            token="sub", name=StreamName.SUB, width=160, height=90, codec=sub_codec
        )
    device = SimulatedDevice(
        number=number,
        name=f"Camera {number}",
        serial=f"SIM{number:04d}",
        urn=f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        mount=mount,
        clock=clock,
        faults=faults or Faults(),
        streams=streams,
    )
    device.head = Head(mount, clock)
    with ThreadPoolExecutor(2) as pool:
        async with open_feeds(device, eye or PlainEye(), pool=pool), rtsp_server(device, tls=tls), onvif_server(device):
            yield device


_SERVICES = {
    "http://www.onvif.org/ver10/device/wsdl": "device_service",
    "http://www.onvif.org/ver10/media/wsdl": "media_service",
    "http://www.onvif.org/ver20/media/wsdl": "media2_service",
    "http://www.onvif.org/ver20/ptz/wsdl": "ptz_service",
    "http://www.onvif.org/ver20/imaging/wsdl": "imaging_service",
    "http://www.onvif.org/ver10/deviceIO/wsdl": "deviceio_service",
    "http://www.onvif.org/ver10/events/wsdl": "event_service",
}


def described(device: SimulatedDevice, *, clock_offset_s: float = 0.0) -> CameraDescription:
    """Return what enrolment finds out, without the nine seconds that trying the head takes."""

    def profile(name: StreamName) -> StreamProfile:
        settings = device.streams[name]
        return StreamProfile(
            token=settings.token,
            name=settings.name,
            codec=settings.codec,
            width=settings.width,
            height=settings.height,
            frame_rate=settings.frame_rate,
            rtsp_url=f"rtsp://{device.host}:{device.rtsp_port}/{name}",
        )

    base = f"http://{device.host}:{device.http_port}/onvif/"
    view = CameraView(
        source_token="video-source-1",
        main=profile(StreamName.MAIN),
        sub=profile(StreamName.SUB) if StreamName.SUB in device.streams else None,
        ptz_profile_token="main",
        ptz_node_token="ptz-node-1",
        video_source_token="video-source-1",
        head=HeadAbilities(
            axes=frozenset(Axis),
            absolute=True,
            presets_max=256,
            home=True,
            auxiliary=device.auxiliary,
            pan_deg=device.mount.pan_deg,
            tilt_deg=device.mount.tilt_deg,
            hfov_deg=(device.mount.lens.wide_deg, device.mount.lens.tele_deg),
        ),
        snapshot_url=f"http://{device.host}:{device.http_port}/snapshot/main",
    )
    return CameraDescription(
        identity=DeviceIdentity(
            urn=device.urn, manufacturer="Sightline", model="S", firmware="1", serial=device.serial
        ),
        device_url=base + "device_service",
        services={namespace: base + path for namespace, path in _SERVICES.items()},
        authentication="digest-md5",
        clock_offset_s=clock_offset_s,
        clock_uncertainty_s=0.1,
        views=(view,),
        events=True,
    )
