"""Who may do what where."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from gateway.db.tables.base import metadata

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

glass_breaks = Table(
    "glass_breaks",  # those that no supervisor acknowledged yet
    metadata,
    Column("id", String(32), primary_key=True),  # that of the grant, which goes before it
    Column("user_id", String(32), nullable=False),  # kept when its user is removed
    Column("name", String(120), nullable=False),  # as they were called then
    Column("reason", Text, nullable=False),
    Column("starts_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger, nullable=False),  # or when it was closed
)

access_version = Table(
    "access_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one"),
)
