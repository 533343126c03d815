"""The tracks of a stream: each is packetised once and handed to every client that plays it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from drivers.simulator.device import DeviceEvent, EncodedUnit, Feed, SimulatedDevice
from drivers.simulator.rtsp import tone
from drivers.simulator.rtsp.description import G711, METADATA_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE
from drivers.simulator.rtsp.metadata import MOTION_TOPIC, document
from drivers.simulator.rtsp.packets import PAYLOAD_LIMIT_BYTES, Burst, RtpWriter, picture_payloads
from kernel.clock import NS_PER_S, every

NEAR_SEQUENCE_WRAP = 65_000
NEAR_TIMESTAMP_WRAP = 0xFFFF_FFFF - 90_000 * 20
"""Every track starts close to both wraps, so that a client that stays a minute has met them."""
JUMP_REST_NS = 5 * NS_PER_S
"""After a jump of the camera's clock pictures from before it may still come for this long."""


class Outlet(Protocol):
    """Where one client takes one track."""

    def send(self, burst: Burst) -> None:
        """Send RTP packets, or drop them where the client is cut or the link is faulty."""
        ...


class Track:
    """One synchronisation source: numbering, clock, and the clients that listen."""

    def __init__(self, device: SimulatedDevice, *, payload_type: int, clock_hz: int, rng: random.Random) -> None:
        self.device = device
        self.clock_hz = clock_hz
        self.rtp = RtpWriter(
            payload_type=payload_type,
            ssrc=rng.getrandbits(32),
            sequence=NEAR_SEQUENCE_WRAP + rng.randrange(400),
            timestamp_base=NEAR_TIMESTAMP_WRAP + rng.randrange(90_000),
        )
        self.outlets: list[Outlet] = []
        self._origin_ns = device.clock.monotonic_ns()

    def join(self, outlet: Outlet) -> None:
        """Send to ``outlet`` from now on."""
        self.outlets.append(outlet)

    def leave(self, outlet: Outlet) -> None:
        """Send no more to ``outlet``; harmless if it had left before."""
        if outlet in self.outlets:
            self.outlets.remove(outlet)

    def media_now(self) -> int:
        """Return the media time, in this track's ticks, whose capture time is now."""
        return (self.device.clock.monotonic_ns() - self._origin_ns) * self.clock_hz // NS_PER_S

    def publish(self, burst: Burst) -> None:
        """Hand packets to every client."""
        for outlet in tuple(self.outlets):
            outlet.send(burst)


class VideoTrack(Track):
    """The pictures of a feed; a client starts at the next keyframe."""

    def __init__(self, device: SimulatedDevice, feed: Feed, rng: random.Random) -> None:
        super().__init__(device, payload_type=VIDEO_PAYLOAD_TYPE, clock_hz=90_000, rng=rng)
        self._feed = feed
        self._waiting: list[Outlet] = []
        self._detach: Callable[[], None] | None = None
        self._last: tuple[int, int] | None = None
        self._error_ns: int | None = None
        self._jumped_ns = 0
        self._latency_ns = 0

    def join(self, outlet: Outlet) -> None:
        """Send to ``outlet`` from the next keyframe on, and ask the encoder for one."""
        self._waiting.append(outlet)
        if self._detach is None:
            self._detach = self._feed.attach(self._picture)
        else:
            self._feed.request_keyframe()

    def leave(self, outlet: Outlet) -> None:
        """See :meth:`Track.leave`; without clients the feed rests."""
        super().leave(outlet)
        if outlet in self._waiting:
            self._waiting.remove(outlet)
        if self._detach is not None and not self.outlets and not self._waiting:
            self._detach()
            self._detach = None
            self._last = None

    def request_keyframe(self) -> None:
        """Answer a PLI or FIR."""
        self._feed.request_keyframe()

    def media_now(self) -> int:
        """See :meth:`Track.media_now`; follows the pictures' own timestamps."""
        if self._last is None:
            return super().media_now()
        media_time, at_ns = self._last
        return media_time + (self.device.clock.monotonic_ns() - at_ns) * 90_000 // NS_PER_S

    def _picture(self, unit: EncodedUnit) -> None:
        self._last = unit.time_90k, self.device.clock.monotonic_ns() - self._latency(unit)
        faults = self.device.faults
        if unit.keyframe or faults.no_keyframes:
            self.outlets += self._waiting
            self._waiting = []
        payloads = picture_payloads(unit, annexb=faults.annexb_in_rtp, marked_sei=faults.marker_on_sei)
        self.publish(Burst([self.rtp.packet(payload, unit.time_90k, marker=marker) for payload, marker in payloads]))

    def _latency(self, unit: EncodedUnit) -> int:
        """Return how long ago a picture was taken; a jump of the camera's clock in between must not pass for it."""
        now_ns, wall_ns = self.device.clock.monotonic_ns(), self.device.wall_ns()
        error_ns = self.device.clock_error_ns
        if self._error_ns is not None and error_ns != self._error_ns:
            self._jumped_ns = now_ns
        elif self._error_ns is None or now_ns - self._jumped_ns > JUMP_REST_NS:
            self._latency_ns = max(0, wall_ns - unit.wall_ns)
        self._error_ns = error_ns
        return self._latency_ns


class AudioTrack(Track):
    """The microphone: 40 ms of G.711 in each packet."""

    def __init__(self, device: SimulatedDevice, rng: random.Random) -> None:
        assert device.audio is not None
        super().__init__(device, payload_type=G711[device.audio][0], clock_hz=tone.RATE_HZ, rng=rng)
        self._codec = device.audio
        self._wanted = asyncio.Event()

    def join(self, outlet: Outlet) -> None:
        """See :meth:`Track.join`; wakes the microphone."""
        super().join(outlet)
        self._wanted.set()

    async def run(self) -> None:
        """Send for ever, while anybody listens."""
        packets = tone.packets(self._codec)
        async with every(self.device.clock, tone.PACKET_SAMPLES / tone.RATE_HZ) as ticks:
            async for _ in ticks:
                if not self.outlets:
                    self._wanted.clear()
                    await self._wanted.wait()
                    continue
                index = self.media_now() // tone.PACKET_SAMPLES
                media_time = index * tone.PACKET_SAMPLES
                self.publish(Burst([self.rtp.packet(packets[index % len(packets)], media_time, marker=False)]))


class MetadataTrack(Track):
    """PTZ status and motion, a document each second, cut to packets with the marker on the last."""

    def __init__(self, device: SimulatedDevice, rng: random.Random) -> None:
        super().__init__(device, payload_type=METADATA_PAYLOAD_TYPE, clock_hz=90_000, rng=rng)
        self._motion: DeviceEvent | None = None

    def observe(self, event: DeviceEvent) -> None:
        """Keep what the camera last told of motion."""
        if event.topic == MOTION_TOPIC:
            self._motion = event

    async def run(self) -> None:
        """Send for ever, while anybody listens."""
        async with every(self.device.clock, 1.0) as ticks:
            async for _ in ticks:
                if self.outlets:
                    self.publish(Burst(self._packets()))

    def _packets(self) -> Sequence[bytes]:
        xml = document(self.device, self.device.wall_ns(), self._motion)
        # Short pieces on purpose: a reader that takes one packet for one document is found out.
        step = min(PAYLOAD_LIMIT_BYTES, 600)
        media_time = self.media_now()
        return [
            self.rtp.packet(xml[at : at + step], media_time, marker=at + step >= len(xml))
            for at in range(0, len(xml), step)
        ]
