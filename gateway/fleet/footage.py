"""What gateway and camera hosts say to each other of recordings, on the wire of ``gateway.fleet.rpc``."""

from gateway.fleet.rpc import Message
from kernel.ids import CameraId
from kernel.media import GapCause, VideoCodec


class RunSpan(Message):
    """Footage without a break."""

    start_ns: int
    end_ns: int
    codec: VideoCodec
    width: int
    height: int


class GapSpan(Message):
    """No footage, and why."""

    start_ns: int
    end_ns: int
    cause: GapCause
    detail: str = ""


class TimelineReply(Message):
    """What is recorded of one stream in a range."""

    spans: tuple[RunSpan, ...]
    gaps: tuple[GapSpan, ...]
    newest_ns: int | None
    whole: bool = True
    """Every disk of the host answered; else there may be more."""


class VerifyRequest(Message):
    """Check recordings against the catalog's hashes; one camera's or all."""

    camera: CameraId | None = None
