"""Footage that nothing allowed to be recorded is deleted before its time, and its timeline says so.

What is held stays whole, and so does a file that is being written, or that goes on beyond the range. One that began
before the range loses its end: a file that is cut after a fragment plays up to there.
"""

import os
from dataclasses import dataclass

import structlog

from kernel.ids import StreamName
from kernel.media import GapCause
from recording.catalog import facts
from recording.catalog.files import FileRow, cut, files_between, fragments_of
from recording.disk import Disk
from recording.mux.fragment import ticks_to_ns
from recording.retention import UNHELD, delete

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erased:
    """Of how many files something was deleted, and how many there are that had to be kept as they are."""

    files: int = 0
    kept: int = 0


def erase(disk: Disk, camera: str, start_ns: int, end_ns: int, detail: str) -> Erased:
    """Delete what a camera recorded in a range, both streams; ``detail`` is the gap's, whose cause is privacy.

    Done again it goes on with what was kept. Runs on a writing thread.

    Raises:
        OSError, sqlite3.Error: the disk fails.
    """
    files = kept = 0
    with disk.sweeping:
        for stream in StreamName:
            with disk.catalog.read() as db:
                rows = files_between(db, camera, stream.value, start_ns, end_ns)
            for row in rows:
                if row.id in disk.active or row.end_ns > end_ns:
                    kept += 1
                elif _erased(disk, row, start_ns, detail):
                    files += 1
                elif _begins(disk, row, start_ns) is not None:
                    kept += 1
    _log.info("recording.erased", disk=str(disk.settings.path), camera=camera, files=files, kept=kept)
    return Erased(files, kept)


def _begins(disk: Disk, row: FileRow, start_ns: int) -> int | None:
    """Return which fragment of a file is the first that begins in the range; ``None``: none does."""
    with disk.catalog.read() as db:
        fragments = fragments_of(db, row.n)
    return next((one.idx for one in fragments if row.start_ns + ticks_to_ns(one.start_90k) >= start_ns), None)


def _erased(disk: Disk, row: FileRow, start_ns: int, detail: str) -> bool:
    first = _begins(disk, row, start_ns)
    if first is None:
        return False
    if first == 0:
        return delete(disk, [row], tell=lambda db, file: facts.put_gap(
            db, file.camera, file.stream, file.start_ns, file.end_ns, GapCause.PRIVACY, detail)) > 0  # fmt: skip
    with disk.catalog.write(durable=True) as db:
        free = db.execute(f"SELECT 1 FROM files WHERE n = ? AND {UNHELD}", (row.n,)).fetchone()  # noqa: S608 - constant
        if free is None:
            return False
        ends_ns, size_bytes = cut(db, row, first)
        facts.put_gap(db, row.camera, row.stream, ends_ns, row.end_ns, GapCause.PRIVACY, detail)
        # Before the rows are: a start after a crash finds the file shorter than they say, and reads it again.
        _shorten(disk, row, size_bytes)
    return True


def _shorten(disk: Disk, row: FileRow, size_bytes: int) -> None:
    descriptor = os.open(disk.absolute(row.path), os.O_RDWR | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, size_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
