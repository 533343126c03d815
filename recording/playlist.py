"""HLS playlists out of the catalog (RFC 8216): across files, changes of format and gaps."""

import math
from collections.abc import Callable, Sequence

from kernel.clock import utc
from kernel.media import VIDEO_CLOCK_HZ
from recording.segments import FileSegments

UriOf = Callable[[str, int | None], str]
"""``uri(file_id, None)`` names an init segment, ``uri(file_id, index)`` a media segment."""


def plain_uri(file_id: str, index: int | None) -> str:
    """Name segments beside the playlist: ``init-<file>.mp4`` and ``<file>-<index>.m4s``."""
    return f"init-{file_id}.mp4" if index is None else f"{file_id}-{index}.m4s"


def build(parts: Sequence[FileSegments], *, growing: bool, uri: UriOf) -> str:
    """Return the playlist that plays ``parts``.

    Media time begins anew in each file, so each begins with a discontinuity; the wall time of its first picture
    stands there as EXT-X-PROGRAM-DATE-TIME. A gap is no more than that: playback goes on behind it. A ``growing``
    playlist is an EVENT without an end; a GOP that is still being recorded is not listed yet.
    """
    lines: list[str] = []
    longest_s = 1.0
    for number, part in enumerate(parts):
        segments = [s for s in part.segments if s.whole or s is not part.segments[-1] or not growing]
        if not segments:
            continue
        if number and lines:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.append(f'#EXT-X-MAP:URI="{uri(part.file.id, None)}"')
        stamp = utc(segments[0].start_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{stamp}")
        for segment in segments:
            duration_s = segment.duration_90k / VIDEO_CLOCK_HZ
            longest_s = max(longest_s, duration_s)
            lines += (f"#EXTINF:{duration_s:.6f},", uri(part.file.id, segment.index))
    head = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest_s)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if growing else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    return "\n".join([*head, *lines, *([] if growing else ["#EXT-X-ENDLIST"]), ""])
