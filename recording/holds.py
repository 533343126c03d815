"""Held footage: kept beyond retention by two means that do not know each other.

One is a row, checked by the very transaction that would make a file garbage. The other is a hard link under
``held/<hold>/`` with the hold's terms beside it, so that neither a lost catalog nor an unlink loses the footage.
"""

import contextlib
import json
import os
import sqlite3
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from recording.catalog import Catalog
from recording.volume import Volume

HELD = "held"
TERMS = "hold.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A stretch of one camera's footage, both streams, that no retention may delete."""

    id: str
    camera: str
    start_ns: int
    end_ns: int
    reason: str
    created_ns: int
    authority: str = ""
    """By whose word, where that is somebody else's."""
    placed_by: str = ""
    review_ns: int | None = None
    """When somebody is to look whether it is still needed. Nothing is let go of by itself."""


_COLUMNS = tuple(field.name for field in fields(Hold))


def place(root: Path, catalog: Catalog, hold: Hold) -> None:
    """Hold what is there, and what comes to be there, of the hold's stretch."""
    directory = root / HELD / hold.id
    directory.mkdir(parents=True, exist_ok=True)
    _write_terms(directory, hold)
    _enter(catalog, hold)
    link(root, catalog, hold)
    Volume().sync_directory(directory)
    Volume().sync_directory(root / HELD)


def review(root: Path, catalog: Catalog, hold_id: str, review_ns: int) -> bool:
    """Have a hold looked at again at that time; return whether it was there."""
    found = next((hold for hold in listed(catalog) if hold.id == hold_id), None)
    if found is None:
        return False
    _write_terms(root / HELD / hold_id, replace(found, review_ns=review_ns))
    with catalog.write(durable=True) as db:
        db.execute("UPDATE holds SET review_ns = ? WHERE id = ?", (review_ns, hold_id))
    return True


def _write_terms(directory: Path, hold: Hold) -> None:
    """Write a hold's terms; whenever the power fails there are the old ones or the new ones."""
    fresh = directory / f"{TERMS}.new"
    with fresh.open("w") as file:
        json.dump(asdict(hold), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(directory / TERMS)
    Volume().sync_directory(directory)


def _enter(catalog: Catalog, hold: Hold) -> None:
    with catalog.write(durable=True) as db:
        db.execute("INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                   (hold.id, hold.camera, hold.start_ns, hold.end_ns, hold.reason, hold.created_ns, hold.authority,
                    hold.placed_by, hold.review_ns))  # fmt: skip


def link(root: Path, catalog: Catalog, hold: Hold) -> None:
    """Give every file of the hold's stretch its second name."""
    with catalog.read() as db:
        paths = [path for (path,) in db.execute(
            "SELECT path FROM files WHERE camera = ? AND end_ns > ? AND start_ns < ?",
            (hold.camera, hold.start_ns, hold.end_ns))]  # fmt: skip
    for path in paths:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(root / path, root / HELD / hold.id / Path(path).name)


def link_new(root: Path, catalog: Catalog) -> None:
    """Do so for every hold whose stretch may still be growing; called while recording goes on."""
    for hold in listed(catalog):
        if (root / HELD / hold.id).exists():
            link(root, catalog, hold)


def release(root: Path, catalog: Catalog, hold_id: str) -> bool:
    """Hold no longer; retention decides from now on. Return whether the hold was there."""
    with catalog.write(durable=True) as db:
        gone = db.execute("DELETE FROM holds WHERE id = ?", (hold_id,)).rowcount
    directory = root / HELD / hold_id
    if directory.is_dir():
        for entry in list(directory.iterdir()):
            entry.unlink()
        directory.rmdir()
    return bool(gone)


def listed(catalog: Catalog) -> list[Hold]:
    """Return the holds of one disk."""
    with catalog.read() as db:
        rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM holds ORDER BY id").fetchall()  # noqa: S608 - our own names
    return [Hold(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def relink(root: Path, path: str) -> bool:
    """Give a file that lost its first name that name again from a hold's link; return whether there was one."""
    for other in (root / HELD).glob(f"*/{Path(path).name}"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(other, root / path)
        return True
    return False


def recover(root: Path, catalog: Catalog) -> None:
    """Enter holds that the catalog lost, from their terms on the disk."""
    known = {hold.id for hold in listed(catalog)}
    for terms in (root / HELD).glob(f"*/{TERMS}"):
        if terms.parent.name not in known:
            with contextlib.suppress(ValueError, TypeError):
                _enter(catalog, Hold(**json.loads(terms.read_text())))
    with contextlib.suppress(sqlite3.Error):
        link_new(root, catalog)
