"""What every RTP track does: numbering, loss, sender reports, and the statistics a receiver reports back."""

import struct
from typing import Protocol

import structlog

from drivers.rtsp.delivery import Delivery
from drivers.rtsp.errors import StreamFellError
from drivers.rtsp.rtcp import Goodbye, Reception, SenderReport, parse
from drivers.rtsp.sdp import Media
from drivers.rtsp.wallclock import WallClock
from kernel.clock import NS_PER_S, Clock
from kernel.media import GapCause

log = structlog.get_logger(__name__)

_HEADER = struct.Struct("!BBHII")
LATE_LIMIT = 128
"""A packet this many numbers back is a late or repeated one; further back, the numbering has started anew."""
STRANGER_LIMIT = 64
"""Packets of another source, with none of ours between, after which the other is taken to be the camera."""


class Arrivals(Protocol):
    """Where packets come from."""

    @property
    def received_ns(self) -> int:
        """Return the monotonic time of what is being handled."""
        ...


class Track:
    """Receives one track; subclasses make units of the payloads."""

    def __init__(self, media: Media, arrivals: Arrivals, delivery: Delivery, clock: Clock, offset_s: float) -> None:
        self.media = media
        self.ssrc: int | None = None
        self.packets = 0
        self.lost = 0
        self._arrivals = arrivals
        self._delivery = delivery
        self._stats = delivery.stats
        self._clock = clock
        self._offset_ns = round(offset_s * NS_PER_S)
        # Said once and for all in the description, and worked out there anew each time it is asked for.
        self._payload_type = media.payload_type
        self._clock_hz = media.clock_hz
        self._expected: int | None = None
        self._first_sequence = 0
        self._strangers = 0
        self._wall = WallClock(media.clock_hz)
        self._last_timestamp: int | None = None
        self._media_time = 0
        """Of ``_last_timestamp``, unwrapped; counts from the first unit of the session."""
        self._report: SenderReport | None = None
        self._reported_ns = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._told = (0, 0)

    # --- RTP

    def receive(self, buffer: bytearray, start: int, end: int) -> None:
        """Take one RTP packet (RFC 3550 section 5.1)."""
        if end - start < 12:
            self._stats.ignored += 1
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(buffer, start)
        if second & 0x7F != self._payload_type or ssrc != self.ssrc:
            if not self._accept(buffer, start, end, second, ssrc):
                return
        else:
            self._strangers = 0
        start += 12
        if first != 0x80:
            start, end = _unwrap(buffer, start, end, first)
            if start < 0:
                self._stats.ignored += 1
                return
        if sequence != self._expected and not self._resume(sequence):
            return
        self._expected = sequence + 1 & 0xFFFF
        self.packets += 1
        if start < end:
            self._payload(buffer, start, end, timestamp, second > 0x7F)

    def _payload(self, buffer: bytearray, start: int, end: int, timestamp: int, marker: bool) -> None:  # noqa: FBT001 - called for each packet
        raise NotImplementedError

    def _missed(self) -> None:
        """Packets are missing before the one that comes now."""

    def _restarted(self) -> None:
        """The source is another one: nothing of before continues."""

    def _accept(self, buffer: bytearray, start: int, end: int, second: int, ssrc: int) -> bool:
        """Decide on a packet that is not of our source or payload type."""
        if 200 <= second <= 206:  # RTCP on the RTP channel
            self.receive_rtcp(buffer, start, end)
            return False
        if second & 0x7F != self._payload_type:
            self._stats.ignored += 1
            return False
        if self.ssrc is not None:
            self._strangers += 1
            if self._strangers < STRANGER_LIMIT:
                self._stats.ignored += 1
                return False
            log.info("stream.source_changed", media=self.media.kind)
            self._restarted()
            self._wall.reset()
            self._last_timestamp = None
        self.ssrc = ssrc
        self._strangers = 0
        self._expected = None
        return True

    def _resume(self, sequence: int) -> bool:
        """Note a break in the numbering; return whether the packet is to be used."""
        if self._expected is None:
            self._first_sequence = sequence
            self.packets = self.lost = 0
            self._told = (0, 0)
            return True
        ahead = sequence - self._expected & 0xFFFF
        if ahead >= 0x1_0000 - LATE_LIMIT:
            self._stats.ignored += 1
            return False
        missing = ahead if ahead < 0x8000 else 1
        self.lost += missing
        self._stats.lost += missing
        self._missed()
        return True

    # --- RTCP

    def receive_rtcp(self, buffer: bytearray, start: int, end: int) -> None:
        """Take one compound RTCP packet."""
        for part in parse(bytes(buffer[start:end])):
            if self.ssrc is not None and part.ssrc != self.ssrc:
                self._stats.ignored += 1
            elif isinstance(part, SenderReport):
                self.reported(part)
            elif isinstance(part, Goodbye) and self.ssrc is not None:
                raise StreamFellError("The camera ended the stream.", cause=GapCause.CAMERA)

    def reported(self, report: SenderReport) -> None:
        """Take a sender report of our source."""
        self._report = report
        self._reported_ns = self._arrivals.received_ns
        self._tie()

    def _tie(self) -> None:
        """Tie media time to the last sender report, as soon as both are there."""
        report = self._report
        if report is None or self._last_timestamp is None or report.ssrc != self.ssrc or report.wall_ns is None:
            return
        media_time = self._media_time + _difference(report.rtp_timestamp, self._last_timestamp)
        wall_ns = report.wall_ns - self._offset_ns
        now_ns = self._arrivals.received_ns
        # The report told of the instant it came, not of this one.
        now_wall_ns = self._clock.wall_ns() - (now_ns - self._reported_ns)
        self._stats.sender_clock_s = (wall_ns - now_wall_ns) / NS_PER_S
        if self._wall.report(wall_ns, media_time, now_ns, now_wall_ns):
            self._stats.reports += 1

    def _advance(self, timestamp: int) -> int:
        """Return the media ticks from the last unit to this one; 0 for the first."""
        if self._last_timestamp is None:
            self._last_timestamp = timestamp
            self._media_time = 0
            if self._report is not None:
                self._tie()
            return 0
        return _difference(timestamp, self._last_timestamp)

    # --- what we tell the camera

    def reception(self) -> Reception | None:
        """Return what a receiver report says of this track, since the last one."""
        if self.ssrc is None:
            return None
        received, lost = self.packets - self._told[0], self.lost - self._told[1]
        self._told = self.packets, self.lost
        report = self._report
        delay = self._arrivals.received_ns - self._reported_ns if report is not None else 0
        return Reception(
            ssrc=self.ssrc,
            fraction_lost=256 * lost // (received + lost) if received + lost else 0,
            lost=self.lost,
            highest_sequence=self._first_sequence + self.packets + self.lost - 1,
            jitter=round(self._jitter),
            last_report=report.ntp_middle if report is not None else 0,
            delay_since=(delay << 16) // NS_PER_S,
        )

    @property
    def jitter_s(self) -> float:
        """Return the jitter of arrival in seconds."""
        return self._jitter / self._clock_hz

    def _measure_jitter(self, media_time: int) -> None:
        """Follow RFC 3550 section 6.4.1, once for each unit."""
        transit = self._arrivals.received_ns * self._clock_hz / NS_PER_S - media_time
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit


def _difference(timestamp: int, before: int) -> int:
    """Return the signed distance between two 32-bit timestamps."""
    return (timestamp - before + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


def _unwrap(buffer: bytearray, start: int, end: int, first: int) -> tuple[int, int]:
    """Return where the payload lies without CSRCs, extension and padding; -1 where the packet is damaged."""
    if first >> 6 != 2:
        return -1, -1
    start += 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > end:
            return -1, -1
        start += 4 + 4 * (buffer[start + 2] << 8 | buffer[start + 3])
    if first & 0x20 and end > start:
        end -= buffer[end - 1]
    return (start, end) if start <= end else (-1, -1)
