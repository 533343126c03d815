"""The audit."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.db.tables.base import metadata

# In SQLite an INTEGER primary key is the table's own order; any other type is one more index.
_Number = BigInteger().with_variant(Integer, "sqlite")

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("action", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("span", String(64), nullable=False),  # what the first and the last entry of something lasting share
    Column("from_ns", BigInteger),
    Column("to_ns", BigInteger),
    Column("span_class", Integer),  # gateway.db.seen: how long; null for what is no ended span of seeing
    Column("details", Text, nullable=False),  # canonical JSON object
    Column("commitment", LargeBinary, nullable=False),  # to the row of audit_personal
    Column("leaf", LargeBinary, nullable=False),  # hash
    Index("ix_audit_entries_at_ns", "at_ns"),
    # With the number, so that a page of the newest is read off in its order, however many there are.
    Index("ix_audit_entries_subject", "subject", "seq"),
    Index("ix_audit_entries_actor_id", "actor_id", "seq"),
    Index("ix_audit_entries_action", "action", "seq"),
    Index("ix_audit_entries_seen_at", "subject", "span_class", "from_ns", "to_ns"),
    Index("ix_audit_entries_seen_by", "actor_id", "span_class", "from_ns", "to_ns"),
)

audit_personal = Table(
    "audit_personal",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),  # that of the entry: what is old is erased
    Column("salt", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON object
    Index("ix_audit_personal_at_ns", "at_ns"),
)

audit_open = Table(
    "audit_open",
    metadata,
    Column("span", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

audit_tree = Table(
    "audit_tree",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("edge", LargeBinary, nullable=False),  # of the Merkle tree: hashes of its complete subtrees
    CheckConstraint("id = 1", name="one"),
)
