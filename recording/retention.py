"""What is deleted, and in which order; held footage never."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection

import structlog

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S
from recording.catalog import facts
from recording.catalog.files import GARBAGE, FileRow, forget, totals
from recording.disk import Disk

_log = structlog.get_logger(__name__)

MOST = 1000
"""Files that one round deletes for their age: the next round goes on."""
BATCH = 50
"""Files that one transaction makes garbage: its flush is paid once for all of them."""
DAY_NS = 86_400 * NS_PER_S

UNHELD = """ state != 2 AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.camera = files.camera
    AND h.start_ns < files.end_ns AND h.end_ns > files.start_ns)"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one round of retention did."""

    files: int = 0
    bytes: int = 0
    short_bytes: int = 0
    """What is still wanting although nothing more may be deleted."""


def floor_bytes(total_bytes: int, bytes_per_s: float, settings: RecordingSettings) -> int:
    """Return how much must stay free: the larger of a share of the disk and some minutes of writing.

    On a very small disk some batches are more than either.
    """
    minutes_bytes = bytes_per_s * 60 * settings.free_minutes
    return round(max(total_bytes * settings.free_share, minutes_bytes, 8 * settings.batch_bytes))


def sweep(disk: Disk, settings: RecordingSettings, now_ns: int, *, by_age: bool, extra_bytes: int = 0) -> Sweep:
    """Delete what is past retention, then what is over quota, then what is below the free space that must stay.

    For room the oldest main goes first, and sub only when no main is left that may go. ``extra_bytes`` are wanted
    on top, whatever the file system says is free. Runs on a writing thread.

    Raises:
        OSError, sqlite3.Error: the disk fails.
    """
    with disk.sweeping:
        return _sweep(disk, settings, now_ns, by_age=by_age, extra_bytes=extra_bytes)


def _sweep(disk: Disk, settings: RecordingSettings, now_ns: int, *, by_age: bool, extra_bytes: int) -> Sweep:
    count = size = 0
    if by_age:
        before_ns = now_ns - round(settings.retention_days * DAY_NS)
        while count < MOST and (files := _old(disk, before_ns)):
            count, size = count + len(files), size + delete(disk, files)
        with disk.catalog.write() as db:
            facts.forget_gaps(db, before_ns)
    while (short := max(0, _short(disk, settings)) + extra_bytes) > 0:
        files = _oldest(disk, short)
        freed = delete(disk, files)
        if not freed:
            return Sweep(count, size, short)
        count, size, extra_bytes = count + len(files), size + freed, max(0, extra_bytes - freed)
    return Sweep(count, size)


def _short(disk: Disk, settings: RecordingSettings) -> int:
    """Return how many bytes must go; none or less: nothing must."""
    free, total = disk.volume.free_bytes(disk.root)
    short = floor_bytes(total, disk.bytes_per_s, settings) - free
    if disk.settings.quota_bytes is not None:
        with disk.catalog.read() as db:
            _, used, _ = totals(db)
        short = max(short, used - disk.settings.quota_bytes)
    return short


_COLUMNS = ", ".join(FileRow._fields)


def _select(disk: Disk, where: str, values: tuple[object, ...]) -> list[FileRow]:
    with disk.catalog.read() as db:
        rows = db.execute(f"SELECT {_COLUMNS} FROM files WHERE {where} AND {UNHELD} ORDER BY end_ns LIMIT ?",  # noqa: S608
                          (*values, BATCH + len(disk.active)))  # fmt: skip
        return [row for row in (FileRow(*fields) for fields in rows) if row.id not in disk.active][:BATCH]


def _old(disk: Disk, before_ns: int) -> list[FileRow]:
    return _select(disk, "end_ns < ?", (before_ns,))


def _oldest(disk: Disk, short: int) -> list[FileRow]:
    """Return the oldest files that make ``short`` bytes of room, of one stream."""
    for stream in ("main", "sub"):
        chosen: list[FileRow] = []
        for row in _select(disk, "stream = ?", (stream,)):
            if short <= 0:
                break
            chosen.append(row)
            short -= row.size_bytes
        if chosen:
            return chosen
    return []


def _expired(db: Connection, file: FileRow) -> None:
    facts.note_expired(db, file.camera, file.stream, file.end_ns)


def delete(disk: Disk, files: list[FileRow], *, tell: Callable[[Connection, FileRow], None] = _expired) -> int:
    """Make rows garbage, unlink, take the rows away: in that order, each step safe to repeat; return how many bytes.

    The transaction asks for holds itself, so a hold that came in between wins. ``tell`` writes down what became of one.
    """
    doomed = []
    if not files:
        return 0
    with disk.catalog.write(durable=True) as db:
        for file in files:
            changed = db.execute(f"UPDATE files SET state = {GARBAGE} WHERE n = ? AND {UNHELD}", (file.n,)).rowcount  # noqa: S608
            if changed:
                doomed.append(file)
                tell(db, file)
    for file in doomed:
        disk.absolute(file.path).unlink(missing_ok=True)
    with disk.catalog.write() as db:
        for file in doomed:
            forget(db, file.n)
    _log.info("recording.deleted", disk=str(disk.settings.path), files=len(doomed),
              size_bytes=sum(file.size_bytes for file in doomed))  # fmt: skip
    return sum(file.size_bytes for file in doomed)
