"""One RTP source of one viewer: sequence numbers, timestamps, retransmission (RFC 3550, RFC 4588), reports."""

import random
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Protocol

from aiortc.rtp import RtcpReceiverInfo, RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket

from gateway.live.offer import Coding
from kernel.clock import NS_PER_S

_HEADER = Struct("!BBHLL")
_HISTORY = 4096
"""Packets kept for retransmission: 4.8 MB of one stream, shared by its viewers; a 4K keyframe has some 1,300."""
_RETRANSMISSIONS_PER_S = 3000
_NTP_1900_S = 2_208_988_800
_VERSION = 0x80
_MARKER = 0x80
_MASK16 = 0xFFFF
_MASK32 = 0xFFFF_FFFF


class Wire(Protocol):
    """What carries packets to the viewer."""

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """Send, or return False where there is no room."""
        ...

    async def writable(self) -> None:
        """Return once there is room."""
        ...


@dataclass(slots=True)
class TrackStats:
    """What was sent, and what the viewer says of it."""

    packets: int = 0
    octets: int = 0
    retransmitted: int = 0
    lost: int = 0
    fraction_lost: float = 0.0
    rtt_ms: float | None = None
    highest_reported: int | None = None
    """Extended highest sequence number of the newest receiver report."""
    sent_reports: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=16))
    """(middle 32 bits of the NTP time, monotonic ns) of sender reports, for round-trip times."""


class Track:
    """One source. ``clock_hz`` is the RTP clock; times passed in are on the feed's line."""

    def __init__(self, wire: Wire, coding: Coding, *, clock_hz: int) -> None:
        self.ssrc = secrets.randbits(32)
        self.rtx_ssrc = secrets.randbits(32)
        self.stats = TrackStats()
        self.last_time = 0
        """Newest time sent, on the feed's line."""
        self._wire = wire
        self._type = coding.payload_type
        self._rtx_type = coding.rtx_payload_type
        self._clock_hz = clock_hz
        self._offset = secrets.randbits(32)
        # The lower half leaves room before the first wrap, which SRTP could misread if early packets were lost.
        self._sequence = secrets.randbits(15)
        self._rtx_sequence = secrets.randbits(15)
        self._history: list[tuple[int, int, bytes] | None] = [None] * _HISTORY
        self._wall: tuple[int, int] | None = None
        self._budget = float(_RETRANSMISSIONS_PER_S)
        self._budget_at_ns = 0

    async def send(self, payloads: Sequence[bytes], time: int, wall_ns: int | None) -> None:
        """Send all payloads of one picture, waiting for room where the socket has none.

        ``wall_ns`` is when the picture at ``time`` was taken; ``None`` where the time was squeezed and says nothing.
        """
        timestamp = (time + self._offset) & _MASK32
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            marked = self._type | _MARKER if index == last else self._type
            while not self._put(marked, timestamp, payload):
                await self._wire.writable()
        self.last_time = time
        if wall_ns is not None:
            self._wall = (time, wall_ns)

    def send_now(self, payload: bytes, time: int, wall_ns: int) -> bool:
        """Send one packet, or return False where there is no room for it now: for sound, which must not wait."""
        sent = self._put(self._type, (time + self._offset) & _MASK32, payload)
        if sent:
            self.last_time = time
            self._wall = (time, wall_ns)
        return sent

    def _put(self, marked: int, timestamp: int, payload: bytes) -> bool:
        sequence = self._sequence
        if not self._wire.send_rtp(_HEADER.pack(_VERSION, marked, sequence, timestamp, self.ssrc), payload):
            return False
        self._history[sequence % _HISTORY] = (sequence << 8 | marked, timestamp, payload)
        self._sequence = (sequence + 1) & _MASK16
        self.stats.packets += 1
        self.stats.octets += len(payload)
        return True

    def retransmit(self, sequences: Sequence[int], now_ns: int) -> None:
        """Send again what the viewer missed, as far as it is still known and within a fair rate."""
        spent_s = (now_ns - self._budget_at_ns) / NS_PER_S
        self._budget = min(_RETRANSMISSIONS_PER_S, self._budget + spent_s * _RETRANSMISSIONS_PER_S)
        self._budget_at_ns = now_ns
        for sequence in sequences:
            kept = self._history[sequence % _HISTORY]
            if kept is None or kept[0] >> 8 != sequence or self._budget < 1:
                continue
            self._budget -= 1
            marked, (_, timestamp, payload) = kept[0] & 0xFF, kept
            if self._rtx_type is None:
                header = _HEADER.pack(_VERSION, marked, sequence, timestamp, self.ssrc)
            else:
                marked = marked & _MARKER | self._rtx_type
                header = _HEADER.pack(_VERSION, marked, self._rtx_sequence, timestamp, self.rtx_ssrc)
                self._rtx_sequence = (self._rtx_sequence + 1) & _MASK16
                payload = sequence.to_bytes(2, "big") + payload
            if not self._wire.send_rtp(header, payload):
                return
            self.stats.retransmitted += 1

    def sender_report(self, wall_ns: int, now_ns: int, cname: str) -> bytes | None:
        """Return SR and SDES (RFC 3550 section 6.4.1), or ``None`` before anything was sent.

        The media time of ``wall_ns`` is reckoned from the newest picture's time of capture, so that sound and video,
        whose captures are told by one camera clock, play in step.
        """
        if self._wall is None:
            return None
        time, taken_ns = self._wall
        media = time + (wall_ns - taken_ns) * self._clock_hz // NS_PER_S
        ntp = ((wall_ns // NS_PER_S + _NTP_1900_S) << 32 | (wall_ns % NS_PER_S << 32) // NS_PER_S) & ((1 << 64) - 1)
        self.stats.sent_reports.append((ntp >> 16 & _MASK32, now_ns))
        report = RtcpSrPacket(
            ssrc=self.ssrc,
            sender_info=RtcpSenderInfo(
                ntp_timestamp=ntp,
                rtp_timestamp=(media + self._offset) & _MASK32,
                packet_count=self.stats.packets & _MASK32,
                octet_count=self.stats.octets & _MASK32,
            ),
        )
        names = RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=self.ssrc, items=[(1, cname.encode())])])
        return bytes(report) + bytes(names)

    def reported(self, report: RtcpReceiverInfo, now_ns: int) -> None:
        """Note a receiver report about this source."""
        stats = self.stats
        stats.lost = max(0, report.packets_lost)
        stats.fraction_lost = report.fraction_lost / 256
        stats.highest_reported = report.highest_sequence
        for middle, sent_ns in stats.sent_reports:
            if report.lsr == middle and report.lsr:
                stats.rtt_ms = max(0.0, (now_ns - sent_ns) / 1e6 - report.dlsr / 65.536)


def report_delay_s() -> float:
    """Return how long to wait before the next report: around a second, never in step (RFC 3550 section 6.2)."""
    return random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
