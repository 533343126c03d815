"""Gaps with their causes, what retention took, and meta values."""

import sqlite3
from typing import NamedTuple

from kernel.clock import NS_PER_S
from kernel.media import GapCause

ALIVE_KEY = "alive_ns"
"""Meta value: when the process that owned the catalog last gave a sign of life."""


class GapRow(NamedTuple):
    """A stretch without footage; ``end_ns`` is None while it lasts."""

    n: int
    start_ns: int
    end_ns: int | None
    cause: str
    detail: str


def open_gap(  # noqa: PLR0913, PLR0917 - one row
    db: sqlite3.Connection, camera: str, stream: str, start_ns: int, cause: GapCause, detail: str
) -> None:
    """State that footage stopped at ``start_ns``."""
    db.execute("INSERT INTO gaps (camera, stream, start_ns, cause, detail) VALUES (?, ?, ?, ?, ?)",
               (camera, stream, start_ns, cause.value, detail))  # fmt: skip


def put_gap(  # noqa: PLR0913, PLR0917 - one row
    db: sqlite3.Connection, camera: str, stream: str, start_ns: int, end_ns: int, cause: GapCause, detail: str
) -> None:
    """State that there is no footage of a stretch that is over; it goes on with one like it that ended just before."""
    longer = db.execute(
        "UPDATE gaps SET end_ns = ? WHERE camera = ? AND stream = ? AND cause = ? AND detail = ?"
        " AND end_ns BETWEEN ? AND ?",
        (end_ns, camera, stream, cause.value, detail, start_ns - NS_PER_S, start_ns),
    )
    if longer.rowcount:
        return
    db.execute("INSERT INTO gaps (camera, stream, start_ns, end_ns, cause, detail) VALUES (?, ?, ?, ?, ?, ?)",
               (camera, stream, start_ns, end_ns, cause.value, detail))  # fmt: skip


def close_gaps(db: sqlite3.Connection, camera: str, stream: str, end_ns: int) -> None:
    """State that what was missing ended at ``end_ns``; a gap that would be empty goes."""
    db.execute("DELETE FROM gaps WHERE camera = ? AND stream = ? AND end_ns IS NULL AND start_ns >= ?",
               (camera, stream, end_ns))  # fmt: skip
    db.execute("UPDATE gaps SET end_ns = ? WHERE camera = ? AND stream = ? AND end_ns IS NULL",
               (end_ns, camera, stream))  # fmt: skip


def gaps_between(db: sqlite3.Connection, camera: str, stream: str, start_ns: int, end_ns: int) -> list[GapRow]:
    """Return the gaps that overlap the range."""
    rows = db.execute(
        "SELECT n, start_ns, end_ns, cause, detail FROM gaps WHERE camera = ? AND stream = ? AND start_ns < ?"
        " AND (end_ns IS NULL OR end_ns > ?) ORDER BY start_ns",
        (camera, stream, end_ns, start_ns),
    )
    return [GapRow(*row) for row in rows]


def newest_open_gap(db: sqlite3.Connection, camera: str, stream: str) -> GapRow | None:
    """Return the gap that has no end yet."""
    row = db.execute(
        "SELECT n, start_ns, end_ns, cause, detail FROM gaps WHERE camera = ? AND stream = ? AND end_ns IS NULL"
        " ORDER BY start_ns DESC LIMIT 1",
        (camera, stream),
    ).fetchone()
    return row and GapRow(*row)


def newest_gap_end_ns(db: sqlite3.Connection, camera: str, stream: str) -> int | None:
    """Return until when the last gap went that has ended."""
    row = db.execute("SELECT max(end_ns) FROM gaps WHERE camera = ? AND stream = ?", (camera, stream)).fetchone()
    end_ns: int | None = row[0]
    return end_ns


def forget_gaps(db: sqlite3.Connection, before_ns: int) -> None:
    """Drop gaps that ended before retention."""
    db.execute("DELETE FROM gaps WHERE end_ns IS NOT NULL AND end_ns < ?", (before_ns,))


def note_expired(db: sqlite3.Connection, camera: str, stream: str, until_ns: int) -> None:
    """State that footage up to ``until_ns`` was deleted by retention."""
    db.execute(
        "INSERT INTO expired VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until_ns = max(until_ns, excluded.until_ns)",
        (camera, stream, until_ns),
    )


def expired_until(db: sqlite3.Connection, camera: str, stream: str) -> int | None:
    """Return the end of what retention has deleted of a stream."""
    row = db.execute("SELECT until_ns FROM expired WHERE camera = ? AND stream = ?", (camera, stream)).fetchone()
    return row and int(row[0])


def get_meta(db: sqlite3.Connection, key: str) -> str | None:
    """Return a meta value."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row and str(row[0])


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """Set a meta value."""
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value))
