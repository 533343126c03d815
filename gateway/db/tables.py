"""The tables as they are now. Migrations bring a database here; a test proves that they do.

Times are nanoseconds since 1970 UTC. Only types that SQLite and PostgreSQL share.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("username", String(64), nullable=False, unique=True),  # folded: compared without case
    Column("name", String(120), nullable=False),
    Column("role", String(32), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("signed_in_ns", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("browser", String(120), nullable=False, server_default=""),
    Column("methods", String(120), nullable=False, server_default=""),  # how they proved who they are, in words
    Column("confirmed_ns", BigInteger, nullable=False, server_default="0"),  # when they last proved it
    Column("active_ns", BigInteger, nullable=False, server_default="0"),  # when a hand last moved
    Column("state", String(8), nullable=False, server_default="open"),
)

totp = Table(
    "totp",
    metadata,
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("used_step", BigInteger, nullable=False),  # the newest step of 30 s whose code was taken
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential_id", String(1400), nullable=False, unique=True),  # base64url
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("rp_id", String(255), nullable=False),  # the host name that it works at
    Column("name", String(60), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("secret_hash", String(64), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("secret_hash", String(64), primary_key=True),  # of the browser's device cookie
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("used_ns", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("role", String(32), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
)

codes = Table(
    "one_time_codes",
    metadata,
    Column("secret_hash", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE")),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("urn", String(200), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("password_sealed", LargeBinary, nullable=False),
    Column("connection", Text, nullable=False),  # JSON: what of a CameraTarget is not a secret
    Column("description", Text, nullable=False),  # JSON: drivers.model.CameraDescription
    Column("measured_ns", BigInteger, nullable=False),
)

cameras = Table(
    "cameras",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("device_id", String(32), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("source_token", String(200), nullable=False),
    Column("number", Integer, nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("street", String(120), nullable=False),
    Column("camera_group", String(120), nullable=False),
    Column("latitude_deg", Float),
    Column("longitude_deg", Float),
    Column("height_m", Float),
    Column("bearing_deg", Float),
    Column("hfov_deg", Float),
    Column("recording", Boolean, nullable=False),
    Column("host", Integer, nullable=False),
    Column("enrolled_ns", BigInteger, nullable=False),
    UniqueConstraint("device_id", "source_token"),
    CheckConstraint("number BETWEEN 1 AND 9999", name="number"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("action", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("address", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("details", Text, nullable=False),  # canonical JSON object
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_at_ns", "at_ns"),
    Index("ix_audit_subject", "subject", "at_ns"),
    Index("ix_audit_actor_id", "actor_id", "at_ns"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("id = 1", name="one"),
)
