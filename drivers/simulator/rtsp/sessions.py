"""What one client has set up: an outlet for each of its tracks, over the RTSP connection or over UDP."""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from drivers.simulator.rtsp.packets import Burst, interleave
from drivers.simulator.rtsp.reports import goodbye, read_feedback, sender_report
from drivers.simulator.rtsp.tracks import Track, VideoTrack
from kernel.clock import NS_PER_S
from kernel.ids import StreamName

BACKLOG_LIMIT_BYTES = 4 * 1024 * 1024
"""A client that leaves more than this unread is cut: about eight seconds of a main stream."""
SESSION_TIMEOUT_S = 60
REPORT_PERIOD_S = 2.0


class Carrier(Protocol):
    """Takes an outlet's packets to the client."""

    transport_line: str
    """The Transport header of the answer (RFC 2326 section 12.39), without ssrc."""

    def rtp(self, burst: Burst) -> None:
        """Send RTP packets."""
        ...

    def rtcp(self, packet: bytes) -> None:
        """Send one compound RTCP packet."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Interleaved:
    """Packets between the messages of the RTSP connection."""

    def __init__(self, writer: asyncio.StreamWriter, channels: tuple[int, int], cut: Callable[[], None]) -> None:
        self._writer = writer
        self._cut = cut
        self.channels = channels
        self.transport_line = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"

    def rtp(self, burst: Burst) -> None:
        """See :class:`Carrier`."""
        self._write(burst.interleaved(self.channels[0]))

    def rtcp(self, packet: bytes) -> None:
        """See :class:`Carrier`."""
        self._write(interleave(self.channels[1], packet))

    def _write(self, data: bytes) -> None:
        if self._writer.transport.is_closing():
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > BACKLOG_LIMIT_BYTES:
            self._cut()

    def close(self) -> None:
        """See :class:`Carrier`; the connection is not ours to close."""


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        del addr  # behind a NAT it may be any
        self._received(data)


class Datagrams:
    """A pair of UDP ports towards a pair of the client's."""

    def __init__(
        self, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport, client: tuple[str, int, int]
    ) -> None:
        self._rtp, self._rtcp = rtp, rtcp
        self._host, self._rtp_port, self._rtcp_port = client
        ours = [transport.get_extra_info("sockname")[1] for transport in (rtp, rtcp)]
        self.transport_line = (
            f"RTP/AVP;unicast;client_port={self._rtp_port}-{self._rtcp_port};server_port={ours[0]}-{ours[1]}"
        )

    @classmethod
    async def open(cls, host: str, client: tuple[str, int, int], received: Callable[[bytes], None]) -> "Datagrams":
        """Bind an even port and its odd neighbour (RFC 3550 section 11).

        Raises:
            OSError: there is no such pair free.
        """
        loop = asyncio.get_running_loop()
        for _ in range(50):
            rtp, _protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(lambda _data: None), (host, 0))
            port = rtp.get_extra_info("sockname")[1]
            if port % 2 == 0:
                try:
                    rtcp, _protocol = await loop.create_datagram_endpoint(
                        lambda: _Datagrams(received), (host, port + 1)
                    )
                except OSError:
                    rtp.close()
                    continue
                return cls(rtp, rtcp, client)
            rtp.close()
        raise OSError(f"no free pair of UDP ports on {host}")

    def rtp(self, burst: Burst) -> None:
        """See :class:`Carrier`."""
        for packet in burst.packets:
            self._rtp.sendto(packet, (self._host, self._rtp_port))

    def rtcp(self, packet: bytes) -> None:
        """See :class:`Carrier`."""
        self._rtcp.sendto(packet, (self._host, self._rtcp_port))

    def close(self) -> None:
        """See :class:`Carrier`."""
        self._rtp.close()
        self._rtcp.close()


class TrackOutlet:
    """One client's view of one track: its faults, its sender reports, its counters."""

    def __init__(self, track: Track, carrier: Carrier, control: str) -> None:
        self.track = track
        self.carrier = carrier
        self.control = control
        self.first: asyncio.Event = asyncio.Event()
        self.first_packet: bytes = b""
        self._open = False
        self._held: list[Burst] = []
        self._packets = self._octets = 0
        self._reported_ns: int | None = None
        self._rng = random.Random(f"loss-{track.rtp.ssrc}")  # noqa: S311 - a fault, not a secret

    def open(self) -> None:
        """Let through: the answer to PLAY, which names the first packet, is written."""
        self._open = True
        for burst in self._held:
            self.send(burst)
        self._held.clear()

    def send(self, burst: Burst) -> None:
        """Send, unless the link hangs; garbage and loss as the faults say."""
        faults = self.track.device.faults
        if not self._open:
            self._held.append(burst)
            self.first_packet = self.first_packet or burst.packets[0]
            self.first.set()
            return
        if faults.drop_link:
            return
        if faults.garbage:
            self.carrier.rtcp(secrets.token_bytes(1000))
            burst = Burst([secrets.token_bytes(len(packet)) for packet in burst.packets])
        if faults.packet_loss > 0.0:
            kept = [packet for packet in burst.packets if self._rng.random() >= faults.packet_loss]
            burst = Burst(kept)
        self.report()
        self._packets += len(burst.packets)
        self._octets += sum(map(len, burst.packets)) - 12 * len(burst.packets)
        self.carrier.rtp(burst)

    def report(self) -> None:
        """Send a sender report if one is due; the first goes before the first packet."""
        track = self.track
        now_ns = track.device.clock.monotonic_ns()
        if track.device.faults.no_sender_reports:
            return
        if self._reported_ns is not None and now_ns - self._reported_ns < REPORT_PERIOD_S * NS_PER_S:
            return
        self._reported_ns = now_ns
        self.carrier.rtcp(
            sender_report(
                ssrc=track.rtp.ssrc,
                wall_ns=track.device.wall_ns(),
                rtp_timestamp=track.rtp.timestamp(track.media_now()),
                packets=self._packets,
                octets=self._octets,
                name=track.device.serial,
            )
        )

    def feedback(self, packet: bytes) -> None:
        """Take what the client says over RTCP."""
        if read_feedback(packet).keyframe_wanted and isinstance(self.track, VideoTrack):
            self.track.request_keyframe()

    def stop(self, *, farewell: bool) -> None:
        """Leave the track."""
        self.track.leave(self)
        self._open = False
        self._held.clear()
        if farewell:
            self.carrier.rtcp(goodbye(self.track.rtp.ssrc))


@dataclass(slots=True)
class Session:
    """An RTSP session (RFC 2326 section 3.4)."""

    stream: StreamName
    seen_ns: int
    end: Callable[[], None]
    """Cuts the connection it came over."""
    ident: str = field(default_factory=lambda: secrets.token_hex(8))
    outlets: dict[str, TrackOutlet] = field(default_factory=dict)
    playing: bool = False

    def play(self) -> None:
        """Join every track that was set up."""
        if not self.playing:
            self.playing = True
            for outlet in self.outlets.values():
                outlet.track.join(outlet)

    def pause(self) -> None:
        """Leave every track and keep the transports."""
        self.playing = False
        for outlet in self.outlets.values():
            outlet.stop(farewell=False)

    def close(self, *, farewell: bool = False) -> None:
        """Leave every track and free the transports."""
        for outlet in self.outlets.values():
            outlet.stop(farewell=farewell and self.playing)
            outlet.carrier.close()
        self.outlets.clear()
        self.playing = False
