"""Units that call in: who they are, their certificates, and what they say of themselves."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from gateway.db.tables.base import metadata

unit_authorities = Table(
    "unit_authorities",  # that issue the certificates of units; one is current
    metadata,
    Column("id", String(32), primary_key=True),
    Column("certificate", Text, nullable=False),  # PEM
    Column("key_sealed", LargeBinary, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

units = Table(
    "units",
    metadata,
    Column("label", String(32), primary_key=True),
    Column("urn", String(200), unique=True),  # of its camera; none until it is known
    Column("serial", String(120), nullable=False),
    Column("model", String(120), nullable=False),
    Column("firmware", String(120), nullable=False),
    Column("note", Text, nullable=False),
    Column("device_id", String(32), ForeignKey("devices.id", ondelete="SET NULL"), unique=True),
    Column("budget_bytes", BigInteger),  # of its SIM in a month
    Column("boot", String(64), nullable=False),  # the newest that we know of
    Column("boots", Text, nullable=False),  # JSON list: some before it, the newest last
    Column("online", Boolean, nullable=False),
    Column("heard_ns", BigInteger),
    Column("enrolled_ns", BigInteger, nullable=False),
    Column("retired_ns", BigInteger),
)

unit_certificates = Table(
    "unit_certificates",
    metadata,
    Column("serial", String(40), primary_key=True),  # in hex
    Column("label", String(32), ForeignKey("units.label", ondelete="CASCADE"), nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),  # SHA-256 in hex
    Column("issued_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger),
)

unit_states = Table(
    "unit_states",  # the newest of each kind
    metadata,
    Column("label", String(32), ForeignKey("units.label", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),  # as in state/battery, event/shock
    Column("boot", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("unit_ns", BigInteger, nullable=False),  # by the unit's clock
    Column("taken_ns", BigInteger, nullable=False),  # by ours
    Column("payload", Text, nullable=False),  # JSON
)

unit_trends = Table(
    "unit_trends",
    metadata,
    Column("label", String(32), ForeignKey("units.label", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("at_ns", BigInteger, primary_key=True),
    Column("payload", Text, nullable=False),  # JSON
    Column("anew", Boolean, nullable=False),  # a counter began anew since the point before
    Index("ix_unit_trends_at_ns", "at_ns"),
)
