"""A log on disk, and an intruder who goes around the database's own refusal."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.audit import leaves
from gateway.audit.checkpoints import Checkpoint
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.proof import AuditReport
from gateway.audit.trail import Trail, open_trail
from gateway.audit.tree import Edge
from gateway.db.audit import ROW_NAMES, AuditRow
from gateway.db.engine import open_database, sqlite_url
from tests.fakes.clock import ManualClock

UNLOCK = tuple(
    f"DROP TRIGGER {name};"
    for name in ("audit_entries_no_update", "audit_entries_no_delete", "audit_personal_no_update")
)
ENTRIES = 11
"""The log: one erasure (entry 4) that covers 1 to 3, a span that ended (5, 6), one that did not (7), and more."""
CHECKPOINTS = (4, 8, 11)


async def write_log(path: Path) -> list[Checkpoint]:
    """Write the log, and return checkpoints of it as a witness holds them."""
    clock = ManualClock()
    checkpoints = []
    async with open_database(sqlite_url(path)) as database, open_trail(database, clock=clock) as trail:
        for number in range(3):
            trail.note(_event(Action.STILL, f"camera{number}"))
        await trail.settled()
        await clock.turn(1.0)
        await trail.erase_personal(clock.wall_ns())
        lasting = [
            _event(Action.VIEW_STARTED, "camera1", span="a", from_ns=clock.wall_ns()),
            _event(Action.VIEW_ENDED, "camera1", span="a", from_ns=clock.wall_ns(), to_ns=clock.wall_ns() + 1),
            _event(Action.VIEW_STARTED, "camera2", span="b", from_ns=clock.wall_ns()),
        ]
        for event in [*lasting, *(_event(Action.CHANGED, f"camera{number}") for number in range(4))]:
            if (edge := await trail.head()).size in CHECKPOINTS:
                checkpoints.append(Checkpoint(origin="log", size=edge.size, root=edge.root))
            await trail.append(event)
        edge = await trail.head()
        checkpoints.append(Checkpoint(origin="log", size=edge.size, root=edge.root))
    assert tuple(one.size for one in checkpoints) == CHECKPOINTS
    return checkpoints


def _event(action: Action, subject: str, **more: Any) -> AuditEvent:
    actor = Actor(id="u1", name="ann", address="192.0.2.1")
    details = {"name": "High Street", "stream": "main"}
    return AuditEvent(action=action, actor=actor, subject=subject, rule="role:operator", details=details, **more)


async def verified(path: Path, checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
    """Return what checking the log finds."""
    async with open_database(sqlite_url(path)) as database:
        return await Trail(database, clock=ManualClock()).verify(checkpoints)


def intrude(
    path: Path, copy: Path, statements: str, and_then: Callable[[sqlite3.Connection], None] | None = None
) -> None:
    """Copy a log, drop what refuses, and do as told."""
    for stale in path.parent.glob(f"{copy.name}*"):
        stale.unlink()
    shutil.copy(path, copy)
    connection = sqlite3.connect(copy)
    connection.executescript("".join(UNLOCK) + statements)
    if and_then is not None:
        and_then(connection)
    connection.commit()
    connection.close()


def compute_again(connection: sqlite3.Connection) -> None:
    """Recompute every commitment, leaf and the end of the log: what whoever can write the database can do."""
    edge = Edge()
    still_open: dict[str, int] = {}
    parts = connection.execute("SELECT seq, salt, body FROM audit_personal")
    personal = {seq: (salt, body) for seq, salt, body in parts}
    rows = connection.execute(f"SELECT {', '.join(ROW_NAMES)} FROM audit_entries ORDER BY seq").fetchall()  # noqa: S608
    connection.execute("DELETE FROM audit_entries")
    connection.execute("DELETE FROM audit_personal")
    for seq, stored in enumerate(rows, start=1):
        values = dict(zip(ROW_NAMES, stored, strict=True))
        if values["seq"] in personal:
            salt, body = personal[values["seq"]]
            values["commitment"] = leaves.commitment(salt, body)
            row = (seq, values["at_ns"], salt, body)
            connection.execute("INSERT INTO audit_personal (seq, at_ns, salt, body) VALUES (?, ?, ?, ?)", row)
        values["seq"] = seq
        values["leaf"] = leaves.leaf_of(AuditRow(**values))
        marks = ", ".join("?" for _ in ROW_NAMES)
        connection.execute(
            f"INSERT INTO audit_entries ({', '.join(ROW_NAMES)}) VALUES ({marks})",  # noqa: S608 - an intruder's
            [values[name] for name in ROW_NAMES],
        )
        edge.push(values["leaf"])
        if values["span"]:
            still_open.pop(values["span"], None)
            if values["to_ns"] is None:
                still_open[values["span"]] = seq
    connection.execute("DELETE FROM audit_open")
    connection.executemany("INSERT INTO audit_open (span, seq) VALUES (?, ?)", still_open.items())
    connection.execute("UPDATE audit_tree SET size = ?, edge = ?", (edge.size, edge.pack()))
