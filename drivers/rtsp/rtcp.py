"""RTCP as a receiver needs it (RFC 3550 section 6, RFC 4585 section 6.3.1)."""

import struct
from dataclasses import dataclass

from kernel.clock import NS_PER_S

_NTP_EPOCH_S = 2_208_988_800
_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _GOODBYE, _FEEDBACK = 200, 201, 202, 203, 206


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The sender's clock against its RTP clock. ``wall_ns`` is ``None`` where it does not know the time."""

    ssrc: int
    wall_ns: int | None
    rtp_timestamp: int
    ntp_middle: int
    """The middle 32 bits, which a receiver report gives back."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The source leaves."""

    ssrc: int


@dataclass(frozen=True, slots=True)
class Reception:
    """One report block (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_report: int
    delay_since: int


def parse(packet: bytes) -> list[SenderReport | Goodbye]:
    """Return the parts of a compound packet that matter here; damaged ones end it quietly."""
    found: list[SenderReport | Goodbye] = []
    at = 0
    while at + 8 <= len(packet):
        first, kind, words, ssrc = struct.unpack_from("!BBHI", packet, at)
        if first >> 6 != 2:
            break
        if kind == _SENDER_REPORT and at + 20 <= len(packet):
            seconds, fraction, rtp_timestamp = struct.unpack_from("!III", packet, at + 8)
            middle = (seconds & 0xFFFF) << 16 | fraction >> 16
            found.append(SenderReport(ssrc, _wall_ns(seconds, fraction), rtp_timestamp, middle))
        elif kind == _GOODBYE and first & 0x1F:
            found.append(Goodbye(ssrc))
        at += 4 * (words + 1)
    return found


def _wall_ns(seconds: int, fraction: int) -> int | None:
    """Return the wall time of an NTP time, or ``None`` for one that counts from the start of the camera."""
    if seconds < _NTP_EPOCH_S:
        return None  # 32 bits last until 2036; a camera that counts from its start is taken to know no time
    return (seconds - _NTP_EPOCH_S) * NS_PER_S + (fraction * NS_PER_S >> 32)


def receiver_report(ours: int, reception: Reception | None, name: str) -> bytes:
    """Return a compound packet: receiver report and CNAME."""
    blocks = b""
    if reception is not None:
        loss = min(max(reception.fraction_lost, 0), 255) << 24 | min(max(reception.lost, 0), 0x7F_FFFF)
        blocks = struct.pack(
            "!6I",
            reception.ssrc,
            loss,
            reception.highest_sequence & 0xFFFF_FFFF,
            reception.jitter & 0xFFFF_FFFF,
            reception.last_report,
            reception.delay_since & 0xFFFF_FFFF,
        )
    head = struct.pack("!BBHI", 0x80 | len(blocks) // 24, _RECEIVER_REPORT, 1 + len(blocks) // 4, ours)
    text = name.encode()[:255]
    chunk = struct.pack("!IBB", ours, 1, len(text)) + text + b"\x00"
    chunk += b"\x00" * (-len(chunk) % 4)
    return head + blocks + struct.pack("!BBH", 0x81, _DESCRIPTION, len(chunk) // 4) + chunk


def picture_loss(ours: int, theirs: int) -> bytes:
    """Return a picture loss indication: please send a keyframe."""
    return struct.pack("!BBHII", 0x81, _FEEDBACK, 2, ours, theirs)
