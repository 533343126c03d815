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

camera_groups = Table(
    "camera_groups",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("parent_id", String(32), ForeignKey("camera_groups.id", ondelete="CASCADE")),
    Column("label", String(120)),  # cameras whose own group has this name
    Column("area", Text),  # JSON: corners as [latitude, longitude]; cameras that stand inside
)

camera_group_members = Table(
    "camera_group_members",
    metadata,
    Column("group_id", String(32), ForeignKey("camera_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("camera_id", String(32), ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True),
)

teams = Table(
    "teams",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", String(32), ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)

bundles = Table(
    "bundles",  # roles of the site's own making
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("permissions", Text, nullable=False),  # JSON list
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("team_id", String(32), ForeignKey("teams.id", ondelete="CASCADE"), index=True),
    Column("role", String(32), nullable=False),
    Column("group_id", String(32), ForeignKey("camera_groups.id", ondelete="CASCADE")),
    Column("starts_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger),
    Column("reason", Text, nullable=False),
    Column("granted_by", String(32), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    CheckConstraint("(user_id IS NULL) <> (team_id IS NULL)", name="one_holder"),
)

access_version = Table(
    "access_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

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

organisations = Table(
    "organisations",  # of partners: forces, other rooms
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("networks", Text, nullable=False),  # JSON list of CIDRs; empty is anywhere
    Column("certificate", String(64)),  # SHA-256 of the client certificate that they must show, in hex
    Column("disabled", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

recipients = Table(
    "recipients",
    metadata,
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("name", String(120), nullable=False),
    Column("invited_by", String(32), nullable=False),
    Column("enrolled_ns", BigInteger, nullable=False),
    Column("terms_version", String(32)),
    Column("terms_ns", BigInteger),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column(
        "organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("username", String(64), nullable=False),
    Column("name", String(120), nullable=False),
    Column("invited_by", String(32), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False),
    Column("everybody", Boolean, nullable=False),  # of the organisation; otherwise those in share_recipients
    Column("follows", Boolean, nullable=False),
    Column("cameras", Text, nullable=False),  # JSON list; of a share that follows, the one selected now or none
    Column("reference", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("review_ns", BigInteger),
    Column("stream", String(8), nullable=False),
    Column("may_ask_for_stick", Boolean, nullable=False),
    Column("stills", Boolean, nullable=False),
    Column("viewer_limit", Integer, nullable=False),
    Column("starts_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("made_by", String(32), nullable=False),
    Column("maker", String(120), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Index("ix_shares_ended_ns", "ended_ns"),
)

share_recipients = Table(
    "share_recipients",
    metadata,
    Column("share_id", String(32), ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)

share_notes = Table(
    "share_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("share_id", String(32), ForeignKey("shares.id", ondelete="CASCADE"), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("outside", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_share_notes_share_id", "share_id", "at_ns"),
)

room_tests = Table(
    "room_tests",
    metadata,
    Column("id", String(32), primary_key=True),  # that of its share
    Column("organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False),
    Column("camera_id", String(32), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("by", String(32), nullable=False),
    Column("operator", String(120), nullable=False),
    Column("result", String(16), nullable=False),
    Column("ended_ns", BigInteger),
    Column("seen_by", String(120)),
    Column("frames", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Index("ix_room_tests_organisation_id", "organisation_id", "started_ns"),
)
