"""What enrolment would find out about a camera, without one."""

from drivers.model import CameraDescription, CameraView, DeviceIdentity, Remark, StreamProfile
from kernel.head import Axis, HeadAbilities
from kernel.media import VideoCodec

HEAD = HeadAbilities(
    axes=frozenset({Axis.PAN, Axis.TILT, Axis.ZOOM}), presets_max=32, home=True, auxiliary=("tt:Wiper|On",)
)


def view(source: str = "source-1", *, head: HeadAbilities | None = HEAD) -> CameraView:
    """Return a view with main and sub."""
    main = StreamProfile(
        token=f"{source}-main",
        name="main",
        codec=VideoCodec.H264,
        width=1280,
        height=720,
        frame_rate=12.5,
        rtsp_url="rtsp://127.0.0.1:554/main",
    )
    return CameraView(
        source_token=source,
        main=main,
        sub=main.model_copy(update={"token": f"{source}-sub", "name": "sub", "width": 640, "height": 360}),
        video_source_token=source,
        head=head,
    )


def description(urn: str = "urn:uuid:1", *, views: tuple[CameraView, ...] | None = None) -> CameraDescription:
    """Return a device with one view, or with ``views``."""
    return CameraDescription(
        identity=DeviceIdentity(urn=urn, manufacturer="Acme", model="Dome 1", firmware="1.0", serial=urn[-4:]),
        device_url="http://192.0.2.1/onvif/device_service",
        services={},
        authentication="digest-sha256",
        clock_offset_s=0.25,
        clock_uncertainty_s=0.01,
        views=views if views is not None else (view(),),
        events=True,
        remarks=(Remark(text="It says that it has no events, and has.", quirk="hides_pullpoint"),),
    )
