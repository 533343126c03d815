"""Decodes H.265 and codes H.264 that every browser plays, picture by picture, with nothing held back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from gateway.transcoder.framing import Coded, Flag, Message, Parameters
from kernel.clock import NS_PER_MS, Clock
from kernel.media import VIDEO_CLOCK_HZ

LONG_SIDE, SHORT_SIDE = 1280, 720
"""Level 3.1, which no H.264 decoder is below, ends at 1280x720 with 30 pictures a second."""
MAX_FRAME_RATE = 30
GOP_90K = 2 * VIDEO_CLOCK_HZ
QUALITY = 23
"""x264's rate factor; a still street costs little, and a busy one is held by ``MAX_KBIT``."""
MAX_KBIT = 2500
"""At 1280x720; smaller pictures have their share, and at least ``MIN_KBIT``."""
MIN_KBIT = 300
LATE_NS = 250 * NS_PER_MS
AT_LEAST_EVERY_NS = 500 * NS_PER_MS
MAX_PIXELS = 4096 * 4096
"""A larger picture is no camera's, but a way to take the memory."""
_UNNAMED = 2
_COLOURS = frozenset({1, _UNNAMED, 5, 6, 7, 9})
"""Numbers of ITU-T H.273 that television has used, and that can be scaled and named in H.264 for all three of matrix,
primaries and transfer; cameras that claim others are shown as if they claimed none."""
_NEVER = 1_000_000
_START = b"\x00\x00\x00\x01"
_KEPT = 64
_SEI, _SPS, _PPS, _AUD = 6, 7, 8, 9
_GLOBAL_HEADER = 1 << 22


def split(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex B byte stream (ITU-T H.264 B.1)."""
    start = data.find(b"\x00\x00\x01")
    while start >= 0:
        following = data.find(b"\x00\x00\x01", start + 3)
        nal = data[start + 3 : following if following >= 0 else None].rstrip(b"\x00")
        if nal:
            yield nal
        start = following


def fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size, even and in the same shape, that a picture is coded in: 1280x720 or 720x1280 at most."""
    shrink = max(1.0, max(width, height) / LONG_SIDE, min(width, height) / SHORT_SIDE)
    return max(16, round(width / shrink / 2) * 2), max(16, round(height / shrink / 2) * 2)


@dataclass(frozen=True, slots=True)
class _Shape:
    """All that a coder cannot change while it runs."""

    width: int
    height: int
    colours: tuple[int, int, int]
    """Matrix, primaries and transfer (ITU-T H.273)."""
    pixel_ratio: Fraction | None


class Recoder:
    """One stream. ``behind()`` tells whether more input waits already."""

    def __init__(self, clock: Clock, behind: Callable[[], bool]) -> None:
        self._clock = clock
        self._behind = behind
        self._decoder: VideoCodecContext | None = None
        self._encoder: VideoCodecContext | None = None
        self._shape: _Shape | None = None
        self._stamps: dict[int, Coded] = {}
        self._keyframe_due = True
        self._last_key_90k = 0
        self._last_90k: int | None = None
        self._last_ns = clock.monotonic_ns()

    def take_parameters(self, parameters: Parameters) -> None:
        """Decode from here on with other parameter sets."""
        decoder = VideoCodecContext.create("hevc", "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata = b"".join(_START + nal for nal in parameters.nals)
        decoder.thread_count = 1
        decoder.flags |= Flags.low_delay
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        self._decoder = decoder
        self._stamps.clear()

    def want_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._keyframe_due = True

    def take(self, picture: Coded) -> Iterator[Message]:
        """Decode a picture; yield what is to be sent on, nothing where it is damaged, late or one too many."""
        if self._decoder is None:
            return
        packet: av.Packet[VideoStream] = av.Packet(b"".join(_START + nal for nal in picture.nals))  # type: ignore[assignment]
        packet.pts = picture.time_90k
        packet.time_base = Fraction(1, VIDEO_CLOCK_HZ)
        self._stamps[picture.time_90k] = picture
        while len(self._stamps) > _KEPT:
            del self._stamps[next(iter(self._stamps))]
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            # Damaged or hostile: those after it may come out.
            return
        for frame in frames:
            stamp = self._stamps.pop(frame.pts, None) if frame.pts is not None else None
            if stamp is not None and self._wanted(stamp):
                yield from self._encode(frame, stamp)

    def _wanted(self, stamp: Coded) -> bool:
        """Tell whether to code a picture: at most 30 a second, and fewer while we are behind.

        Each picture must be decoded, since the next is built on it; coding is what can be left out to catch up.
        """
        if self._last_90k is not None:
            since_90k = stamp.time_90k - self._last_90k
            if since_90k <= 0 or since_90k < 0.9 * VIDEO_CLOCK_HZ / MAX_FRAME_RATE:
                return False
        now = self._clock.monotonic_ns()
        late = now - stamp.received_ns > LATE_NS
        return not (late and now - self._last_ns < AT_LEAST_EVERY_NS and self._behind())

    def _encode(self, frame: VideoFrame, stamp: Coded) -> Iterator[Message]:
        width, height = fitted(frame.width, frame.height)
        colours = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc))
        if not _COLOURS.issuperset(colours):
            colours = (_UNNAMED, _UNNAMED, _UNNAMED)
            frame.colorspace, frame.color_primaries, frame.color_trc = colours
        ratio = self._decoder.sample_aspect_ratio if self._decoder is not None else None
        shape = _Shape(width, height, colours, ratio)
        if self._encoder is None or shape != self._shape:
            self._encoder, self._shape = _open(shape), shape
            self._keyframe_due = True
            sets = {nal[0] & 0x1F: nal for nal in split(self._encoder.extradata or b"")}
            yield Parameters(width, height, (sets[_SPS], sets[_PPS]))
        picture = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            dst_color_range=ColorRange.MPEG,
            interpolation="FAST_BILINEAR",
            threads=1,
        )
        keyframe = self._keyframe_due or stamp.time_90k - self._last_key_90k >= GOP_90K
        picture.pts = stamp.time_90k
        picture.time_base = Fraction(1, VIDEO_CLOCK_HZ)
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        for packet in self._encoder.encode(picture):
            nals = tuple(nal for nal in split(bytes(packet)) if nal[0] & 0x1F not in {_SEI, _SPS, _PPS, _AUD})
            yield Coded(nals, stamp.time_90k, stamp.received_ns, Flag.KEYFRAME if packet.is_keyframe else 0)
        if keyframe:
            self._keyframe_due = False
            self._last_key_90k = stamp.time_90k
        self._last_90k = stamp.time_90k
        self._last_ns = self._clock.monotonic_ns()


def _open(shape: _Shape) -> VideoCodecContext:
    coder = VideoCodecContext.create("libx264", "w")
    assert isinstance(coder, VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt = shape.width, shape.height, "yuv420p"
    coder.time_base = Fraction(1, VIDEO_CLOCK_HZ)
    coder.framerate = Fraction(MAX_FRAME_RATE)
    coder.gop_size = _NEVER
    coder.max_b_frames = 0
    coder.thread_count = 1
    coder.colorspace, coder.color_primaries, coder.color_trc = shape.colours
    coder.color_range = ColorRange.MPEG.value
    if shape.pixel_ratio:
        coder.sample_aspect_ratio = shape.pixel_ratio
    coder.flags |= _GLOBAL_HEADER
    kbit = max(MIN_KBIT, MAX_KBIT * shape.width * shape.height // (LONG_SIDE * SHORT_SIDE))
    coder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "level": "3.1",
        "crf": str(QUALITY),
        "forced-idr": "1",
        "x264-params": f"scenecut=0:repeat-headers=0:vbv-maxrate={kbit}:vbv-bufsize={kbit}",
    }
    coder.open()
    return coder
