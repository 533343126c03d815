"""Finer kinds of the errors in ``drivers.errors`` that only this room needs to tell apart.

StreamError
├── ParameterSetError         a parameter set that does not parse
└── StreamFellError           it was playing and stopped; carries whose fault it was
CameraFaultError
└── UnsupportedTransportError the camera will not send over the RTSP connection (461)
"""

from drivers.errors import CameraFaultError, StreamError
from kernel.media import GapCause


class ParameterSetError(StreamError):
    """A sequence or picture parameter set cannot be understood."""

    code = "camera.parameter-set"


class StreamFellError(StreamError):
    """A session that had begun came to an end; ``cause`` is what a gap will say."""

    code = "camera.stream-fell"

    def __init__(self, message: str, *, cause: GapCause, cure: str = "", **facts: object) -> None:
        super().__init__(message, cure=cure, **facts)
        self.cause = cause


class UnsupportedTransportError(CameraFaultError):
    """RTSP status 461 to an offer of interleaved TCP."""

    code = "camera.transport"
