"""What flows from a camera to its recordings and its viewers.

Media times are 90 kHz ticks, unwrapped: they only grow within a run and never bend (docs/design/media.md).
Wall times are nanoseconds since 1970 UTC of the moment of capture, as well as it is known.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

VIDEO_CLOCK_HZ = 90_000


class VideoCodec(StrEnum):
    """Video codings a camera may send."""

    H264 = "h264"
    H265 = "h265"


class AudioCodec(StrEnum):
    """Audio codings a camera may send. The two G.711 laws pass to viewers untouched."""

    PCMU = "pcmu"
    PCMA = "pcma"
    AAC = "aac"


class TimeSource(StrEnum):
    """How the wall time of a unit is known."""

    SENDER_REPORT = "sender-report"
    ARRIVAL = "arrival"


class GapCause(StrEnum):
    """Why there is no footage (docs/design/domain.md, *gap*)."""

    CAMERA = "camera"
    NETWORK = "network"
    HOST = "host"
    STORAGE = "storage"
    RETENTION = "retention"
    PRIVACY = "privacy"
    OFF = "off"
    """Somebody switched recording off, or took the camera away: nothing was lost."""


class PictureFault(StrEnum):
    """What may be wrong with a camera's picture, the worst first: where one stands, those below cannot be judged."""

    BLACK = "black"
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"
    """It is another view than the camera's reference view."""
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class VideoParameters:
    """Parameter sets in force, NAL units without start codes, and what they say of the picture (pixels)."""

    codec: VideoCodec
    width: int
    height: int
    sps: bytes
    pps: bytes
    vps: bytes = b""
    """H.265 only."""


@dataclass(frozen=True, slots=True)
class AudioParameters:
    """Coding of the sound; ``config`` is the AudioSpecificConfig of AAC (ISO/IEC 14496-3), else empty."""

    codec: AudioCodec
    clock_hz: int
    channels: int
    config: bytes = b""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture.

    ``nals`` are NAL units without start codes or lengths, in decoding order, parameter sets and access unit
    delimiters left out (they stand in ``parameters``), SEI kept. ``parameters`` is the same object from unit
    to unit until the camera changes them, so ``is`` tells of a change.
    """

    nals: tuple[bytes, ...]
    time_90k: int
    """Unwrapped presentation time; cameras send no B pictures, so it is decoding time too."""
    wall_ns: int
    keyframe: bool
    parameters: VideoParameters
    received_ns: int
    """Monotonic arrival of its last packet."""
    time_source: TimeSource = TimeSource.SENDER_REPORT
    lost_before: bool = False
    """Packets were lost before or within this unit: what follows is damaged until the next keyframe."""
    payloads: tuple[bytes, ...] = ()
    """The RTP payloads that carry exactly ``nals``, as the camera cut them (RFC 6184, RFC 7798); the marker belongs on
    the last. Empty where nobody asked for them, after loss, and where the camera's do not carry just that."""

    @property
    def size_bytes(self) -> int:
        """Return the bytes of all NAL units, without lengths."""
        return sum(map(len, self.nals))


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One packet's sound. ``time_clock`` counts ``parameters.clock_hz`` ticks, unwrapped."""

    data: bytes
    time_clock: int
    wall_ns: int
    parameters: AudioParameters


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """One tt:MetadataStream document (ONVIF Streaming, section 5.2.1.1) as received, UTF-8 XML."""

    xml: bytes
    wall_ns: int


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """What a session was found to carry when it started."""

    video: VideoCodec | None
    audio: AudioParameters | None
    metadata: bool
    transport: str
    """``tcp``, ``tls`` or ``libav``."""


class MediaSink(Protocol):
    """Takes what a camera stream delivers. Every method returns at once; none may raise for a slow reader."""

    def started(self, description: StreamDescription) -> None:
        """A session plays. Media times restart."""
        ...

    def video(self, unit: AccessUnit) -> None:
        """One picture."""
        ...

    def audio(self, frame: AudioFrame) -> None:
        """One packet of sound."""
        ...

    def metadata(self, document: MetadataDocument) -> None:
        """One metadata document."""
        ...

    def broken(self, cause: GapCause, detail: str) -> None:
        """Continuity ended: the session fell, time jumped, or no keyframe came. Media times restart."""
        ...


@dataclass(slots=True)
class SinkTee:
    """Hands everything to several sinks, in order: one RTSP session feeds recording and live."""

    sinks: list[MediaSink] = field(default_factory=list)

    def started(self, description: StreamDescription) -> None:
        """See :class:`MediaSink`."""
        for sink in self.sinks:
            sink.started(description)

    def video(self, unit: AccessUnit) -> None:
        """See :class:`MediaSink`."""
        for sink in self.sinks:
            sink.video(unit)

    def audio(self, frame: AudioFrame) -> None:
        """See :class:`MediaSink`."""
        for sink in self.sinks:
            sink.audio(frame)

    def metadata(self, document: MetadataDocument) -> None:
        """See :class:`MediaSink`."""
        for sink in self.sinks:
            sink.metadata(document)

    def broken(self, cause: GapCause, detail: str) -> None:
        """See :class:`MediaSink`."""
        for sink in self.sinks:
            sink.broken(cause, detail)
