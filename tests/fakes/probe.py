"""Judges of media files that nobody here wrote: ffprobe and libav."""

import asyncio
import json
from pathlib import Path
from typing import Any

import av


async def ffprobe(path: Path) -> dict[str, Any]:
    """Return what ffprobe says of a file, its pictures counted by decoding them.

    Raises:
        AssertionError: it complained.
    """
    process = await asyncio.create_subprocess_exec(
        "ffprobe", "-v", "warning", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    assert not complaints, complaints.decode()
    facts: dict[str, Any] = json.loads(out)
    return facts


def packets(path: Path, kind: str = "video") -> list[tuple[int, bytes, bool]]:
    """Return (time in the track's ticks, bytes, keyframe) of every packet that libav finds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        return [
            (packet.pts, bytes(packet), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        ]
