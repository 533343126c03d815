"""A short film in H.264, coded on the spot, and the RTP packets it becomes."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

RTP_CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
SSRC = 0x51_61_71_81
CLOSE_ENOUGH = 0.02
"""How far the rate of the film may be from what was asked for."""
_HEADER = struct.Struct("!BBHBBHII")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a film is to be like."""

    width: int = 1920
    height: int = 1080
    frame_rate: float = 25.0
    gop_frames: int = 50
    kbit_s: float = 4000.0
    groups: int = 3
    """Groups of pictures in it."""


@dataclass(frozen=True, slots=True)
class Film:
    """Pictures that can be shown again and again; the first is a keyframe. Each is a list of NAL units."""

    shape: Shape
    pictures: tuple[tuple[bytes, ...], ...]
    sps: bytes
    pps: bytes

    @property
    def kbit_s(self) -> float:
        """Return its mean rate in 10^3 bits a second."""
        size = sum(len(nal) for picture in self.pictures for nal in picture)
        return size * 8 / 1000 / (len(self.pictures) / self.shape.frame_rate)


def make_film(shape: Shape) -> Film:
    """Code a film at the wanted rate, within two hundredths.

    Raises:
        RuntimeError: the coder does not come near that rate.
    """
    asked = shape.kbit_s
    for _ in range(6):
        film = _coded(shape, asked)
        if abs(film.kbit_s / shape.kbit_s - 1) <= CLOSE_ENOUGH:
            return film
        asked *= shape.kbit_s / film.kbit_s
    raise RuntimeError(f"x264 gives {film.kbit_s:.0f} kbit/s where {shape.kbit_s:.0f} were asked for")


def _coded(shape: Shape, kbit_s: float) -> Film:
    rate = Fraction(shape.frame_rate).limit_denominator(1000)
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt = shape.width, shape.height, "yuv420p"
    coder.framerate, coder.time_base = rate, 1 / rate
    coder.gop_size, coder.max_b_frames = shape.gop_frames, 0
    coder.bit_rate = round(kbit_s * 1000)
    coder.options = {
        "preset": "ultrafast",
        "profile": "baseline",
        "x264-params": f"keyint={shape.gop_frames}:min-keyint={shape.gop_frames}:scenecut=0:slices=1:sliced-threads=0"
        f":repeat-headers=1:aud=0:rc-lookahead=0:vbv-maxrate={round(kbit_s)}:vbv-bufsize={round(kbit_s)}",
    }
    count = shape.groups * shape.gop_frames
    packets: list[bytes] = []
    for picture in _scene(shape.width, shape.height, count):
        packets += [bytes(packet) for packet in coder.encode(picture)]
    packets += [bytes(packet) for packet in coder.encode(None)]
    if len(packets) != count:
        raise RuntimeError(f"x264 made {len(packets)} pictures of {count}")
    pictures = tuple(_nal_units(packet) for packet in packets)
    sps = next(nal for nal in pictures[0] if nal[0] & 0x1F == 7)
    pps = next(nal for nal in pictures[0] if nal[0] & 0x1F == 8)
    for number, units in enumerate(pictures):
        if any(nal[0] & 0x1F == 5 for nal in units) != (number % shape.gop_frames == 0):
            raise RuntimeError("x264 did not put the keyframes where they were asked for")
    return Film(shape, pictures, sps, pps)


def _scene(width: int, height: int, count: int) -> Iterator[av.VideoFrame]:
    """Draw a textured wall that drifts past, with the noise of a sensor, so that no picture is cheap."""
    random = np.random.default_rng(7)
    coarse = random.integers(40, 200, (height // 8 + 2, width // 8 + count // 4 + 4), dtype=np.uint8)
    wall = np.kron(coarse, np.ones((8, 8), dtype=np.uint8))
    grain = random.integers(0, 24, (height + 64, width + 64), dtype=np.uint8)
    for number in range(count):
        x, (dy, dx) = number * 2, random.integers(0, 64, 2)
        luma = wall[:height, x : x + width] + grain[dy : dy + height, dx : dx + width]
        planes = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        planes[:height] = luma
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        yield frame


def _nal_units(stream: bytes) -> tuple[bytes, ...]:
    """Split Annex B; SEI is left out."""
    parts = [part.rstrip(b"\0") for part in stream.split(b"\0\0\1")]
    return tuple(part for part in parts if part and part[0] & 0x1F != 6)


@dataclass(frozen=True, slots=True)
class Wired:
    """One picture as it goes over an RTSP connection on channel 0, but for numbers and times."""

    data: bytes
    packets: tuple[int, ...]
    """Where each packet's ``$`` stands."""
    sequence: int
    """Of its first packet, in the first showing."""
    keyframe: bool


class Reel:
    """A film cut into interleaved packets (RFC 2326 section 10.12, RFC 6184 mode 1).

    Numbers and times go on from showing to showing, so that it never ends.
    """

    def __init__(self, film: Film, *, payload_bytes: int) -> None:
        self.film = film
        self.ticks = round(RTP_CLOCK_HZ / film.shape.frame_rate)
        self.pictures: list[Wired] = []
        sequence = 0
        for units in film.pictures:
            wired = _wired(units, payload_bytes, sequence)
            sequence += len(wired.packets)
            self.pictures.append(wired)
        self.packets = sequence
        """In one showing."""

    def __len__(self) -> int:
        return len(self.pictures)

    def timestamp(self, number: int) -> int:
        """Return the RTP timestamp of a picture."""
        return number * self.ticks & 0xFFFF_FFFF

    def picture(self, number: int) -> bytes:
        """Return the bytes of the ``number``-th picture since the beginning of time."""
        showing, at = divmod(number, len(self.pictures))
        wired = self.pictures[at]
        data = bytearray(wired.data)
        sequence = wired.sequence + showing * self.packets
        timestamp = self.timestamp(number)
        for packet in wired.packets:
            struct.pack_into("!HI", data, packet + 6, sequence & 0xFFFF, timestamp)
            sequence += 1
        return bytes(data)


def _wired(units: tuple[bytes, ...], payload_bytes: int, sequence: int) -> Wired:
    payloads: list[bytes] = []
    for nal in units:
        if len(nal) <= payload_bytes:
            payloads.append(nal)
            continue
        step = payload_bytes - 2
        for start in range(1, len(nal), step):
            first = 0x80 if start == 1 else 0
            last = 0x40 if start + step >= len(nal) else 0
            payloads.append(bytes((nal[0] & 0xE0 | 28, first | last | nal[0] & 0x1F)) + nal[start : start + step])
    data = bytearray()
    places = []
    for number, payload in enumerate(payloads):
        places.append(len(data))
        marker = 0x80 if number == len(payloads) - 1 else 0
        data += _HEADER.pack(0x24, 0, 12 + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, SSRC)
        data += payload
    return Wired(bytes(data), tuple(places), sequence, any(nal[0] & 0x1F == 5 for nal in units))
