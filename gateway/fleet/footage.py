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


class ErasureWish(Message):
    """Delete what nothing allowed to be recorded of a camera in a range; ``detail`` is why, for its timeline."""

    start_ns: int
    end_ns: int
    detail: str


class ErasureReply(Message):
    """Of how many files something was deleted, and how many had to be kept as they are."""

    files: int
    kept: int


class VerifyRequest(Message):
    """Check recordings against the catalog's hashes; one camera's or all."""

    camera: CameraId | None = None
