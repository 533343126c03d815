"""File and fragment rows."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from recording.catalog.connection import CLOSED, GARBAGE, OPEN
from recording.mux.fragment import ENDS_GOP, KEYFRAME, FragmentHeader, ticks_to_ns


class FileRow(NamedTuple):
    """One recorded file, as catalogued."""

    n: int
    id: str
    camera: str
    stream: str
    run: str
    path: str
    """Relative to the owner's directory on the disk."""
    codec: str
    width: int
    height: int
    start_ns: int
    end_ns: int
    size_bytes: int
    init_bytes: int
    init_sha256: bytes
    state: int


class FragmentRow(NamedTuple):
    """One fragment, as catalogued; times since the start of its file."""

    idx: int
    offset: int
    size_bytes: int
    video_bytes: int
    start_90k: int
    duration_90k: int
    flags: int
    sha256: bytes

    @property
    def keyframe(self) -> bool:
        """Return whether decoding can start here."""
        return bool(self.flags & KEYFRAME)

    @property
    def ends_gop(self) -> bool:
        """Return whether the next fragment, if any, starts with a keyframe."""
        return bool(self.flags & ENDS_GOP)

    @property
    def end_90k(self) -> int:
        """Return where the next one starts."""
        return self.start_90k + self.duration_90k


_FILE = (
    "n, id, camera, stream, run, path, codec, width, height, start_ns, end_ns, "
    "size_bytes, init_bytes, init_sha256, state"
)
_FRAGMENT = "idx, offset, size_bytes, video_bytes, start_90k, duration_90k, flags, sha256"


def fragment_row(idx: int, offset: int, header: FragmentHeader) -> FragmentRow:
    """Return the row of a fragment that was written at ``offset``."""
    return FragmentRow(
        idx,
        offset,
        header.size_bytes,
        header.video_bytes,
        header.start_90k,
        header.duration_90k,
        header.flags,
        header.sha256,
    )


def insert_file(db: sqlite3.Connection, row: FileRow) -> int:
    """Add a file; ``row.n`` is ignored. Return its number."""
    cursor = db.execute(f"INSERT INTO files ({_FILE}) VALUES (NULL{', ?' * 14})", row[1:])  # noqa: S608 - constants
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def append_fragments(db: sqlite3.Connection, n: int, rows: Sequence[FragmentRow]) -> None:
    """Add fragments to file ``n`` and move its end and size."""
    db.executemany("INSERT INTO fragments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(n, *row) for row in rows])
    if rows:
        last = rows[-1]
        db.execute(
            "UPDATE files SET end_ns = start_ns + ?, size_bytes = ? WHERE n = ?",
            (ticks_to_ns(last.end_90k), last.offset + last.size_bytes, n),
        )


def cut(db: sqlite3.Connection, row: FileRow, first: int) -> tuple[int, int]:
    """Take a file's fragments away from ``first`` (not 0) on; return when it ends then, and its size in bytes."""
    last = fragments_of(db, row.n)[first - 1]
    end_ns, size_bytes = row.start_ns + ticks_to_ns(last.end_90k), last.offset + last.size_bytes
    db.execute("DELETE FROM fragments WHERE file = ? AND idx >= ?", (row.n, first))
    db.execute("UPDATE files SET end_ns = ?, size_bytes = ? WHERE n = ?", (end_ns, size_bytes, row.n))
    return end_ns, size_bytes


def set_state(db: sqlite3.Connection, n: int, state: int) -> None:
    """Move a file row to another state."""
    db.execute("UPDATE files SET state = ? WHERE n = ?", (state, n))


def forget(db: sqlite3.Connection, n: int) -> None:
    """Take a file's rows away."""
    db.execute("DELETE FROM files WHERE n = ?", (n,))


def file_by_id(db: sqlite3.Connection, file_id: str) -> FileRow | None:
    """Return the file with that identifier."""
    row = db.execute(f"SELECT {_FILE} FROM files WHERE id = ? AND state != ?", (file_id, GARBAGE)).fetchone()  # noqa: S608
    return row and FileRow(*row)


def all_files(db: sqlite3.Connection) -> list[FileRow]:
    """Return every file row."""
    return [FileRow(*row) for row in db.execute(f"SELECT {_FILE} FROM files ORDER BY n")]  # noqa: S608


def files_between(db: sqlite3.Connection, camera: str, stream: str, start_ns: int, end_ns: int) -> list[FileRow]:
    """Return the files that overlap the range, oldest first."""
    rows = db.execute(
        f"SELECT {_FILE} FROM files WHERE camera = ? AND stream = ? AND end_ns > ? AND start_ns < ? AND state != ?"  # noqa: S608
        " ORDER BY start_ns",
        (camera, stream, start_ns, end_ns, GARBAGE),
    )
    return [FileRow(*row) for row in rows]


def newest_end_ns(db: sqlite3.Connection, camera: str, stream: str) -> int | None:
    """Return the end of the newest footage of a stream."""
    row = db.execute(
        "SELECT max(end_ns) FROM files WHERE camera = ? AND stream = ? AND state != ?", (camera, stream, GARBAGE)
    ).fetchone()
    end_ns: int | None = row[0]
    return end_ns


def fragments_of(db: sqlite3.Connection, n: int, from_idx: int = 0) -> list[FragmentRow]:
    """Return the fragments of file ``n`` in order."""
    rows = db.execute(f"SELECT {_FRAGMENT} FROM fragments WHERE file = ? AND idx >= ? ORDER BY idx", (n, from_idx))  # noqa: S608
    return [FragmentRow(*row) for row in rows]


def gop_at(db: sqlite3.Connection, n: int, idx: int) -> list[FragmentRow]:
    """Return fragment ``idx`` of file ``n`` and those that go on with its GOP."""
    rows = db.execute(f"SELECT {_FRAGMENT} FROM fragments WHERE file = ? AND idx >= ? ORDER BY idx", (n, idx))  # noqa: S608
    gop: list[FragmentRow] = []
    for row in rows:
        fragment = FragmentRow(*row)
        gop.append(fragment)
        if fragment.ends_gop:
            break
    rows.close()
    return gop


def totals(db: sqlite3.Connection) -> tuple[int, int, int | None]:
    """Return the number of files, their bytes, and the oldest start."""
    row = db.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0), min(start_ns) FROM files WHERE state != ?", (GARBAGE,)
    ).fetchone()
    return row[0], row[1], row[2]


__all__ = [
    "CLOSED",
    "GARBAGE",
    "OPEN",
    "FileRow",
    "FragmentRow",
    "all_files",
    "append_fragments",
    "cut",
    "file_by_id",
    "files_between",
    "forget",
    "fragment_row",
    "fragments_of",
    "gop_at",
    "insert_file",
    "newest_end_ns",
    "set_state",
    "totals",
]
