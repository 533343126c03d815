"""One picture at an instant: decoded in threads of its own, bounded, apart from everything that records."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL.Image import Image

from kernel.media import VIDEO_CLOCK_HZ, VideoCodec
from recording.errors import FootageUnreadableError
from recording.mux.demux import sample_tables
from recording.mux.fragment import HEADER_BYTES, ns_to_ticks, ticks_to_ns
from recording.mux.init import VIDEO_TRACK, sample_entries
from recording.mux.parameter_sets import configuration_of
from recording.segments import FileSegments, Segment

_NAMES = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
QUALITY = 92


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG, and the wall time at which its picture was captured."""

    jpeg: bytes
    wall_ns: int


def samples_of(data: bytes) -> list[tuple[int, bytes]]:
    """Return (time since the start of the file in 90 kHz ticks, length-prefixed NAL units) of every picture."""
    samples = []
    for table in sample_tables(data):
        if table.track != VIDEO_TRACK:
            continue
        at, offset = table.start, table.payload
        for duration, size in zip(table.durations, table.sizes, strict=True):
            samples.append((at, data[offset : offset + size]))
            at, offset = at + duration, offset + size
    return samples


def decode_last(
    codec: VideoCodec, configuration: bytes, samples: Sequence[tuple[int, bytes]]
) -> tuple[int, VideoFrame]:
    """Decode ``samples`` from a keyframe on and return the last picture that came of them, with its time.

    Raises:
        FootageUnreadableError: none came.
    """
    context = VideoCodecContext.create(_NAMES[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata = configuration
    context.thread_count = 1
    context.flags |= Flags.low_delay
    latest: VideoFrame | None = None
    for packet in [*(_packet(*sample) for sample in samples), None]:
        try:
            frames = context.decode(packet)
        except av.error.FFmpegError:
            # A damaged picture: those after it may still come out.
            continue
        latest = frames[-1] if frames else latest
    if latest is None or latest.pts is None:
        raise FootageUnreadableError("The recorded picture could not be decoded.",
                                     cure="Choose another moment; packets were lost around this one.")  # fmt: skip
    return latest.pts, latest


def _packet(time_90k: int, data: bytes) -> "av.Packet[VideoStream]":
    packet: av.Packet[VideoStream] = av.Packet(data)  # type: ignore[assignment]
    packet.pts = packet.dts = time_90k
    packet.time_base = Fraction(1, VIDEO_CLOCK_HZ)
    return packet


def take(part: FileSegments, segment: Segment, at_ns: int) -> Still:
    """Read, decode and code one picture. Runs on the stills' own thread.

    Raises:
        FootageUnreadableError: the file or its pictures cannot be read.
    """
    volume = part.disk.volume
    try:
        descriptor = os.open(part.disk.absolute(part.file.path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            init = volume.read(descriptor, part.file.init_bytes, 0)
            until_90k = ns_to_ticks(max(0, at_ns - part.file.start_ns))
            samples: list[tuple[int, bytes]] = []
            for fragment in segment.fragments:
                if fragment.start_90k > until_90k and samples:
                    break
                data = volume.read(descriptor, HEADER_BYTES + fragment.video_bytes, fragment.offset)
                samples += samples_of(data[HEADER_BYTES:])
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FootageUnreadableError(f"A recorded file could not be read: {error.strerror}.",
                                     cure="Run `sightline verify` to see which.") from error  # fmt: skip
    wanted = [sample for sample in samples if sample[0] <= until_90k] or samples[:1]
    time_90k, frame = decode_last(
        VideoCodec(part.file.codec), configuration_of(sample_entries(init)[VIDEO_TRACK]), wanted
    )
    jpeg = io.BytesIO()
    image: Image = frame.to_image()  # type: ignore[no-untyped-call]
    image.save(jpeg, "JPEG", quality=QUALITY)
    return Still(jpeg.getvalue(), part.file.start_ns + ticks_to_ns(time_90k))
