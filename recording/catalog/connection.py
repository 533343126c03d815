"""Connections and schema.

WAL with ``synchronous=NORMAL``: a commit costs no disk flush and a power cut loses at most the last rows, which
recovery reads from the files again. Deletions are the exception: their intent is flushed (``durable=True``) before
a file is unlinked, or a power cut would leave rows of files that are gone.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 2

OPEN, CLOSED, GARBAGE = 0, 1, 2
"""States of a file row."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    camera TEXT NOT NULL,
    stream TEXT NOT NULL,
    run TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    codec TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    init_bytes INTEGER NOT NULL,
    init_sha256 BLOB NOT NULL,
    state INTEGER NOT NULL
);
CREATE INDEX files_by_time ON files (camera, stream, end_ns);
CREATE INDEX files_by_age ON files (stream, state, end_ns);
CREATE TABLE fragments (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    video_bytes INTEGER NOT NULL,
    start_90k INTEGER NOT NULL,
    duration_90k INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (file, idx)
) WITHOUT ROWID;
CREATE TABLE gaps (
    n INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    stream TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX gaps_by_time ON gaps (camera, stream, start_ns);
CREATE TABLE expired (
    camera TEXT NOT NULL,
    stream TEXT NOT NULL,
    until_ns INTEGER NOT NULL,
    PRIMARY KEY (camera, stream)
) WITHOUT ROWID;
CREATE TABLE holds (
    id TEXT PRIMARY KEY,
    camera TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    authority TEXT NOT NULL DEFAULT '',
    placed_by TEXT NOT NULL DEFAULT '',
    review_ns INTEGER
) WITHOUT ROWID;
CREATE INDEX holds_by_camera ON holds (camera, end_ns);
"""
_FROM_1 = """
ALTER TABLE holds ADD COLUMN authority TEXT NOT NULL DEFAULT '';
ALTER TABLE holds ADD COLUMN placed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE holds ADD COLUMN review_ns INTEGER;
"""


class Catalog:
    """One catalog file: a connection that writes and one that reads, each behind its own lock."""

    def __init__(self, path: Path) -> None:
        """Open or make the catalog.

        Raises:
            sqlite3.Error: it cannot be read or written, or is not one of ours.
        """
        self.path = path
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._writer = self._connect()
        try:
            self._migrate()
            self._reader = self._connect()
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10.0)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        steps = {0: _SCHEMA, 1: _FROM_1}
        if version in steps:
            self._writer.executescript(f"BEGIN;{steps[version]}PRAGMA user_version={VERSION};COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"catalog version {version} is not known")

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the connection within one transaction; ``durable`` flushes the commit to the disk."""
        with self._writing:
            if durable:
                self._writer.execute("PRAGMA synchronous=FULL")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.rollback()
                raise
            else:
                self._writer.commit()
            finally:
                if durable:
                    self._writer.execute("PRAGMA synchronous=NORMAL")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the reading connection."""
        with self._reading:
            yield self._reader

    def close(self) -> None:
        """Close both connections; the write-ahead log is folded in."""
        with self._reading:
            self._reader.close()
        with self._writing:
            self._writer.close()
