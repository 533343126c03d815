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
HISTORY_PACKETS = 4096
"""At least so many packets are kept for retransmission, in whole pictures: a 4K keyframe has some 1,300. The payloads
are those of all viewers of the stream, so that each keeps only where its own numbers begin."""
RETRANSMISSIONS_PER_S = 1500
"""Packets; a lost keyframe of 1.8 MB in one go, and no more than 14 Mbit/s for who says that everything was lost."""
HOLD_BACK_NS = 10_000_000
"""While a retransmission may still be on its way, another request for it is not answered; at least so long."""
_NTP_1900_S = 2_208_988_800
_VERSION = 0x80
_MARKER = 0x80
_MASK16 = 0xFFFF
_MASK32 = 0xFFFF_FFFF


class Wire(Protocol):
    """What carries packets to the viewer."""

    def send_burst(  # noqa: PLR0913 - the fields of an RTP header
        self,
        payloads: Sequence[bytes],
        start: int,
        stop: int,
        *,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        marker: bool,
    ) -> int:
        """Send ``payloads[start:stop]``, the M bit on the last if ``marker``; return for how many there was room."""
        ...

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """Send, or return False where there is no room."""
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


@dataclass(slots=True)
class _Sent:
    """A picture, or as much of one as was sent so far. ``last`` is the index of the marked payload."""

    sequence: int
    """Of its first payload."""
    timestamp: int
    payloads: Sequence[bytes]
    count: int
    last: int


class Track:
    """One source. ``clock_hz`` is the RTP clock; times passed in are on the viewer's line."""

    def __init__(self, wire: Wire, coding: Coding, *, clock_hz: int, remembers: bool = True) -> None:
        """``remembers`` keeps what was sent for retransmission; a wire that loses nothing needs none."""
        self.ssrc = secrets.randbits(32)
        self.rtx_ssrc = secrets.randbits(32)
        self.stats = TrackStats()
        self.last_time = 0
        """Newest time sent, on the viewer's line."""
        self._wire = wire
        self._remembers = remembers
        self._type = coding.payload_type
        self._rtx_type = coding.rtx_payload_type
        self._clock_hz = clock_hz
        self._offset = secrets.randbits(32)
        # The lower half leaves room before the first wrap, which SRTP could misread if early packets were lost.
        self._sequence = secrets.randbits(15)
        self._rtx_sequence = secrets.randbits(15)
        self._history: deque[_Sent] = deque()
        self._kept = 0
        self._resent: dict[int, int] = {}
        """When packets were sent again."""
        self._wall: tuple[int, int] | None = None
        self._budget = float(RETRANSMISSIONS_PER_S)
        self._budget_at_ns = 0

    def send(self, payloads: Sequence[bytes], start: int, stop: int, time: int) -> int:
        """Send ``payloads[start:stop]`` of the picture at ``time``; return the index of the first that has not gone.

        It is less than ``stop`` where there is no room. What is left must be sent before the next picture, from there
        on; ``stop`` may cut a picture anywhere.
        """
        timestamp = (time + self._offset) & _MASK32
        sequence = self._sequence
        last = len(payloads) - 1
        sent = self._wire.send_burst(
            payloads,
            start,
            stop,
            payload_type=self._type,
            sequence=sequence,
            timestamp=timestamp,
            ssrc=self.ssrc,
            marker=stop > last,
        )
        if not sent:
            return start
        if self._remembers:
            self._remember(_Sent(sequence, timestamp, payloads, sent, last), more=start > 0)
        self._sequence = sequence + sent & _MASK16
        reached = start + sent
        self.stats.packets += sent
        self.stats.octets += sum(map(len, payloads[start:reached]))
        self.last_time = time
        return reached

    def _remember(self, sent: _Sent, *, more: bool) -> None:
        if more:
            self._history[-1].count += sent.count
        else:
            self._history.append(sent)
        self._kept += sent.count
        while self._kept - self._history[0].count >= HISTORY_PACKETS:
            self._kept -= self._history.popleft().count

    @property
    def next_sequence(self) -> int:
        """Return the number of the next packet."""
        return self._sequence

    def taken(self, time: int, wall_ns: int) -> None:
        """Note when what stands at ``time`` was captured: sender reports tell it."""
        self._wall = (time, wall_ns)

    def send_now(self, payload: bytes, time: int, wall_ns: int, *, marker: bool = False) -> bool:
        """Send one packet, or return False where there is no room for it now: for sound, which must not wait.

        The marker is for AAC (RFC 3640 section 3.1); G.711 has none (RFC 3551 section 4.1).
        """
        # A lost packet of sound is not worth sending again.
        timestamp = (time + self._offset) & _MASK32
        header = _HEADER.pack(_VERSION, self._type | (_MARKER if marker else 0), self._sequence, timestamp, self.ssrc)
        if not self._wire.send_rtp(header, payload):
            return False
        self._sequence = self._sequence + 1 & _MASK16
        self.stats.packets += 1
        self.stats.octets += len(payload)
        self.last_time = time
        self._wall = (time, wall_ns)
        return True

    def retransmit(self, sequences: Sequence[int], now_ns: int, most_bytes: int) -> int:
        """Send again what the viewer missed, as far as it is still known and within a fair rate; return the bytes.

        They are ``most_bytes`` or little more: what is left over the viewer asks for again.

        A packet that was sent again and is missed after a round trip all the same goes twice: on a line that loses a
        tenth, a keyframe of 150 packets otherwise waits for a third round every time.
        """
        spent_s = (now_ns - self._budget_at_ns) / NS_PER_S
        self._budget = min(RETRANSMISSIONS_PER_S, self._budget + spent_s * RETRANSMISSIONS_PER_S)
        self._budget_at_ns = now_ns
        hold_back_ns = max(HOLD_BACK_NS, round((self.stats.rtt_ms or 0.0) * 1e6))
        if len(self._resent) > HISTORY_PACKETS:
            self._resent = {one: at for one, at in self._resent.items() if now_ns - at < 2 * hold_back_ns}
        size = 0
        # A feedback message counts beyond 16 bits where the numbers wrap.
        for sequence in (one & _MASK16 for one in sequences):
            before_ns = self._resent.get(sequence)
            if before_ns is not None and now_ns - before_ns < hold_back_ns:
                continue
            found = self._find(sequence)
            if found is None:
                continue
            again = before_ns is not None and now_ns - before_ns < NS_PER_S
            for _ in range(2 if again else 1):
                if self._budget < 1 or size >= most_bytes or not self._send_again(*found, sequence):
                    return size
                self._budget -= 1
                size += len(found[0].payloads[found[1]])
            self._resent[sequence] = now_ns
        return size

    def _send_again(self, picture: _Sent, index: int, sequence: int) -> bool:
        payload = picture.payloads[index]
        marked = _MARKER if index == picture.last else 0
        if self._rtx_type is None:
            header = _HEADER.pack(_VERSION, marked | self._type, sequence, picture.timestamp, self.ssrc)
        else:
            rtx = self._rtx_sequence
            header = _HEADER.pack(_VERSION, marked | self._rtx_type, rtx, picture.timestamp, self.rtx_ssrc)
            payload = sequence.to_bytes(2, "big") + payload
        if not self._wire.send_rtp(header, payload):
            return False
        if self._rtx_type is not None:
            self._rtx_sequence = self._rtx_sequence + 1 & _MASK16
        self.stats.retransmitted += 1
        return True

    def forget(self) -> None:
        """Let go of the history: nothing of it is sent again.

        For a change of stream, after which the old one's packets would only be in the way of the new one's; and for
        a view that is over, which may linger until its cycles are collected.
        """
        self._history.clear()
        self._resent.clear()
        self._kept = 0

    def _find(self, sequence: int) -> tuple[_Sent, int] | None:
        """Return the picture and the place in it of a packet that was sent, newest pictures first."""
        back = self._sequence - sequence & _MASK16
        if not 0 < back <= self._kept:
            return None
        for picture in reversed(self._history):
            if back <= picture.count:
                return picture, picture.count - back
            back -= picture.count
        return None

    @property
    def behind_bytes(self) -> float:
        """Return about how much of what was sent had not arrived when the viewer last reported."""
        stats = self.stats
        if stats.highest_reported is None or not stats.packets:
            return 0.0
        behind = self._sequence - 1 - stats.highest_reported & _MASK16
        return behind * stats.octets / stats.packets if behind < _MASK16 // 2 else 0.0

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
