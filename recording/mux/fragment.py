"""Fragments: what one GOP (or a part of a long one) becomes on disk.

Each is three or five boxes in this order: a ``uuid`` box of ours with the fragment's length, times and SHA-256; the
pictures' ``moof`` and ``mdat``; and, where there was sound, the sound's ``moof`` and ``mdat``. The two are apart so
that a browser, whose MSE cannot play G.711, can be given the pictures alone as one slice. With the hash in the file
a torn tail is told from a whole one, and the catalog can be made again without reading the pictures.
"""

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from struct import Struct, pack
from typing import NamedTuple
from uuid import UUID

from kernel.clock import NS_PER_S
from kernel.media import VIDEO_CLOCK_HZ, AudioFrame, AudioParameters, VideoParameters
from recording.errors import MalformedFileError
from recording.mux.audio import nominal_ticks
from recording.mux.init import AUDIO_TRACK, VIDEO_TRACK

FRAGMENT_UUID = UUID("5a1f9e0e-1e6b-4c0a-9c51-667261676d74").bytes
_HEAD = Struct(">I4s16sBBHIIQIq")
_HASH_BYTES = 32
HEADER_BYTES = _HEAD.size + _HASH_BYTES
"""Length of our box in front of each fragment."""

_MOOF = Struct(">I4s I4sII I4s I4sIII I4sIQ I4sIIi")
_SYNC = 0x0200_0000
_NOT_SYNC = 0x0101_0000

KEYFRAME = 1
ENDS_GOP = 2
DAMAGED = 4


@dataclass(slots=True, kw_only=True)
class Fragment:
    """Pictures from one cut to the next, and the sound that came with them, on their way to a disk."""

    run: str
    parameters: VideoParameters
    audio_parameters: AudioParameters | None
    time_source: str
    start_90k: int
    duration_90k: int
    wall_ns: int
    """Capture of its first picture, as measured."""
    received_ns: int
    """Monotonic arrival of its first picture."""
    keyframe: bool
    ends_gop: bool
    damaged: bool
    size_bytes: int
    table: list[int]
    """Duration and size of each picture, in turn."""
    chunks: list[bytes]
    """NAL lengths and NAL units in turn."""
    audio: list[AudioFrame] = field(default_factory=list)

    @property
    def flags(self) -> int:
        """Return KEYFRAME, ENDS_GOP and DAMAGED as bits."""
        return KEYFRAME * self.keyframe | ENDS_GOP * self.ends_gop | DAMAGED * self.damaged


class FragmentHeader(NamedTuple):
    """What our box in front of a fragment says."""

    flags: int
    size_bytes: int
    """Of the whole fragment, our box included."""
    video_bytes: int
    start_90k: int
    """Since the start of the file."""
    duration_90k: int
    wall_ns: int
    sha256: bytes

    @classmethod
    def parse(cls, data: bytes, offset: int = 0) -> "FragmentHeader":
        """Read it.

        Raises:
            MalformedFileError: there is none at ``offset``.
        """
        if len(data) - offset < HEADER_BYTES:
            raise MalformedFileError("a fragment is cut short")
        size, kind, extended, version, flags, _, body, video, start, duration, wall = _HEAD.unpack_from(data, offset)
        if (size, kind, extended, version) != (HEADER_BYTES, b"uuid", FRAGMENT_UUID, 1):
            raise MalformedFileError("there is no fragment here")
        digest = bytes(data[offset + _HEAD.size : offset + HEADER_BYTES])
        return cls(flags, HEADER_BYTES + body, video, start, duration, wall, digest)


@dataclass(slots=True)
class SoundClock:
    """Where the sound of one file stands: its first packet is placed by wall time, the rest by its own clock."""

    first_clock: int
    first_ticks: int
    parameters: AudioParameters


def _moof(  # noqa: PLR0913, PLR0917 - the fields that differ
    track: int, sequence: int, start: int, default_flags: int, first_flags: int | None, table: list[int]
) -> bytes:
    """Return ``moof`` and the header of the ``mdat`` behind it; ``table`` holds durations and sizes in turn."""
    count = len(table) // 2
    first = b"" if first_flags is None else pack(">I", first_flags)
    trun_bytes = 20 + len(first) + 8 * count
    moof_bytes = 72 + trun_bytes
    payload = sum(table[1::2])
    return b"".join(
        (
            _MOOF.pack(
                moof_bytes, b"moof", 16, b"mfhd", 0, sequence, moof_bytes - 24, b"traf",
                20, b"tfhd", 0x02_0020, track, default_flags, 20, b"tfdt", 0x0100_0000, start,
                trun_bytes, b"trun", 0x301 if first_flags is None else 0x305, count, moof_bytes + 8,
            ),
            first,
            pack(f">{2 * count}I", *table),
            pack(">I4s", 8 + payload, b"mdat"),
        )
    )  # fmt: skip


def _sound(frames: list[AudioFrame], clock: SoundClock, sequence: int) -> list[bytes]:
    """Return the parts of the sound's ``moof`` and ``mdat``; empty where no packet fits."""
    start = clock.first_ticks + frames[0].time_clock - clock.first_clock
    table: list[int] = []
    for frame, following in zip(frames, [*frames[1:], None], strict=True):
        step = nominal_ticks(frame) if following is None else following.time_clock - frame.time_clock
        table += (step, len(frame.data))
    return [_moof(AUDIO_TRACK, sequence, start, _SYNC, None, table), *(frame.data for frame in frames)]


def _fitting(frames: list[AudioFrame], clock: SoundClock) -> list[AudioFrame]:
    """Return the packets that can stand in this file: same coding, at or after its start, in order."""
    kept: list[AudioFrame] = []
    for frame in frames:
        ticks = clock.first_ticks + frame.time_clock - clock.first_clock
        if frame.parameters == clock.parameters and ticks >= 0:
            if kept and frame.time_clock <= kept[-1].time_clock:
                continue
            kept.append(frame)
    return kept


def place_sound(frames: list[AudioFrame], file_start_ns: int, parameters: AudioParameters) -> SoundClock | None:
    """Return where the first of ``frames`` stands in a file that began at ``file_start_ns``."""
    for frame in frames:
        ticks = (frame.wall_ns - file_start_ns) * parameters.clock_hz // NS_PER_S
        if ticks >= 0 and frame.parameters == parameters:
            return SoundClock(frame.time_clock, ticks, parameters)
    return None


def pack_fragment(
    fragment: Fragment, into: BytesIO, *, base_90k: int, sequence: int, sound: SoundClock | None
) -> FragmentHeader:
    """Append ``fragment`` to ``into`` as it stands in a file whose media time zero is ``base_90k`` of the run.

    One copy of the payload, made here: hashing and writing one buffer costs less than handing every NAL unit to the
    hash and to ``writev`` on its own.
    """
    start = fragment.start_90k - base_90k
    head = _moof(VIDEO_TRACK, 2 * sequence + 1, start, _NOT_SYNC, _SYNC if fragment.keyframe else _NOT_SYNC,
                 fragment.table)  # fmt: skip
    video_bytes = body_bytes = len(head) + fragment.size_bytes
    heard: list[bytes] = []
    if sound is not None and (frames := _fitting(fragment.audio, sound)):
        heard = _sound(frames, sound, 2 * sequence + 2)
        body_bytes += sum(map(len, heard))
    front = _HEAD.pack(HEADER_BYTES, b"uuid", FRAGMENT_UUID, 1, fragment.flags, 0, body_bytes, video_bytes,
                       start, fragment.duration_90k, fragment.wall_ns)  # fmt: skip
    at = into.tell()
    into.writelines((front, bytes(_HASH_BYTES), head))
    into.writelines(fragment.chunks)
    into.writelines(heard)
    with into.getbuffer() as view:
        sha256 = rehash(view[at : into.tell()])
        view[at + _HEAD.size : at + HEADER_BYTES] = sha256
    return FragmentHeader(fragment.flags, HEADER_BYTES + body_bytes, video_bytes, start, fragment.duration_90k,
                          fragment.wall_ns, sha256)  # fmt: skip


def rehash(data: bytes | memoryview) -> bytes:
    """Return the SHA-256 that the bytes of a whole fragment ought to carry."""
    with memoryview(data) as view:
        digest = hashlib.sha256(view[: _HEAD.size])
        digest.update(view[HEADER_BYTES:])
    return digest.digest()


def ticks_to_ns(ticks_90k: int) -> int:
    """Return nanoseconds of 90 kHz ticks, rounded down."""
    return ticks_90k * NS_PER_S // VIDEO_CLOCK_HZ


def ns_to_ticks(duration_ns: int) -> int:
    """Return 90 kHz ticks of nanoseconds, rounded down."""
    return duration_ns * VIDEO_CLOCK_HZ // NS_PER_S
