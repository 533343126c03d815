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

identities = Table(
    "identities",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("governs", Boolean, nullable=False),  # it made its user, and says their name and role at each sign-in
    Column("created_ns", BigInteger, nullable=False),
    Column("signed_in_ns", BigInteger),
    UniqueConstraint("issuer", "subject"),
)

provider_visits = Table(
    "provider_visits",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("browser_hash", String(64), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("session_id", String(32), ForeignKey("sessions.id", ondelete="CASCADE")),
    Column("redirect_uri", Text, nullable=False),
    Column("return_to", String(200), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False, index=True),
)

provider_sessions = Table(
    "provider_sessions",
    metadata,
    Column("session_id", String(32), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("identity_id", String(32), ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", String(32), nullable=False),
    Column("sid", String(255), index=True),
    Column("id_token", Text, nullable=False),  # named back to the provider when signing out there
)

logout_tokens = Table(
    "logout_tokens",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("jti", String(255), primary_key=True),
    Column("expires_ns", BigInteger, nullable=False, index=True),
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
