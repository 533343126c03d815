"""A camera's side of one RTP track, for tests that need no network."""

from dataclasses import dataclass, field

from drivers.rtsp.delivery import Delivery
from drivers.rtsp.sdp import Media, parse
from drivers.rtsp.source import StreamStats
from drivers.simulator.device import EncodedUnit
from drivers.simulator.picture.encoder import Coding, parameters_of
from drivers.simulator.rtsp.packets import RtpWriter, picture_payloads
from drivers.simulator.rtsp.reports import sender_report
from kernel.media import StreamDescription, VideoCodec, VideoParameters
from tests.fakes.clock import ManualClock
from tests.fakes.media_sink import KeepingSink

SSRC = 0x1234_5678
VIDEO_SDP = {
    VideoCodec.H264: b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
    VideoCodec.H265: b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n",
}
KEY_SLICE = {VideoCodec.H264: b"\x65\x88", VideoCodec.H265: b"\x26\x01\xaf"}
NEXT_SLICE = {VideoCodec.H264: b"\x41\x9a", VideoCodec.H265: b"\x02\x01\xd0"}


def media(sdp: bytes) -> Media:
    """Return the first track that ``sdp`` describes."""
    return parse(sdp).media[0]


def sets(codec: VideoCodec, width: int = 320, height: int = 240) -> VideoParameters:
    """Return real parameter sets."""
    return parameters_of(Coding(codec=codec, width=width, height=height, frame_rate=25.0, bitrate_kbit=500))


@dataclass
class Bench:
    """A sink, a clock and what stands between them; satisfies ``drivers.rtsp.track.Arrivals``."""

    clock: ManualClock = field(default_factory=ManualClock)
    sink: KeepingSink = field(default_factory=KeepingSink)
    stats: StreamStats = field(default_factory=StreamStats)
    writer: RtpWriter = field(
        default_factory=lambda: RtpWriter(payload_type=96, ssrc=SSRC, sequence=65_530, timestamp_base=0xFFFF_F000)
    )

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.sink, self.stats, lambda: None)
        self.delivery.description = StreamDescription(VideoCodec.H264, None, metadata=False, transport="tcp")

    @property
    def received_ns(self) -> int:
        """Now."""
        return self.clock.monotonic_ns()

    def pass_time(self, seconds: float) -> None:
        """Let time pass; nobody sleeps on this clock."""
        self.clock._advance(self.clock.monotonic_ns() + round(seconds * 1e9))

    def picture(
        self,
        codec: VideoCodec,
        media_time: int,
        *,
        keyframe: bool = False,
        size: int = 3000,
        parameters: VideoParameters | None = None,
        fill: bytes = b"\xaa",
    ) -> list[bytes]:
        """Return the packets of one picture of one slice."""
        nal = (KEY_SLICE if keyframe else NEXT_SLICE)[codec] + fill * size
        unit = EncodedUnit((nal,), media_time, 0, keyframe, parameters or sets(codec))
        return [self.writer.packet(payload, media_time, marker=marker) for payload, marker in picture_payloads(unit)]

    def sender_report(self, media_time: int, wall_ns: int) -> bytes:
        """Return a sender report."""
        return sender_report(
            ssrc=SSRC, wall_ns=wall_ns, rtp_timestamp=self.writer.timestamp(media_time), packets=0, octets=0, name="c"
        )


def feed(track: object, packets: list[bytes]) -> None:
    """Hand packets to a track as a connection would."""
    for packet in packets:
        padded = bytearray(b"\xee" * 5 + packet + b"\xee" * 3)
        track.receive(padded, 5, 5 + len(packet))  # type: ignore[attr-defined]


def feed_rtcp(track: object, packet: bytes) -> None:
    """Hand an RTCP packet to a track."""
    track.receive_rtcp(bytearray(packet), 0, len(packet))  # type: ignore[attr-defined]
