"""One simulated camera: the state its servers share. Drawing, SOAP and RTSP all read and turn this."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from drivers.simulator.faults import Faults
from drivers.simulator.tours import Tour
from kernel.clock import NS_PER_S, Clock
from kernel.geography import Place
from kernel.head import Axis, Position, Preset, Velocity
from kernel.ids import StreamName
from kernel.media import AudioCodec, VideoCodec, VideoParameters

ALL_AXES = frozenset(Axis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Horizontal fields of view in degrees: at the widest and at the longest zoom."""

    wide_deg: float = 62.0
    tele_deg: float = 4.0

    def hfov_deg(self, zoom: float) -> float:
        """Return the field of view at ``zoom`` 0..1: focal length grows exponentially, as zoom lenses do."""
        return float(self.wide_deg * (self.tele_deg / self.wide_deg) ** zoom)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where a camera stands and what its head can reach.

    ``bearing_deg`` is the bearing at 0 degrees pan. Pan degrees are clockwise, tilt degrees up from the horizon of the
    head, which leans up by ``lean_deg`` where its post does.
    """

    place: Place
    bearing_deg: float
    lean_deg: float = 0.0
    lens: Lens = Lens()
    pan_deg: tuple[float, float] = (-170.0, 170.0)
    tilt_deg: tuple[float, float] = (-85.0, 15.0)
    speed_deg_s: float = 120.0
    acceleration_deg_s2: float = 400.0
    zoom_per_s: float = 0.5
    """Generic zoom units per second."""
    home_pan_deg: float = 0.0
    home_tilt_deg: float = 0.0
    home_zoom: float = 0.0
    """Where the head points when it is switched on, and its home position until SetHomePosition."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Ground truth of where a head points now, in degrees; ``zoom`` 0..1."""

    pan_deg: float
    tilt_deg: float
    zoom: float
    hfov_deg: float
    moving: bool


class HeadModel(Protocol):
    """The mechanics, in ONVIF generic units; the ONVIF server steers it, the painter reads it.

    Implemented by ``drivers.simulator.head``. All methods are instantaneous; motion follows the clock.
    """

    def aim(self) -> Aim:
        """Where it points at this instant."""
        ...

    def position(self) -> Position:
        """The same in generic position spaces."""
        ...

    def moving(self, axes: frozenset[Axis]) -> bool:
        """Whether any of ``axes`` moves at this instant."""
        ...

    def drive(self, velocity: Velocity, *, timeout_s: float | None, axes: frozenset[Axis] = ALL_AXES) -> None:
        """Turn at this share of the greatest speeds until told otherwise or for ``timeout_s``.

        Axes left out of ``axes`` go on with what they do.
        """
        ...

    def halt(self, *, pan_tilt: bool = True, zoom: bool = True) -> None:
        """Brake to standstill."""
        ...

    def go_to(self, position: Position, *, speed: float = 1.0, axes: frozenset[Axis] = ALL_AXES) -> None:
        """Move ``axes`` to a generic position and stand there."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """One coded picture of a feed, NAL units without start codes, parameter sets excluded."""

    nals: tuple[bytes, ...]
    time_90k: int
    wall_ns: int
    """Capture time by the camera's own clock, the same as in the picture's strip."""
    keyframe: bool
    parameters: VideoParameters


class Feed(Protocol):
    """A stream encoded once, however many clients. Implemented by ``drivers.simulator.feed``.

    It encodes only while somebody listens.
    """

    @property
    def codec(self) -> VideoCodec:
        """Coding in force."""
        ...

    @property
    def parameters(self) -> VideoParameters:
        """Parameter sets in force; known before the first frame."""
        ...

    def attach(self, listener: Callable[[EncodedUnit], None]) -> Callable[[], None]:
        """Call ``listener`` on the event loop with each unit from the next keyframe on; returns the detaching call."""
        ...

    def request_keyframe(self) -> None:
        """Make the next picture a keyframe (SetSynchronizationPoint, RTCP PLI)."""
        ...

    async def jpeg(self) -> bytes:
        """Return a still of this instant (the snapshot URI)."""
        ...


@dataclass(slots=True, kw_only=True)
class StreamSettings:
    """What a media profile says of its stream; the ONVIF server shows it, the feed obeys it."""

    token: str
    name: StreamName
    codec: VideoCodec = VideoCodec.H264
    width: int = 1280
    height: int = 720
    frame_rate: float = 12.5
    gop_frames: int = 25
    bitrate_kbit: int = 2000


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something the camera tells by PullPoint. ``topic`` as in ``tns1:VideoSource/MotionAlarm``."""

    topic: str
    source: dict[str, str]
    data: dict[str, str]
    wall_ns: int
    property_operation: str = "Changed"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """One SOAP request as it arrived; tests and benchmarks read them from ``SimulatedDevice.requests``."""

    name: str
    """Of the operation: ``ContinuousMove``."""
    monotonic_ns: int
    arguments: dict[str, str]
    """Its leaves: path of element names and attributes -> text, as in ``Velocity/PanTilt@x``."""


@dataclass(slots=True, kw_only=True)
class SimulatedDevice:
    """The whole state of one camera."""

    number: int
    """1..9999, drawn in the strip."""
    name: str
    serial: str
    urn: str
    mount: Mount
    clock: Clock
    username: str = "sightline"
    password: str = "simulated"  # noqa: S105 - printed by `sightline simulate`, guards nothing
    other_accounts: dict[str, str] = field(default_factory=dict)
    """Accounts that it lists beside that one, and what each may; nobody comes in by them."""
    faults: Faults = field(default_factory=Faults)
    streams: dict[StreamName, StreamSettings] = field(default_factory=dict)
    audio: AudioCodec | None = AudioCodec.PCMU
    host: str = "127.0.0.1"
    http_port: int = 0
    rtsp_port: int = 0
    head: HeadModel | None = None
    feeds: dict[StreamName, Feed] = field(default_factory=dict)
    auxiliary: tuple[str, ...] = ("tt:Wiper|On", "tt:Wiper|Off", "tt:IRLamp|On", "tt:IRLamp|Off")
    wiper: bool = False
    infrared: bool = False
    night: bool = False
    autofocus: bool = True
    focus: float = 0.5
    relays: dict[str, bool] = field(default_factory=lambda: {"relay-1": False})
    inputs: dict[str, bool] = field(default_factory=lambda: {"input-1": False})
    listeners: list[Callable[[DeviceEvent], None]] = field(default_factory=list)
    digest_algorithms: tuple[str, ...] = ("MD5",)
    """What HTTP digest challenges with, one header each; ``faults.two_challenges`` offers SHA-256 too."""
    presets: dict[str, Preset] = field(default_factory=dict)
    """Outlives a reboot, as do home and tours."""
    ptz_timeout_s: float = 10.0
    """How long a ContinuousMove lasts that names no timeout (DefaultPTZTimeout)."""
    home: Position = field(default_factory=Position)
    tours: dict[str, Tour] = field(default_factory=dict)
    requests: deque[DeviceRequest] = field(default_factory=lambda: deque(maxlen=1024))
    """The latest SOAP requests, oldest first."""
    reboot: Callable[[], None] = lambda: None
    """Set by the borough: closes and reopens the servers, with WS-Discovery Bye and Hello."""

    @property
    def clock_error_ns(self) -> int:
        """Return by how much its clock is ahead of the true time."""
        return round((self.faults.clock_error_s + self.faults.clock_jump_s) * NS_PER_S)

    def wall_ns(self) -> int:
        """Return the time by the camera's own clock."""
        return self.clock.wall_ns() + self.clock_error_ns

    def emit(self, event: DeviceEvent) -> None:
        """Tell every subscription."""
        for listener in tuple(self.listeners):
            listener(event)
