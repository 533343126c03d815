"""Devices and their cameras."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.db.tables.base import metadata

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

device_passwords = Table(
    "device_passwords",  # of devices whose password we made, or are giving them
    metadata,
    Column("device_id", String(32), ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("next_sealed", LargeBinary),  # on its way to the device: perhaps it takes this one already
    Column("changed_ns", BigInteger),  # since when the one in devices is of our making
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

reference_views = Table(
    "reference_views",
    metadata,
    Column("camera_id", String(32), ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True),
    Column("taken_ns", BigInteger, nullable=False),
    Column("grey", LargeBinary, nullable=False),
    Column("pan", Float),  # where its head stood then, in the generic spaces; all three or none
    Column("tilt", Float),
    Column("zoom", Float),
)

past_cameras = Table(
    "past_cameras",  # that were removed, as they were then
    metadata,
    Column("camera_id", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("name", String(120), nullable=False),
    Column("camera_group", String(120), nullable=False),
    Column("latitude_deg", Float),
    Column("longitude_deg", Float),
    Column("height_m", Float),
    Column("host", Integer, nullable=False),
    Column("enrolled_ns", BigInteger, nullable=False),
    Column("removed_ns", BigInteger, nullable=False),
)

camera_days = Table(
    "camera_days",
    metadata,
    Column("camera_id", String(32), primary_key=True),  # of cameras or past_cameras: figures outlive both
    Column("day", Integer, primary_key=True, autoincrement=False),  # UTC, counted from 1970-01-01
    Column("recorded_ns", BigInteger),  # this and what follows is of the whole day: all or none
    Column("lost_camera_ns", BigInteger),
    Column("lost_network_ns", BigInteger),
    Column("lost_host_ns", BigInteger),
    Column("lost_storage_ns", BigInteger),
    Column("withheld_ns", BigInteger),
    Column("off_ns", BigInteger),
    Column("unknown_ns", BigInteger),
    Column("clock_offset_s", Float),  # the furthest that it was seen to be
)

put_offs = Table(
    "put_offs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera_id", String(32), ForeignKey("cameras.id", ondelete="CASCADE")),  # either this
    Column("unit", String(32), ForeignKey("units.label", ondelete="CASCADE")),  # or this
    Column("kind", String(32), nullable=False),  # gateway.health.need.Kind
    Column("urgency", String(16), nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_name", String(250), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger),
    UniqueConstraint("camera_id", "kind"),
    UniqueConstraint("unit", "kind"),
    CheckConstraint("(camera_id IS NULL) <> (unit IS NULL)", name="whose"),
)

camera_bounds = Table(
    "camera_bounds",
    metadata,
    Column("camera_id", String(32), ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True),
    Column("bounds", Text, nullable=False),  # JSON: ptz.bounds.Bounds
)
