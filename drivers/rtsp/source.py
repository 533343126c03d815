"""What is asked of a stream, and what is known of how it goes."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from drivers.addresses import AddressPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspSource:
    """One stream of one camera.

    ``url`` is ``rtsp://`` or ``rtsps://``; credentials in it are ignored in favour of ``username`` and
    ``password`` unless these are empty, and are never sent or logged as part of a URL.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    transport: Literal["tcp", "udp", "auto"] = "auto"
    """``tcp`` includes RTSPS; ``udp`` goes through libav; ``auto`` is tcp, and udp where the camera refuses tcp."""
    tls_verify: bool = True
    tls_fingerprint_sha256: str | None = None
    """Pins the certificate: hex of its DER's SHA-256, colons allowed."""
    vouched: bool = True
    """A certificate proves who answers: the password may go in the clear inside TLS, where the camera wants that."""
    clock_offset_s: float = 0.0
    """Camera's clock minus ours; times in sender reports are corrected by it."""
    keyframe_timeout_s: float = 15.0
    """The session is restarted when no keyframe came for this long."""
    frame_timeout_s: float = 10.0
    """The session is restarted when no picture at all came for this long."""
    answer_timeout_s: float = 10.0
    """Longest wait for a connection or an answer."""
    audio: bool = True
    metadata: bool = True
    allow: AddressPolicy = field(default_factory=AddressPolicy)


class StreamState(StrEnum):
    """How a stream stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    RETRYING = "retrying"
    PARKED = "parked"
    """The password is wrong or the address refused: nothing is tried until somebody changes something."""


@dataclass(slots=True)
class StreamStats:
    """What passed since the stream was made; all sessions together."""

    sessions: int = 0
    bytes: int = 0
    packets: int = 0
    lost: int = 0
    """Packets the sequence numbers say were missed."""
    ignored: int = 0
    """Packets of unknown sources or payload types, and malformed ones."""
    frames: int = 0
    """Pictures handed to the sink."""
    keyframes: int = 0
    withheld: int = 0
    """Complete pictures kept back: damaged by loss, or before the first keyframe."""
    audio_frames: int = 0
    documents: int = 0
    reports: int = 0
    """Sender reports understood."""
    breaks: int = 0
    """Times continuity ended."""
    jitter_s: float = 0.0
    """Of picture arrival (RFC 3550 section 6.4.1)."""
    sender_clock_s: float | None = None
    """Last sender report's time, corrected, minus our own: beyond a second or so the clock offset is stale."""
