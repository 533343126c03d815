"""What is done with a disk at start: files and catalog are brought to agree, and nothing is thrown away.

Open files are cut after their last whole fragment, told by its hash. Files that the catalog does not know are read
and entered; those that are not ours stay untouched. Deletions that were begun are finished. Rows whose files are gone
become gaps, unless they are so many that something else must be wrong.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from kernel.media import GapCause
from recording import holds
from recording.catalog import Catalog
from recording.catalog.files import (
    CLOSED,
    GARBAGE,
    FileRow,
    FragmentRow,
    all_files,
    append_fragments,
    forget,
    fragment_row,
    fragments_of,
    insert_file,
    set_state,
)
from recording.errors import FootageMissingError, MalformedFileError
from recording.mux.boxes import Box
from recording.mux.fragment import HEADER_BYTES, FragmentHeader, rehash
from recording.mux.init import Anchor

_log = structlog.get_logger(__name__)
MAX_INIT_BYTES = 1024 * 1024
HASHED_TAIL = 64
"""Fragments hashed at the end of a file that was open: more than one batch holds."""
FEWEST_MISSING = 3
"""So few files may be gone without a word from the administrator, unless they are all there were."""


@dataclass(slots=True)
class RecoveryReport:
    """What was found and done on one disk at start."""

    files: int = 0
    adopted: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    truncated: list[tuple[str, int]] = field(default_factory=list)
    """Paths, and how many bytes of a torn fragment were cut."""
    deleted: int = 0
    rebuilt: bool = False


def open_catalog(root: Path) -> tuple[Catalog, bool]:
    """Open the catalog under ``root``; one that cannot be read is set aside and a new one begun.

    Returns the catalog and whether it must be made again from the files.
    """
    path = root / "catalog.db"
    fresh = not path.exists()
    try:
        return Catalog(path), fresh
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        aside = path.with_name(f"catalog.broken-{os.urandom(4).hex()}.db")
        _log.error("recording.catalog_broken", path=str(path), aside=str(aside), error=str(error))
        path.rename(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return Catalog(path), True


def recover(root: Path, catalog: Catalog, *, missing_share: float, accept_missing: bool) -> RecoveryReport:
    """Bring files and catalog to agree.

    Raises:
        FootageMissingError: too many files are gone. Nothing has been changed.
        OSError, sqlite3.Error: the disk fails.
    """
    report = RecoveryReport()
    with catalog.read() as db:
        rows = all_files(db)
    report.files = len(rows)
    found = {str(path.relative_to(root)): size for path, size in _media(root / "media")}
    for row in rows:
        if row.state != GARBAGE and row.path not in found and holds.relink(root, row.path):
            found[row.path] = (root / row.path).stat().st_size
    gone = [row for row in rows if row.state != GARBAGE and row.path not in found]
    live = sum(row.state != GARBAGE for row in rows)
    report.missing = [row.path for row in gone]
    all_gone = bool(gone) and len(gone) == live
    if not accept_missing and (all_gone or len(gone) > max(FEWEST_MISSING, missing_share * live)):
        raise FootageMissingError(
            f"{len(gone)} of the {live} files that the catalog {catalog.path} lists are not on the disk.",
            cure="Put them back, or, if they are lost for good, start once with recording.accept_missing = true.",
            missing=report.missing[:20],
        )
    for row in rows:
        if row.state == GARBAGE:
            (root / row.path).unlink(missing_ok=True)
            with catalog.write() as db:
                forget(db, row.n)
            report.deleted += 1
            found.pop(row.path, None)
        elif row.path not in found:
            _write_off(catalog, row)
        elif row.state != CLOSED or found[row.path] != row.size_bytes:
            _mend(root, catalog, row, report)
    known = {row.path for row in rows}
    for path in sorted(found.keys() - known):
        _adopt(root, catalog, path, report)
    holds.recover(root, catalog)
    return report


def _media(top: Path) -> Iterator[tuple[Path, int]]:
    for directory, _, names in os.walk(top):
        for name in names:
            path = Path(directory, name)
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat(follow_symlinks=False).st_size


def _write_off(catalog: Catalog, row: FileRow) -> None:
    _log.error("recording.file_missing", path=row.path, camera=row.camera)
    with catalog.write() as db:
        db.execute("INSERT INTO gaps (camera, stream, start_ns, end_ns, cause, detail) VALUES (?, ?, ?, ?, ?, ?)",
                   (row.camera, row.stream, row.start_ns, row.end_ns, GapCause.STORAGE.value,
                    "the file is gone from the disk"))  # fmt: skip
        forget(db, row.n)


def _mend(root: Path, catalog: Catalog, row: FileRow, report: RecoveryReport) -> None:
    """Take up whole fragments beyond the catalogued ones, and cut what is torn behind them."""
    with catalog.read() as db:
        known = fragments_of(db, row.n)
    path = root / row.path
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end, count = (known[-1].offset + known[-1].size_bytes, len(known)) if known else (row.init_bytes, 0)
        if size < end:
            # Catalogued footage was cut away: keep what is still whole, and say what is not.
            kept = [fragment for fragment in known if fragment.offset + fragment.size_bytes <= size]
            _shorten(catalog, row, kept)
            end, count = (kept[-1].offset + kept[-1].size_bytes, len(kept)) if kept else (row.init_bytes, 0)
        more, end = scan(file.fileno(), end, size, count)
        if size > end:
            report.truncated.append((row.path, size - end))
            _log.warning("recording.file_truncated", path=row.path, cut_bytes=size - end)
        os.ftruncate(file.fileno(), end)
        os.fsync(file.fileno())
    with catalog.write() as db:
        append_fragments(db, row.n, more)
        db.execute("UPDATE files SET size_bytes = ? WHERE n = ?", (end, row.n))
        set_state(db, row.n, CLOSED)


def _shorten(catalog: Catalog, row: FileRow, kept: list[FragmentRow]) -> None:
    _log.error("recording.file_short", path=row.path, camera=row.camera)
    with catalog.write() as db:
        db.execute("DELETE FROM fragments WHERE file = ? AND idx >= ?", (row.n, len(kept)))
        db.execute("UPDATE files SET end_ns = start_ns WHERE n = ?", (row.n,))
        if kept:
            db.execute("DELETE FROM fragments WHERE file = ? AND idx = ?", (row.n, len(kept) - 1))
            append_fragments(db, row.n, kept[-1:])
        (end_ns,) = db.execute("SELECT end_ns FROM files WHERE n = ?", (row.n,)).fetchone()
        db.execute("INSERT INTO gaps (camera, stream, start_ns, end_ns, cause, detail) VALUES (?, ?, ?, ?, ?, ?)",
                   (row.camera, row.stream, end_ns, row.end_ns, GapCause.STORAGE.value,
                    "the end of the file is gone from the disk"))  # fmt: skip


def scan(descriptor: int, offset: int, size: int, count: int) -> tuple[list[FragmentRow], int]:
    """Return the whole fragments from ``offset`` on, numbered from ``count``, and where the last of them ends.

    Only the last few are hashed: what lies before them was flushed before they were written, and a disk of
    terabytes must come up in minutes. ``verify`` hashes everything.
    """
    rows: list[FragmentRow] = []
    while offset < size:
        try:
            header = FragmentHeader.parse(os.pread(descriptor, HEADER_BYTES, offset))
        except MalformedFileError:
            break
        if offset + header.size_bytes > size:
            break
        rows.append(fragment_row(count + len(rows), offset, header))
        offset += header.size_bytes
    for number in range(max(0, len(rows) - HASHED_TAIL), len(rows)):
        row = rows[number]
        if rehash(os.pread(descriptor, row.size_bytes, row.offset)) != row.sha256:
            return rows[:number], row.offset
    return rows, offset


def read_init(descriptor: int, size: int) -> bytes:
    """Return the init segment of a file of ours: everything before its first fragment.

    Raises:
        MalformedFileError: it has none.
    """
    head = os.pread(descriptor, min(size, MAX_INIT_BYTES), 0)
    offset = 0
    while offset + 8 <= len(head):
        length = int.from_bytes(head[offset : offset + 4], "big")
        found = Box(head[offset + 4 : offset + 8], offset, offset + 8, offset + length)
        if length < 8 or found.end > len(head):
            break
        offset = found.end
        if found.kind == b"moov":
            return head[:offset]
    raise MalformedFileError("there is no init segment")


def _adopt(root: Path, catalog: Catalog, path: str, report: RecoveryReport) -> None:
    """Enter a file that the catalog does not know; where it is not one of ours, leave it alone."""
    with (root / path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        try:
            init = read_init(file.fileno(), size)
            anchor = Anchor.from_init(init)
        except MalformedFileError:
            report.foreign.append(path)
            _log.warning("recording.file_foreign", path=path)
            return
        rows, end = scan(file.fileno(), len(init), size, 0)
    if size > end:
        report.truncated.append((path, size - end))
        os.truncate(root / path, end)
    row = FileRow(0, anchor.file_id, anchor.camera, anchor.stream, anchor.run, path, anchor.codec.value, anchor.width,
                  anchor.height, anchor.start_ns, anchor.start_ns, end, len(init), hashlib.sha256(init).digest(),
                  CLOSED)  # fmt: skip
    try:
        with catalog.write() as db:
            append_fragments(db, insert_file(db, row), rows)
    except sqlite3.IntegrityError:
        # A copy of a file that is catalogued under another path: its footage is known already.
        report.foreign.append(path)
        return
    report.adopted.append(path)
    _log.info("recording.file_adopted", path=path, camera=anchor.camera, fragments=len(rows))
