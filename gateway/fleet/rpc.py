"""What the gateway and the camera hosts say to each other: plain HTTP over a Unix socket, in these models.

Times are nanoseconds since 1970 UTC. Unlike the public API this wire carries camera passwords, so :func:`wire` reveals
secrets; the socket is readable by the service's own user only (docs/design/live.md, *Camera host*).
"""

import base64
import json
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from drivers.model import CameraDescription, CameraTarget, CameraView
from gateway.fleet.load import HostLoad
from gateway.fleet.picture import PictureFinding
from kernel.head import Position
from kernel.ids import CameraId, StreamName
from kernel.media import TimeSource, VideoCodec
from ptz.bounds import Bounds
from ptz.state import Bar

SDP_MEDIA_TYPE = "application/sdp"
SDP_FRAGMENT_MEDIA_TYPE = "application/trickle-ice-sdpfrag"
PROBLEM_MEDIA_TYPE = "application/problem+json"
STATE_MEDIA_TYPE = "application/jsonl"
HEAD_HEADER = "sightline-head"
"""With a picture: where the head stood, as JSON."""
HEARTBEAT_S = 1.0  # the state stream is never silent for longer


class Message(BaseModel):
    """Anything on this wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", val_json_bytes="base64", ser_json_bytes="base64")


def _reveal(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).decode()
    msg = f"{type(value).__name__} has no form on the wire"
    raise TypeError(msg)


def wire(message: BaseModel) -> bytes:
    """Return the JSON of a message with its secrets in the clear: for this socket only, never for a log."""
    return json.dumps(message.model_dump(mode="python"), default=_reveal, separators=(",", ":")).encode()


class Problem(Message):
    """RFC 9457 problem details, as every error travels."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str
    """The dotted code of a ``kernel.errors.SightlineError``."""
    title: str
    cure: str = ""
    status: int = 500
    retry_after_s: int | None = None


class LiveState(StrEnum):
    """How the main stream of a camera fares."""

    LIVE = "live"
    CONNECTING = "connecting"
    RETRYING = "retrying"
    PARKED = "parked"
    OFF = "off"


class CameraAssignment(Message):
    """A camera for a host to own: everything it needs to run it without the database."""

    id: CameraId
    number: int = 0
    name: str = ""
    target: CameraTarget
    view: CameraView
    description: CameraDescription
    recording: bool = True
    """Main is recorded, and sub where the view has one."""
    withheld: str = ""
    """Why nothing may be recorded for the sake of privacy, whatever ``recording`` says; empty where it may."""
    withheld_from_ns: int | None = None
    """From when on that holds, in ns since 1970 UTC, whether the gateway is there then or not; ``None``: now."""
    bearing_deg: float | None = None
    """True bearing of the mount's forward direction, where it was surveyed."""
    bounds: Bounds = Bounds()
    """Limits and no-look zones of its head."""
    reference: bytes = Field(default=b"", repr=False)
    """Its reference view, as ``gateway.health.view`` compares it; empty where it has none."""
    reference_at: Position | None = None
    """Where its head stood when that was taken; ``None`` where it has none."""
    small_only: bool = False
    """Its link is thin: the sub stream alone is taken, and is what is recorded and shown as either stream."""


class StreamRecording(Message):
    """Whether a stream reaches the disk now."""

    on: bool
    since_ns: int | None = None
    cause: str | None = None
    """Why not, in plain words."""
    failed: bool = False
    """The storage refuses it; otherwise it is about to begin, or not asked for."""


class StreamFacts(Message):
    """What one stream of a camera does now."""

    state: LiveState
    codec: VideoCodec | None = None
    width: int | None = None
    height: int | None = None
    frames: int = 0
    packets: int = 0
    packets_lost: int = 0
    received_bytes: int = 0
    last_frame_ns: int | None = None
    """Capture time of the newest picture."""
    time_source: TimeSource | None = None
    problem: Problem | None = None
    recording: StreamRecording | None = None


class HeadFacts(Message):
    """Where a head points: generic spaces, and degrees where they are known."""

    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    pan_deg: float | None = None
    tilt_deg: float | None = None
    bearing_deg: float | None = None
    hfov_deg: float | None = None
    moving: bool = False
    at_ns: int | None = None
    problem: Problem | None = None
    bar: Bar | None = None
    """Which bound holds it back now."""


class StickState(Message):
    """Who holds the stick of a head. ``holder`` is ``None`` where it is free."""

    holder: str | None = None
    name: str = ""
    since_ns: int | None = None
    idle_s: float = 0.0


class CameraState(Message):
    """What an operator may know of a camera at this moment."""

    id: CameraId
    live: LiveState
    problem: Problem | None = None
    main: StreamFacts
    sub: StreamFacts | None = None
    last_frame_ns: int | None = None
    viewers: int = 0
    head: HeadFacts | None = None
    stick: StickState | None = None
    clock_offset_s: float | None = None
    clock_measured_ns: int | None = None
    clock_off_s: float | None = None
    """By how much the times that it gives its pictures may be wrong."""
    picture: PictureFinding | None = None
    """``None`` where nothing is found wrong, or nothing is looked at yet."""
    looked_ns: int | None = None
    """When its picture was last judged; ``None`` where none was since pictures come."""
    unlooked_since_ns: int | None = None
    """Since when none was judged though some may have come: since the last look, or since none came to be looked at."""
    small_only: bool = False
    """Its sub stream stands for main now: its link is thin, and nobody asked for more."""
    certificate_ends_ns: int | None = None
    """Of the certificate that it shows; ``None`` where it is not asked over TLS."""


class CameraChanged(Message):
    """A line of the state stream: a camera's state, whole."""

    t: Literal["camera"] = "camera"
    state: CameraState


class CameraReleased(Message):
    """A line of the state stream: the host no longer owns it."""

    t: Literal["released"] = "released"
    id: CameraId


class CameraHappened(Message):
    """A line of the state stream: the camera reported an event (motion, tamper, digital input)."""

    t: Literal["event"] = "event"
    id: CameraId
    topic: str
    source: dict[str, str] = Field(default_factory=dict)
    data: dict[str, str] = Field(default_factory=dict)
    wall_ns: int


class ViewerState(Message):
    """One viewer of one stream, and what was sent to them: the honest count."""

    session: str
    kind: Literal["webrtc", "rtsp"] = "webrtc"
    """By which door."""
    outlet: str = ""
    """The outlet (``gateway.fleet.outlets``) whose credential opened it."""
    camera: CameraId
    stream: StreamName
    """What the viewer's line carries at this moment."""
    shown: StreamName
    """What is shown where their line carries it: a weak one lowers ``stream``, not this."""
    asked: StreamName
    """What they asked for; another is shown to a browser that cannot play it."""
    transcoded: bool = False
    """It is H.265 coded anew as H.264 for this viewer."""
    who: str
    address: str
    user: str = ""
    """Identifier of the user, for a gateway that was not there when the view began."""
    access_session: str = ""
    """The access session or token that the view was opened through; the view ends with it."""
    since_ns: int
    until_ns: int | None = None
    """When it ends by itself; ``None`` where it does not, or with its outlet."""
    connected: bool
    frames_sent: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    frames_dropped: int = 0
    """Access units that this viewer's line or socket could not take."""
    retransmitted: int = 0
    packets_lost: int = 0
    """As the viewer's receiver reports say."""
    fraction_lost: float = 0.0
    rtt_ms: float | None = None


class ViewerCame(Message):
    """A line of the state stream: a viewer whom the gateway did not let in itself sees a camera from now on."""

    t: Literal["viewer-came"] = "viewer-came"
    viewer: ViewerState


class ViewerWent(Message):
    """A line of the state stream: such a viewer sees it no more. ``viewer`` is their last state.

    So is told whoever's view ended while no gateway listened, however it was let in.
    """

    t: Literal["viewer-went"] = "viewer-went"
    viewer: ViewerState
    reason: str
    wall_ns: int


class DeviceSaid(Message):
    """A device of this host said Hello (WS-Discovery): it may be reached at these addresses, if it is the one."""

    t: Literal["hello"] = "hello"
    urn: str
    addresses: tuple[str, ...]


class Heartbeat(Message):
    """A line of the state stream when there is nothing else to say."""

    t: Literal["beat"] = "beat"
    wall_ns: int
    load: HostLoad | None = None


StateLine = Annotated[
    CameraChanged | CameraReleased | CameraHappened | DeviceSaid | ViewerCame | ViewerWent | Heartbeat,
    Field(discriminator="t"),
]


class HostHealth(Message):
    """What a host does as a whole."""

    version: str
    rpc: int = 0
    pid: int
    started_ns: int
    cameras: int
    streams_live: int
    recording: int
    viewers: int
    progress: int
    """Counts real work done; a host in which it stands is stuck."""
    load: HostLoad | None = None
    disks: tuple[dict[str, Any], ...] = ()


class IdentifyWish(Message):
    """Ask a device who it is. ``urn``: who it should be."""

    target: CameraTarget
    urn: str


class StreamUrls(Message):
    """Where a device's main streams are, by the tokens of their profiles."""

    urls: dict[str, str]


class Probed(Message):
    """A camera looked at before it is enrolled. ``snapshot`` is a JPEG."""

    description: CameraDescription
    snapshot: bytes | None = None


class CameraList(Message):
    """Every camera the host owns."""

    cameras: tuple[CameraState, ...]
    assigned: dict[CameraId, str] = Field(default_factory=dict)
    """Digest (``gateway.fleet.handshake``) of what the host was told of each."""
