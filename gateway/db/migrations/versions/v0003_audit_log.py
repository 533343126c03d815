"""The audit as a Merkle log: personal parts apart from the entries, and the entries of the old chain taken over.

What the old chain held is checked while it is still there and logged anew, entry by entry; the entry after them says
how many there were, the hash that the chain ended in, and whether it was sound. The forms written here are those of the
day: this file does not change with the code.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from gateway.db.dialects import append_only, unchangeable

revision = "0003"
down_revision = "0002"

PAGE = 1000
NS_PER_S = 1_000_000_000
GENESIS = "0" * 64
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ENTRY = (
    *("seq", "at_ns", "action", "outcome", "actor_id", "subject", "rule", "span", "from_ns", "to_ns", "span_class"),
    *("details", "commitment", "leaf"),
)
PERSONAL = ("seq", "at_ns", "salt", "body")
ENDS = {"view.ended", "playback.ended", "steer.ended"}
AT_ONCE = {"view.snapshot", "playback.still", "export.clip"}
PLAIN = {"stream", "how", "permission", "error", "role", "head", "start", "end", "file", "urn", "user"}


def upgrade() -> None:
    """Make the tables and move what there is."""
    op.create_table(
        "audit_entries",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("span", sa.String(length=64), nullable=False),
        sa.Column("from_ns", sa.BigInteger(), nullable=True),
        sa.Column("to_ns", sa.BigInteger(), nullable=True),
        sa.Column("span_class", sa.Integer(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entries")),
    )
    op.create_table(
        "audit_personal",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_personal")),
    )
    op.create_table(
        "audit_open",
        sa.Column("span", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("span", name=op.f("pk_audit_open")),
    )
    op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_tree_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_tree")),
    )
    # Written as SQL for another machine there is nothing to move: only SQLite has had an audit so far.
    peaks = [] if context.is_offline_mode() else _carry_over(op.get_bind())
    empty = sa.table(
        "audit_tree", sa.column("id", sa.Integer), sa.column("size", sa.BigInteger), sa.column("edge", sa.LargeBinary)
    )
    size = sum(1 << height for height, _ in peaks)
    op.bulk_insert(empty, [{"id": 1, "size": size, "edge": b"".join(node for _, node in peaks)}])
    op.create_index("ix_audit_entries_at_ns", "audit_entries", ["at_ns"], unique=False)
    for column in ("subject", "actor_id", "action"):
        op.create_index(f"ix_audit_entries_{column}", "audit_entries", [column, "seq"], unique=False)
    for name, column in (("ix_audit_entries_seen_at", "subject"), ("ix_audit_entries_seen_by", "actor_id")):
        op.create_index(name, "audit_entries", [column, "span_class", "from_ns", "to_ns"], unique=False)
    op.create_index("ix_audit_personal_at_ns", "audit_personal", ["at_ns"], unique=False)
    dialect = op.get_context().dialect.name
    append_only("audit_entries", dialect, op.execute)
    unchangeable("audit_personal", dialect, op.execute)
    op.drop_table("audit")
    op.drop_table("audit_head")
    if dialect == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")


def _carry_over(connection: sa.Connection) -> list[tuple[int, bytes]]:
    """Log the old entries anew and return the complete subtrees over them: height and hash, largest first."""
    entries = sa.table("audit_entries", *(sa.column(name) for name in ENTRY))
    personal = sa.table("audit_personal", *(sa.column(name) for name in PERSONAL))
    peaks: list[tuple[int, bytes]] = []
    previous, count, sound, at_ns = GENESIS, 0, True, 0
    for page in _old_pages(connection):
        rows, parts = [], []
        for old in page:
            sound = sound and old["seq"] == count + 1 and old["previous_hash"] == previous and _sound(old)
            previous, at_ns, count = old["hash"], old["at_ns"], count + 1
            row, part = _entry(old, count)
            rows.append(row)
            parts.append(part)
            _push(peaks, row["leaf"])
        connection.execute(entries.insert(), rows)
        connection.execute(personal.insert(), parts)
    head = connection.execute(sa.text("SELECT seq, hash FROM audit_head")).one_or_none()
    sound = sound and head is not None and tuple(head) == (count, previous)
    if count or not sound:
        told = {"entries": count, "head": head.hash if head is not None else "", "sound": sound}
        own = {"at_ns": at_ns, "action": "audit.carried-over", "outcome": "done" if sound else "failed"}
        own |= {"actor_id": "system", "actor": "Sightline", "address": "", "subject": "", "details": _canonical(told)}
        row, part = _entry(own, count + 1)
        connection.execute(entries.insert(), [row])
        connection.execute(personal.insert(), [part])
        _push(peaks, row["leaf"])
    return peaks


def _old_pages(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    query = sa.text("SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit")
    after = -(2**63)
    while page := connection.execute(query, {"after": after, "limit": PAGE}).mappings().all():
        yield [dict(row) for row in page]
        after = page[-1]["seq"]


def _sound(old: dict[str, Any]) -> bool:
    kept = {key: old[key] for key in ("seq", "action", "outcome", "actor_id", "actor", "address", "subject", "details")}
    kept["at_ns"] = str(old["at_ns"])
    said: bool = hashlib.sha256(f"{old['previous_hash']}\n{_canonical(kept)}".encode()).hexdigest() == old["hash"]
    return said


def _entry(old: dict[str, Any], seq: int) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        details = dict(json.loads(old["details"]))
    except (TypeError, ValueError):  # somebody has been at it: what stands there is kept as text
        details = {"unreadable": str(old["details"])}
    typed = {key: value for key, value in details.items() if isinstance(value, str) and key not in PLAIN}
    plain = {key: value for key, value in details.items() if key not in typed}
    body = _canonical({"actor": old["actor"], "address": old["address"], "reference": "", "details": _canonical(typed)})
    salt = secrets.token_bytes(16)
    from_ns, to_ns = _when(old, plain)
    row = {key: old[key] for key in ("at_ns", "action", "outcome", "actor_id", "subject")}
    row |= {"seq": seq, "rule": "", "span": "", "from_ns": from_ns, "to_ns": to_ns, "details": _canonical(plain)}
    commitment = hashlib.sha256(salt + body.encode()).digest()
    leaf = {key: value for key, value in row.items() if key not in {"at_ns", "from_ns", "to_ns"}}
    leaf |= {key: None if row[key] is None else str(row[key]) for key in ("at_ns", "from_ns", "to_ns")}
    leaf["commitment"] = commitment.hex()
    row["commitment"] = commitment
    row["leaf"] = hashlib.sha256(b"\x00" + _canonical(leaf).encode()).digest()
    seen = to_ns is not None and from_ns is not None and old["outcome"] != "refused"
    row["span_class"] = ((to_ns - from_ns) // NS_PER_S).bit_length() if seen else None  # type: ignore[operator]
    return row, {"seq": seq, "at_ns": old["at_ns"], "salt": salt, "body": body}


def _when(old: dict[str, Any], details: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return from when to when: an end said how many seconds it had lasted."""
    if old["action"] in AT_ONCE:
        return old["at_ns"], old["at_ns"]
    lasted_s = details.get("seconds")
    if old["action"] in ENDS and isinstance(lasted_s, int) and lasted_s >= 0:
        return old["at_ns"] - lasted_s * NS_PER_S, old["at_ns"]
    return None, None


def _canonical(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _push(peaks: list[tuple[int, bytes]], node: bytes) -> None:
    height = 0
    while peaks and peaks[-1][0] == height:
        node = hashlib.sha256(b"\x01" + peaks.pop()[1] + node).digest()
        height += 1
    peaks.append((height, node))
