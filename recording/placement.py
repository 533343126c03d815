"""Which disk takes which stream."""

import hashlib
from collections.abc import Sequence

from kernel.ids import CameraId, StreamName
from recording.disk import Disk, DiskState


def choose(disks: Sequence[Disk], camera: CameraId, stream: StreamName) -> Disk | None:
    """Return the disk for a stream, or None where none can be trusted.

    Rendezvous hashing: each camera ranks the disks in its own fixed order, so that a lost disk moves only its own
    streams and they spread over the others. Main takes the first of the trusted ones, sub the second: one lost
    disk leaves each camera one of its two streams.
    """
    trusted = [disk for disk in disks if disk.state is DiskState.OK]
    if not trusted:
        return None
    ranked = sorted(trusted, key=lambda disk: hashlib.sha256(f"{camera} {disk.id}".encode()).digest())
    return ranked[1 if stream is StreamName.SUB and len(ranked) > 1 else 0]
