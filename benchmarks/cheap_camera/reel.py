"""The pictures: a moving, noisy test picture, encoded by x264 at the rate asked for, as a loop of whole GOPs."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Self

import av
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 1920, 1080
FRAME_RATE = 25
GOP_FRAMES = 50
GOPS = 2
_START_CODE = b"\x00\x00\x01"
_SLICES = range(1, 6)
_TOLERANCE = 0.03
_TRIES = 4


@dataclass(frozen=True, slots=False, kw_only=True)
class Reel:
    """A loop of pictures. ``pictures`` hold the slices of each (one NAL unit or more), parameter sets apart."""

    sps: bytes
    pps: bytes
    pictures: tuple[tuple[bytes, ...], ...]
    frame_rate: int = FRAME_RATE
    gop_frames: int = GOP_FRAMES

    @cached_property
    def sums(self) -> tuple[int, ...]:
        """Return the check sum of each picture's slices: by it a viewer knows which picture it got, byte for byte."""
        return tuple(sum_of(slices) for slices in self.pictures)

    @property
    def mbit_s(self) -> float:
        """Return the true rate of the H.264 itself."""
        size = sum(len(nal) + 4 for slices in self.pictures for nal in slices)
        return size * 8 * self.frame_rate / len(self.pictures) / 1e6

    def keyframe(self, index: int) -> bool:
        """Return whether the picture begins a GOP."""
        return index % self.gop_frames == 0

    def annex_b(self, index: int) -> bytes:
        """Return a picture as an encoder writes it, parameter sets before a keyframe."""
        sets = (self.sps, self.pps) if self.keyframe(index) else ()
        return b"".join(b"\x00" + _START_CODE + nal for nal in (*sets, *self.pictures[index]))

    def save(self, path: Path) -> None:
        """Write it as JSON, for the other processes of a benchmark."""
        text = {
            "sps": _text(self.sps),
            "pps": _text(self.pps),
            "pictures": [[_text(nal) for nal in slices] for slices in self.pictures],
            "frame_rate": self.frame_rate,
            "gop_frames": self.gop_frames,
        }
        path.write_text(json.dumps(text), encoding="ascii")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        text = json.loads(path.read_text(encoding="ascii"))
        return cls(
            sps=base64.b64decode(text["sps"]),
            pps=base64.b64decode(text["pps"]),
            pictures=tuple(tuple(base64.b64decode(nal) for nal in slices) for slices in text["pictures"]),
            frame_rate=text["frame_rate"],
            gop_frames=text["gop_frames"],
        )


def sum_of(slices: Sequence[bytes]) -> int:
    """Return the check sum of a picture's slices."""
    total = 0
    for nal in slices:
        total = zlib.crc32(nal, total)
    return total


def is_slice(nal: bytes) -> bool:
    """Return whether a NAL unit is part of a picture (RFC 6184 table 1), and not a parameter set or the like."""
    return nal[0] & 0x1F in _SLICES


def make(
    mbit_s: float, *, width: int = WIDTH, height: int = HEIGHT, gops: int = GOPS, gop_frames: int = GOP_FRAMES
) -> Reel:
    """Encode a loop at that rate, within 3 %.

    Raises:
        RuntimeError: the encoder does not come near it.
    """
    wanted = mbit_s
    for _ in range(_TRIES):
        reel = _encode(wanted, width, height, gops * gop_frames, gop_frames)
        off = reel.mbit_s / mbit_s
        if abs(off - 1) <= _TOLERANCE:
            return reel
        wanted /= off
    raise RuntimeError(f"x264 makes {reel.mbit_s:.2f} Mbit/s of the test picture, and {mbit_s} were asked for.")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _scene(width: int, height: int, frames: int) -> list[npt.NDArray[np.uint8]]:
    """Return luma pictures: a textured street that pans slowly, two things that cross it, and a sensor's noise."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(40, 200, (height // 8 + 40, width // 8 + 80)).astype(np.float32)
    street = np.kron(coarse, np.ones((8, 8), np.float32))
    street += rng.normal(0.0, 10.0, street.shape).astype(np.float32)
    ground = np.clip(street, 0, 255).astype(np.uint8)
    noise = np.clip(rng.normal(8.0, 2.0, (height + 64, width + 64)), 0, 16).astype(np.uint8)
    pictures = []
    for frame in range(frames):
        # There and back, so that the loop's end meets its beginning.
        at = min(frame, frames - frame)
        picture = ground[at // 2 : at // 2 + height, at : at + width].copy()
        for number, size in enumerate((height // 5, height // 8)):
            top = height // 4 + number * height // 3
            left = at * (4 + 3 * number) % (width - size)
            picture[top : top + size, left : left + size] = 235 - 150 * number
        down, across = rng.integers(0, 64, 2)
        picture += noise[down : down + height, across : across + width]
        pictures.append(picture)
    return pictures


def _encode(mbit_s: float, width: int, height: int, frames: int, gop_frames: int) -> Reel:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(FRAME_RATE), Fraction(1, FRAME_RATE)
    bits = round(mbit_s * 1e6)
    encoder.bit_rate = bits
    encoder.gop_size = gop_frames
    encoder.options = {
        "preset": "superfast",
        "profile": "main",
        # As cameras send: one slice a picture, no B pictures, a fixed GOP, and a rate held over a third of a second,
        # which lets a keyframe be some 150 KB at 4 Mbit/s.
        "x264-params": "bframes=0:scenecut=0:sliced-threads=0:rc-lookahead=0"
        f":keyint={gop_frames}:min-keyint={gop_frames}"
        f":vbv-maxrate={bits // 1000}:vbv-bufsize={bits // 3000}:vbv-init=0.9",
    }
    sets: dict[int, bytes] = {}
    pictures: list[tuple[bytes, ...]] = []
    chroma = np.full((height // 2, width), 128, np.uint8)

    def take(packets: "Sequence[av.Packet[av.VideoStream]]") -> None:
        for packet in packets:
            nals = _nals(bytes(packet))
            sets.update({nal[0] & 0x1F: nal for nal in nals if nal[0] & 0x1F in {7, 8}})
            pictures.append(tuple(nal for nal in nals if is_slice(nal)))

    for number, luma in enumerate(_scene(width, height, frames)):
        frame = av.VideoFrame.from_ndarray(np.vstack((luma, chroma)), format="yuv420p")
        frame.pts = number
        take(encoder.encode(frame))
    take(encoder.encode(None))
    reel = Reel(sps=sets[7], pps=sets[8], pictures=tuple(pictures), gop_frames=gop_frames)
    heads = [slices[0][0] & 0x1F == 5 for slices in pictures]
    if len(pictures) != frames or heads != [reel.keyframe(index) for index in range(frames)]:
        raise RuntimeError("x264 did not make the GOPs it was asked for.")
    if len(set(reel.sums)) != frames:
        raise RuntimeError("Two pictures of the loop are alike, so that a viewer could not tell them apart.")
    return reel


def _nals(data: bytes) -> list[bytes]:
    return [nal for part in data.split(_START_CODE) if (nal := part.rstrip(b"\x00"))]
