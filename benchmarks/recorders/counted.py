"""Counts the pictures in recorded files from their own tables, by no code of the product."""

import os
import struct
import subprocess
from pathlib import Path

_CONTAINERS = {b"moof", b"traf"}
_VIDEO_TRACK = 1


def pictures_on_disk(root: Path) -> dict[str, int]:
    """Return camera -> pictures, all its files together, under ``<disk>/<owner>/media/<camera>/main/...``."""
    found: dict[str, int] = {}
    for path in sorted(root.glob("*/media/*/main/*/*.mp4")):
        camera = path.parts[-4]
        found[camera] = found.get(camera, 0) + pictures_in(path)
    return found


def pictures_in(path: Path) -> int:
    """Return the samples of the video track that the fragments of an MP4 file hold (ISO/IEC 14496-12, 8.8.8).

    Raises:
        RuntimeError: the file is cut, or its ``mdat`` has not as many bytes as its table says.
    """
    count = 0
    promised: int | None = None
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        at = 0
        while at < size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length < 8 or at + length > size:
                raise RuntimeError(f"{path} is cut in a {kind!r} box at {at}")
            if kind == b"moof":
                samples, promised = _samples(file.read(length - 8))
                count += samples
            elif kind == b"mdat" and promised != length - 8:
                raise RuntimeError(f"{path}: the pictures at {at} are not as long as their table says")
            at += length
    return count


def _samples(data: bytes) -> tuple[int, int]:
    """Return the video samples in a ``moof``'s content, and the bytes of all samples in it."""
    track = count = total = at = 0
    pending = [(0, len(data))]
    while pending:
        at, end = pending.pop()
        while at < end:
            length, kind = struct.unpack_from(">I4s", data, at)
            if kind in _CONTAINERS:
                pending.append((at + length, end))
                end = at + length
                at += 8
                continue
            if kind == b"tfhd":
                (track,) = struct.unpack_from(">I", data, at + 12)
            elif kind == b"trun":
                flags, samples = struct.unpack_from(">II", data, at + 8)
                first = at + 20 + (4 if flags & 4 else 0)
                total += sum(struct.unpack_from(f">{2 * samples}I", data, first)[1::2])
                count += samples if track == _VIDEO_TRACK else 0
            at += length
    return count, total


def judged_pictures(path: Path) -> int:
    """Return how many pictures ffprobe finds in a file, demuxing all of it."""
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets",
         "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(path)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(told.stdout.strip().rstrip(","))
