"""Decodes one keyframe, and shows it small and grey. Nothing is kept from one to the next."""

from fractions import Fraction

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from gateway.transcoder.framing import Look, Seen
from gateway.transcoder.recoder import MAX_PIXELS
from kernel.media import VIDEO_CLOCK_HZ, VideoCodec

_NAMES = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
_START = b"\x00\x00\x00\x01"


def look(wish: Look) -> Seen:
    """Return what a keyframe shows; nothing where it is damaged, or none."""
    decoder = VideoCodecContext.create(_NAMES[wish.codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.flags |= Flags.low_delay
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    packet: av.Packet[VideoStream] = av.Packet(b"".join(_START + nal for nal in wish.nals))  # type: ignore[assignment]
    packet.pts = 0
    packet.time_base = Fraction(1, VIDEO_CLOCK_HZ)
    try:
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.error.FFmpegError:
        return Seen(b"")
    return Seen(_grey(frames[0], wish.width, wish.height) if frames else b"")


def _grey(frame: VideoFrame, width: int, height: int) -> bytes:
    # Every pixel of the camera's counts for one of ours: what is left out would flicker from look to look.
    small = frame.reformat(
        width=width, height=height, format="gray", dst_color_range=ColorRange.JPEG, interpolation="AREA", threads=1
    )
    plane = small.planes[0]
    rows = memoryview(plane)
    return b"".join(bytes(rows[row * plane.line_size : row * plane.line_size + width]) for row in range(height))
