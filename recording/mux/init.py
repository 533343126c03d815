"""Init segments: ``ftyp``, our own ``uuid`` box with what the catalog must know again, and ``moov``."""

import json
from dataclasses import dataclass
from struct import pack
from uuid import UUID

from kernel.clock import NS_PER_S
from kernel.media import VIDEO_CLOCK_HZ, AudioParameters, VideoCodec, VideoParameters
from recording.errors import MalformedFileError
from recording.mux.audio import audio_sample_entry
from recording.mux.boxes import SECONDS_1904_TO_1970, box, find, full_box, walk
from recording.mux.parameter_sets import video_sample_entry

ANCHOR_UUID = UUID("5a1f9e0e-1e6b-4c0a-9c51-73696768746c").bytes
"""Extended type of the box that says whose footage this is and when it began."""
VIDEO_TRACK = 1
AUDIO_TRACK = 2
_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_FTYP = box(b"ftyp", b"iso6", pack(">I", 0), b"iso6", b"isom", b"mp41")
_EMPTY_TABLES = b"".join(
    (full_box(b"stts", 0, 0, bytes(4)), full_box(b"stsc", 0, 0, bytes(4)),
     full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, bytes(4)))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a file says of itself, so that the catalog can be made again from files alone."""

    file_id: str
    camera: str
    stream: str
    run: str
    start_ns: int
    """Wall time of the first picture: media time zero of the file."""
    codec: VideoCodec
    width: int
    height: int
    time_source: str

    def to_box(self) -> bytes:
        """Return the ``uuid`` box."""
        fields = {"v": 1, "id": self.file_id, "camera": self.camera, "stream": self.stream, "run": self.run,
                  "start_ns": self.start_ns, "codec": self.codec.value, "width": self.width, "height": self.height,
                  "time_source": self.time_source}  # fmt: skip
        return box(b"uuid", ANCHOR_UUID, json.dumps(fields, separators=(",", ":")).encode())

    @classmethod
    def from_init(cls, data: bytes) -> "Anchor":
        """Read it back from an init segment.

        Raises:
            MalformedFileError: it is not there or says nothing sensible.
        """
        for found in walk(data):
            if found.kind == b"uuid" and data[found.body : found.body + 16] == ANCHOR_UUID:
                try:
                    fields = json.loads(data[found.body + 16 : found.end])
                    return cls(file_id=str(fields["id"]), camera=str(fields["camera"]), stream=str(fields["stream"]),
                               run=str(fields["run"]), start_ns=int(fields["start_ns"]),
                               codec=VideoCodec(fields["codec"]), width=int(fields["width"]),
                               height=int(fields["height"]), time_source=str(fields["time_source"]))  # fmt: skip
                except (ValueError, KeyError, TypeError) as error:
                    raise MalformedFileError("the anchor box is damaged") from error
        raise MalformedFileError("there is no anchor box")


def seconds_1904(wall_ns: int) -> int:
    """Return the MP4 creation time of ``wall_ns``."""
    return wall_ns // NS_PER_S + SECONDS_1904_TO_1970


def movie_header(start_ns: int, duration_90k: int, next_track: int) -> bytes:
    """Return ``mvhd`` (section 8.2.2) at 90 kHz; times of 64 bits."""
    created = seconds_1904(start_ns)
    return full_box(b"mvhd", 1, 0, pack(">QQIQ", created, created, VIDEO_CLOCK_HZ, duration_90k),
                    pack(">IH10x", 0x10000, 0x100), _MATRIX, bytes(24), pack(">I", next_track))  # fmt: skip


def track(  # noqa: PLR0913 - the fields of three header boxes
    number: int,
    *,
    start_ns: int,
    timescale: int,
    duration: int,
    duration_90k: int,
    size: tuple[int, int] | None,
    tables: bytes,
    edits: bytes = b"",
) -> bytes:
    """Return a ``trak``; ``size`` is the picture's, or None for sound. ``duration`` counts ``timescale`` ticks."""
    created = seconds_1904(start_ns)
    width, height = size or (0, 0)
    tkhd = full_box(b"tkhd", 1, 3, pack(">QQIIQ", created, created, number, 0, duration_90k), bytes(8),
                    pack(">HHHH", 0, 0, 0 if size else 0x100, 0), _MATRIX,
                    pack(">II", width << 16, height << 16))  # fmt: skip
    mdhd = full_box(b"mdhd", 1, 0, pack(">QQIQHH", created, created, timescale, duration, 0x55C4, 0))
    handler = (b"vide", b"Video\0") if size else (b"soun", b"Sound\0")
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler[0], bytes(12), handler[1])
    header = full_box(b"vmhd", 0, 1, bytes(8)) if size else full_box(b"smhd", 0, 0, bytes(4))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1)))
    return box(b"trak", tkhd, edits, box(b"mdia", mdhd, hdlr, box(b"minf", header, dinf, box(b"stbl", tables))))


def sample_descriptions(*entries: bytes) -> bytes:
    """Return ``stsd`` with ``entries``."""
    return full_box(b"stsd", 0, 0, pack(">I", len(entries)), *entries)


def init_segment(anchor: Anchor, video: VideoParameters, audio: AudioParameters | None) -> bytes:
    """Return the head of a file: everything before its first fragment."""
    tracks = [
        track(VIDEO_TRACK, start_ns=anchor.start_ns, timescale=VIDEO_CLOCK_HZ, duration=0, duration_90k=0,
              size=(video.width, video.height),
              tables=sample_descriptions(video_sample_entry(video)) + _EMPTY_TABLES)
    ]  # fmt: skip
    extends = [full_box(b"trex", 0, 0, pack(">5I", VIDEO_TRACK, 1, 0, 0, 0))]
    if audio is not None:
        tracks.append(
            track(AUDIO_TRACK, start_ns=anchor.start_ns, timescale=audio.clock_hz, duration=0, duration_90k=0,
                  size=None, tables=sample_descriptions(audio_sample_entry(audio)) + _EMPTY_TABLES)
        )  # fmt: skip
        extends.append(full_box(b"trex", 0, 0, pack(">5I", AUDIO_TRACK, 1, 0, 0, 0)))
    moov = box(b"moov", movie_header(anchor.start_ns, 0, len(tracks) + 1), *tracks, box(b"mvex", *extends))
    return b"".join((_FTYP, anchor.to_box(), moov))


def video_only(init: bytes) -> bytes:
    """Return ``init`` without its sound track and without our own box: what a browser is given."""
    moov = find(init, b"moov")
    kept = []
    for part in walk(init, moov.body, moov.end):
        if part.kind == b"trak":
            number = int.from_bytes(init[part.body + 28 : part.body + 32], "big")
            if number != VIDEO_TRACK:
                continue
        elif part.kind == b"mvex":
            kept.append(
                box(b"mvex", *(init[t.start : t.end] for t in walk(init, part.body, part.end)
                               if int.from_bytes(init[t.body + 4 : t.body + 8], "big") == VIDEO_TRACK))
            )  # fmt: skip
            continue
        kept.append(init[part.start : part.end])
    return _FTYP + box(b"moov", *kept)


def sample_entries(init: bytes) -> dict[int, bytes]:
    """Return track number -> its first sample entry, whole, of an init segment."""
    entries = {}
    moov = find(init, b"moov")
    for part in walk(init, moov.body, moov.end):
        if part.kind == b"trak":
            number = int.from_bytes(init[part.body + 28 : part.body + 32], "big")
            stsd = find(init, b"mdia", b"minf", b"stbl", b"stsd", start=part.body, end=part.end)
            entry = next(iter(walk(init, stsd.body + 8, stsd.end)))
            entries[number] = init[entry.start : entry.end]
    return entries


def audio_clock_hz(init: bytes) -> int | None:
    """Return the time scale of the sound track, if there is one."""
    moov = find(init, b"moov")
    for part in walk(init, moov.body, moov.end):
        if part.kind == b"trak" and int.from_bytes(init[part.body + 28 : part.body + 32], "big") == AUDIO_TRACK:
            mdhd = find(init, b"mdia", b"mdhd", start=part.body, end=part.end)
            return int.from_bytes(init[mdhd.body + 20 : mdhd.body + 24], "big")
    return None
