"""RTCP: the sender reports a camera sends, and the feedback it reads (RFC 3550, RFC 4585, RFC 5104)."""

import struct
from dataclasses import dataclass

from kernel.clock import NS_PER_S

NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900 to 1970."""

_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _GOODBYE, _PAYLOAD_FEEDBACK = 200, 201, 202, 203, 206
_PLI, _FIR = 1, 4


def ntp(wall_ns: int) -> int:
    """Return the 64-bit NTP timestamp of a wall time."""
    seconds, rest = divmod(wall_ns, NS_PER_S)
    return (seconds + NTP_EPOCH_S & 0xFFFF_FFFF) << 32 | (rest << 32) // NS_PER_S


def sender_report(  # noqa: PLR0913 - the fields of one packet
    *, ssrc: int, wall_ns: int, rtp_timestamp: int, packets: int, octets: int, name: str
) -> bytes:
    """Return a compound packet: sender report without blocks, and a CNAME."""
    report = struct.pack(
        "!BBHIQIII",
        0x80,
        _SENDER_REPORT,
        6,
        ssrc,
        ntp(wall_ns),
        rtp_timestamp,
        packets & 0xFFFF_FFFF,
        octets & 0xFFFF_FFFF,
    )
    text = name.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(text)) + text + b"\x00"
    chunk += b"\x00" * (-len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, _DESCRIPTION, len(chunk) // 4) + chunk


def goodbye(ssrc: int) -> bytes:
    """Return a BYE packet."""
    return struct.pack("!BBHI", 0x81, _GOODBYE, 1, ssrc)


@dataclass(slots=True)
class Feedback:
    """What a client's compound packet said."""

    receiver_reports: int = 0
    keyframe_wanted: bool = False


def read_feedback(packet: bytes) -> Feedback:
    """Return what a client's RTCP packet says; what does not parse says nothing."""
    feedback = Feedback()
    at = 0
    while at + 4 <= len(packet):
        first, kind, words = struct.unpack_from("!BBH", packet, at)
        if first >> 6 != 2:
            break
        if kind == _RECEIVER_REPORT:
            feedback.receiver_reports += 1
        elif kind == _PAYLOAD_FEEDBACK and first & 0x1F in (_PLI, _FIR):
            feedback.keyframe_wanted = True
        at += 4 * (words + 1)
    return feedback
