"""What is known of a device after enrolment, as it is stored and shown.

Identity is the endpoint URN (and serial), never the address (docs/design/onvif.md, *Bootstrap*).
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kernel.head import HeadAbilities
from kernel.media import VideoCodec


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(_Frozen):
    """User name and password of a device account."""

    username: str
    password: SecretStr


class CameraTarget(_Frozen):
    """Where and how to reach a device."""

    address: str
    """``host``, ``host:port`` or the full URL of its device service."""
    credentials: Credentials
    tls_verify: bool = True
    tls_fingerprint_sha256: str | None = None
    """Pins the device's certificate: hex of its DER's SHA-256."""
    port_map: dict[int, int] = Field(default_factory=dict)
    """Port that the device names -> port that reaches it (forwarded ports)."""
    roams: bool = False
    """It is where it says itself that it is, and not where somebody enrolled it: no redirect of it is followed."""

    deserted: bool = False
    """Nobody vouches for where it is any more: no host is told of it until somebody names its address."""

    @property
    def vouched(self) -> bool:
        """Return whether a certificate there proves who answers: it is pinned, or it is for where people enrolled it.

        A public authority certifies any address to whoever holds it: of one that roams that proves nothing.
        """
        return self.tls_fingerprint_sha256 is not None or (self.tls_verify and not self.roams)


class DeviceIdentity(_Frozen):
    """GetDeviceInformation and the endpoint reference."""

    urn: str
    manufacturer: str
    model: str
    firmware: str
    serial: str
    hardware: str = ""


class StreamProfile(_Frozen):
    """One media profile, chosen for main or sub."""

    token: str
    name: str
    codec: VideoCodec
    width: int
    height: int
    frame_rate: float
    bitrate_kbit: int | None = None
    gop_frames: int | None = None
    audio: str | None = None
    rtsp_url: str
    """Without credentials, host as we reach it."""


class CameraView(_Frozen):
    """One video source of a device: what an operator calls a camera."""

    source_token: str
    main: StreamProfile
    sub: StreamProfile | None = None
    ptz_profile_token: str | None = None
    ptz_node_token: str | None = None
    video_source_token: str
    head: HeadAbilities | None = None
    snapshot_url: str | None = None


class Remark(_Frozen):
    """Something a camera does wrong, as the operator may read it. ``quirk`` names the table entry, if one."""

    text: str
    quirk: str | None = None


class CameraDescription(_Frozen):
    """Everything enrolment found out."""

    identity: DeviceIdentity
    device_url: str
    services: dict[str, str]
    """Namespace -> address as we reach it."""
    authentication: Annotated[str, Field(description="digest-sha256, digest-md5, wsse or none")]
    clock_offset_s: float
    """Camera's clock minus ours."""
    clock_uncertainty_s: float
    views: tuple[CameraView, ...]
    events: bool
    relays: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


class DiscoveredDevice(_Frozen):
    """A ProbeMatch or Hello."""

    urn: str
    addresses: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    name: str = ""
    hardware: str = ""


class EventBroker(_Frozen):
    """A broker as a device is told it. The device never says its password again."""

    address: str
    """As in ``mqtts://broker.example.org:8884``. It is what the device knows the broker by."""
    prefix: str
    """What its topics begin with."""
    username: str = ""
    password: SecretStr = Field(default=SecretStr(""), repr=False)
    status: str = ""
    """``Offline``, ``Connecting`` or ``Connected``, where the device says it."""
