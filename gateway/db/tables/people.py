"""People, and how they come in."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, String, Table, Text, UniqueConstraint

from gateway.db.tables.base import metadata

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
    Column("reference", String(120), nullable=False, server_default=""),  # the incident or request it works on
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
    Column("invitation_id", String(32)),
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
